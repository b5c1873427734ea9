#include "clotho/runtime/semaphore.h"

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Thrown;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

static_assert(!std::is_copy_constructible_v<Semaphore>);
static_assert(!std::is_copy_constructible_v<Semaphore::Guard>);
static_assert(std::is_nothrow_move_constructible_v<Semaphore::Guard>);
static_assert(std::is_nothrow_move_assignable_v<Semaphore::Guard>);

constexpr Delay kNow;

class SemaphoreTest : public internal::RuntimeTest {
 protected:
  // Takes a permit and holds it for `hops` iterations.
  Coro<void> Use(Semaphore& semaphore, std::string name, int hops = 0) {
    try {
      auto guard = co_await semaphore.Acquire();
      Log(name, "got", semaphore.Locked());
      for (int i = 0; i < hops; ++i) co_await Sleep(kNow);
    } catch (const CancelledError&) {
      Log(name, "cancelled");
      throw;
    }
  }
  Coro<void> Take(Semaphore& semaphore) {
    auto guard = co_await semaphore.Acquire();
    guard.Detach();
  }
};

TEST_F(SemaphoreTest, GivesItsPermitsAtOnceAndThenInLine) {
  Semaphore semaphore(2);
  Task<void> a = Start(Use(semaphore, "a", 2));
  Task<void> b = Start(Use(semaphore, "b", 2));
  Task<void> c = Start(Use(semaphore, "c"));
  Task<void> d = Start(Use(semaphore, "d"));
  Iterate(5);
  EXPECT_THAT(log_, ElementsAre("i1 t=0 a got False", "i1 t=0 b got True",
                                "i4 t=0 c got True", "i4 t=0 d got False"));
  EXPECT_FALSE(semaphore.Locked());
}

TEST_F(SemaphoreTest, WhoAsksStandsBehindThoseWhoWait) {  // SM-01, SM-03.
  Semaphore semaphore(1);
  Run(Take(semaphore));
  Task<void> a = Start(Use(semaphore, "a"));
  Iterate();
  log_.clear();
  semaphore.Release();
  semaphore.Release();
  EXPECT_TRUE(semaphore.Locked());  // There is a permit, but `a` is in line.
  Task<void> b = Start(Use(semaphore, "b"));
  Iterate(3);
  EXPECT_TRUE(a.Done());
  EXPECT_TRUE(b.Done());
  EXPECT_THAT(log_, testing::SizeIs(2));
}

TEST_F(SemaphoreTest, RefusesANegativeValue) {
  EXPECT_EQ(Thrown([] { Semaphore semaphore(-1); }),
            "ValueError: Semaphore initial value must be >= 0");
  EXPECT_TRUE(Semaphore(0).Locked());
}

TEST_F(SemaphoreTest, OnlyABoundedOneMustNotBeReleasedTooOften) {  // SM-04.
  Semaphore semaphore(1);
  semaphore.Release();
  BoundedSemaphore bounded(1);
  EXPECT_EQ(Thrown([&] { bounded.Release(); }),
            "ValueError: BoundedSemaphore released too many times");
  Run(Take(bounded));
  bounded.Release();
  EXPECT_FALSE(bounded.Locked());
}

TEST_F(SemaphoreTest, AGuardMayBeMovedReleasedAndDetached) {
  Semaphore semaphore(1);
  Semaphore other(1);
  const auto main = [&]() -> Coro<void> {
    auto guard = co_await semaphore.Acquire();
    Semaphore::Guard moved = std::move(guard);
    guard.Release();  // NOLINT: it holds nothing any more.
    EXPECT_TRUE(semaphore.Locked());
    moved = co_await other.Acquire();  // Releases what it held.
    EXPECT_FALSE(semaphore.Locked());
    EXPECT_TRUE(other.Locked());
    moved.Release();
    moved.Release();
    EXPECT_FALSE(other.Locked());
    moved = co_await other.Acquire();
    moved.Detach();
    EXPECT_TRUE(other.Locked());
  };
  Run(main());
}

TEST_F(SemaphoreTest, AGuardDoesNotOverfillABoundedOne) {
  BoundedSemaphore bounded(1);
  const auto main = [&]() -> Coro<void> {
    auto guard = co_await bounded.Acquire();
    bounded.Release();
  };
  Run(main());
  EXPECT_FALSE(bounded.Locked());
}

// ---- Cancellation: SM-02. ----

TEST_F(SemaphoreTest, CancelledInLineItLeavesTheLine) {
  Semaphore semaphore(0);
  Task<void> a = Start(Use(semaphore, "a"));
  Task<void> b = Start(Use(semaphore, "b"));
  Iterate();
  a.Cancel();
  Iterate();
  semaphore.Release();
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i2 t=0 a cancelled", "i3 t=0 b got True"));
}

TEST_F(SemaphoreTest, CancelledWithAPermitInHandItPassesItOn) {
  // Trace TR_P3 of the rules.
  Semaphore semaphore(0);
  Task<void> a = Start(Use(semaphore, "a"));
  Task<void> b = Start(Use(semaphore, "b"));
  Iterate();
  semaphore.Release();
  a.Cancel();
  Iterate(2);
  EXPECT_THAT(log_, ElementsAre("i2 t=0 a cancelled", "i3 t=0 b got True"));
  EXPECT_FALSE(semaphore.Locked());
}

TEST_F(SemaphoreTest, CancelledBeforeItStartsItTakesNothing) {
  Semaphore semaphore(1);
  Start(Use(semaphore, "a")).Cancel();
  Iterate();
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_FALSE(semaphore.Locked());
}

// ---- Destruction. ----

TEST_F(SemaphoreTest, TasksMayBeDestroyedWhileTheyHoldItOrWaitForIt) {
  Semaphore semaphore(1);
  Start(Use(semaphore, "holds", 9));
  Start(Use(semaphore, "waits"));
  Iterate();
  EXPECT_TRUE(semaphore.Locked());
  loop_.Reset();
  EXPECT_FALSE(semaphore.Locked());
  EXPECT_FALSE(HoldsMemory());
}

TEST_F(SemaphoreTest, DestroyedWhileATaskWaitsItCanOnlyBeCancelled) {
  auto semaphore = std::make_unique<Semaphore>(1, "db");
  Task<void> holder = Start(Use(*semaphore, "holds", 3));
  Task<void> waiter = Start(Take(*semaphore));
  Iterate();
  internal::WaitInfo info;
  waiter.base().waiting_on()->Explain(info);
  EXPECT_EQ(info.what, "Semaphore \"db\"");
  semaphore.reset();
  waiter.base().waiting_on()->Explain(info);
  EXPECT_EQ(info.what, "Semaphore that was destroyed");
  waiter.Cancel("m");
  Iterate(5);
  EXPECT_TRUE(holder.Done());
  EXPECT_EQ(Thrown([&] { waiter.Result(); }), "CancelledError: m");
}

TEST_F(SemaphoreTest, DestroyedBetweenReleaseAndWakeUpItSaysSo) {
  auto semaphore = std::make_unique<BoundedSemaphore>(1);
  EXPECT_EQ(semaphore->Describe(), "BoundedSemaphore");
  Task<void> taker = Start(Take(*semaphore));
  Task<void> waiter = Start(Take(*semaphore));
  Iterate();
  semaphore->Release();
  semaphore.reset();
  Iterate();
  EXPECT_EQ(
      Thrown([&] { waiter.Result(); }),
      "RuntimeError: the Semaphore was destroyed while a task waited for it");
}

}  // namespace
}  // namespace clotho
