// CPython's tests of asyncio.wait (test_tasks.py), ported to Wait. Each test
// has the name of the original method.

#include <ranges>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "clotho/runtime/wait.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Repr;
using internal::Thrown;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr Delay kNow;

class BaseTaskTests : public internal::RuntimeTest {
 protected:
  using Tasks = std::vector<Task<void>>;

  Coro<void> SleepFor(Delay delay) { co_await Sleep(delay); }
  Coro<void> FailAfter(Delay delay, std::string text) {
    if (delay > kNow) co_await Sleep(delay);
    throw ValueError(text);
  }
  // Waits for the pending tasks.
  void Finish(const Tasks& tasks) { loop_.RunUntilComplete(Wait(tasks)); }
};

TEST_F(BaseTaskTests, Wait) {
  Task<void> a = Start(SleepFor(absl::Milliseconds(100)));
  Task<void> b = Start(SleepFor(absl::Milliseconds(150)));
  const Tasks tasks = {b, a};
  const auto wait = [&]() -> Coro<int> {
    const auto result = co_await Wait(tasks);
    EXPECT_THAT(result.done, ElementsAre(b, a));
    EXPECT_THAT(result.pending, IsEmpty());
    co_return 42;
  };
  EXPECT_EQ(Run(wait()), 42);
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(150));
  // With tasks that are done, it takes no time.
  EXPECT_EQ(Run(wait()), 42);
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(150));
}

TEST_F(BaseTaskTests, WaitDuplicateCoroutines) {
  const auto echo = [](std::string text) -> Coro<std::string> {
    co_return text;
  };
  Task<std::string> test = Start(echo("test"));
  Task<std::string> spam = Start(echo("spam"));
  const auto result =
      loop_.RunUntilComplete(Wait(std::vector{test, test, spam}));
  EXPECT_THAT(result.pending, IsEmpty());
  EXPECT_THAT(result.done, ElementsAre(test, spam));
  EXPECT_EQ(test.Result(), "test");
  EXPECT_EQ(spam.Result(), "spam");
}

TEST_F(BaseTaskTests, WaitErrors) {
  EXPECT_THAT(Thrown([&] { loop_.RunUntilComplete(Wait(Tasks())); }),
              StartsWith("ValueError: Set of Tasks/Futures is empty."));
  // An invalid condition does not compile.
  static_assert(!std::is_convertible_v<int, ReturnWhen>);
}

TEST_F(BaseTaskTests, WaitFirstCompleted) {
  Task<void> a = Start(SleepFor(absl::Seconds(10)));
  Task<void> b = Start(SleepFor(absl::Milliseconds(100)));
  const auto result = loop_.RunUntilComplete(
      Wait(Tasks{b, a}, {.return_when = ReturnWhen::kFirstCompleted}));
  EXPECT_THAT(result.done, ElementsAre(b));
  EXPECT_THAT(result.pending, ElementsAre(a));
  EXPECT_FALSE(a.Done());
  EXPECT_TRUE(b.Done());
  b.Result();
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(100));
  Finish({a, b});
}

TEST_F(BaseTaskTests, WaitReallyDone) {
  // The second is done as well when the waiter runs, although the waiter has
  // not been notified of it yet.
  const auto yield = [](int times) -> Coro<void> {
    for (int i = 0; i < times; ++i) co_await Sleep(kNow);
  };
  Task<void> a = Start(yield(1));
  Task<void> b = Start(yield(2));
  const auto result = loop_.RunUntilComplete(
      Wait(Tasks{b, a}, {.return_when = ReturnWhen::kFirstCompleted}));
  EXPECT_THAT(result.done, ElementsAre(b, a));
  a.Result();
  b.Result();
}

TEST_F(BaseTaskTests, WaitFirstException) {
  Task<void> a = Start(SleepFor(absl::Seconds(10)));
  Task<void> b = Start(FailAfter(kNow, "err"));
  const auto result = loop_.RunUntilComplete(
      Wait(Tasks{b, a}, {.return_when = ReturnWhen::kFirstException}));
  EXPECT_THAT(result.done, ElementsAre(b));
  EXPECT_THAT(result.pending, ElementsAre(a));
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());
  Finish({a, b});
}

TEST_F(BaseTaskTests, WaitFirstExceptionInWait) {
  Task<void> a = Start(SleepFor(absl::Seconds(10)));
  Task<void> b = Start(FailAfter(absl::Milliseconds(10), "err"));
  const auto result = loop_.RunUntilComplete(
      Wait(Tasks{b, a}, {.return_when = ReturnWhen::kFirstException}));
  EXPECT_THAT(result.done, ElementsAre(b));
  EXPECT_THAT(result.pending, ElementsAre(a));
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(10));
  Finish({a, b});
}

