#include "clotho/runtime/shield.h"

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/future_base.h"
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

constexpr Delay kNow;

class ShieldTest : public internal::RuntimeTest {
 protected:
  // Yields `count` times, then returns, or fails with `error`.
  Coro<int> Work(int count, std::string error = "") {
    try {
      for (; count > 0; --count) co_await Sleep(kNow);
    } catch (const CancelledError&) {
      Log("inner cancelled");
      throw;
    }
    Log("inner ends");
    if (!error.empty()) throw ValueError(error);
    co_return 1;
  }
  Coro<void> Watch(Task<int> inner) {
    try {
      const int value = co_await Shield(std::move(inner));
      Log("value", value);
    } catch (...) {
      Log(Repr(std::current_exception()));
    }
  }
};

TEST_F(ShieldTest, GivesTheOutcomeTwoHopsLater) {  // HT-15.
  Run(Watch(Start(Work(1))));
  Run(Watch(Start(Work(1, "x"))));
  EXPECT_THAT(log_, ElementsAre("i2 t=0 inner ends", "i4 t=0 value 1",
                                "i7 t=0 inner ends", "i9 t=0 ValueError('x')"));
}

TEST_F(ShieldTest, WhatIsDoneIsReturnedAsItIs) {
  Future<int> f(loop_);
  f.SetResult(1);
  EXPECT_TRUE(Shield(f) == f);
}

TEST_F(ShieldTest, MakesATaskOfACoroutine) {
  const auto main = [&]() -> Coro<int> { co_return co_await Shield(Work(1)); };
  EXPECT_EQ(Run(main()), 1);
}

TEST_F(ShieldTest, PassesOnWhatCannotBeCopied) {
  const auto owner = []() -> Coro<std::unique_ptr<int>> {
    co_await Sleep(kNow);
    co_return std::make_unique<int>(2);
  };
  const auto main = [&]() -> Coro<int> {
    std::unique_ptr<int> result = co_await Shield(owner());
    co_return *result;
  };
  EXPECT_EQ(Run(main()), 2);
}

TEST_F(ShieldTest, CancellingWhoWaitsLeavesTheInnerAlone) {  // SH-05.
  Task<int> inner = Start(Work(3));
  Task<void> t = Start(Watch(inner));
  Iterate();
  EXPECT_TRUE(t.Cancel("m"));
  EXPECT_EQ(inner.Cancelling(), 0);
  Iterate(3);
  EXPECT_THAT(log_,
              ElementsAre("i2 t=0 CancelledError('m')", "i4 t=0 inner ends"));
  EXPECT_EQ(inner.Result(), 1);
}

TEST_F(ShieldTest, CancellingTheInnerCancelsTheOuterWithoutAMessage) {
  Task<int> inner = Start(Work(3));
  Task<void> t = Start(Watch(inner));
  Iterate();
  inner.Cancel("m");
  Iterate(3);
  EXPECT_THAT(log_,
              ElementsAre("i2 t=0 inner cancelled", "i4 t=0 CancelledError()"));
}

TEST_F(ShieldTest, AFailureInTheSameIterationAsTheCancellationIsSilent) {
  // SH-04: the relay from the inner future is queued before the outer one's end
  // is seen.
  {
    Task<int> inner = Start(Work(1, "x"));
    Future<int> outer = Shield(inner);
    loop_.CallSoon([=] { outer.Cancel(); });
    Iterate(3);
    EXPECT_TRUE(inner.Done());
    inner.Cancel();
  }
  {
    Future<int> inner(loop_);
    Future<int> outer = Shield(inner);
    inner.SetException(ValueError("x"));
    outer.Cancel();
    Iterate(2);
  }
  EXPECT_THAT(TakeReports(), IsEmpty());
}

TEST_F(ShieldTest, AFailureAfterTheCancellationIsReported) {  // SH-03.
  {
    Task<int> inner = Start(Work(5, "x"));
    Future<int> outer = Shield(inner);
    Iterate();
    outer.Cancel();
    Iterate(6);
  }
  EXPECT_THAT(TakeReports(), ElementsAre("Task exception was never retrieved: "
                                         "ValueError: x"));
}

TEST_F(ShieldTest, AFailureThatNobodyAwaitsIsTheOutersToReport) {
  {
    Task<int> inner = Start(Work(1, "x"));
    Future<int> outer = Shield(inner);
    Iterate(4);
  }
  EXPECT_THAT(TakeReports(),
              ElementsAre("Future exception was never retrieved: "
                          "ValueError: x"));
}

TEST_F(ShieldTest, DroppedOrDestroyedItLeavesNothingBehind) {
  {
    Future<int> inner(loop_);
    Future<int> dropped_first = Shield(inner);
  }
  {
    Future<int> outer = Shield(Future<int>(loop_));  // The only reference.
  }
  Task<int> inner = Start(Work(9));
  Task<void> t = Start(Watch(inner));
  Iterate();
  loop_.Reset();
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(ShieldTest, DestroyedWithTheRelaysReady) {
  {
    Future<int> inner(loop_);
    Future<int> outer = Shield(inner);
    inner.SetResult(1);
    outer.Cancel();
  }
  loop_.Reset();
  EXPECT_FALSE(HoldsMemory());
}

TEST_F(ShieldTest, ShieldsMayBeNested) {
  Task<int> inner = Start(Work(1));
  Future<int> outer = Shield(Shield(inner));
  const auto main = [&]() -> Coro<void> {
    const int value = co_await outer;
    Log("value", value);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i2 t=0 inner ends", "i5 t=0 value 1"));
}

TEST_F(ShieldTest, OfALoopThatIsGoneSaysSo) {
  std::optional<Future<int>> f;
  {
    EventLoop other;
    f.emplace(other);
  }
  EXPECT_EQ(Thrown([&] { Future<int> outer = Shield(*f); }),
            "RuntimeError: Event loop is closed");
}

TEST_F(ShieldTest, SaysWhatItWaitsFor) {
  Future<int> f(loop_);
  Future<int> outer = Shield(f);
  internal::WaitInfo info;
  outer.state()->Explain(info);
  EXPECT_EQ(info.what, "Shield(Future)");
  EXPECT_THAT(info.parts, ElementsAre(f.state().get()));
}

}  // namespace
}  // namespace clotho
