#include "clotho/runtime/barrier.h"

#include <memory>
#include <string>
#include <type_traits>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Thrown;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

static_assert(!std::is_copy_constructible_v<Barrier>);

class BarrierTest : public internal::RuntimeTest {
 protected:
  Coro<void> Come(Barrier& barrier, std::string name) {
    try {
      const std::size_t position = co_await barrier.Wait();
      Log(name, position);
    } catch (const BrokenBarrierError& e) {
      Log(name, e.what());
    }
  }
};

TEST_F(BarrierTest, TheLastToComeGoesOnFirst) {  // BR-01, BR-02.
  Barrier barrier(2);
  Task<void> p = Start(Come(barrier, "p"));
  Iterate();
  EXPECT_EQ(barrier.NWaiting(), 1u);
  Task<void> q = Start(Come(barrier, "q"));
  Iterate(2);
  EXPECT_THAT(log_, ElementsAre("i2 t=0 q 1", "i3 t=0 p 0"));
  EXPECT_EQ(barrier.NWaiting(), 0u);
  EXPECT_EQ(barrier.Parties(), 2u);
}

TEST_F(BarrierTest, CanBeUsedAgain) {
  Barrier barrier(2);
  for (int round = 0; round < 2; ++round) {
    Task<void> p = Start(Come(barrier, "p"));
    Task<void> q = Start(Come(barrier, "q"));
    Iterate(3);
    EXPECT_TRUE(p.Done());
    EXPECT_TRUE(q.Done());
  }
}

TEST_F(BarrierTest, WhoComesTooEarlyWaitsUntilTheOthersHaveLeft) {
  Barrier barrier(2);
  Task<void> p = Start(Come(barrier, "p"));
  Task<void> q = Start(Come(barrier, "q"));
  Task<void> r = Start(Come(barrier, "r"));  // The barrier is draining.
  Iterate(4);
  EXPECT_THAT(log_, ElementsAre("i1 t=0 q 1", "i2 t=0 p 0"));
  EXPECT_EQ(barrier.NWaiting(), 1u);
  r.Cancel();
  Iterate();
}

TEST_F(BarrierTest, OfOnePartyHoldsNobodyUp) {
  Barrier barrier(1);
  Run(Come(barrier, "a"));
  Run(Come(barrier, "b"));
  EXPECT_THAT(log_, ElementsAre("i1 t=0 a 0", "i3 t=0 b 0"));
}

TEST_F(BarrierTest, RefusesLessThanOneParty) {
  EXPECT_EQ(Thrown([] { Barrier barrier(0); }),
            "ValueError: parties must be >= 1");
}

TEST_F(BarrierTest, AbortBreaksItUntilItIsReset) {  // BR-03.
  Barrier barrier(2);
  Task<void> p = Start(Come(barrier, "p"));
  Iterate();
  Run(barrier.Abort());
  Iterate();
  EXPECT_TRUE(barrier.Broken());
  Run(Come(barrier, "q"));
  Run(barrier.Reset());
  Run(barrier.Reset());
  EXPECT_FALSE(barrier.Broken());
  log_.erase(log_.begin() + 2, log_.end());
  EXPECT_THAT(log_, ElementsAre("i3 t=0 p Abort or reset of barrier",
                                "i5 t=0 q Barrier aborted"));
}

TEST_F(BarrierTest, ResetSendsThoseWhoWaitAway) {
  Barrier barrier(3);
  Task<void> p = Start(Come(barrier, "p"));
  Task<void> q = Start(Come(barrier, "q"));
  Iterate();
  Run(barrier.Reset());
  Iterate(2);
  EXPECT_THAT(log_, ElementsAre("i3 t=0 p Abort or reset of barrier",
                                "i3 t=0 q Abort or reset of barrier"));
  EXPECT_FALSE(barrier.Broken());
}

TEST_F(BarrierTest, ACancelledTaskLeavesItsPlace) {  // BR-04.
  Barrier barrier(2);
  Task<void> p = Start(Come(barrier, "p"));
  Iterate();
  p.Cancel();
  Iterate();
  EXPECT_EQ(barrier.NWaiting(), 0u);
  EXPECT_FALSE(barrier.Broken());
  Task<void> q = Start(Come(barrier, "q"));
  Task<void> r = Start(Come(barrier, "r"));
  Iterate(3);
  EXPECT_THAT(log_, ElementsAre("i3 t=0 r 1", "i4 t=0 q 0"));
}

TEST_F(BarrierTest, CancelledBeforeItStartsItNeverComes) {
  Barrier barrier(1);
  Start(Come(barrier, "p")).Cancel();
  Iterate();
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(BarrierTest, TasksMayBeDestroyedWhileTheyWait) {
  Barrier barrier(3);
  Start(Come(barrier, "p"));
  Start(Come(barrier, "q"));
  Iterate();
  EXPECT_EQ(barrier.NWaiting(), 2u);
  loop_.Reset();
  EXPECT_EQ(barrier.NWaiting(), 0u);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(BarrierTest, DestroyedWhileATaskWaitsItCanOnlyBeCancelled) {
  auto barrier = std::make_unique<Barrier>(2);
  Task<void> p = Start(Come(*barrier, "p"));
  Iterate();
  barrier.reset();
  Iterate();
  EXPECT_FALSE(p.Done());
  p.Cancel("m");
  Iterate();
  EXPECT_EQ(Thrown([&] { p.Result(); }), "CancelledError: m");
}

}  // namespace
}  // namespace clotho