TEST_F(BaseTaskTests, WaitWithException) {
  Task<void> a = Start(SleepFor(absl::Milliseconds(100)));
  Task<void> b = Start(FailAfter(absl::Milliseconds(150), "really"));
  const Tasks tasks = {b, a};
  const auto wait = [&]() -> Coro<void> {
    const auto result = co_await Wait(tasks);
    EXPECT_THAT(result.done, SizeIs(2));
    EXPECT_THAT(result.pending, IsEmpty());
    for (const Task<void>& task : result.done) {
      Note(Repr(task.GetException()));
    }
  };
  Run(wait());
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(150));
  Run(wait());
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(150));
  EXPECT_THAT(log_, ElementsAre("ValueError('really')", "None",
                                "ValueError('really')", "None"));
}

TEST_F(BaseTaskTests, WaitWithTimeout) {
  Task<void> a = Start(SleepFor(absl::Milliseconds(100)));
  Task<void> b = Start(SleepFor(absl::Milliseconds(150)));
  const Tasks tasks = {b, a};
  const auto wait = [&]() -> Coro<void> {
    const auto result =
        co_await Wait(tasks, {.timeout = absl::Milliseconds(110)});
    EXPECT_THAT(result.done, ElementsAre(a));
    EXPECT_THAT(result.pending, ElementsAre(b));
  };
  Run(wait());
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(110));
  Finish({a, b});
}

TEST_F(BaseTaskTests, WaitConcurrentComplete) {
  // A task is done at the very time at which the waiting ends.
  Task<void> a = Start(SleepFor(absl::Milliseconds(100)));
  Task<void> b = Start(SleepFor(absl::Milliseconds(150)));
  const auto result = loop_.RunUntilComplete(
      Wait(Tasks{b, a}, {.timeout = absl::Milliseconds(100)}));
  EXPECT_THAT(result.done, ElementsAre(a));
  EXPECT_THAT(result.pending, ElementsAre(b));
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(100));
  Finish({a, b});
}

TEST_F(BaseTaskTests, WaitWithIteratorOfTasks) {
  Task<void> a = Start(SleepFor(absl::Milliseconds(100)));
  Task<void> b = Start(SleepFor(absl::Milliseconds(150)));
  const Tasks tasks = {b, a};
  const auto wait = [&]() -> Coro<int> {
    const std::ranges::subrange range(tasks.begin(), tasks.end());
    const auto result = co_await Wait(range);
    EXPECT_THAT(result.done, ElementsAre(b, a));
    EXPECT_THAT(result.pending, IsEmpty());
    co_return 42;
  };
  EXPECT_EQ(Run(wait()), 42);
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(150));
}

TEST_F(BaseTaskTests, WaitGenerator) {
  const auto give = [](int n) -> Coro<int> { co_return n; };
  const auto main = [&]() -> Coro<void> {
    const auto make = [&](int n) { return CreateTask(give(n)); };
    // The tasks are made while the range is read, each one once.
    auto tasks = std::views::iota(0, 10) | std::views::transform(make);
    const auto result =
        co_await Wait(tasks, {.return_when = ReturnWhen::kAllCompleted});
    EXPECT_THAT(result.done, SizeIs(10));
    EXPECT_THAT(result.pending, IsEmpty());
    int n = 0;
    for (const Task<int>& task : result.done) EXPECT_EQ(task.Result(), n++);
  };
  Run(main());
}

TEST_F(BaseTaskTests, YieldWaitDoesNotShieldCancel) {
  // The wait ends with its task; what it waited for continues.
  int proof = 0;
  Future<void> waiter(loop_);
  const auto inner = [&]() -> Coro<void> {
    co_await waiter;
    proof += 1;
  };
  const auto outer = [&]() -> Coro<void> {
    const Tasks tasks(1, CreateTask(inner()));
    co_await Wait(tasks);
    proof += 100;
  };
  Task<void> task = Start(outer());
  Iterate(2);
  task.Cancel();
  EXPECT_THROW(loop_.RunUntilComplete(task), CancelledError);
  waiter.SetResult();
  Iterate();
  EXPECT_EQ(proof, 1);
}

template <typename A>
concept CanBeWaitedFor = requires(A a) { Wait(std::move(a)); };

TEST_F(BaseTaskTests, WaitInvalidArgs) {
  // A single future is not a range, and coroutines are not futures.
  static_assert(CanBeWaitedFor<std::vector<Future<int>>>);
  static_assert(CanBeWaitedFor<std::vector<Task<void>>>);
  static_assert(!CanBeWaitedFor<Future<int>>);
  static_assert(!CanBeWaitedFor<Coro<int>>);
  static_assert(!CanBeWaitedFor<std::vector<Coro<int>>>);
  static_assert(!CanBeWaitedFor<std::vector<int>>);
  EXPECT_THROW(loop_.RunUntilComplete(Wait(Tasks())), ValueError);
}

}  // namespace
}  // namespace clotho
