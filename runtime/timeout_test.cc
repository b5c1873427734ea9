#include "clotho/runtime/timeout.h"

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/lock.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Repr;
using internal::Thrown;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

static_assert(!std::is_copy_constructible_v<TimeoutScope>);
static_assert(!std::is_move_constructible_v<TimeoutScope>);
using WaitForSleep = decltype(WaitFor(Sleep(Delay()), std::nullopt));
static_assert(Awaitable<WaitForSleep>);
static_assert(!std::is_move_constructible_v<WaitForSleep::Awaiter>);
static_assert(
    std::is_same_v<
        AwaitResult<decltype(WaitFor(std::declval<Coro<int>>(), std::nullopt))>,
        int>);

constexpr Delay kNow;
const Delay kSecond = absl::Seconds(1);

class TimeoutTest : public internal::RuntimeTest {
 protected:
  // Sleeps and returns. When cancelled, cleans up for `cleanup`, if given, then
  // acts according to `then`.
  enum class Then { kRethrow, kReturn, kFail };
  Coro<int> Work(Delay delay, Then then = Then::kRethrow,
                 std::optional<Delay> cleanup = std::nullopt) {
    std::exception_ptr error;
    try {
      co_await Sleep(delay);
    } catch (const CancelledError& e) {
      error = std::current_exception();
    }
    if (error == nullptr) co_return 1;
    Log("cancelled");
    if (cleanup.has_value()) co_await Sleep(*cleanup);
    if (then == Then::kReturn) co_return 2;
    if (then == Then::kFail) throw ValueError("in clean-up");
    std::rethrow_exception(error);
  }

  // Awaits `make()` and logs the outcome.
  template <typename Make>
  Coro<void> Watch(Make make) {
    try {
      auto awaitable = make();
      const int value = co_await std::move(awaitable);
      Log("value", value);
    } catch (...) {
      Log(Repr(std::current_exception()), CurrentTask()->Cancelling());
    }
  }
};

// ---- In time. ----

TEST_F(TimeoutTest, GivesTheResultIfThatIsInTime) {
  Run(Watch([&] { return WaitFor(Work(kSecond), absl::Seconds(2)); }));
  Run(Watch([&] { return Timeout(absl::Seconds(2), Work(kSecond)); }));
  Run(Watch([&] { return WaitFor(Work(kSecond), std::nullopt); }));
  Run(Watch([&] { return Timeout(std::nullopt, Work(kSecond)); }));
  Run(Watch([&] { return TimeoutAt(absl::Hours(1), Work(kSecond)); }));
  EXPECT_EQ(log_.size(), 5u);
  for (const std::string& line : log_) {
    EXPECT_THAT(line, testing::EndsWith("value 1"));
  }
  // No timer was left behind.
  RunToStandstill();
  EXPECT_EQ(loop_.Time(), absl::Seconds(5));
}

TEST_F(TimeoutTest, PassesOnWhateverTheResultIs) {
  int variable = 1;
  const auto owner = []() -> Coro<std::unique_ptr<int>> {
    co_return std::make_unique<int>(3);
  };
  const auto reference = [&]() -> Coro<int&> { co_return variable; };
  const auto main = [&]() -> Coro<void> {
    std::unique_ptr<int> a = co_await WaitFor(owner(), kSecond);
    EXPECT_EQ(*a, 3);
    std::unique_ptr<int> b = co_await Timeout(kSecond, owner());
    EXPECT_EQ(*b, 3);
    int& c = co_await WaitFor(reference(), kSecond);
    EXPECT_EQ(&c, &variable);
    co_await WaitFor(Sleep(kNow), kSecond);
    Future<std::unique_ptr<int>> done;
    done.SetResult(std::make_unique<int>(4));
    std::unique_ptr<int> d = co_await WaitFor(done, kNow);
    EXPECT_EQ(*d, 4);
  };
  Run(main());
}

TEST_F(TimeoutTest, PassesOnAFailure) {
  const auto fails = []() -> Coro<int> {
    throw ValueError("x");
    co_return 1;
  };
  Run(Watch([&] { return WaitFor(fails(), kSecond); }));
  Run(Watch([&] { return WaitFor(fails(), kNow); }));  // Never starts.
  EXPECT_THAT(
      log_, ElementsAre("i1 t=0 ValueError('x') 0", "i6 t=0 TimeoutError() 0"));
}

