#include "clotho/runtime/condition.h"

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/lock.h"
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

static_assert(!std::is_copy_constructible_v<Condition>);
using WaitOperation = decltype(std::declval<Condition&>().Wait());
static_assert(std::is_same_v<AwaitResult<WaitOperation>, bool>);
static_assert(!std::is_move_constructible_v<WaitOperation::Awaiter>);

constexpr Delay kNow;

class ConditionTest : public internal::RuntimeTest {
 protected:
  // Waits for a notification, and logs how that ended, with the lock held.
  Coro<void> WaitOnce(std::string name) {
    auto guard = co_await condition_.Acquire();
    try {
      co_await condition_.Wait();
      Log(name, "woken", condition_.Locked());
    } catch (const CancelledError& e) {
      Log(name, "cancelled", e.what(), condition_.Locked());
      throw;
    }
  }
  // Holds the lock for `hops` iterations and notifies `count` in the first.
  Coro<void> NotifyAfter(std::size_t count, int hops = 0) {
    auto guard = co_await condition_.Acquire();
    condition_.Notify(count);
    for (int i = 0; i < hops; ++i) co_await Sleep(kNow);
  }

  Condition condition_{"changed"};
};

TEST_F(ConditionTest, ANotifiedTaskGoesOnWhenItHasTheLock) {  // HT-19.
  Task<void> a = Start(WaitOnce("a"));
  Task<void> notifier = Start(NotifyAfter(1, 2));
  Iterate(6);
  // Woken in iteration 2, it finds the lock taken; the lock is released in 3,
  // and it gets it in 4.
  EXPECT_THAT(log_, ElementsAre("i4 t=0 a woken True"));
  EXPECT_FALSE(condition_.Locked());
}

TEST_F(ConditionTest, NotifiesInTheOrderInWhichTheyBeganToWait) {  // CN-03.
  Task<void> a = Start(WaitOnce("a"));
  Task<void> b = Start(WaitOnce("b"));
  Task<void> c = Start(WaitOnce("c"));
  Task<void> notifier = Start(NotifyAfter(2));
  Iterate(4);
  EXPECT_THAT(log_, ElementsAre("i2 t=0 a woken True", "i2 t=0 b woken True"));
  Task<void> again = Start(NotifyAfter(9));
  Iterate(3);
  EXPECT_TRUE(c.Done());
}

TEST_F(ConditionTest, NotifyAllWakesAll) {
  Task<void> a = Start(WaitOnce("a"));
  Task<void> b = Start(WaitOnce("b"));
  const auto notify = [&]() -> Coro<void> {
    auto guard = co_await condition_.Acquire();
    condition_.NotifyAll();
    condition_.NotifyAll();  // No waiter is left.
  };
  Task<void> notifier = Start(notify());
  Iterate(5);
  EXPECT_TRUE(a.Done());
  EXPECT_TRUE(b.Done());
}

TEST_F(ConditionTest, WithoutTheLockNothingWorks) {  // CN-01.
  const auto main = [&]() -> Coro<void> {
    try {
      co_await condition_.Wait();
    } catch (const RuntimeError& e) {
      Note(e.what());
    }
    bool ready = true;
    auto wait = condition_.WaitFor([&] { return ready; });
    Note(co_await std::move(wait));  // Needs no lock: it holds already.
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("cannot wait on un-acquired lock", "True"));
  EXPECT_EQ(Thrown([&] { condition_.Notify(); }),
            "RuntimeError: cannot notify on un-acquired lock");
  EXPECT_EQ(Thrown([&] { condition_.NotifyAll(); }),
            "RuntimeError: cannot notify on un-acquired lock");
  EXPECT_EQ(Thrown([&] { condition_.Release(); }),
            "RuntimeError: Lock is not acquired.");
}

TEST_F(ConditionTest, WaitForLooksAgainAfterEachNotification) {
  int n = 0;
  const auto wait = [&]() -> Coro<void> {
    auto guard = co_await condition_.Acquire();
    auto until = condition_.WaitFor([&] { return n >= 2; });
    co_await std::move(until);
    Note("two");
  };
  const auto count = [&]() -> Coro<void> {
    while (n < 3) {
      auto guard = co_await condition_.Acquire();
      Note(++n);
      condition_.Notify();
      guard.Release();
      co_await Sleep(kNow);
      co_await Sleep(kNow);
    }
  };
  Task<void> waiter = Start(wait());
  Run(count());
  EXPECT_THAT(log_, ElementsAre("1", "2", "two", "3"));
}

TEST_F(ConditionTest, SharesALock) {
  Lock lock;
  Condition full(lock);
  Condition empty(lock);
  const auto main = [&]() -> Coro<void> {
    auto guard = co_await full.Acquire();
    EXPECT_TRUE(empty.Locked());
    empty.Notify();
    guard.Release();
    EXPECT_FALSE(lock.Locked());
  };
  Run(main());
}

// ---- Guards. ----

