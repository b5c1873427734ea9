#include "clotho/runtime/catch.h"

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/outcome.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "clotho/runtime/timeout.h"
#include "clotho/runtime/wait.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Repr;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

static_assert(
    std::is_same_v<AwaitResult<decltype(Catch(std::declval<Coro<int>>()))>,
                   Outcome<int>>);
static_assert(
    std::is_same_v<AwaitResult<decltype(Catch(std::declval<Task<void>>()))>,
                   Outcome<void>>);

constexpr Delay kNow;

class CatchTest : public internal::RuntimeTest {
 protected:
  Coro<int> Work(int hops, std::string error = "") {
    for (int i = 0; i < hops; ++i) co_await Sleep(kNow);
    if (!error.empty()) throw ValueError(error);
    co_return hops;
  }
  // Catches it, and logs the outcome, or what comes out all the same.
  template <typename A>
  Coro<void> Observe(A awaitable) {
    std::string raised;
    try {
      const auto outcome = co_await Catch(std::move(awaitable));
      Note("outcome", Repr(outcome.exception()), outcome.cancelled());
    } catch (...) {
      raised = Repr(std::current_exception());
    }
    if (!raised.empty()) Note("raised", raised, CurrentTask()->Cancelling());
  }
};

TEST_F(CatchTest, GivesTheValue) {
  int variable = 1;
  const auto reference = [&]() -> Coro<int&> { co_return variable; };
  const auto owner = []() -> Coro<std::unique_ptr<int>> {
    co_return std::make_unique<int>(2);
  };
  const auto nothing = []() -> Coro<void> { co_return; };
  const auto main = [&]() -> Coro<void> {
    Outcome<int> number = co_await Catch(Work(1));
    EXPECT_EQ(number.value(), 1);
    Outcome<int&> of_variable = co_await Catch(reference());
    EXPECT_EQ(&of_variable.value(), &variable);
    Outcome<std::unique_ptr<int>> owned = co_await Catch(owner());
    EXPECT_EQ(*owned.value(), 2);
    Outcome<void> none = co_await Catch(nothing());
    EXPECT_TRUE(none.ok());
    Task<int> task = CreateTask(Work(2));
    Outcome<int> of_task = co_await Catch(task);
    EXPECT_EQ(of_task.value(), 2);
    EXPECT_EQ(task.Result(), 2);
    Outcome<void> slept = co_await Catch(Sleep(kNow));
    EXPECT_TRUE(slept.ok());
  };
  Run(main());
}

TEST_F(CatchTest, GivesTheFailure) {
  const auto main = [&]() -> Coro<void> {
    co_await Observe(Work(0, "coro"));
    co_await Observe(Work(1, "after a while"));
    Task<int> task = CreateTask(Work(0, "task"));
    co_await Observe(task);
    co_await Observe(task);  // It is done, and keeps its exception.
    co_await Observe(WaitFor(Sleep(absl::Seconds(9)), absl::Seconds(1)));
    co_await Observe(Wait(std::vector<Future<int>>()));
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("outcome ValueError('coro') False",
                                "outcome ValueError('after a while') False",
                                "outcome ValueError('task') False",
                                "outcome ValueError('task') False",
                                "outcome TimeoutError() False",
                                HasSubstr("outcome ValueError(")));
}

TEST_F(CatchTest, ACancelledInnerTaskIsAnOutcome) {
  const auto wait = [](Task<int> task) -> Coro<int> {
    co_return co_await task;
  };
  const auto main = [&]() -> Coro<void> {
    Task<int> task = CreateTask(Work(9));
    task.Cancel("m");
    co_await Observe(task);
    Task<int> other = CreateTask(Work(9));
    other.Cancel("n");
    co_await Observe(wait(other));
    Future<int> future;
    future.Cancel("f");
    co_await Observe(future);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("outcome CancelledError('m') True",
                                "outcome CancelledError('n') True",
                                "outcome CancelledError('f') True"));
}

TEST_F(CatchTest, CancelledWhileItWaitsItPasses) {
  Task<int> inner = Start(Work(9));
  Task<void> of_task = Start(Observe(inner));
  Task<void> of_coro = Start(Observe(Work(9)));
  Task<void> of_sleep = Start(Observe(Sleep(absl::Seconds(1))));
  Iterate(2);
  of_task.Cancel("a");
  of_coro.Cancel("b");
  of_sleep.Cancel("c");
  Iterate(4);
  EXPECT_THAT(log_,
              testing::UnorderedElementsAre("raised CancelledError('a') 1",
                                            "raised CancelledError('b') 1",
                                            "raised CancelledError('c') 1"));
  EXPECT_TRUE(inner.Cancelled());
}

TEST_F(CatchTest, CancelledWhileItIsReadyItPasses) {
  Future<int> future(loop_);
  Task<void> t = Start(Observe(future));
  Iterate(2);
  future.SetException(ValueError("not seen"));
  t.Cancel("m");
  Iterate(2);
  EXPECT_THAT(log_, ElementsAre("raised CancelledError('m') 1"));
}

TEST_F(CatchTest, CancelledBeforeItBeganToWaitItPasses) {
  const auto main = [&]() -> Coro<void> {
    CurrentTask()->Cancel("m");
    co_await Observe(Work(3));
  };
  Task<void> t = Start(main());
  Iterate(5);
  EXPECT_THAT(log_, ElementsAre("raised CancelledError('m') 1"));
}

TEST_F(CatchTest, CancelledBeforeItsStartItNeverBegins) {
  Task<void> t = Start(Observe(Sleep(kNow)));
  t.Cancel();
  Iterate(3);
  EXPECT_TRUE(t.Cancelled());
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(CatchTest, WhoCleansUpAfterACancellationCanCatchTheNext) {
  const auto main = [&]() -> Coro<void> {
    Task<int> inner = CreateTask(Work(9));
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError&) {
    }
    inner.Cancel("inner");
    co_await Observe(inner);  // This task is being cancelled all the while.
  };
  Task<void> t = Start(main());
  Iterate(3);
  t.Cancel("outer");
  Iterate(5);
  EXPECT_THAT(log_, ElementsAre("outcome CancelledError('inner') True"));
}

TEST_F(CatchTest, ADeadlineAroundItHolds) {
  const auto main = [&]() -> Coro<void> {
    const std::string raised = co_await Raised(
        WaitFor(Catch(Sleep(absl::Seconds(9))), absl::Seconds(1)));
    Log(raised);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre(HasSubstr("t=1 TimeoutError()")));
}

TEST_F(CatchTest, WhatLeavesTheLoopPasses) {
  const auto quit = []() -> Coro<void> {
    co_await Sleep(kNow);
    throw SystemExit(3);
  };
  const auto main = [&]() -> Coro<void> {
    co_await Catch(quit());
    Note("not reached");
  };
  EXPECT_THROW(Run(main()), SystemExit);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(CatchTest, MayBeDestroyedWhileItWaits) {
  Start(Observe(Sleep(absl::Seconds(1))));
  Start(Observe(Work(9)));
  Iterate(2);
  loop_.Reset();
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_FALSE(HoldsMemory());
}

TEST_F(CatchTest, ACoroutineIsAwaitedOnce) {
  const auto main = [&]() -> Coro<void> {
    auto work = Work(0);
    Outcome<int> first = co_await Catch(std::move(work));
    EXPECT_EQ(first.value(), 0);
    const std::string raised = co_await Raised(Catch(std::move(work)));
    EXPECT_THAT(raised, HasSubstr("RuntimeError"));
  };
  Run(main());
}

}  // namespace
}  // namespace clotho
