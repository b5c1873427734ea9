// CPython's tests of semaphores (test_locks.py), ported to Semaphore. Each test
// has the name and class of the original method.

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/semaphore.h"
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
using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr Delay kNow;

class SemaphoreTests : public internal::RuntimeTest {
 protected:
  // Takes a permit, and keeps it.
  static Coro<void> Take(Semaphore& semaphore) {
    auto guard = co_await semaphore.Acquire();
    guard.Detach();
  }
  Coro<void> TakeAndNote(Semaphore& semaphore, int number) {
    co_await Take(semaphore);
    Note(number);
  }
};

TEST_F(SemaphoreTests, InitialValueZero) { EXPECT_TRUE(Semaphore(0).Locked()); }

TEST_F(SemaphoreTests, SemaphoreValue) {
  EXPECT_EQ(Thrown([] { Semaphore semaphore(-1); }),
            "ValueError: Semaphore initial value must be >= 0");
}

TEST_F(SemaphoreTests, Acquire) {
  Semaphore semaphore(3);
  const auto main = [&]() -> Coro<void> {
    co_await Take(semaphore);
    co_await Take(semaphore);
    EXPECT_FALSE(semaphore.Locked());

    Task<void> t1 = CreateTask(TakeAndNote(semaphore, 1));
    Task<void> t2 = CreateTask(TakeAndNote(semaphore, 2));
    Task<void> t3 = CreateTask(TakeAndNote(semaphore, 3));
    co_await Sleep(kNow);
    EXPECT_THAT(log_, ElementsAre("1"));
    EXPECT_TRUE(semaphore.Locked());

    // Both permits are handed to waiters: a fourth task finds none.
    Task<void> t4 = CreateTask(TakeAndNote(semaphore, 4));
    semaphore.Release();
    semaphore.Release();
    EXPECT_TRUE(semaphore.Locked());
    co_await Sleep(kNow);
    EXPECT_THAT(log_, ElementsAre("1", "2", "3"));
    EXPECT_TRUE(semaphore.Locked());
    for (const Task<void>& task : {t1, t2, t3}) EXPECT_TRUE(task.Done());
    EXPECT_FALSE(t4.Done());

    semaphore.Release();
    co_await Gather(t2, t3, t4);
    EXPECT_THAT(log_, SizeIs(4));
  };
  Run(main());
}

TEST_F(SemaphoreTests, AcquireCancel) {
  Semaphore semaphore;
  const auto main = [&]() -> Coro<void> {
    co_await Take(semaphore);
    Task<void> task = CreateTask(Take(semaphore));
    loop_.CallSoon([task] { task.Cancel(); });
    const std::string raised = co_await Raised(task);
    EXPECT_EQ(raised, "CancelledError()");
    semaphore.Release();
    EXPECT_FALSE(semaphore.Locked());  // There are no waiters.
  };
  Run(main());
}

TEST_F(SemaphoreTests, AcquireCancelBeforeAwoken) {
  Semaphore semaphore(0);
  const auto main = [&]() -> Coro<void> {
    Task<void> t1 = CreateTask(Take(semaphore));
    Task<void> t2 = CreateTask(Take(semaphore));
    Task<void> t3 = CreateTask(Take(semaphore));
    Task<void> t4 = CreateTask(Take(semaphore));
    co_await Sleep(kNow);

    t1.Cancel();
    t2.Cancel();
    semaphore.Release();
    co_await Sleep(kNow);
    co_await Sleep(kNow);
    EXPECT_TRUE(t3.Done());
    EXPECT_FALSE(t4.Done());

    t3.Cancel();
    t4.Cancel();
    co_await Sleep(kNow);
  };
  Run(main());
}

TEST_F(SemaphoreTests, AcquireHang) {
  Semaphore semaphore(0);
  const auto main = [&]() -> Coro<void> {
    Task<void> t1 = CreateTask(Take(semaphore));
    Task<void> t2 = CreateTask(Take(semaphore));
    co_await Sleep(kNow);

    t1.Cancel();
    semaphore.Release();
    co_await Sleep(kNow);
    co_await Sleep(kNow);
    EXPECT_TRUE(semaphore.Locked());
    EXPECT_TRUE(t2.Done());
  };
  Run(main());
}

