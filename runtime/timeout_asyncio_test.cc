// CPython's tests of asyncio.timeout (test_timeouts.py), ported to Timeout,
// TimeoutAt and TimeoutScope. Each test has the name of the original method.

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/task_group.h"
#include "clotho/runtime/testing/fixtures.h"
#include "clotho/runtime/timeout.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Repr;
using internal::Thrown;
using ::testing::HasSubstr;

constexpr Delay kNow;
const Delay kSoon = absl::Milliseconds(10);
const Delay kLong = absl::Seconds(10);

// Only what a Clotho coroutine can await, and so only a task, can enter a
// scope.
template <typename A>
concept AwaitableByAnyCoroutine =
    requires(A a) { a.await_ready(); } || requires(A a) {
      std::move(a).operator co_await();
    } || requires(A a) { operator co_await(std::move(a)); };
static_assert(!AwaitableByAnyCoroutine<
              decltype(std::declval<TimeoutScope&>().Run(Sleep(kNow)))>);

class TimeoutTests : public internal::RuntimeTest {
 protected:
  Coro<void> SleepFor(Delay delay) { co_await Sleep(delay); }
  // Sleeps, and takes note of being cancelled.
  Coro<void> WatchedSleep(Delay delay) {
    try {
      co_await Sleep(delay);
    } catch (const CancelledError&) {
      cancelled_ = true;
      throw;
    }
  }
  // Is cancelled at once, and swallows that.
  Coro<void> SwallowACancellation() {
    CurrentTask()->Cancel();
    try {
      co_await Sleep(absl::Seconds(1));
    } catch (const CancelledError&) {
      cancelled_ = true;
    }
  }

  // What comes out of `awaitable`: "TimeoutError()", "None" if it returns.
  template <typename A>
  Coro<std::string> Outcome(A awaitable) {
    std::exception_ptr error;
    try {
      co_await std::move(awaitable);
    } catch (...) {
      error = std::current_exception();
    }
    co_return Repr(error);
  }
  // The same, of what is awaited in a scope by a task of its own.
  template <typename A>
  std::string OutcomeIn(TimeoutScope& scope, A awaitable) {
    return Run(Outcome(scope.Run(std::move(awaitable))));
  }

  Delay In(Delay delay) const { return loop_.Time() + delay.duration(); }

  bool cancelled_ = false;
};

TEST_F(TimeoutTests, TimeoutBasic) {
  bool expired = false;
  const auto body = [&](TimeoutScope& scope) -> Coro<void> {
    try {
      co_await Sleep(kLong);
    } catch (const CancelledError&) {
      expired = scope.Expired();
      throw;
    }
  };
  EXPECT_EQ(Run(Outcome(Timeout(kSoon, body))), "TimeoutError()");
  EXPECT_TRUE(expired);
  EXPECT_EQ(Delay(loop_.Time()), kSoon);
}

TEST_F(TimeoutTests, TimeoutAtBasic) {
  Run(SleepFor(kSoon));
  const Delay deadline = In(kSoon);
  EXPECT_EQ(Run(Outcome(TimeoutAt(deadline, Sleep(kLong)))), "TimeoutError()");
  EXPECT_EQ(Delay(loop_.Time()), deadline);

  TimeoutScope scope(In(kSoon));
  EXPECT_EQ(OutcomeIn(scope, Sleep(kLong)), "TimeoutError()");
  EXPECT_TRUE(scope.Expired());
  EXPECT_EQ(scope.When(), loop_.Time());
}

TEST_F(TimeoutTests, NestedTimeouts) {
  TimeoutScope outer(kSoon);
  TimeoutScope inner(kSoon);
  std::string raised;
  const auto body = [&]() -> Coro<void> {
    std::exception_ptr error;
    try {
      co_await inner.Run(Sleep(kLong));
    } catch (...) {
      error = std::current_exception();
    }
    raised = Repr(error);
    std::rethrow_exception(error);
  };
  EXPECT_EQ(OutcomeIn(outer, body()), "TimeoutError()");
  // The inner leaves the cancellation to the outer.
  EXPECT_EQ(raised, "CancelledError()");
  EXPECT_TRUE(outer.Expired());
  EXPECT_TRUE(inner.Expired());
}

