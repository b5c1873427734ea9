// CPython's tests of conditions (test_locks.py), ported to Condition. Each test
// has the name and class of the original method.

#include <string>
#include <utility>

#include "absl/time/time.h"
#include "clotho/runtime/condition.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/lock.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "clotho/runtime/timeout.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Thrown;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Delay kNow;

class ConditionTests : public internal::RuntimeTest {
 protected:
  // Takes the lock, and leaves it taken.
  Coro<void> Take() {
    auto guard = co_await condition_.Acquire();
    guard.Detach();
  }
  // Waits, then logs the number once it has the lock again, and keeps the lock.
  Coro<void> WaitAndKeep(int number) {
    co_await Take();
    const bool notified = co_await condition_.Wait();
    if (notified) Note(number);
  }
  // Like WaitAndKeep, but releases the lock.
  Coro<void> WaitAndNote(int number) {
    auto guard = co_await condition_.Acquire();
    const bool notified = co_await condition_.Wait();
    if (notified) Note(number);
  }

  // Takes items until their number is negative.
  Coro<void> Consume() {
    auto guard = co_await condition_.Acquire();
    const auto has_news = [this] { return items_ != 0; };
    while (true) {
      co_await condition_.WaitFor(has_news);
      if (items_ < 0) co_return;
      --items_;
    }
  }
  // Notifies one of two consumers of an item, and cancels it so many iterations
  // later.
  Coro<void> CancelTheNotified(int hops) {
    Task<void> first = CreateTask(Consume());
    Task<void> second = CreateTask(Consume());
    co_await Sleep(kNow);
    auto guard = co_await condition_.Acquire();
    ++items_;
    condition_.Notify(1);
    for (; hops > 0; --hops) co_await Sleep(kNow);
    EXPECT_TRUE(first.Cancel());

    const auto is_consumed = [this] { return items_ == 0; };
    auto consumed = condition_.WaitFor(is_consumed);
    const std::string raised =
        co_await Raised(WaitFor(std::move(consumed), absl::Milliseconds(10)));
    EXPECT_EQ(raised, "TimeoutError()");  // Nothing notifies this task.
    EXPECT_EQ(items_, 0);
    EXPECT_TRUE(first.Cancelled());

    items_ = -1;
    condition_.NotifyAll();
    guard.Release();
    co_await second;
  }

  Condition condition_;
  int items_ = 0;
};

TEST_F(ConditionTests, Wait) {
  const auto main = [&]() -> Coro<void> {
    Task<void> t1 = CreateTask(WaitAndKeep(1));
    Task<void> t2 = CreateTask(WaitAndKeep(2));
    Task<void> t3 = CreateTask(WaitAndKeep(3));
    co_await Sleep(kNow);
    EXPECT_THAT(log_, IsEmpty());
    EXPECT_FALSE(condition_.Locked());

    co_await Take();
    condition_.Notify();
    co_await Sleep(kNow);
    EXPECT_THAT(log_, IsEmpty());
    EXPECT_TRUE(condition_.Locked());

    condition_.Release();
    co_await Sleep(kNow);
    EXPECT_THAT(log_, ElementsAre("1"));
    EXPECT_TRUE(condition_.Locked());

    condition_.Notify(2);
    co_await Sleep(kNow);
    EXPECT_THAT(log_, ElementsAre("1"));
    EXPECT_TRUE(condition_.Locked());

    condition_.Release();
    co_await Sleep(kNow);
    EXPECT_THAT(log_, ElementsAre("1", "2"));
    EXPECT_TRUE(condition_.Locked());

    condition_.Release();
    co_await Sleep(kNow);
    EXPECT_THAT(log_, ElementsAre("1", "2", "3"));
    EXPECT_TRUE(condition_.Locked());
    for (const Task<void>& task : {t1, t2, t3}) {
      EXPECT_TRUE(task.Done());
      task.Result();
    }
  };
  Run(main());
}

TEST_F(ConditionTests, WaitCancel) {
  const auto main = [&]() -> Coro<void> {
    co_await Take();
    Task<bool> wait = CreateTask(condition_.Wait());
    loop_.CallSoon([wait] { wait.Cancel(); });
    const std::string raised = co_await Raised(wait);
    EXPECT_EQ(raised, "CancelledError()");
    EXPECT_TRUE(condition_.Locked());
    condition_.NotifyAll();  // No waiters.
    co_await Sleep(kNow);
    EXPECT_TRUE(wait.Cancelled());
  };
  Run(main());
}

TEST_F(ConditionTests, WaitCancelContested) {
  const auto main = [&]() -> Coro<void> {
    co_await Take();
    Task<bool> wait = CreateTask(condition_.Wait());
    co_await Sleep(kNow);
    EXPECT_FALSE(condition_.Locked());

    // It is notified, but the lock is taken when it is cancelled.
    co_await Take();
    condition_.Notify();
    loop_.CallSoon([wait] { wait.Cancel(); });
    loop_.CallSoon([&] { condition_.Release(); });
    co_await Raised(wait);
    EXPECT_TRUE(condition_.Locked());  // However it ended.
  };
  Run(main());
}

