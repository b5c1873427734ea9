// Two coroutines that sleep for 3 s and for 2 s take 5 s: awaiting a coroutine
// runs it to its end. Compare two_tasks.cc.

#include <cstdio>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::GetRunningLoop;
using clotho::Sleep;
using clotho::examples::RunExample;

namespace {

Coro<int> GetHtml(int seconds) {
  co_await Sleep(absl::Seconds(seconds));
  std::printf("get_html %d\n", seconds);
  co_return seconds;
}

Coro<void> Main() {
  const absl::Duration start = GetRunningLoop().Time();
  const int a = co_await GetHtml(3);
  const int b = co_await GetHtml(2);  // Starts when the first has ended.
  std::printf("%d\n%d\n", a, b);
  const absl::Duration total = GetRunningLoop().Time() - start;
  std::printf("total %.0f s\n", absl::ToDoubleSeconds(total));
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