TEST_F(TimeoutTests, WaiterCancelled) {
  EXPECT_EQ(Run(Outcome(Timeout(kSoon, WatchedSleep(kLong)))),
            "TimeoutError()");
  EXPECT_TRUE(cancelled_);
}

TEST_F(TimeoutTests, TimeoutNotCalled) {
  TimeoutScope scope(kLong);
  EXPECT_EQ(OutcomeIn(scope, Sleep(kSoon)), "None");
  EXPECT_FALSE(scope.Expired());
  EXPECT_GT(scope.When(), loop_.Time());
}

TEST_F(TimeoutTests, TimeoutDisabled) {
  bool expired = true;
  std::optional<absl::Duration> when = absl::ZeroDuration();
  const auto body = [&](TimeoutScope& scope) -> Coro<void> {
    co_await Sleep(kSoon);
    expired = scope.Expired();
    when = scope.When();
  };
  EXPECT_EQ(Run(Outcome(Timeout(std::nullopt, body))), "None");
  EXPECT_FALSE(expired);
  EXPECT_EQ(when, std::nullopt);
}

TEST_F(TimeoutTests, TimeoutAtDisabled) {
  TimeoutScope scope(std::nullopt);
  EXPECT_EQ(OutcomeIn(scope, Sleep(kSoon)), "None");
  EXPECT_FALSE(scope.Expired());
  EXPECT_EQ(scope.When(), std::nullopt);
  EXPECT_EQ(Run(Outcome(TimeoutAt(std::nullopt, Sleep(kSoon)))), "None");
}

// ---- Deadlines that have come. ----

TEST_F(TimeoutTests, TimeoutZero) {
  EXPECT_EQ(Run(Outcome(Timeout(kNow, Sleep(kLong)))), "TimeoutError()");
  TimeoutScope scope(In(kNow));
  EXPECT_EQ(OutcomeIn(scope, Sleep(kLong)), "TimeoutError()");
  EXPECT_TRUE(scope.Expired());
  EXPECT_EQ(scope.When(), absl::ZeroDuration());
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());
}

// A sleep that only gives way is cancelled, too.
TEST_F(TimeoutTests, TimeoutZeroSleepZero) {
  EXPECT_EQ(Run(Outcome(Timeout(kNow, Sleep(kNow)))), "TimeoutError()");
  TimeoutScope scope(In(kNow));
  EXPECT_EQ(OutcomeIn(scope, Sleep(kNow)), "TimeoutError()");
  EXPECT_TRUE(scope.Expired());
  EXPECT_EQ(scope.When(), absl::ZeroDuration());
}

TEST_F(TimeoutTests, TimeoutInThePastSleepZero) {
  const Delay past = absl::Seconds(-11);
  EXPECT_EQ(Run(Outcome(Timeout(past, Sleep(kNow)))), "TimeoutError()");
  TimeoutScope scope(In(past));
  EXPECT_EQ(OutcomeIn(scope, Sleep(kNow)), "TimeoutError()");
  EXPECT_TRUE(scope.Expired());
  EXPECT_EQ(scope.When(), past.duration());
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());
}

// ---- What is not the timeout's. ----

TEST_F(TimeoutTests, ForeignExceptionPassed) {
  TimeoutScope scope(kSoon);
  const auto body = []() -> Coro<void> {
    throw LookupError();
    co_return;
  };
  EXPECT_EQ(OutcomeIn(scope, body()), "LookupError()");
  EXPECT_FALSE(scope.Expired());
}

// C++ exceptions have no chain of contexts: the next three check which
// exception comes out.

// An error whose clean-up takes too long becomes the timeout.
TEST_F(TimeoutTests, TimeoutExceptionContext) {
  const auto body = [&]() -> Coro<void> {
    std::exception_ptr error;
    try {
      throw ValueError("first");
    } catch (...) {
      error = std::current_exception();
    }
    co_await WatchedSleep(absl::Seconds(1));
    std::rethrow_exception(error);
  };
  EXPECT_EQ(Run(Outcome(Timeout(kSoon, body()))), "TimeoutError()");
  EXPECT_TRUE(cancelled_);
}