TEST_F(TimeoutTest, WaitsForFuturesTasksAndLocksToo) {
  Lock lock;
  const auto main = [&]() -> Coro<void> {
    Future<int> f;
    Task<int> t = CreateTask(Work(absl::Seconds(9)));
    auto guard = co_await lock.Acquire();
    for (int i = 0; i < 3; ++i) {
      try {
        if (i == 0) co_await WaitFor(f, kSecond);
        if (i == 1) co_await WaitFor(t, kSecond);
        if (i == 2) auto never = co_await WaitFor(lock.Acquire(), kSecond);
      } catch (const TimeoutError&) {
        Log("timeout", i);
      }
    }
    EXPECT_TRUE(f.Cancelled());
    EXPECT_TRUE(t.Cancelled());
    EXPECT_TRUE(lock.Locked());
  };
  Run(main());
  // HT-13: a future costs one hop from the deadline, a task two.
  EXPECT_THAT(log_, ElementsAre("i4 t=1 timeout 0", "i6 t=2 cancelled",
                                "i7 t=2 timeout 1", "i9 t=3 timeout 2"));
}

// ---- Too late. ----

TEST_F(TimeoutTest, ThrowsTimeoutErrorWhenWhatItWaitedForHasEnded) {
  Run(Watch([&] {
    return WaitFor(Work(absl::Seconds(9), Then::kRethrow, absl::Seconds(3)),
                   kSecond);
  }));
  EXPECT_THAT(log_, ElementsAre("i3 t=1 cancelled", "i5 t=4 TimeoutError() 0"));
}

TEST_F(TimeoutTest, AValueReturnedAfterAllCounts) {
  Run(Watch(
      [&] { return WaitFor(Work(absl::Seconds(9), Then::kReturn), kSecond); }));
  EXPECT_THAT(log_, ElementsAre("i3 t=1 cancelled", "i3 t=1 value 2"));
}

TEST_F(TimeoutTest, AFailureInCleaningUpComesOut) {
  Run(Watch(
      [&] { return WaitFor(Work(absl::Seconds(9), Then::kFail), kSecond); }));
  EXPECT_THAT(log_, ElementsAre("i3 t=1 cancelled",
                                "i3 t=1 ValueError('in clean-up') 0"));
}

TEST_F(TimeoutTest, TheDeadlineWinsOverACompletionAtTheSameTime) {  // TO-08.
  Run(Watch([&] { return WaitFor(Work(kSecond), kSecond); }));
  EXPECT_THAT(log_, ElementsAre("i3 t=1 cancelled", "i3 t=1 TimeoutError() 0"));
}

TEST_F(TimeoutTest, WithoutASuspensionItNeverExpires) {  // TO-09.
  const auto busy = [&]() -> Coro<int> {
    clock_.Advance(absl::Hours(1));
    co_return 1;
  };
  Run(Watch([&] { return Timeout(kSecond, busy()); }));
  Run(Watch([&] { return Timeout(kNow, busy()); }));
  Run(Watch([&] { return Timeout(absl::Seconds(-1), busy()); }));
  EXPECT_THAT(log_, ElementsAre("i1 t=3600 value 1", "i3 t=7200 value 1",
                                "i5 t=10800 value 1"));
}

TEST_F(TimeoutTest, OfNothingExpiresAtTheFirstSuspension) {
  Run(Watch([&] { return Timeout(kNow, Work(kNow)); }));
  EXPECT_THAT(log_, ElementsAre("i2 t=0 cancelled", "i2 t=0 TimeoutError() 0"));
}

// ---- WaitFor with no time at all: WF-01. ----

TEST_F(TimeoutTest, WaitForNothingNeverStartsACoroutine) {
  const auto c = [&]() -> Coro<int> {
    Log("started");
    co_return 1;
  };
  Run(Watch([&] { return WaitFor(c(), kNow); }));
  Run(Watch([&] { return WaitFor(c(), absl::Seconds(-1)); }));
  EXPECT_THAT(
      log_, ElementsAre("i4 t=0 TimeoutError() 0", "i9 t=0 TimeoutError() 0"));
}

