#include "clotho/runtime/lock.h"

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
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

static_assert(!std::is_copy_constructible_v<Lock>);
static_assert(!std::is_move_constructible_v<Lock>);
static_assert(!std::is_copy_constructible_v<Lock::Guard>);
static_assert(std::is_nothrow_move_constructible_v<Lock::Guard>);
static_assert(std::is_nothrow_move_assignable_v<Lock::Guard>);
using Acquire = decltype(std::declval<Lock&>().Acquire());
static_assert(Awaitable<Acquire>);
static_assert(std::is_same_v<AwaitResult<Acquire>, Lock::Guard>);
static_assert(!std::is_move_constructible_v<Acquire::Awaiter>);

constexpr Delay kNow;

class LockTest : public internal::RuntimeTest {
 protected:
  // Takes the lock and holds it for `hops` iterations.
  Coro<void> Use(std::string name, int hops = 0) {
    try {
      auto guard = co_await lock_.Acquire();
      Log(name, "got");
      for (int i = 0; i < hops; ++i) co_await Sleep(kNow);
    } catch (const CancelledError&) {
      Log(name, "cancelled", lock_.Locked());
      throw;
    }
  }
  // Takes the lock from outside any coroutine.
  void Take() {
    const auto take = [this]() -> Coro<void> {
      auto guard = co_await lock_.Acquire();
      guard.Detach();
    };
    Task<void> t = Start(take());
    Iterate();
    ASSERT_TRUE(t.Done());
  }

  Lock lock_{"db"};
};

TEST_F(LockTest, AFreeLockIsTakenAtOnce) {
  const auto main = [&]() -> Coro<void> {
    EXPECT_FALSE(lock_.Locked());
    {
      auto guard = co_await lock_.Acquire();
      EXPECT_TRUE(lock_.Locked());
    }
    EXPECT_FALSE(lock_.Locked());
    EXPECT_EQ(CoreOf(loop_).iterations(), 1u);
  };
  Run(main());
}

TEST_F(LockTest, WhoeverFindsItTakenWaitsInLine) {
  Task<void> a = Start(Use("a", 2));
  Task<void> b = Start(Use("b", 1));
  Task<void> c = Start(Use("c"));
  Iterate(6);
  EXPECT_THAT(log_,
              ElementsAre("i1 t=0 a got", "i4 t=0 b got", "i6 t=0 c got"));
}

TEST_F(LockTest, IsFreeUntilTheWokenTaskRunsButThoseWhoAskStandBehind) {
  Take();
  Task<void> a = Start(Use("a"));
  Iterate();
  lock_.Release();
  EXPECT_FALSE(lock_.Locked());
  Task<void> b = Start(Use("b"));  // Its step comes after that of `a`.
  const auto barging = [&]() -> Coro<void> {
    auto guard = co_await lock_.Acquire();
    Log("barging got");
  };
  Task<void> c = Start(barging());
  Iterate(3);
  EXPECT_THAT(
      log_, ElementsAre("i3 t=0 a got", "i3 t=0 b got", "i3 t=0 barging got"));
}

TEST_F(LockTest, AnAcquireBetweenReleaseAndWakeUpQueues) {  // LK-02.
  Take();
  Task<void> a = Start(Use("a", 1));
  Iterate();
  const auto barging = [&]() -> Coro<void> {
    lock_.Release();
    EXPECT_FALSE(lock_.Locked());
    auto guard = co_await lock_.Acquire();
    Log("barging got");
  };
  Task<void> c = Start(barging());
  Iterate(5);
  EXPECT_THAT(log_, ElementsAre("i4 t=0 a got", "i6 t=0 barging got"));
}

TEST_F(LockTest, ReleasedTwiceIsAnError) {
  EXPECT_EQ(Thrown([&] { lock_.Release(); }),
            "RuntimeError: Lock is not acquired.");
  Take();
  lock_.Release();
  EXPECT_EQ(Thrown([&] { lock_.Release(); }),
            "RuntimeError: Lock is not acquired.");
}

// ---- Guards. ----

