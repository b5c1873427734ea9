// Three ways to limit the time for a task: cancel it, wait for it with a
// deadline, or wait with a deadline and a shield, which it survives.

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

const char* IsCancelled(const Task<int>& task) {
  return task.Cancelled() ? "true" : "false";
}

Coro<void> Main() {
  Task<int> cancelled = CreateTask(GetHtml(10));
  co_await Sleep(absl::ZeroDuration());  // It starts.
  cancelled.Cancel();
  try {
    co_await cancelled;
  } catch (const CancelledError&) {
    std::printf("the task was cancelled\n");
  }

  Task<int> late = CreateTask(GetHtml(10));
  try {
    co_await WaitFor(late, absl::Seconds(1));
  } catch (const TimeoutError&) {
    std::printf("timeout, cancelled: %s\n", IsCancelled(late));
  }

  Task<int> shielded = CreateTask(GetHtml(10));
  try {
    co_await WaitFor(Shield(shielded), absl::Seconds(1));
  } catch (const TimeoutError&) {
    std::printf("timeout, cancelled: %s\n", IsCancelled(shielded));
  }
  const int result = co_await shielded;
  std::printf("result %d\n", result);
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
