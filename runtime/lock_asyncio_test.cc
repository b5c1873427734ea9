// CPython's tests of locks (test_locks.py and test_pep492.py), ported to Lock.
// Each test has the name and class of the original method.

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/condition.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/lock.h"
#include "clotho/runtime/semaphore.h"
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

constexpr Delay kNow;

class LockTests : public internal::RuntimeTest {
 protected:
  // Takes the lock, and leaves it taken.
  Coro<void> Take() {
    auto guard = co_await lock_.Acquire();
    guard.Detach();
  }
  Coro<void> TakeAndNote(int number) {
    co_await Take();
    Note(number);
  }

  Lock lock_;
};

TEST_F(LockTests, Acquire) {
  const auto main = [&]() -> Coro<void> {
    co_await Take();
    Task<void> t1 = CreateTask(TakeAndNote(1));
    Task<void> t2 = CreateTask(TakeAndNote(2));
    co_await Sleep(kNow);
    EXPECT_THAT(log_, IsEmpty());

    lock_.Release();
    co_await Sleep(kNow);
    EXPECT_THAT(log_, ElementsAre("1"));
    co_await Sleep(kNow);
    EXPECT_THAT(log_, ElementsAre("1"));

    Task<void> t3 = CreateTask(TakeAndNote(3));
    lock_.Release();
    co_await Sleep(kNow);
    EXPECT_THAT(log_, ElementsAre("1", "2"));
    lock_.Release();
    co_await Sleep(kNow);
    EXPECT_THAT(log_, ElementsAre("1", "2", "3"));
    for (const Task<void>& task : {t1, t2, t3}) {
      EXPECT_TRUE(task.Done());
      task.Result();
    }
  };
  Run(main());
}

TEST_F(LockTests, AcquireCancel) {
  const auto main = [&]() -> Coro<void> {
    co_await Take();
    Task<void> task = CreateTask(Take());
    loop_.CallSoon([task] { task.Cancel(); });
    const std::string raised = co_await Raised(task);
    EXPECT_EQ(raised, "CancelledError()");

    // No waiter is left: the next caller gets the lock at once.
    lock_.Release();
    const auto before = CoreOf(loop_).iterations();
    co_await Take();
    EXPECT_EQ(CoreOf(loop_).iterations(), before);
  };
  Run(main());
}

TEST_F(LockTests, CancelRace) {
  const auto hold = [&](std::string name,
                        std::optional<Future<void>> until) -> Coro<void> {
    auto guard = co_await lock_.Acquire();
    Note(name);
    if (until.has_value()) co_await *until;
  };
  const auto main = [&]() -> Coro<void> {
    Future<void> end_of_a;
    Task<void> a = CreateTask(hold("a", end_of_a));
    co_await Sleep(kNow);
    EXPECT_TRUE(lock_.Locked());
    Task<void> b = CreateTask(hold("b", std::nullopt));
    Task<void> c = CreateTask(hold("c", std::nullopt));
    co_await Sleep(kNow);

    // When `a` releases the lock, `b` is cancelled and still first in line.
    end_of_a.SetResult();
    b.Cancel();
    co_await Sleep(kNow);
    EXPECT_FALSE(lock_.Locked());
    EXPECT_TRUE(a.Done());
    EXPECT_TRUE(b.Cancelled());
    co_await c;
    EXPECT_THAT(log_, ElementsAre("a", "c"));
  };
  Run(main());
}

TEST_F(LockTests, CancelReleaseRace) {
  int calls = 0;
  int taken = 0;
  const auto take = [&]() -> Coro<void> {
    ++calls;
    co_await Take();
    ++taken;
  };
  const auto main = [&]() -> Coro<void> {
    co_await Take();
    Task<void> t1 = CreateTask(take());
    Task<void> t2 = CreateTask(take());
    Task<void> t3 = CreateTask(take());
    co_await Sleep(kNow);

    loop_.CallSoon([&, t1] {
      t1.Cancel();
      lock_.Release();
    });
    const std::string raised = co_await Raised(t1);
    EXPECT_EQ(raised, "CancelledError()");
    EXPECT_EQ(taken, 1);  // One release, one owner.
    EXPECT_EQ(calls, 3);
    EXPECT_TRUE(t1.Cancelled());
    EXPECT_TRUE(t2.Done());

    t3.Cancel();
    co_await Sleep(kNow);
    EXPECT_TRUE(t3.Cancelled());
  };
  Run(main());
}

TEST_F(LockTests, FinishedWaiterCancelled) {
  const auto main = [&]() -> Coro<void> {
    co_await Take();
    Task<void> b = CreateTask(Take());
    co_await Sleep(kNow);
    Task<void> c = CreateTask(Take());
    b.Cancel();
    lock_.Release();  // Before `b` has left the line.
    co_await Sleep(kNow);
    EXPECT_TRUE(lock_.Locked());
    EXPECT_TRUE(b.Cancelled());
    co_await c;
  };
  Run(main());
}

TEST_F(LockTests, ReleaseNotAcquired) {
  EXPECT_EQ(Thrown([&] { lock_.Release(); }),
            "RuntimeError: Lock is not acquired.");
}

TEST_F(LockTests, ReleaseNoWaiters) {
  Run(Take());
  EXPECT_TRUE(lock_.Locked());
  lock_.Release();
  EXPECT_FALSE(lock_.Locked());
}

TEST_F(LockTests, ContextManager) {
  const auto main = [&]() -> Coro<void> {
    EXPECT_FALSE(lock_.Locked());
    {
      auto guard = co_await lock_.Acquire();
      EXPECT_TRUE(lock_.Locked());
    }
    EXPECT_FALSE(lock_.Locked());
  };
  Run(main());
}

class Pep492LockTests : public internal::RuntimeTest {
 protected:
  template <typename Primitive>
  Coro<void> UseAsGuard(Primitive& primitive) {
    co_await Sleep(absl::Milliseconds(10));
    EXPECT_FALSE(primitive.Locked());
    {
      auto guard = co_await primitive.Acquire();
      EXPECT_TRUE(primitive.Locked());
      co_await Sleep(absl::Milliseconds(10));
      EXPECT_TRUE(primitive.Locked());
    }
    EXPECT_FALSE(primitive.Locked());
  }
};

TEST_F(Pep492LockTests, ContextManagerAsyncWith) {
  Lock lock;
  Condition condition;
  Semaphore semaphore;
  BoundedSemaphore bounded;
  Run(UseAsGuard(lock));
  Run(UseAsGuard(condition));
  Run(UseAsGuard(semaphore));
  Run(UseAsGuard(bounded));
}

}  // namespace
}  // namespace clotho
