// `CreateTask` returns at once; awaiting the task gives its result.

#include <cstdio>

#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::CreateTask;
using clotho::Task;
using clotho::examples::Nap;
using clotho::examples::RunExample;

namespace {

Coro<void> Main() {
  Task<int> nap = CreateTask(Nap(3));
  const int result = co_await nap;
  std::printf("%d\n", result);
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
