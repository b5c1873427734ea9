// Two tasks that sleep for 3 s and for 2 s take 3 s: while one waits, the other
// runs. Compare two_coroutines.cc.

#include <cstdio>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::CreateTask;
using clotho::GetRunningLoop;
using clotho::Sleep;
using clotho::Task;
using clotho::examples::RunExample;

namespace {

Coro<int> GetHtml(int seconds) {
  co_await Sleep(absl::Seconds(seconds));
  std::printf("get_html %d\n", seconds);
  co_return seconds;
}

Coro<void> Main() {
  const absl::Duration start = GetRunningLoop().Time();
  Task<int> three = CreateTask(GetHtml(3));
  Task<int> two = CreateTask(GetHtml(2));
  const int a = co_await three;  // Both have been running since here.
  const int b = co_await two;
  std::printf("%d\n%d\n", a, b);
  const absl::Duration total = GetRunningLoop().Time() - start;
  std::printf("total %.0f s\n", absl::ToDoubleSeconds(total));
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