TEST_F(ConditionTest, TheGuardHoldsTheLockBeforeAndAfterTheWait) {
  std::optional<Lock::Guard> kept;
  const auto wait = [&]() -> Coro<void> {
    kept.emplace(co_await condition_.Acquire());
    co_await condition_.Wait();
    EXPECT_TRUE(condition_.Locked());
    kept.reset();
    EXPECT_FALSE(condition_.Locked());
  };
  Task<void> waiter = Start(wait());
  Iterate();
  EXPECT_FALSE(condition_.Locked());
  Lock::Guard moved = *std::exchange(kept, std::nullopt);  // While it waits.
  kept.emplace(std::move(moved));
  Run(NotifyAfter(1));
  Iterate(2);
  EXPECT_TRUE(waiter.Done());
}

TEST_F(ConditionTest, AGuardMayGoDuringTheWait) {
  std::optional<Lock::Guard> kept;
  const auto wait = [&]() -> Coro<void> {
    kept.emplace(co_await condition_.Acquire());
    co_await condition_.Wait();
    EXPECT_TRUE(condition_.Locked());
    condition_.Release();
  };
  Task<void> waiter = Start(wait());
  Iterate();
  kept.reset();
  Run(NotifyAfter(1));
  Iterate(2);
  EXPECT_TRUE(waiter.Done());
}

// ---- Cancellation: CN-02, CN-05. ----

TEST_F(ConditionTest, CancelledWhenNotifiedItPassesTheNotificationOn) {
  // Trace TR_P2 of the rules.
  const auto main = [&]() -> Coro<void> {
    Task<void> a = CreateTask(WaitOnce("a"));
    Task<void> b = CreateTask(WaitOnce("b"));
    Task<void> d = CreateTask(WaitOnce("d"));
    co_await Sleep(kNow);
    {
      auto guard = co_await condition_.Acquire();
      condition_.Notify(1);
      Log("notified");
    }
    a.Cancel();
    for (int i = 0; i < 4; ++i) co_await Sleep(kNow);
    d.Cancel();
    co_await Sleep(kNow);
    co_await Sleep(kNow);
  };
  Run(main());
  EXPECT_THAT(log_,
              ElementsAre("i2 t=0 notified", "i3 t=0 a cancelled  True",
                          "i4 t=0 b woken True", "i7 t=0 d cancelled  True"));
}

TEST_F(ConditionTest, ACancelledOneThatWasNotNotifiedWakesAnotherAllTheSame) {
  Task<void> a = Start(WaitOnce("a"));
  Task<void> b = Start(WaitOnce("b"));
  Iterate();
  a.Cancel("m");
  Iterate(3);
  EXPECT_THAT(log_,
              ElementsAre("i2 t=0 a cancelled m True", "i3 t=0 b woken True"));
}

TEST_F(ConditionTest, ItTakesTheLockThroughAnyNumberOfCancellations) {
  Task<void> a = Start(WaitOnce("a"));
  Task<void> holder = Start(NotifyAfter(1, 5));
  Iterate(2);
  a.Cancel("first");
  Iterate();
  a.Cancel("last");
  Iterate();
  EXPECT_THAT(log_, IsEmpty());
  Iterate(5);
  EXPECT_THAT(log_, ElementsAre("i7 t=0 a cancelled last True"));
  EXPECT_FALSE(condition_.Locked());
}

TEST_F(ConditionTest, CancelledBeforeItStartsItTouchesNothing) {
  Start(WaitOnce("a")).Cancel();
  Iterate();
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_FALSE(condition_.Locked());
}

// ---- Destruction. ----

TEST_F(ConditionTest, TasksMayBeDestroyedAtEitherWait) {
  for (int hops : {1, 3}) {
    Start(WaitOnce("a"));
    Start(WaitOnce("b"));
    Start(NotifyAfter(1, 9));
    Iterate(hops);
    loop_.Reset();
    EXPECT_FALSE(condition_.Locked());
  }
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_FALSE(HoldsMemory());
}

TEST_F(ConditionTest, DestroyedWhileATaskWaitsItCanOnlyBeCancelled) {
  auto condition = std::make_unique<Condition>("gone");
  const auto wait = [](Condition& c) -> Coro<void> {
    auto guard = co_await c.Acquire();
    co_await c.Wait();
  };
  Task<void> waiter = Start(wait(*condition));
  Iterate();
  internal::WaitInfo info;
  waiter.base().waiting_on()->Explain(info);
  EXPECT_EQ(info.what, "Condition \"gone\"");
  condition.reset();
  waiter.base().waiting_on()->Explain(info);
  EXPECT_EQ(info.what, "Condition that was destroyed");
  waiter.Cancel("m");
  Iterate();
  EXPECT_EQ(Thrown([&] { waiter.Result(); }), "CancelledError: m");
}

TEST_F(ConditionTest, DestroyedAfterTheNotificationItSaysSo) {
  auto condition = std::make_unique<Condition>();
  const auto wait = [](Condition& c) -> Coro<void> {
    auto guard = co_await c.Acquire();
    co_await c.Wait();
  };
  const auto notify = [](Condition& c) -> Coro<void> {
    auto guard = co_await c.Acquire();
    c.Notify();
  };
  Task<void> waiter = Start(wait(*condition));
  Task<void> notifier = Start(notify(*condition));
  Iterate();
  condition.reset();
  Iterate();
  EXPECT_EQ(
      Thrown([&] { waiter.Result(); }),
      "RuntimeError: the Condition was destroyed while a task waited for it");
}

}  // namespace
}  // namespace clotho