TEST_F(ConditionTests, WaitCancelAfterNotify) {
  bool has_waited = false;
  const auto wait = [&]() -> Coro<void> {
    auto guard = co_await condition_.Acquire();
    has_waited = true;
    co_await condition_.Wait();
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> waiter = CreateTask(wait());
    co_await Sleep(kNow);
    co_await Take();
    condition_.Notify();
    co_await Sleep(kNow);  // It waits for the lock now,
    waiter.Cancel();
    co_await Sleep(kNow);  // and again, although it is cancelled.
    EXPECT_FALSE(waiter.Done());
    condition_.Release();
    co_await Sleep(kNow);
    EXPECT_TRUE(waiter.Cancelled());
    EXPECT_TRUE(has_waited);
  };
  Run(main());
}

TEST_F(ConditionTests, WaitUnacquired) {
  EXPECT_EQ(Run(Raised(condition_.Wait())),
            "RuntimeError('cannot wait on un-acquired lock')");
}

TEST_F(ConditionTests, WaitFor) {
  bool holds = false;
  const auto wait = [&]() -> Coro<void> {
    auto guard = co_await condition_.Acquire();
    const auto predicate = [&] { return holds; };
    const bool result = co_await condition_.WaitFor(predicate);
    if (result) Note(1);
  };
  const auto notify = [&]() -> Coro<void> {
    auto guard = co_await condition_.Acquire();
    condition_.Notify();
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> task = CreateTask(wait());
    co_await Sleep(kNow);
    EXPECT_THAT(log_, IsEmpty());

    co_await notify();
    co_await Sleep(kNow);
    EXPECT_THAT(log_, IsEmpty());

    holds = true;
    co_await notify();
    co_await Sleep(kNow);
    EXPECT_THAT(log_, ElementsAre("1"));
    EXPECT_TRUE(task.Done());
    task.Result();
  };
  Run(main());
}

TEST_F(ConditionTests, WaitForUnacquired) {
  EXPECT_TRUE(Run(condition_.WaitFor([] { return true; })));
  EXPECT_EQ(Run(Raised(condition_.WaitFor([] { return false; }))),
            "RuntimeError('cannot wait on un-acquired lock')");
}

TEST_F(ConditionTests, Notify) {
  const auto main = [&]() -> Coro<void> {
    Task<void> t1 = CreateTask(WaitAndNote(1));
    Task<void> t2 = CreateTask(WaitAndNote(2));
    Task<void> t3 = CreateTask(WaitAndNote(3));
    co_await Sleep(kNow);
    EXPECT_THAT(log_, IsEmpty());

    co_await Take();
    condition_.Notify(1);
    condition_.Release();
    co_await Sleep(kNow);
    EXPECT_THAT(log_, ElementsAre("1"));

    co_await Take();
    condition_.Notify(1);
    condition_.Notify(2048);  // More than there are.
    condition_.Release();
    co_await Sleep(kNow);
    EXPECT_THAT(log_, ElementsAre("1", "2", "3"));
    for (const Task<void>& task : {t1, t2, t3}) {
      EXPECT_TRUE(task.Done());
      task.Result();
    }
  };
  Run(main());
}

TEST_F(ConditionTests, NotifyAll) {
  const auto main = [&]() -> Coro<void> {
    Task<void> t1 = CreateTask(WaitAndNote(1));
    Task<void> t2 = CreateTask(WaitAndNote(2));
    co_await Sleep(kNow);
    EXPECT_THAT(log_, IsEmpty());

    co_await Take();
    condition_.NotifyAll();
    condition_.Release();
    co_await Sleep(kNow);
    EXPECT_THAT(log_, ElementsAre("1", "2"));
    for (const Task<void>& task : {t1, t2}) {
      EXPECT_TRUE(task.Done());
      task.Result();
    }
  };
  Run(main());
}

TEST_F(ConditionTests, NotifyUnacquired) {
  EXPECT_EQ(Thrown([&] { condition_.Notify(); }),
            "RuntimeError: cannot notify on un-acquired lock");
}

TEST_F(ConditionTests, NotifyAllUnacquired) {
  EXPECT_EQ(Thrown([&] { condition_.NotifyAll(); }),
            "RuntimeError: cannot notify on un-acquired lock");
}

TEST_F(ConditionTests, ContextManager) {
  const auto main = [&]() -> Coro<void> {
    EXPECT_FALSE(condition_.Locked());
    {
      auto guard = co_await condition_.Acquire();
      EXPECT_TRUE(condition_.Locked());
    }
    EXPECT_FALSE(condition_.Locked());
  };
  Run(main());
}

