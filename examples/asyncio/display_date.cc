// Does something every second for five seconds: the loop's clock decides when
// to stop.

#include <cstdio>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::EventLoop;
using clotho::GetRunningLoop;
using clotho::Sleep;
using clotho::examples::RunExample;

namespace {

Coro<void> Main() {
  const EventLoop& loop = GetRunningLoop();
  const absl::Duration end = loop.Time() + absl::Seconds(5);
  while (true) {
    std::printf("%d s\n", static_cast<int>(absl::ToInt64Seconds(loop.Time())));
    if (loop.Time() + absl::Seconds(1) >= end) break;
    co_await Sleep(absl::Seconds(1));
  }
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
