// CPython's tests of events (test_locks.py), ported to Event. Each test has the
// name and class of the original method.

#include <string>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Delay kNow;

class EventTests : public internal::RuntimeTest {
 protected:
  Coro<void> WaitAndNote(int number) {
    const bool is_set = co_await event_.Wait();
    if (is_set) Note(number);
  }

  Event event_;
};

TEST_F(EventTests, Wait) {
  const auto main = [&]() -> Coro<void> {
    EXPECT_FALSE(event_.IsSet());
    Task<void> t1 = CreateTask(WaitAndNote(1));
    Task<void> t2 = CreateTask(WaitAndNote(2));
    co_await Sleep(kNow);
    EXPECT_THAT(log_, IsEmpty());

    Task<void> t3 = CreateTask(WaitAndNote(3));
    event_.Set();
    co_await Sleep(kNow);
    // The third stands before those that were woken, and does not wait.
    EXPECT_THAT(log_, ElementsAre("3", "1", "2"));
    for (const Task<void>& task : {t1, t2, t3}) {
      EXPECT_TRUE(task.Done());
      task.Result();
    }
  };
  Run(main());
}

TEST_F(EventTests, WaitOnSet) {
  event_.Set();
  const auto main = [&]() -> Coro<void> {
    const bool is_set = co_await event_.Wait();
    EXPECT_TRUE(is_set);
    EXPECT_EQ(CoreOf(loop_).iterations(), 1u);
  };
  Run(main());
}

TEST_F(EventTests, WaitCancel) {
  const auto main = [&]() -> Coro<void> {
    Task<bool> wait = CreateTask(event_.Wait());
    loop_.CallSoon([wait] { wait.Cancel(); });
    const std::string raised = co_await Raised(wait);
    EXPECT_EQ(raised, "CancelledError()");

    // It does not disturb others.
    Task<void> other = CreateTask(WaitAndNote(1));
    co_await Sleep(kNow);
    event_.Set();
    co_await other;
    EXPECT_THAT(log_, ElementsAre("1"));
  };
  Run(main());
}

TEST_F(EventTests, Clear) {
  EXPECT_FALSE(event_.IsSet());
  event_.Set();
  EXPECT_TRUE(event_.IsSet());
  event_.Clear();
  EXPECT_FALSE(event_.IsSet());
}

TEST_F(EventTests, ClearWithWaiters) {
  const auto main = [&]() -> Coro<void> {
    Task<void> task = CreateTask(WaitAndNote(1));
    co_await Sleep(kNow);
    EXPECT_THAT(log_, IsEmpty());

    event_.Set();
    event_.Clear();
    EXPECT_FALSE(event_.IsSet());
    event_.Set();
    event_.Set();
    co_await Sleep(kNow);
    EXPECT_THAT(log_, ElementsAre("1"));  // Once.
    EXPECT_TRUE(task.Done());
    task.Result();
  };
  Run(main());
}

}  // namespace
}  // namespace clotho
