// `Shield` keeps the task alive after the timeout: the program can report the
// delay, and continue waiting.

#include <cstdio>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::CreateTask;
using clotho::Shield;
using clotho::Task;
using clotho::TimeoutError;
using clotho::WaitFor;
using clotho::examples::Nap;
using clotho::examples::RunExample;

namespace {

Coro<void> Main() {
  Task<int> long_task = CreateTask(Nap(10));
  bool is_late = false;
  try {
    co_await WaitFor(Shield(long_task), absl::Seconds(4));
  } catch (const TimeoutError&) {
    is_late = true;  // No co_await in a handler: C++ does not have it.
  }
  if (is_late) std::printf("timeout\n");
  const int result = co_await long_task;
  std::printf("%d\n", result);
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
