// Awaiting a task returns the result of its coroutine.

#include <cstdio>

#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::CreateTask;
using clotho::Task;
using clotho::examples::RunExample;

namespace {

Coro<int> Nested() { co_return 42; }

Coro<void> Main() {
  Task<int> task = CreateTask(Nested());  // It will run soon.
  const int result = co_await task;       // Until it is done.
  std::printf("%d\n", result);
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
