#include "clotho/runtime/as_completed.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
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

class AsCompletedTest : public internal::RuntimeTest {
 protected:
  Coro<int> Count(int seconds) {
    co_await Sleep(absl::Seconds(seconds));
    Log("ends", seconds);
    co_return seconds;
  }
  Coro<int> Fail(std::string text) {
    co_await Sleep(absl::ZeroDuration());
    throw ValueError(text);
  }
  // Logs each result, or how it failed.
  Coro<void> TakeAll(std::vector<Future<int>> futures,
                     AsCompletedOptions options = {}) {
    for (auto next : AsCompleted(std::move(futures), options)) {
      try {
        const int n = co_await std::move(next);
        Log("got", n);
      } catch (const Exception&) {
        Log(DescribeException(std::current_exception()));
      }
    }
  }
};

TEST_F(AsCompletedTest, GivesResultsInTheOrderInWhichTheyCome) {
  // Trace TR_A1 of the rules.
  const auto main = [&]() -> Coro<void> {
    std::vector<Future<int>> tasks{CreateTask(Count(2)), CreateTask(Count(1)),
                                   CreateTask(Count(9))};
    AsCompletedOptions options;
    options.timeout = absl::Seconds(3);
    co_await TakeAll(tasks, options);
    tasks.pop_back();
    auto completed = AsCompleted(tasks);
    while (true) {
      std::optional<Future<int>> next = co_await completed.Next();
      if (!next.has_value()) break;
      Log(next->Done());
    }
    EXPECT_FALSE((co_await completed.Next()).has_value());
  };
  Run(main());
  EXPECT_THAT(
      log_, ElementsAre("i4 t=1 ends 1", "i6 t=1 got 1", "i8 t=2 ends 2",
                        "i10 t=2 got 2", "i12 t=3 TimeoutError", "i14 t=3 True",
                        "i14 t=3 True"));
  loop_.Reset();
}

TEST_F(AsCompletedTest, MakesTasksOfCoroutinesAtOnce) {  // AC-01.
  const auto main = [&]() -> Coro<void> {
    std::vector<Coro<int>> coros;
    coros.push_back(Count(2));
    coros.push_back(Count(1));
    auto completed = AsCompleted(std::move(coros));
    EXPECT_EQ(AllTasks().size(), 3u);
    std::optional<Task<int>> first = co_await completed.Next();
    Note(first->GetName(), first->Result());
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i4 t=1 ends 1", "Task-3 1"));
  loop_.Reset();
}

TEST_F(AsCompletedTest, ThrowsWhatAFutureHolds) {
  const auto main = [&]() -> Coro<void> {
    std::vector<Future<int>> tasks{CreateTask(Count(1)), CreateTask(Fail("x"))};
    co_await TakeAll(tasks);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i5 t=0 ValueError: x", "i7 t=1 ends 1",
                                "i9 t=1 got 1"));
}

TEST_F(AsCompletedTest, CountsTheSameFutureOnceAndNothingAsNothing) {
  const Future<int> future(loop_);
  future.SetResult(7);
  Run(TakeAll({future, future}));
  Run(TakeAll({}));
  EXPECT_THAT(log_, ElementsAre("i3 t=0 got 7"));
}

TEST_F(AsCompletedTest, EachThatIsLateGivesATimeoutError) {  // AC-02.
  const Future<int> a(loop_);
  const Future<int> b(loop_);
  AsCompletedOptions options;
  options.timeout = absl::Seconds(1);
  Run(TakeAll({a, b}, options));
  EXPECT_THAT(log_, ElementsAre("i3 t=1 TimeoutError", "i3 t=1 TimeoutError"));
  EXPECT_FALSE(a.Done());
  EXPECT_TRUE(a.state()->waiters().empty());
}

TEST_F(AsCompletedTest, TheTimerGoesWhenAllAreDone) {
  const Future<int> a(loop_);
  a.SetResult(1);
  AsCompletedOptions options;
  options.timeout = absl::Seconds(9);
  Run(TakeAll({a}, options));
  RunToStandstill();
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());
}

// ---- Cancellation. ----

TEST_F(AsCompletedTest, AConsumerThatIsCancelledHandsTheItemOn) {  // AC-05.
  const Future<int> a(loop_);
  const Future<int> b(loop_);
  std::optional<AsCompletedIterator<Future<int>>> completed;
  const auto make = [&]() -> Coro<void> {
    completed.emplace(AsCompleted(std::vector<Future<int>>{a, b}));
    co_return;
  };
  Run(make());
  const auto take = [&](std::string name) -> Coro<void> {
    std::optional<Future<int>> next = co_await completed->Next();
    Note(name, next->Result());
  };
  Task<void> first = Start(take("first"));
  Task<void> second = Start(take("second"));
  Iterate();
  a.SetResult(1);
  Iterate();
  first.Cancel();  // It was woken.
  Iterate(2);
  EXPECT_THAT(log_, ElementsAre("second 1"));
  EXPECT_TRUE(first.Cancelled());
}

TEST_F(AsCompletedTest, CancelledWhileItWaitsItLeavesTheFuturesAlone) {
  const Future<int> a(loop_);
  Task<void> t = Start(TakeAll({a}));
  Iterate();
  t.Cancel();
  Iterate();
  EXPECT_TRUE(t.Cancelled());
  EXPECT_FALSE(a.Done());
  a.SetResult(1);  // Nobody waits any longer.
  Iterate(2);
  EXPECT_THAT(log_, IsEmpty());
}

// ---- Destruction and reports. ----

TEST_F(AsCompletedTest, MayBeDestroyedAtAnyTime) {
  for (int hops : {1, 2, 3}) {
    const Future<int> a(loop_);
    const Future<int> b(loop_);
    AsCompletedOptions options;
    options.timeout = absl::Seconds(1);
    Task<void> t = Start(TakeAll({a, b}, options));
    Iterate();
    a.SetResult(1);
    Iterate(hops - 1);
    loop_.Reset();
  }
}

TEST_F(AsCompletedTest, SaysWhatItWaitsFor) {
  const Future<int> a(loop_);
  const Future<int> b(loop_);
  Task<void> t = Start(TakeAll({a, b}));
  Iterate();
  internal::WaitInfo info;
  t.base().waiting_on()->Explain(info);
  EXPECT_EQ(info.what, "AsCompleted(2)");
  EXPECT_THAT(info.parts, ElementsAre(a.state().get(), b.state().get()));
  loop_.Reset();
}

}  // namespace
}  // namespace clotho
