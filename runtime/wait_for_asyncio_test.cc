// CPython's tests of asyncio.wait_for (test_waitfor.py), ported to WaitFor.
// Each test has the name and class of the original method. The names of the
// durations are the original's; the time here is the loop's, and exact.

#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/shield.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "clotho/runtime/timeout.h"
#include "clotho/runtime/wait.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Repr;

constexpr Delay kNow;
const Delay kEpsilon = absl::Microseconds(100);

class AsyncioWaitForTest : public internal::RuntimeTest {
 protected:
  // Runs its time, and ignores what would end it before.
  Coro<void> RunSlowly(bool& exited) {
    const absl::Duration end = loop_.Time() + kSlow;
    while (loop_.Time() < end) {
      try {
        co_await Sleep(end - loop_.Time());
      } catch (const CancelledError&) {
      }
    }
    exited = true;
  }
  // Sleeps, and cleans up for a moment if it is cancelled.
  Coro<void> CleanUpForAMoment(bool& done) {
    bool cancelled = false;
    try {
      co_await Sleep(absl::Seconds(10));
    } catch (const CancelledError&) {
      cancelled = true;
    }
    if (cancelled) co_await Sleep(kEpsilon);
    done = true;
    if (cancelled) throw CancelledError();
  }
  // Awaits the coroutine, and tells how it failed: "TimeoutError()".
  template <typename T>
  Coro<std::string> Raised(Coro<T> coro) {
    try {
      co_await std::move(coro);
    } catch (...) {
      co_return Repr(std::current_exception());
    }
    co_return "None";
  }
  template <typename A>
  Coro<AwaitResult<A>> WaitForInCoro(A awaitable,
                                     std::optional<Delay> timeout) {
    co_return co_await WaitFor(std::move(awaitable), timeout);
  }

  // Cancels a task that waits, for at most `timeout`, for another that blocks.
  Coro<void> CancelTheWaiter(std::optional<Delay> timeout) {
    const auto block = []() -> Coro<void> {
      Future<void> never;
      co_await never;
    };
    Task<void> task = CreateTask(block());
    Task<void> wait = CreateTask(WaitFor(task, timeout));
    loop_.CallSoon([wait] { wait.Cancel(); });
    try {
      co_await wait;
      ADD_FAILURE() << "not cancelled";
    } catch (const CancelledError&) {
    }
    EXPECT_TRUE(task.Cancelled());
    EXPECT_EQ(loop_.Time(), absl::ZeroDuration());
  }

  static constexpr absl::Duration kSlow = absl::Milliseconds(200);
};

TEST_F(AsyncioWaitForTest, AsyncioWaitForCancelled) {
  const auto main = [&]() -> Coro<void> {
    bool exited = false;
    Task<void> wait = CreateTask(WaitFor(RunSlowly(exited), kSlow * 2));
    co_await Sleep(kNow);
    wait.Cancel();
    const std::vector tasks = {wait};
    co_await Wait(tasks);
    EXPECT_TRUE(exited);
    EXPECT_EQ(loop_.Time(), kSlow);
  };
  Run(main());
}

TEST_F(AsyncioWaitForTest, AsyncioWaitForTimeout) {
  const auto main = [&]() -> Coro<void> {
    bool exited = false;
    // It swallows the cancellation, so it has not timed out.
    co_await WaitFor(RunSlowly(exited), kSlow / 2);
    EXPECT_TRUE(exited);
    EXPECT_EQ(loop_.Time(), kSlow);
  };
  Run(main());
}

TEST_F(AsyncioWaitForTest, WaitForTimeoutLessThen0Or0FutureDone) {
  const auto main = [&]() -> Coro<void> {
    Future<std::string> future;
    future.SetResult("done");
    const std::string result = co_await WaitFor(future, kNow);
    EXPECT_EQ(result, "done");
    EXPECT_TRUE(future.Done());
  };
  Run(main());
}

TEST_F(AsyncioWaitForTest, WaitForTimeoutLessThen0Or0CoroutineDoNotStarted) {
  bool started = false;
  const auto foo = [&]() -> Coro<void> {
    started = true;
    co_return;
  };
  EXPECT_EQ(Run(Raised(WaitForInCoro(foo(), kNow))), "TimeoutError()");
  EXPECT_FALSE(started);
}

