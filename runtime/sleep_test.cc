#include "clotho/runtime/sleep.h"

#include <chrono>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

static_assert(Awaitable<internal::SleepAwaitable>);
static_assert(!std::is_move_constructible_v<internal::SleepAwaitable::Awaiter>);
static_assert(std::is_void_v<AwaitResult<internal::SleepAwaitable>>);

constexpr Delay kNow;

class SleepTest : public internal::RuntimeTest {
 protected:
  Coro<void> Sleeper(Delay delay) {
    try {
      co_await Sleep(delay);
      Log("woke up");
    } catch (const CancelledError& e) {
      Log("cancelled", e.what());
      throw;
    }
  }
};

TEST_F(SleepTest, TakesUntilTheIterationAfterItsTimer) {
  Run(Sleeper(absl::Seconds(1)));
  EXPECT_THAT(log_, ElementsAre("i3 t=1 woke up"));
}

TEST_F(SleepTest, OfNothingOrLessGivesWayOnce) {
  Task<void> a = Start(Sleeper(kNow));
  Task<void> b = Start(Sleeper(absl::Seconds(-1)));
  Iterate(2);
  EXPECT_THAT(log_, ElementsAre("i2 t=0 woke up", "i2 t=0 woke up"));
}

TEST_F(SleepTest, TakesDurationsOfAbseilAndOfTheStandardLibrary) {
  Run(Sleeper(std::chrono::milliseconds(1500)));
  Run(Sleeper(absl::Nanoseconds(1)));
  EXPECT_EQ(loop_.Time(), absl::Nanoseconds(1500000001));
}

TEST_F(SleepTest, SleepersWakeByDeadlineAndEqualOnesInTheOrderSet) {
  const auto c = [&](std::string name, Delay delay) -> Coro<void> {
    co_await Sleep(delay);
    Note(name);
  };
  Task<void> a = Start(c("a", absl::Seconds(2)));
  Task<void> b = Start(c("b", absl::Seconds(1)));
  Task<void> d = Start(c("c", absl::Seconds(2)));
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("b", "a", "c"));
}

TEST_F(SleepTest, GivesAResult) {
  const auto main = []() -> Coro<int> {
    std::unique_ptr<int> five =
        co_await Sleep(absl::Seconds(1), std::make_unique<int>(5));
    const int one = co_await Sleep(kNow, 1);
    co_return *five + one;
  };
  EXPECT_EQ(Run(main()), 6);
}

TEST_F(SleepTest, CancelledWhileItSleepsItsTimerGoes) {
  Task<void> t = Start(Sleeper(absl::Seconds(9)));
  Iterate();
  t.Cancel("m");
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i2 t=0 cancelled m"));
  RunToStandstill();
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());  // No timer was left.
}

TEST_F(SleepTest, CancelledWhenItsTimerIsDueButHasNotRun) {
  Task<void> t = Start(Sleeper(absl::Seconds(1)));
  // Runs in the same iteration as the timer, before it.
  loop_.CallAt(absl::Seconds(1), [&] { t.Cancel("m"); });
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i3 t=1 cancelled m"));
}

TEST_F(SleepTest, CancelledWhenItsTimerHasRun) {
  Task<void> t = Start(Sleeper(absl::Seconds(1)));
  Iterate();
  loop_.CallAt(absl::Seconds(1), [&] { t.Cancel("m"); });
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i3 t=1 cancelled m"));
}

TEST_F(SleepTest, DestroyedInEachOfItsStates) {
  Start(Sleeper(kNow));
  Start(Sleeper(absl::Seconds(1)));
  Iterate();
  loop_.Reset();  // Waiting.

  Start(Sleeper(absl::Seconds(1)));
  loop_.CallAt(absl::Seconds(1), [&] { loop_.Stop(); });
  loop_.RunForever();
  loop_.Reset();  // The wake-up is queued.

  EXPECT_FALSE(HoldsMemory());
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(SleepTest, DestroyedWhenItsTimerIsReady) {
  Start(Sleeper(absl::Seconds(1)));
  Iterate();
  // Its timer is behind this one in the ready queue.
  loop_.CallAt(absl::Milliseconds(1), [&] {
    clock_.Advance(absl::Seconds(2));
    loop_.CallSoon([] { throw SystemExit(1); });
  });
  EXPECT_THROW(loop_.RunForever(), SystemExit);
  loop_.Reset();
  EXPECT_FALSE(HoldsMemory());
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(SleepTest, ForEverIsAsLongAsTimeLasts) {
  Task<void> t = Start(Sleeper(absl::InfiniteDuration()));
  loop_.CallLater(absl::Hours(24), [&] { t.Cancel("m"); });
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i3 t=86400 cancelled m"));
}

TEST_F(SleepTest, SaysWhatItWaitsFor) {
  Task<void> t = Start(Sleeper(absl::Milliseconds(5)));
  Iterate();
  internal::WaitInfo info;
  ASSERT_NE(t.base().waiting_on(), nullptr);
  t.base().waiting_on()->Explain(info);
  EXPECT_EQ(info.what, "Sleep(5 ms)");
  loop_.Reset();
}

}  // namespace
}  // namespace clotho
