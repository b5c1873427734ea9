#include "clotho/runtime/clock.h"

#include <cstdint>
#include <optional>
#include <thread>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

TEST(RealClockTest, StartsAtZeroAndNeverGoesBack) {
  RealClock clock;
  const std::int64_t first = clock.NowNs();
  EXPECT_GE(first, 0);
  EXPECT_GE(clock.NowNs(), first);
}

TEST(RealClockTest, WaitsUntilTheDeadline) {
  RealClock clock;
  const std::int64_t deadline = clock.NowNs() + 2'000'000;
  EXPECT_TRUE(clock.Wait(deadline));
  EXPECT_GE(clock.NowNs(), deadline);
  EXPECT_TRUE(clock.Wait(0));  // Is past.
}

TEST(RealClockTest, WakeFromAnotherThreadEndsAWaitForEver) {
  RealClock clock;
  std::thread waker([&] { clock.Wake(); });
  EXPECT_TRUE(clock.Wait(std::nullopt));
  waker.join();
}

TEST(RealClockTest, AWakeBeforehandEndsTheNextWaitOnly) {
  RealClock clock;
  clock.Wake();
  clock.Wake();
  EXPECT_TRUE(clock.Wait(std::nullopt));
  const std::int64_t deadline = clock.NowNs() + 1'000'000;
  EXPECT_TRUE(clock.Wait(deadline));
  EXPECT_GE(clock.NowNs(), deadline);
}

TEST(RealClockTest, ALoopThatIsWokenLooksAgain) {
  RealClock clock;
  EventLoop loop({.clock = &clock});
  bool woken = false;
  loop.CallSoon([&] {
    loop.Stop();  // After this iteration.
    woken = true;
  });
  clock.Wake();
  loop.RunForever();
  EXPECT_TRUE(woken);
}

}  // namespace
}  // namespace clotho