TEST_F(SemaphoreTests, AcquireNoHang) {
  Semaphore semaphore(1);
  std::optional<Task<void>> second;
  const auto hold_then_cancel = [&]() -> Coro<void> {
    {
      auto guard = co_await semaphore.Acquire();
      co_await Sleep(kNow);
    }
    second->Cancel();  // It has been given the permit, and has not run.
  };
  const auto hold = [&]() -> Coro<void> {
    auto guard = co_await semaphore.Acquire();
    ADD_FAILURE() << "it was cancelled";
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> first = CreateTask(hold_then_cancel());
    second = CreateTask(hold());
    auto results = co_await Gather(kReturnExceptions, first, *second);
    auto& [r1, r2] = results;
    EXPECT_TRUE(r1.ok());
    EXPECT_EQ(Repr(r2.exception()), "CancelledError('')");
    co_await WaitFor(Take(semaphore), absl::Seconds(1));
  };
  Run(main());
}

TEST_F(SemaphoreTests, ReleaseNotAcquired) {
  BoundedSemaphore semaphore;
  EXPECT_EQ(Thrown([&] { semaphore.Release(); }),
            "ValueError: BoundedSemaphore released too many times");
}

TEST_F(SemaphoreTests, ReleaseNoWaiters) {
  Semaphore semaphore;
  Run(Take(semaphore));
  EXPECT_TRUE(semaphore.Locked());
  semaphore.Release();
  EXPECT_FALSE(semaphore.Locked());
}

TEST_F(SemaphoreTests, AcquireFifoOrder) {
  Semaphore semaphore(1);
  const auto take_twice = [&](std::string name) -> Coro<void> {
    for (int i = 1; i <= 2; ++i) {
      auto guard = co_await semaphore.Acquire();
      Note(absl::StrCat(name, "_", i));
      co_await Sleep(absl::Milliseconds(10));
    }
  };
  const auto main = [&]() -> Coro<void> {
    TaskGroup group;
    const auto body = [&]() -> Coro<void> {
      for (const char* name : {"c1", "c2", "c3"}) {
        group.CreateTask(take_twice(name));
      }
      co_return;
    };
    co_await group.Run(body);
  };
  Run(main());
  EXPECT_THAT(log_,
              ElementsAre("c1_1", "c2_1", "c3_1", "c1_2", "c2_2", "c3_2"));
}

TEST_F(SemaphoreTests, AcquireFifoOrder2) {
  Semaphore semaphore(1);
  const auto take_twice = [&]() -> Coro<void> {
    co_await TakeAndNote(semaphore, 2);
    semaphore.Release();
    co_await TakeAndNote(semaphore, 4);
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> t1 = CreateTask(TakeAndNote(semaphore, 1));
    Task<void> t2 = CreateTask(take_twice());
    Task<void> t3 = CreateTask(TakeAndNote(semaphore, 3));
    co_await Sleep(kNow);
    semaphore.Release();
    semaphore.Release();
    co_await Gather(t1, t2, t3);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("1", "2", "3", "4"));
}

TEST_F(SemaphoreTests, AcquireFifoOrder3) {
  Semaphore semaphore(0);
  const auto main = [&]() -> Coro<void> {
    Task<void> t1 = CreateTask(TakeAndNote(semaphore, 1));
    Task<void> t2 = CreateTask(TakeAndNote(semaphore, 2));
    Task<void> t3 = CreateTask(TakeAndNote(semaphore, 3));
    co_await Sleep(kNow);
    t1.Cancel();
    co_await Sleep(kNow);
    semaphore.Release();
    semaphore.Release();
    co_await Gather(kReturnExceptions, t1, t2, t3);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("2", "3"));
}

// A woken task wakes the waiters behind it while permits are left.
TEST_F(SemaphoreTests, AcquireFifoOrder4) {
  Semaphore semaphore(0);
  std::optional<Task<void>> t4;
  const auto note = [&](int number) -> Coro<void> {
    Note(number);
    co_return;
  };
  const auto first = [&]() -> Coro<void> {
    co_await Take(semaphore);
    EXPECT_TRUE(semaphore.Locked());  // The others have been woken by now:
    t4 = CreateTask(note(4));         // this one runs behind them.
    Note(1);
  };
  const auto second = [&]() -> Coro<void> {
    for (int i = 0; i < 3; ++i) semaphore.Release();
    EXPECT_TRUE(semaphore.Locked());  // The first has not run yet.
    co_await TakeAndNote(semaphore, 2);
  };
  const auto third = [&]() -> Coro<void> {
    co_await Take(semaphore);
    EXPECT_TRUE(semaphore.Locked());
    Note(3);
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> t1 = CreateTask(first());
    Task<void> t2 = CreateTask(second());
    Task<void> t3 = CreateTask(third());
    co_await Sleep(kNow);
    EXPECT_TRUE(semaphore.Locked());  // All three are in line.
    co_await Sleep(kNow);
    co_await Gather(t1, t2, t3, *t4);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("1", "2", "3", "4"));
}

}  // namespace
}  // namespace clotho