TEST_F(ConditionTests, ExplicitLock) {
  Lock lock;
  Condition condition(lock);
  const auto main = [&]() -> Coro<void> {
    EXPECT_FALSE(lock.Locked());
    EXPECT_FALSE(condition.Locked());
    {
      auto guard = co_await condition.Acquire();
      EXPECT_TRUE(lock.Locked());
      EXPECT_TRUE(condition.Locked());
    }
    EXPECT_FALSE(lock.Locked());
    EXPECT_FALSE(condition.Locked());
    {
      auto guard = co_await lock.Acquire();
      EXPECT_TRUE(lock.Locked());
      EXPECT_TRUE(condition.Locked());
    }
    EXPECT_FALSE(lock.Locked());
    EXPECT_FALSE(condition.Locked());
  };
  Run(main());
}

TEST_F(ConditionTests, AmbiguousLoops) {
  // Both a lock and a condition for which tasks of another loop have waited.
  Lock lock;
  EventLoop other({.clock = &clock_});
  const auto use_lock = [&]() -> Coro<void> {
    auto guard = co_await lock.Acquire();
    co_await Sleep(kNow);
  };
  const auto use_condition = [&]() -> Coro<void> {
    auto guard = co_await condition_.Acquire();
    co_await condition_.Wait();
  };
  const auto wait_in_other_loop = [&]() -> Coro<void> {
    Task<void> first = CreateTask(use_lock());
    Task<void> second = CreateTask(use_lock());
    Task<void> waiter = CreateTask(use_condition());
    co_await first;
    co_await second;
    auto guard = co_await condition_.Acquire();
    condition_.Notify();
    guard.Release();
    co_await waiter;
  };
  other.RunUntilComplete(wait_in_other_loop());

  const auto wrong_loop_in_lock = [&]() -> Coro<void> {
    auto guard = co_await lock.Acquire();  // It is free: no loop check.
    Condition condition(lock);
    const std::string raised = co_await Raised(condition.Acquire());
    EXPECT_EQ(raised,
              "RuntimeError('Lock is bound to a different event loop')");
    EXPECT_TRUE(lock.Locked());
  };
  Run(wrong_loop_in_lock());
  const auto wrong_loop_in_condition = [&]() -> Coro<void> {
    auto guard = co_await condition_.Acquire();
    const std::string raised = co_await Raised(condition_.Wait());
    EXPECT_EQ(raised,
              "RuntimeError('Condition is bound to a different event loop')");
    EXPECT_TRUE(condition_.Locked());
  };
  Run(wrong_loop_in_condition());
}

TEST_F(ConditionTests, TimeoutInBlock) {
  const auto main = [&]() -> Coro<void> {
    auto guard = co_await condition_.Acquire();
    const std::string raised =
        co_await Raised(WaitFor(condition_.Wait(), absl::Milliseconds(500)));
    EXPECT_EQ(raised, "TimeoutError()");
    EXPECT_TRUE(condition_.Locked());
  };
  Run(main());
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(500));
}

// Two tests: the CancelledError of a task that is cancelled while it waits for
// the notification, or for the lock, comes out as it is.

TEST_F(ConditionTests, CancelledErrorWakeup) {
  const CancelledError* raised = nullptr;
  const auto wait = [&]() -> Coro<void> {
    auto guard = co_await condition_.Acquire();
    const auto never = [] { return false; };
    try {
      co_await condition_.WaitFor(never);
    } catch (const CancelledError& e) {
      raised = &e;
      throw;
    }
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> task = CreateTask(wait());
    co_await Sleep(kNow);
    task.Cancel("foo");
    bool was_cancelled = false;
    try {
      co_await task;
    } catch (const CancelledError& e) {
      was_cancelled = true;
      EXPECT_EQ(e.message(), "foo");
      EXPECT_EQ(&e, raised);
    }
    EXPECT_TRUE(was_cancelled);
  };
  Run(main());
}

TEST_F(ConditionTests, CancelledErrorReAquire) {
  bool holds = false;
  const CancelledError* raised = nullptr;
  const auto wait = [&]() -> Coro<void> {
    auto guard = co_await condition_.Acquire();
    const auto predicate = [&] { return holds; };
    try {
      co_await condition_.WaitFor(predicate);
    } catch (const CancelledError& e) {
      raised = &e;
      throw;
    }
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> task = CreateTask(wait());
    co_await Sleep(kNow);
    co_await Take();
    holds = true;
    condition_.Notify();
    co_await Sleep(kNow);  // It waits for the lock now.
    task.Cancel("foo");
    condition_.Release();
    bool was_cancelled = false;
    try {
      co_await task;
    } catch (const CancelledError& e) {
      was_cancelled = true;
      EXPECT_EQ(e.message(), "foo");
      EXPECT_EQ(&e, raised);
    }
    EXPECT_TRUE(was_cancelled);
  };
  Run(main());
}

// Two more: of two consumers the one that was notified is cancelled, before it
// runs or while it waits for the lock. The other has to consume the item.

TEST_F(ConditionTests, CancelledWakeup) { Run(CancelTheNotified(0)); }

TEST_F(ConditionTests, CancelledWakeupRelock) { Run(CancelTheNotified(1)); }

}  // namespace
}  // namespace clotho