// An error in the clean-up after the timeout counts for more than that.
TEST_F(TimeoutTests, ForeignExceptionOnTimeout) {
  TimeoutScope scope(kSoon);
  const auto crash = [&]() -> Coro<void> {
    try {
      co_await WatchedSleep(absl::Seconds(1));
    } catch (const CancelledError&) {
      throw ValueError("in clean-up");
    }
  };
  const auto main = [&]() -> Coro<std::string> {
    auto wait = Outcome(scope.Run(crash()));
    std::string outcome = co_await std::move(wait);
    EXPECT_EQ(CurrentTask()->Cancelling(), 0);
    co_return outcome;
  };
  EXPECT_EQ(Run(main()), "ValueError('in clean-up')");
  EXPECT_TRUE(cancelled_);
  EXPECT_TRUE(scope.Expired());
}

// So does the last of several.
TEST_F(TimeoutTests, ForeignExceptionOnTimeout2) {
  TimeoutScope scope(kSoon);
  const auto body = [&]() -> Coro<void> {
    try {
      try {
        co_await WatchedSleep(absl::Seconds(1));
      } catch (const CancelledError&) {
        throw LookupError("second");
      }
    } catch (const LookupError&) {
      throw ValueError("third");
    }
  };
  EXPECT_EQ(OutcomeIn(scope, body()), "ValueError('third')");
  EXPECT_TRUE(cancelled_);
  EXPECT_TRUE(scope.Expired());
}

TEST_F(TimeoutTests, ForeignCancelDoesntTimeoutIfNotExpired) {
  TimeoutScope scope(kLong);
  const auto body = [&]() -> Coro<void> {
    CurrentTask()->Cancel();
    co_await Sleep(kLong);
  };
  EXPECT_EQ(OutcomeIn(scope, body()), "CancelledError()");
  EXPECT_FALSE(scope.Expired());
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());
}

TEST_F(TimeoutTests, OuterTaskIsNotCancelled) {
  Task<std::string> task =
      Start(Outcome(Timeout(absl::Milliseconds(1), Sleep(kLong))));
  EXPECT_EQ(loop_.RunUntilComplete(task), "TimeoutError()");
  EXPECT_FALSE(task.Cancelled());
  EXPECT_EQ(task.Cancelling(), 0);
}

// ---- A step that takes longer than the deadline. ----

// The deadline of the inner one has not come, and it claims nothing.
TEST_F(TimeoutTests, NestedTimeoutsConcurrent) {
  TimeoutScope inner(absl::Milliseconds(100));
  std::string raised;
  const auto busy = [&]() -> Coro<void> {
    clock_.Advance(absl::Milliseconds(10));
    co_await Sleep(absl::Seconds(1));
  };
  const auto body = [&]() -> Coro<void> {
    std::exception_ptr error;
    try {
      co_await inner.Run(busy());
    } catch (...) {
      error = std::current_exception();
    }
    raised = Repr(error);
    std::rethrow_exception(error);
  };
  EXPECT_EQ(Run(Outcome(Timeout(absl::Milliseconds(2), body()))),
            "TimeoutError()");
  EXPECT_EQ(raised, "CancelledError()");
  EXPECT_FALSE(inner.Expired());
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(10));
}

