#include "clotho/examples/asyncio/example.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "absl/time/time.h"
#include "clotho/sim/engine/virtual_clock.h"

namespace clotho::examples {
namespace {

sim::VirtualClock& VirtualClock() {
  static sim::VirtualClock clock;
  return clock;
}

std::unique_ptr<EventLoop> MakeVirtualLoop() {
  return std::make_unique<EventLoop>(
      EventLoopOptions{.clock = &VirtualClock()});
}

}  // namespace

int RunExample(int argc, char** argv, Coro<void> (*main)()) {
  const bool is_real = ClockFor(argc, argv) == nullptr;
  Runner runner({.loop_factory = is_real ? nullptr : MakeVirtualLoop});
  runner.Run(main());
  SayHowLong(runner.GetLoop());
  runner.Close();
  return 0;
}

Clock* ClockFor(int argc, char** argv) {
  if (argc == 1) return &VirtualClock();
  if (argc == 2 && argv[1] == std::string_view("--real")) return nullptr;
  std::fprintf(stderr, "usage: %s [--real]\n", argv[0]);
  std::exit(2);
}

void SayHowLong(const EventLoop& loop) {
  std::printf("[%s]\n", Delay(loop.Time()).ToString().c_str());
}

Coro<int> Nap(int seconds) {
  std::printf("sleeping for %d second(s)\n", seconds);
  co_await Sleep(absl::Seconds(seconds));
  std::printf("finished sleeping for %d second(s)\n", seconds);
  co_return seconds;
}

}  // namespace clotho::examples
