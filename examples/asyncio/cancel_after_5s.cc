// Cancels a task that takes too long. `Cancel` is only a request: the task ends
// when it next runs, and awaiting it then throws CancelledError.

#include <cstdio>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::CancelledError;
using clotho::Coro;
using clotho::CreateTask;
using clotho::Sleep;
using clotho::Task;
using clotho::examples::Nap;
using clotho::examples::RunExample;

namespace {

Coro<void> Main() {
  Task<int> long_task = CreateTask(Nap(10));
  int seconds = 0;
  while (!long_task.Done()) {
    std::printf("the task is still running\n");
    co_await Sleep(absl::Seconds(1));
    if (++seconds == 5) long_task.Cancel();
  }
  try {
    co_await long_task;
  } catch (const CancelledError&) {
    std::printf("the task was cancelled\n");
  }
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
