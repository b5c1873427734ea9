// Two ways to create a task. `EnsureFuture` also accepts a future or a task,
// and returns it unchanged.

#include <cstdio>

#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::CreateTask;
using clotho::EnsureFuture;
using clotho::Task;
using clotho::examples::RunExample;

namespace {

Coro<int> One() { co_return 1; }

Coro<void> Main() {
  Task<int> first = CreateTask(One());
  Task<int> second = EnsureFuture(One());
  // They start when this task waits.
  std::printf("done: %s\n", first.Done() ? "true" : "false");
  const int a = co_await first;
  const int b = co_await EnsureFuture(second);
  std::printf("%d\n%d\n", a, b);
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
