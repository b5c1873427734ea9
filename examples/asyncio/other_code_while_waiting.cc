// While tasks wait, other code runs.

#include <cstdio>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::CreateTask;
using clotho::Sleep;
using clotho::Task;
using clotho::examples::Nap;
using clotho::examples::RunExample;

namespace {

Coro<void> HelloEverySecond() {
  for (int i = 0; i < 2; ++i) {
    co_await Sleep(absl::Seconds(1));
    std::printf("I'm running other code while I'm waiting!\n");
  }
}

Coro<void> Main() {
  Task<int> first = CreateTask(Nap(3));
  Task<int> second = CreateTask(Nap(3));
  co_await HelloEverySecond();
  co_await first;
  co_await second;
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
