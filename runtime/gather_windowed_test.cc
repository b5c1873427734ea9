#include "clotho/runtime/gather_windowed.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <ranges>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/outcome.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Repr;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class GatherWindowedTest : public internal::RuntimeTest {
 protected:
  // Takes so many seconds, or fails after them if they are 13.
  Coro<int> Work(int seconds) {
    ++begun_;
    most_ = std::max(most_, ++running_);
    std::exception_ptr error;
    try {
      co_await Sleep(absl::Seconds(seconds));
    } catch (const CancelledError&) {
      Log("cancelled", seconds);
      error = std::current_exception();
    }
    --running_;
    if (error != nullptr) std::rethrow_exception(error);
    if (seconds == 13) throw ValueError("unlucky");
    co_return seconds;
  }
  // Logs what comes out of it.
  template <typename A>
  Coro<void> Observe(A awaitable) {
    std::string raised = "None";
    try {
      static_cast<void>(co_await std::move(awaitable));
    } catch (...) {
      raised = Repr(std::current_exception());
    }
    Log(raised, running_);
  }

  int begun_ = 0;
  int running_ = 0;
  int most_ = 0;
};

TEST_F(GatherWindowedTest, RunsSoManyAtATimeAndKeepsTheOrder) {
  const auto work = [this](int seconds) { return Work(seconds); };
  const auto main = [&]() -> Coro<void> {
    const std::vector<int> seconds = {5, 1, 2, 4, 3};
    std::vector<int> results = co_await GatherWindowed(seconds, work, 2);
    EXPECT_THAT(results, ElementsAre(5, 1, 2, 4, 3));
    EXPECT_EQ(most_, 2);
    EXPECT_EQ(loop_.Time(), absl::Seconds(8));
    results = co_await GatherWindowed(seconds, work, 9);
    EXPECT_THAT(results, ElementsAre(5, 1, 2, 4, 3));
    EXPECT_EQ(most_, 5);
    results = co_await GatherWindowed(std::vector<int>(), work, 1);
    EXPECT_THAT(results, IsEmpty());
  };
  Run(main());
}

TEST_F(GatherWindowedTest, TakesCoroutinesAndTasks) {
  const auto main = [&]() -> Coro<void> {
    std::vector<Coro<int>> coros;
    for (int i = 3; i > 0; --i) coros.push_back(Work(i));
    std::vector<int> results = co_await GatherWindowed(std::move(coros), 1);
    EXPECT_THAT(results, ElementsAre(3, 2, 1));
    EXPECT_EQ(most_, 1);
    const std::vector<Task<int>> tasks = {CreateTask(Work(1)),
                                          CreateTask(Work(2))};
    results = co_await GatherWindowed(tasks, 1);
    EXPECT_THAT(results, ElementsAre(1, 2));
    EXPECT_EQ(tasks[0].Result(), 1);
  };
  Run(main());
}

TEST_F(GatherWindowedTest, MakesACoroutineOnlyWhenItIsItsTurn) {
  const auto make = [this](int seconds) {
    Note("make", seconds, running_);
    return Work(seconds);
  };
  const auto main = [&]() -> Coro<void> {
    const std::vector<int> seconds = {1, 3, 2};
    const std::vector<int> results =
        co_await GatherWindowed(seconds | std::views::transform(make), 2);
    EXPECT_THAT(results, ElementsAre(1, 3, 2));
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("make 1 0", "make 3 0", "make 2 1"));
}

TEST_F(GatherWindowedTest, CoroutinesMayReferToTheElementsAndTheFunction) {
  const auto main = [&]() -> Coro<void> {
    std::vector<std::string> names = {"a", "b", "c"};
    const auto prefix = std::make_shared<std::string>("name ");
    auto gather = GatherWindowed(
        std::move(names),
        [prefix](const std::string& name) -> Coro<std::string> {
          co_await Sleep(absl::Seconds(1));
          co_return *prefix + name;
        },
        2);
    const std::vector<std::string> results = co_await std::move(gather);
    EXPECT_THAT(results, ElementsAre("name a", "name b", "name c"));
    EXPECT_EQ(prefix.use_count(), 1);
  };
  Run(main());
}

TEST_F(GatherWindowedTest, GivesWhatCanOnlyBeMovedAndNothing) {
  const auto own = [](int n) -> Coro<std::unique_ptr<int>> {
    co_return std::make_unique<int>(n);
  };
  const auto nothing = [](int) -> Coro<void> { co_return; };
  const auto main = [&]() -> Coro<void> {
    const std::vector<int> numbers = {1, 2};
    const auto owners = co_await GatherWindowed(numbers, own, 1);
    EXPECT_EQ(*owners[1], 2);
    const auto nothings = co_await GatherWindowed(numbers, nothing, 1);
    EXPECT_THAT(nothings, SizeIs(2));
  };
  Run(main());
}

