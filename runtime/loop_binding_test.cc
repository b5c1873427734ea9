#include "clotho/runtime/loop_binding.h"

#include <optional>
#include <source_location>
#include <string>
#include <utility>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/event.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/lock.h"
#include "clotho/runtime/queue.h"
#include "clotho/runtime/semaphore.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::internal {
namespace {

using ::testing::HasSubstr;

class LoopBindingTest : public RuntimeTest {
 protected:
  // Makes a task of `loop` await `wait()` until it is cancelled, and returns
  // what the task throws.
  template <typename Wait>
  static std::string WaitIn(EventLoop& loop, Wait wait) {
    Task<std::string> task =
        CreateTaskIn(loop, Raised(wait()), {}, std::source_location::current());
    loop.Stop();
    loop.RunForever();
    task.Cancel();
    return loop.RunUntilComplete(task);
  }

  // For a primitive that makes every caller wait.
  template <typename Wait>
  void ExpectBound(std::string name, Wait wait) {
    EventLoop other({.clock = &clock_});
    EXPECT_EQ(WaitIn(loop_, wait), "CancelledError()");
    EXPECT_EQ(WaitIn(other, wait), "RuntimeError('" + name +
                                       " is bound to a different event loop')");
    EXPECT_EQ(WaitIn(loop_, wait), "CancelledError()");
  }
};

// For Condition, see CPython's tests of it.
TEST_F(LoopBindingTest, BindsAtTheFirstWait) {  // SP-01.
  Lock lock("db");
  const auto take = [&]() -> Coro<void> {
    auto guard = co_await lock.Acquire();
    guard.Detach();
  };
  Run(take());
  ExpectBound("Lock \"db\"", [&] { return lock.Acquire(); });

  Event event("ready");
  ExpectBound("Event \"ready\"", [&] { return event.Wait(); });

  Semaphore semaphore(0);
  ExpectBound("Semaphore", [&] { return semaphore.Acquire(); });

  Queue<int> empty(0, "jobs");
  ExpectBound("Queue \"jobs\"", [&] { return empty.Get(); });
  Queue<int> full(1);
  full.PutNowait(1);
  ExpectBound("Queue", [&] { return full.Put(2); });
}

TEST_F(LoopBindingTest, WhoDoesNotHaveToWaitIsNotAsked) {
  Event event;
  const auto wait = [&] { return event.Wait(); };
  EXPECT_EQ(WaitIn(loop_, wait), "CancelledError()");
  event.Set();
  EventLoop other({.clock = &clock_});
  EXPECT_TRUE(other.RunUntilComplete(event.Wait()));
}

TEST_F(LoopBindingTest, ALaterLoopAtTheSameAddressIsAnother) {
  Event event;
  const auto wait = [&] { return event.Wait(); };
  std::optional<EventLoop> loop(std::in_place,
                                EventLoopOptions{.clock = &clock_});
  EXPECT_EQ(WaitIn(*loop, wait), "CancelledError()");
  loop.emplace(EventLoopOptions{.clock = &clock_});
  EXPECT_THAT(WaitIn(*loop, wait), HasSubstr("bound to a different"));
}

TEST_F(LoopBindingTest, ALoopThatIsResetStaysTheSame) {
  Event event;
  const auto wait = [&] { return event.Wait(); };
  EXPECT_EQ(WaitIn(loop_, wait), "CancelledError()");
  loop_.Reset();
  EXPECT_EQ(WaitIn(loop_, wait), "CancelledError()");
}

}  // namespace
}  // namespace clotho::internal