TEST_F(LockTest, AGuardMayBeMovedReleasedAndDetached) {
  const auto main = [&]() -> Coro<void> {
    Lock other;
    auto guard = co_await lock_.Acquire();
    Lock::Guard moved = std::move(guard);
    guard.Release();  // NOLINT: it holds nothing any more.
    EXPECT_TRUE(lock_.Locked());
    moved = co_await other.Acquire();  // Releases what it held.
    EXPECT_FALSE(lock_.Locked());
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

TEST_F(LockTest, AfterReleaseOfTheLockItsGuardHoldsNothing) {
  const auto main = [&]() -> Coro<void> {
    auto guard = co_await lock_.Acquire();
    lock_.Release();
    EXPECT_FALSE(lock_.Locked());
    auto second = co_await lock_.Acquire();
    guard.Release();
    EXPECT_TRUE(lock_.Locked());
  };
  Run(main());
}

TEST_F(LockTest, AnExceptionReleasesIt) {
  const auto main = [&]() -> Coro<void> {
    try {
      auto guard = co_await lock_.Acquire();
      throw ValueError("x");
    } catch (const ValueError&) {
      EXPECT_FALSE(lock_.Locked());
    }
  };
  Run(main());
}

// ---- Cancellation: LK-01, LK-03, LK-04. ----

TEST_F(LockTest, CancelledInLineItLeavesTheLine) {
  Take();
  Task<void> a = Start(Use("a"));
  Task<void> b = Start(Use("b"));
  Iterate();
  a.Cancel();
  Iterate();
  lock_.Release();
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i3 t=0 a cancelled True", "i4 t=0 b got"));
}

TEST_F(LockTest, CancelledWhenItWasWokenItPassesTheWakeUpOn) {
  Take();
  Task<void> a = Start(Use("a"));
  Task<void> b = Start(Use("b"));
  Iterate();
  lock_.Release();
  a.Cancel();
  Iterate(2);
  EXPECT_THAT(log_, ElementsAre("i3 t=0 a cancelled False", "i4 t=0 b got"));
}

TEST_F(LockTest, CancelledJustBeforeTheReleaseItPassesTheWakeUpOnToo) {
  Take();
  Task<void> a = Start(Use("a"));
  Task<void> b = Start(Use("b"));
  Iterate();
  a.Cancel();  // Still the first waiter when the lock is released.
  lock_.Release();
  Iterate(2);
  EXPECT_THAT(log_, ElementsAre("i3 t=0 a cancelled False", "i4 t=0 b got"));
}

TEST_F(LockTest, CancelledBeforeItStartsItNeverQueues) {
  Take();
  Start(Use("a")).Cancel();
  Iterate();
  EXPECT_THAT(log_, IsEmpty());
  lock_.Release();
}

TEST_F(LockTest, ALineOfCancelledTasksHoldsNobodyUp) {
  Take();
  Task<void> a = Start(Use("a"));
  Iterate();
  const auto main = [&]() -> Coro<void> {
    a.Cancel();
    lock_.Release();
    auto guard = co_await lock_.Acquire();  // At once: the only waiter is `a`.
    Log("got");
  };
  Task<void> t = Start(main());
  Iterate(2);
  EXPECT_THAT(log_, ElementsAre("i3 t=0 got", "i4 t=0 a cancelled False"));
}

// ---- Destruction. ----

TEST_F(LockTest, TasksMayBeDestroyedWhileTheyHoldItOrWaitForIt) {
  for (int hops : {0, 1}) {
    Start(Use("holds", 9));
    Start(Use("waits"));
    Iterate(1 + hops);
    EXPECT_TRUE(lock_.Locked());
    loop_.Reset();
    EXPECT_FALSE(lock_.Locked());
  }
  EXPECT_FALSE(HoldsMemory());
}

TEST_F(LockTest, TheHolderMayBeYoungerThanTheWaiterWhenTheLoopIsClosed) {
  const auto late = [&]() -> Coro<void> {
    co_await Sleep(kNow);
    auto guard = co_await lock_.Acquire();
    co_await Sleep(absl::Seconds(1));
  };
  Task<void> waits = Start(late());
  Task<void> holds = Start(Use("holds", 9));
  Iterate(2);
  loop_.Close();
  EXPECT_FALSE(lock_.Locked());
  EXPECT_EQ(TakeReports().size(), 2u);
}

TEST_F(LockTest, DestroyedWhileATaskWaitsItCanOnlyBeCancelled) {
  auto lock = std::make_unique<Lock>();
  const auto use = [&](Lock& l) -> Coro<void> {
    auto guard = co_await l.Acquire();
    co_await Sleep(absl::Seconds(1));
  };
  Task<void> holder = Start(use(*lock));
  Task<void> waiter = Start(use(*lock));
  Iterate();
  lock.reset();
  internal::WaitInfo info;
  waiter.base().waiting_on()->Explain(info);
  EXPECT_EQ(info.what, "Lock that was destroyed");
  waiter.Cancel("m");
  RunToStandstill();
  EXPECT_TRUE(holder.Done());
  EXPECT_EQ(Thrown([&] { waiter.Result(); }), "CancelledError: m");
}

TEST_F(LockTest, DestroyedBetweenReleaseAndWakeUpItSaysSo) {
  auto lock = std::make_unique<Lock>();
  const auto use = [](Lock& l) -> Coro<void> {
    auto guard = co_await l.Acquire();
  };
  const auto take = [](Lock& l) -> Coro<void> {
    auto guard = co_await l.Acquire();
    guard.Detach();
  };
  Task<void> taker = Start(take(*lock));
  Task<void> waiter = Start(use(*lock));
  Iterate();
  lock->Release();
  lock.reset();
  Iterate();
  EXPECT_EQ(Thrown([&] { waiter.Result(); }),
            "RuntimeError: the Lock was destroyed while a task waited for it");
}

TEST_F(LockTest, AHeldLockMayOutliveTheLoop) {
  Lock lock;
  {
    EventLoop loop({.clock = &clock_});
    const auto take = [](Lock& l) -> Coro<void> {
      auto guard = co_await l.Acquire();
      guard.Detach();
    };
    loop.RunUntilComplete(take(lock));
  }
  EXPECT_TRUE(lock.Locked());
  lock.Release();
}

TEST_F(LockTest, SaysWhoHoldsItAndWhere) {
  Task<void> holder = Start(Use("a", 9));
  Task<void> waiter = Start(Use("b"));
  Iterate();
  internal::WaitInfo info;
  waiter.base().waiting_on()->Explain(info);
  EXPECT_EQ(info.what, "Lock \"db\"");
  EXPECT_EQ(info.holder, &holder.base());
  EXPECT_THAT(info.held_at.file_name(), testing::EndsWith("lock_test.cc"));
  EXPECT_EQ(Lock().Describe(), "Lock");
  loop_.Reset();
}

}  // namespace
}  // namespace clotho
