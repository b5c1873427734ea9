// `WaitFor` gives a task a time limit. After that the task is cancelled.

#include <cstdio>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::CreateTask;
using clotho::Task;
using clotho::TimeoutError;
using clotho::WaitFor;
using clotho::examples::Nap;
using clotho::examples::RunExample;

namespace {

Coro<void> Main() {
  Task<int> long_task = CreateTask(Nap(10));
  try {
    const int result = co_await WaitFor(long_task, absl::Seconds(4));
    std::printf("%d\n", result);
  } catch (const TimeoutError&) {
    std::printf("timeout\n");
    std::printf("cancelled: %s\n", long_task.Cancelled() ? "true" : "false");
  }
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