TEST_F(AsyncioWaitForTest, WaitForTimeoutLessThen0Or0) {
  for (const Delay timeout : {kNow, Delay(absl::Seconds(-1))}) {
    const auto main = [&]() -> Coro<void> {
      std::optional<bool> running;
      Future<void> started;
      const auto foo = [&]() -> Coro<std::string> {
        running = true;
        started.SetResult();
        try {
          co_await Sleep(absl::Seconds(10));
        } catch (...) {
          running = false;
          throw;
        }
        co_return "done";
      };
      Task<std::string> task = CreateTask(foo());
      co_await started;
      const std::string raised = co_await Raised(WaitForInCoro(task, timeout));
      EXPECT_EQ(raised, "TimeoutError()");
      EXPECT_TRUE(task.Done());
      EXPECT_TRUE(task.Cancelled());
      EXPECT_EQ(running, false);
    };
    Run(main());
  }
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());
}

TEST_F(AsyncioWaitForTest, WaitFor) {
  const auto main = [&]() -> Coro<void> {
    std::optional<bool> running;
    const auto foo = [&]() -> Coro<std::string> {
      running = true;
      try {
        co_await Sleep(absl::Hours(1));
      } catch (...) {
        running = false;
        throw;
      }
      co_return "done";
    };
    Task<std::string> task = CreateTask(foo());
    const std::string raised =
        co_await Raised(WaitForInCoro(task, absl::Milliseconds(100)));
    EXPECT_EQ(raised, "TimeoutError()");
    EXPECT_TRUE(task.Done());
    EXPECT_TRUE(task.Cancelled());
    EXPECT_EQ(running, false);
    EXPECT_EQ(loop_.Time(), absl::Milliseconds(100));
  };
  Run(main());
}

TEST_F(AsyncioWaitForTest, WaitForBlocking) {
  const auto done = []() -> Coro<std::string> { co_return "done"; };
  EXPECT_EQ(Run(WaitForInCoro(done(), std::nullopt)), "done");
}

TEST_F(AsyncioWaitForTest, WaitForRaceCondition) {
  const auto main = [&]() -> Coro<void> {
    Future<std::string> future;
    auto wait = WaitFor(future, absl::Milliseconds(200));
    loop_.CallSoon([future] { future.SetResult("ok"); });
    const std::string result = co_await std::move(wait);
    EXPECT_EQ(result, "ok");
  };
  Run(main());
  RunToStandstill();  // No timer is left.
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());
}

TEST_F(AsyncioWaitForTest, WaitForCancellationRaceCondition) {
  const auto inner = [&]() -> Coro<int> {
    const std::string raised =
        co_await Raised(internal::ToCoro(Sleep(absl::Seconds(1))));
    EXPECT_EQ(raised, "CancelledError()");
    co_return 1;
  };
  EXPECT_EQ(Run(WaitForInCoro(inner(), absl::Milliseconds(10))), 1);
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(10));
}

TEST_F(AsyncioWaitForTest, WaitForWaitsForTaskCancellation) {
  const auto main = [&]() -> Coro<void> {
    bool done = false;
    Task<void> inner = CreateTask(CleanUpForAMoment(done));
    const std::string raised = co_await Raised(WaitForInCoro(inner, kEpsilon));
    EXPECT_EQ(raised, "TimeoutError()");
    EXPECT_TRUE(done);
    EXPECT_TRUE(inner.Cancelled());
    EXPECT_EQ(loop_.Time(), kEpsilon.duration() * 2);
  };
  Run(main());
}

TEST_F(AsyncioWaitForTest, WaitForWaitsForTaskCancellationWTimeout0) {
  const auto main = [&]() -> Coro<void> {
    bool done = false;
    Task<void> inner = CreateTask(CleanUpForAMoment(done));
    co_await Sleep(kEpsilon);
    const std::string raised = co_await Raised(WaitForInCoro(inner, kNow));
    EXPECT_EQ(raised, "TimeoutError()");
    EXPECT_TRUE(done);
    EXPECT_TRUE(inner.Cancelled());
    EXPECT_EQ(loop_.Time(), kEpsilon.duration() * 2);
  };
  Run(main());
}