TEST_F(GatherWindowedTest, AFailureCancelsWhatRunsAndStartsNothingMore) {
  const auto work = [this](int seconds) { return Work(seconds); };
  const std::vector<int> seconds = {20, 13, 1, 1};
  Run(Observe(GatherWindowed(seconds, work, 2)));
  EXPECT_THAT(log_, ElementsAre(HasSubstr("t=13 cancelled 20"),
                                HasSubstr("t=13 ValueError('unlucky') 0")));
  EXPECT_EQ(begun_, 2);
}

TEST_F(GatherWindowedTest, CoroutinesThatDoNotStartAreNotReported) {
  const auto main = [&]() -> Coro<void> {
    std::vector<Coro<int>> coros;
    for (const int i : {13, 1, 1}) coros.push_back(Work(i));
    co_await Observe(GatherWindowed(std::move(coros), 1));
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre(HasSubstr("ValueError('unlucky') 0")));
}

TEST_F(GatherWindowedTest, AFunctionThatThrowsIsAFailure) {
  const auto work = [this](int seconds) {
    if (seconds == 0) throw ValueError("no work");
    return Work(seconds);
  };
  const std::vector<int> seconds = {1, 20, 0, 1};
  Run(Observe(GatherWindowed(seconds, work, 2)));
  EXPECT_THAT(log_, ElementsAre(HasSubstr("t=1 cancelled 20"),
                                HasSubstr("t=1 ValueError('no work') 0")));
}

TEST_F(GatherWindowedTest, ReturnExceptionsMakesResultsOfFailures) {
  const auto work = [this](int seconds) { return Work(seconds); };
  const auto main = [&]() -> Coro<void> {
    const std::vector<int> seconds = {13, 2, 1};
    const auto outcomes =
        co_await GatherWindowed(kReturnExceptions, seconds, work, 1);
    EXPECT_EQ(Repr(outcomes[0].exception()), "ValueError('unlucky')");
    EXPECT_EQ(outcomes[1].value(), 2);
    EXPECT_EQ(outcomes[2].value(), 1);
  };
  Run(main());
}

TEST_F(GatherWindowedTest, CancelledWhileItWaitsForRoomItCancelsAndWaits) {
  const auto work = [this](int seconds) { return Work(seconds); };
  const std::vector<int> seconds = {5, 6, 7};
  Task<void> t = Start(Observe(GatherWindowed(seconds, work, 2)));
  Iterate(3);
  t.Cancel("m");
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre(HasSubstr("t=0 cancelled 5"),
                                HasSubstr("t=0 cancelled 6"),
                                HasSubstr("t=0 CancelledError('m') 0")));
  EXPECT_EQ(begun_, 2);
}

TEST_F(GatherWindowedTest, CancelledWhenThereIsRoomItStartsNothingMore) {
  const auto work = [this](int seconds) { return Work(seconds); };
  const std::vector<int> seconds = {0, 7};
  Task<void> t = Start(Observe(GatherWindowed(seconds, work, 1)));
  Iterate(4);  // The first is done, and the gather is ready.
  t.Cancel();
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre(HasSubstr("CancelledError() 0")));
  EXPECT_EQ(begun_, 1);
}

TEST_F(GatherWindowedTest, CancelledBeforeItsStartItNeverBegins) {
  std::vector<Coro<int>> coros;
  coros.push_back(Work(1));
  Task<std::vector<int>> t = Start(GatherWindowed(std::move(coros), 1));
  t.Cancel();
  Iterate(3);
  EXPECT_TRUE(t.Cancelled());
  EXPECT_EQ(begun_, 0);
}

TEST_F(GatherWindowedTest, MayBeDestroyedWhileItWaits) {
  const auto work = [this](int seconds) { return Work(seconds); };
  const std::vector<int> seconds = {5, 6, 7};
  Start(Observe(GatherWindowed(seconds, work, 2)));
  Iterate(3);
  loop_.Reset();
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_FALSE(HoldsMemory());
}

TEST_F(GatherWindowedTest, RefusesAWindowOfNothing) {
  std::vector<Coro<int>> coros;
  coros.push_back(Work(1));
  Run(Observe(GatherWindowed(std::move(coros), 0)));
  EXPECT_THAT(log_, ElementsAre(HasSubstr("ValueError('GatherWindowed")));
}

TEST_F(GatherWindowedTest, TheSecondTimeItIsRefused) {
  const auto main = [&]() -> Coro<void> {
    auto gather = GatherWindowed(std::vector<Coro<int>>(), 1);
    co_await std::move(gather);
    const std::string raised = co_await Raised(std::move(gather));
    EXPECT_THAT(raised, HasSubstr("RuntimeError"));
  };
  Run(main());
}

TEST_F(GatherWindowedTest, SaysWhatItWaitsFor) {
  const auto work = [this](int seconds) { return Work(seconds); };
  const std::vector<int> seconds = {5, 6, 7};
  Task<void> t = Start(Observe(GatherWindowed(seconds, work, 2)));
  Iterate(3);
  internal::WaitInfo info;
  t.base().waiting_on()->Explain(info);
  EXPECT_EQ(info.what, "GatherWindowed(2)");
  EXPECT_THAT(info.parts, SizeIs(2));
  loop_.Reset();
}

}  // namespace
}  // namespace clotho