// The outer one ends what the body does, whether its deadline comes while the
// loop is busy or later.
TEST_F(TimeoutTests, NestedTimeoutsLoopBusy) {
  const auto busy = [&](absl::Duration how_long) -> Coro<void> {
    clock_.Advance(how_long);
    co_await Sleep(absl::Seconds(1));
  };
  std::string inner;
  const auto body = [&](absl::Duration how_long) -> Coro<void> {
    std::exception_ptr error;
    try {
      co_await Timeout(kSoon, busy(how_long));
    } catch (const CancelledError&) {
      error = std::current_exception();
      inner = Repr(error);
    } catch (const TimeoutError&) {
      inner = Repr(std::current_exception());
    }
    if (error != nullptr) std::rethrow_exception(error);
    co_await Sleep(kLong);
  };
  const absl::Duration limit = absl::Milliseconds(100);
  EXPECT_EQ(Run(Outcome(Timeout(limit, body(limit)))), "TimeoutError()");
  EXPECT_EQ(inner, "CancelledError()");
  EXPECT_EQ(loop_.Time(), limit);
  EXPECT_EQ(Run(Outcome(Timeout(limit, body(limit / 2)))), "TimeoutError()");
  EXPECT_EQ(inner, "TimeoutError()");
  EXPECT_EQ(loop_.Time(), 2 * limit);
}

// ---- Another deadline. ----

TEST_F(TimeoutTests, Reschedule) {
  const Delay first = absl::Seconds(10);
  const Delay second = absl::Seconds(30);
  TimeoutScope scope(first);
  const auto f = [&]() -> Coro<void> {
    co_await scope.Run(Sleep(absl::Seconds(50)));
  };
  Task<void> task = Start(f());
  const auto main = [&]() -> Coro<void> {
    co_await Sleep(kNow);
    EXPECT_EQ(scope.When(), first.duration());
    scope.Reschedule(second);
    EXPECT_EQ(scope.When(), second.duration());
    co_await Sleep(absl::Seconds(20));  // Past the first.
    EXPECT_FALSE(scope.Expired());
    scope.Reschedule(std::nullopt);
    EXPECT_EQ(scope.When(), std::nullopt);
    co_await Sleep(absl::Seconds(20));  // Past the second.
    task.Cancel();
  };
  Run(main());
  EXPECT_THROW(loop_.RunUntilComplete(task), CancelledError);
  EXPECT_FALSE(scope.Expired());
}

// ---- After a cancellation. ----

TEST_F(TimeoutTests, NestedTimeoutInFinally) {
  std::string inner;
  const auto body = [&]() -> Coro<void> {
    std::exception_ptr error;
    try {
      co_await Sleep(absl::Seconds(1));
    } catch (...) {
      error = std::current_exception();
    }
    auto clean_up = Outcome(Timeout(kSoon, Sleep(kLong)));
    inner = co_await std::move(clean_up);
    if (error != nullptr) std::rethrow_exception(error);
  };
  EXPECT_EQ(Run(Outcome(Timeout(kSoon, body()))), "TimeoutError()");
  EXPECT_EQ(inner, "TimeoutError()");
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(20));
}

// A request to cancel that was swallowed is not the timeout's.
TEST_F(TimeoutTests, TimeoutAfterCancellation) {
  const auto main = [&]() -> Coro<std::string> {
    co_await SwallowACancellation();
    auto clean_up = Outcome(Timeout(kNow, Sleep(absl::Seconds(1))));
    std::string outcome = co_await std::move(clean_up);
    EXPECT_EQ(CurrentTask()->Cancelling(), 1);
    co_return outcome;
  };
  EXPECT_EQ(Run(main()), "TimeoutError()");
  EXPECT_TRUE(cancelled_);
}

TEST_F(TimeoutTests, CancelInTimeoutAfterCancellation) {
  const auto body = [&]() -> Coro<void> {
    CurrentTask()->Cancel();
    co_await Sleep(absl::Seconds(2));
  };
  const auto main = [&]() -> Coro<std::string> {
    co_await SwallowACancellation();
    auto clean_up = Outcome(Timeout(absl::Seconds(1), body()));
    co_return co_await std::move(clean_up);
  };
  EXPECT_EQ(Run(main()), "CancelledError()");
  EXPECT_TRUE(cancelled_);
}

// ---- What a scope can be asked for, and when. ----

TEST_F(TimeoutTests, TimeoutAlreadyEntered) {
  TimeoutScope scope(kSoon);
  const auto body = [&]() -> Coro<std::string> {
    auto again = Outcome(scope.Run(Sleep(kNow)));
    co_return co_await std::move(again);
  };
  const auto main = [&]() -> Coro<std::string> {
    co_return co_await scope.Run(body());
  };
  EXPECT_EQ(Run(main()), "RuntimeError('Timeout has already been entered')");
}

