// Three tasks of three seconds each take three seconds together. They start
// when the task that created them waits.

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
  Task<int> first = CreateTask(Nap(3));
  Task<int> second = CreateTask(Nap(3));
  Task<int> third = CreateTask(Nap(3));
  std::printf("______________\n");
  co_await first;
  co_await second;
  co_await third;
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