TEST_F(TimeoutTest, WaitForNothingGivesWhatIsDone) {
  Future<int> done(loop_);
  done.SetResult(5);
  Future<int> failed(loop_);
  failed.SetException(ValueError("x"));
  Run(Watch([&] { return WaitFor(done, kNow); }));
  Run(Watch([&] { return WaitFor(failed, kNow); }));
  EXPECT_THAT(log_, ElementsAre("i1 t=0 value 5", "i3 t=0 ValueError('x') 0"));
}

TEST_F(TimeoutTest, WaitForNothingCancelsWhatIsPending) {
  Future<int> f(loop_);
  Task<int> stubborn = Start(Work(absl::Seconds(9), Then::kReturn));
  Iterate();
  Run(Watch([&] { return WaitFor(f, kNow); }));
  Run(Watch([&] { return WaitFor(stubborn, kNow); }));
  EXPECT_TRUE(f.Cancelled());
  EXPECT_THAT(log_, ElementsAre("i4 t=0 TimeoutError() 0", "i7 t=0 cancelled",
                                "i9 t=0 value 2"));
}

TEST_F(TimeoutTest, CancelledWhileItWaitsForTheEndItLeavesAtOnce) {
  Task<int> slow = Start(Work(absl::Seconds(9), Then::kRethrow, kSecond));
  Iterate();
  Task<void> t = Start(Watch([&] { return WaitFor(slow, kNow); }));
  Iterate(2);
  t.Cancel("m");
  Iterate();
  EXPECT_THAT(log_,
              ElementsAre("i3 t=0 cancelled", "i4 t=0 CancelledError('m') 1"));
  EXPECT_FALSE(slow.Done());
  RunToStandstill();
  EXPECT_TRUE(slow.Cancelled());
}

TEST_F(TimeoutTest, DestroyedWhileItWaitsForTheEnd) {
  Start(Watch([&] {
    return WaitFor(CreateTask(Work(absl::Seconds(9), Then::kRethrow, kSecond)),
                   kNow);
  }));
  Iterate(3);
  loop_.Reset();
  EXPECT_FALSE(HoldsMemory());
}

// ---- Cancelled from outside. ----

TEST_F(TimeoutTest, CancelledBeforeTheDeadlineItIsCancelled) {
  Task<void> t =
      Start(Watch([&] { return WaitFor(Work(absl::Seconds(9)), kSecond); }));
  Iterate();
  t.Cancel("m");
  Iterate();
  EXPECT_THAT(log_,
              ElementsAre("i2 t=0 cancelled", "i2 t=0 CancelledError('m') 1"));
  RunToStandstill();
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());  // Its timer is gone.
}

TEST_F(TimeoutTest, CancelledAtTheDeadlineItIsCancelled) {  // TO-06.
  for (const bool before : {true, false}) {
    std::optional<Task<void>> t;
    const Delay when = loop_.Time() + absl::Seconds(1);
    const auto cancel = [&] { t->Cancel("user"); };
    if (before) loop_.CallAt(when, cancel);
    t = Start(Watch([&] { return WaitFor(Work(absl::Seconds(9)), kSecond); }));
    Iterate();
    if (!before) loop_.CallAt(when, cancel);
    RunToStandstill();
  }
  EXPECT_THAT(log_,
              ElementsAre("i3 t=1 cancelled", "i3 t=1 CancelledError('user') 1",
                          "i7 t=2 cancelled", "i7 t=2 CancelledError() 1"));
}

TEST_F(TimeoutTest, CancelledWhileItCleansUpItIsCancelled) {
  Task<void> t = Start(Watch([&] {
    return WaitFor(Work(absl::Seconds(9), Then::kRethrow, kSecond),
                   absl::Seconds(2));
  }));
  Iterate();
  loop_.CallAt(absl::Milliseconds(2500), [&] { t.Cancel("user"); });
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i3 t=2 cancelled",
                                "i5 t=2.5 CancelledError('user') 1"));
}

TEST_F(TimeoutTest, WorksInsideATaskThatWasCancelledBefore) {  // TO-10.
  const auto c = [&]() -> Coro<void> {
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError&) {
    }
    co_await Watch([&] { return WaitFor(Work(absl::Seconds(9)), kSecond); });
  };
  Task<void> t = Start(c());
  Iterate();
  t.Cancel();
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i4 t=1 cancelled", "i4 t=1 TimeoutError() 1"));
}

// ---- Nested. ----