TEST_F(TimeoutTests, TimeoutDoubleEnter) {
  TimeoutScope scope(kSoon);
  EXPECT_EQ(OutcomeIn(scope, Sleep(kNow)), "None");
  EXPECT_EQ(OutcomeIn(scope, Sleep(kNow)),
            "RuntimeError('Timeout has already been entered')");
}

TEST_F(TimeoutTests, TimeoutFinished) {
  TimeoutScope scope(kSoon);
  EXPECT_EQ(OutcomeIn(scope, Sleep(kNow)), "None");
  EXPECT_THAT(Thrown([&] { scope.Reschedule(In(kSoon)); }),
              HasSubstr("finished"));
}

TEST_F(TimeoutTests, TimeoutExpired) {
  TimeoutScope scope(kSoon);
  EXPECT_EQ(OutcomeIn(scope, Sleep(kLong)), "TimeoutError()");
  EXPECT_THAT(Thrown([&] { scope.Reschedule(In(kSoon)); }),
              HasSubstr("expired"));
}

TEST_F(TimeoutTests, TimeoutExpiring) {
  TimeoutScope scope(kSoon);
  std::string refusal;
  const auto body = [&]() -> Coro<void> {
    try {
      co_await WatchedSleep(absl::Seconds(1));
    } catch (const CancelledError&) {
      refusal = Thrown([&] { scope.Reschedule(In(kSoon)); });
    }
  };
  // What ends without an exception after all is no timeout.
  EXPECT_EQ(OutcomeIn(scope, body()), "None");
  EXPECT_TRUE(cancelled_);
  EXPECT_THAT(refusal, HasSubstr("expiring"));
}

TEST_F(TimeoutTests, TimeoutNotEntered) {
  TimeoutScope scope(kSoon);
  const auto main = [&]() -> Coro<void> {
    EXPECT_THAT(Thrown([&] { scope.Reschedule(In(kSoon)); }),
                HasSubstr("has not been entered"));
    co_return;
  };
  Run(main());
}

// A plain callback can make what would enter the scope, but not await it (see
// the assertion above): the scope stays as it is.
TEST_F(TimeoutTests, TimeoutWithoutTask) {
  TimeoutScope scope(kSoon);
  std::string refusal;
  loop_.CallSoon([&] {
    EXPECT_FALSE(CurrentTask().has_value());
    [[maybe_unused]] auto never_awaited = scope.Run(Sleep(kNow));
    refusal = Thrown([&] { scope.Reschedule(In(kSoon)); });
  });
  Iterate();
  EXPECT_THAT(refusal, HasSubstr("has not been entered"));
  EXPECT_EQ(OutcomeIn(scope, Sleep(kNow)), "None");
}

// The error of a task that is cancelled by the timeout counts for more.
TEST_F(TimeoutTests, TimeoutTaskgroup) {
  TimeoutScope scope(kSoon);
  TaskGroup group;
  const auto fail = [&]() -> Coro<void> {
    try {
      co_await Sleep(absl::Seconds(2));
    } catch (const CancelledError&) {
      throw ValueError("in clean-up");
    }
  };
  const auto body = [&]() -> Coro<void> {
    group.CreateTask(fail());
    co_await WatchedSleep(absl::Seconds(1));
  };
  std::exception_ptr error;
  const auto main = [&]() -> Coro<void> {
    auto run = scope.Run(group.Run(body()));
    try {
      co_await std::move(run);
    } catch (const ExceptionGroup& e) {
      EXPECT_EQ(e.exceptions().size(), 1u);
      error = e.exceptions().front();
    }
    EXPECT_EQ(CurrentTask()->Cancelling(), 0);
  };
  Run(main());
  EXPECT_EQ(Repr(error), "ValueError('in clean-up')");
  EXPECT_TRUE(cancelled_);
  EXPECT_TRUE(scope.Expired());
  EXPECT_EQ(Delay(loop_.Time()), kSoon);
}

}  // namespace
}  // namespace clotho
