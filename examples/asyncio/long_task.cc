// A task that is done cannot be cancelled, and meets any deadline: it returns
// its result again. long_task_cancel.cc does the same while it runs.

#include <cstdio>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::CancelledError;
using clotho::Coro;
using clotho::CreateTask;
using clotho::Shield;
using clotho::Sleep;
using clotho::Task;
using clotho::TimeoutError;
using clotho::WaitFor;
using clotho::examples::RunExample;

namespace {

Coro<int> GetHtml(int seconds) {
  co_await Sleep(absl::Seconds(seconds));
  std::printf("get_html %d\n", seconds);
  co_return seconds;
}

Coro<void> Main() {
  Task<int> task = CreateTask(GetHtml(10));
  co_await task;

  std::printf("cancel: %s\n", task.Cancel() ? "true" : "false");
  try {
    co_await task;
  } catch (const CancelledError&) {
    std::printf("the task was cancelled\n");
  }
  try {
    co_await WaitFor(task, absl::Seconds(1));
  } catch (const TimeoutError&) {
    std::printf("timeout\n");
  }
  const int result = co_await WaitFor(Shield(task), absl::Seconds(1));
  std::printf("result %d\n", result);
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