TEST_F(TimeoutTest, OfNestedOnesTheEarlierExpires) {
  const auto inner = [&]() -> Coro<int> {
    try {
      co_return co_await WaitFor(Work(absl::Seconds(9)), kSecond);
    } catch (const TimeoutError&) {
      Log("inner");
    }
    co_return co_await Work(absl::Seconds(9));
  };
  Run(Watch([&] { return WaitFor(inner(), absl::Seconds(3)); }));
  EXPECT_THAT(log_, ElementsAre("i3 t=1 cancelled", "i3 t=1 inner",
                                "i5 t=3 cancelled", "i5 t=3 TimeoutError() 0"));
}

TEST_F(TimeoutTest, RunsInTheTaskAndTheContextOfWhoAwaits) {  // WF-02.
  const ContextVar<int> variable("variable", 0);
  const auto c = [&]() -> Coro<int> {
    variable.Set(5);
    co_return 1;
  };
  const auto main = [&]() -> Coro<void> {
    co_await WaitFor(c(), kSecond);
    Note(variable.Get());
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("5"));
}

// ---- The scope: TO-01 to TO-05. ----

TEST_F(TimeoutTest, TheScopeTellsAndMovesItsDeadline) {
  const auto main = [&]() -> Coro<void> {
    const auto body = [&](TimeoutScope& scope) -> Coro<int> {
      EXPECT_EQ(scope.When(), absl::Seconds(1));
      co_await Sleep(absl::Milliseconds(500));
      scope.Reschedule(absl::Seconds(4));
      EXPECT_EQ(scope.When(), absl::Seconds(4));
      co_await Sleep(absl::Seconds(2));
      scope.Reschedule(std::nullopt);
      EXPECT_EQ(scope.When(), std::nullopt);
      co_await Sleep(absl::Hours(1));
      EXPECT_FALSE(scope.Expired());
      scope.Reschedule(loop_.Time() - absl::Seconds(1));  // Past: at once.
      co_await Sleep(kNow);
      co_return 1;
    };
    co_await Watch([&] { return Timeout(kSecond, body); });
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i8 t=3602.5 TimeoutError() 0"));
}

TEST_F(TimeoutTest, TheScopeCanBeMovedOnlyWhileItIsActive) {
  const auto main = [&]() -> Coro<void> {
    TimeoutScope scope(kSecond);
    Note(Thrown([&] { scope.Reschedule(kSecond); }));
    const auto body = [&]() -> Coro<void> {
      try {
        co_await Sleep(absl::Seconds(9));
      } catch (const CancelledError&) {
        Note(Thrown([&] { scope.Reschedule(kSecond); }));
        throw;
      }
    };
    try {
      co_await scope.Run(body());
    } catch (const TimeoutError&) {
    }
    EXPECT_TRUE(scope.Expired());
    Note(Thrown([&] { scope.Reschedule(kSecond); }));

    TimeoutScope finished(std::nullopt);
    co_await finished.Run(Sleep(kNow));
    EXPECT_FALSE(finished.Expired());
    Note(Thrown([&] { finished.Reschedule(kSecond); }));
    try {
      co_await finished.Run(Sleep(kNow));
    } catch (const RuntimeError& e) {
      Note(e.what());
    }
  };
  Run(main());
  EXPECT_THAT(
      log_, ElementsAre("RuntimeError: Timeout has not been entered",
                        "RuntimeError: Cannot change state of expiring Timeout",
                        "RuntimeError: Cannot change state of expired Timeout",
                        "RuntimeError: Cannot change state of finished Timeout",
                        "Timeout has already been entered"));
}

TEST_F(TimeoutTest, AScopeThatIsNeverUsedDoesNothing) {
  const auto main = []() -> Coro<void> {
    TimeoutScope scope(kNow);
    co_await Sleep(absl::Seconds(5));
  };
  Run(main());
}

TEST_F(TimeoutTest, DestroyedWhileItWaits) {
  Start(Watch([&] { return WaitFor(Work(absl::Seconds(9)), kSecond); }));
  Start(Watch([&] {
    return Timeout(kSecond, [&](TimeoutScope&) -> Coro<int> {
      co_return co_await Work(absl::Seconds(9));
    });
  }));
  Iterate();
  loop_.Reset();
  EXPECT_FALSE(HoldsMemory());
  EXPECT_THAT(log_, IsEmpty());
}

}  // namespace
}  // namespace clotho