TEST_F(AsyncioWaitForTest, WaitForReraisesExceptionDuringCancellation) {
  const auto inner = []() -> Coro<void> {
    try {
      co_await Sleep(absl::Milliseconds(200));
    } catch (const CancelledError&) {
    }
    throw ValueError("foo");
  };
  const auto main = [&]() -> Coro<std::string> {
    Task<void> task = CreateTask(inner());
    co_return co_await Raised(WaitForInCoro(task, kEpsilon));
  };
  EXPECT_EQ(Run(main()), "ValueError('foo')");
  EXPECT_EQ(loop_.Time(), kEpsilon.duration());
}

TEST_F(AsyncioWaitForTest, CancelBlockingWaitFor) {
  Run(CancelTheWaiter(std::nullopt));
}

TEST_F(AsyncioWaitForTest, CancelWaitFor) {
  Run(CancelTheWaiter(absl::Seconds(60)));
}

TEST_F(AsyncioWaitForTest, WaitForCancelSuppressed) {
  const auto return_42 = []() -> Coro<int> {
    try {
      co_await Sleep(absl::Seconds(10));
    } catch (const CancelledError&) {
      co_return 42;
    }
    co_return 0;
  };
  EXPECT_EQ(Run(WaitForInCoro(return_42(), absl::Milliseconds(100))), 42);
}

TEST_F(AsyncioWaitForTest, WaitForIssue86296) {
  // What is waited for is done in the very iteration in which the waiter is
  // cancelled: the cancellation must not be lost.
  bool reached_the_end = false;
  const auto inner = []() -> Coro<std::string> { co_return "done"; };
  const auto main = [&]() -> Coro<void> {
    Task<std::string> inner_task = CreateTask(inner());
    const auto wait = [&]() -> Coro<void> {
      co_await WaitFor(inner_task, absl::Seconds(100));
      co_await Sleep(absl::Seconds(1));
      reached_the_end = true;
    };
    Task<void> task = CreateTask(wait());
    EXPECT_FALSE(task.Done());
    co_await Sleep(kNow);
    task.Cancel();
    const std::string raised = co_await Raised(internal::ToCoro(task));
    EXPECT_EQ(raised, "CancelledError()");
    EXPECT_TRUE(inner_task.Done());
    const std::string result = co_await inner_task;
    EXPECT_EQ(result, "done");
  };
  Run(main());
  EXPECT_FALSE(reached_the_end);
}

class WaitForShieldTests : public AsyncioWaitForTest {
 protected:
  Coro<std::string> SleepThenDone(Delay delay) {
    co_await Sleep(delay);
    co_return "done";
  }
};

TEST_F(WaitForShieldTests, ZeroTimeout) {
  // The shield is cancelled at once; the inner future continues.
  const auto main = [&]() -> Coro<void> {
    Task<std::string> task = CreateTask(SleepThenDone(absl::Milliseconds(10)));
    Future<std::string> shield = Shield(task);
    const std::string raised = co_await Raised(WaitForInCoro(shield, kNow));
    EXPECT_EQ(raised, "TimeoutError()");
    EXPECT_FALSE(task.Done());
    EXPECT_FALSE(task.Cancelled());
    EXPECT_TRUE(shield.Cancelled());
    co_await Sleep(absl::Milliseconds(100));
    EXPECT_TRUE(task.Done());
    EXPECT_EQ(task.Result(), "done");
  };
  Run(main());
}

TEST_F(WaitForShieldTests, NoneTimeout) {
  const auto main = [&]() -> Coro<void> {
    Task<std::string> task = CreateTask(SleepThenDone(absl::Milliseconds(100)));
    co_await WaitFor(Shield(task), std::nullopt);
    EXPECT_TRUE(task.Done());
    const std::string result = co_await task;
    EXPECT_EQ(result, "done");
  };
  Run(main());
}

TEST_F(WaitForShieldTests, ShieldedTimeout) {
  const auto main = [&]() -> Coro<void> {
    Task<std::string> task = CreateTask(SleepThenDone(absl::Milliseconds(100)));
    Future<std::string> shield = Shield(task);
    const std::string raised =
        co_await Raised(WaitForInCoro(shield, absl::Milliseconds(10)));
    EXPECT_EQ(raised, "TimeoutError()");
    EXPECT_EQ(loop_.Time(), absl::Milliseconds(10));
    EXPECT_FALSE(task.Done());
    EXPECT_FALSE(task.Cancelled());
    const std::string result = co_await task;
    EXPECT_EQ(result, "done");
    EXPECT_EQ(loop_.Time(), absl::Milliseconds(100));
  };
  Run(main());
}

}  // namespace
}  // namespace clotho
