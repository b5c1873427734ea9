#include "clotho/runtime/gather_structured.h"

#include <exception>
#include <memory>
#include <ranges>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/outcome.h"
#include "clotho/runtime/shield.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "clotho/runtime/timeout.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Repr;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

static_assert(std::is_same_v<
              decltype(GatherStructured(std::declval<Coro<int>>(),
                                        std::declval<Task<std::string>>())),
              Coro<std::tuple<int, std::string>>>);
static_assert(
    std::is_same_v<decltype(GatherStructured(std::declval<Coro<void>>())),
                   Coro<std::tuple<std::monostate>>>);
static_assert(
    std::is_same_v<decltype(GatherStructured(std::vector<Coro<int>>())),
                   Coro<std::vector<int>>>);
static_assert(std::is_same_v<decltype(GatherStructured(
                                 kReturnExceptions, std::declval<Coro<int>>())),
                             Coro<std::tuple<Outcome<int>>>>);
static_assert(std::is_same_v<decltype(GatherStructured(
                                 kReturnExceptions, std::vector<Task<int>>())),
                             Coro<std::vector<Outcome<int>>>>);

constexpr Delay kNow;

class GatherStructuredTest : public internal::RuntimeTest {
 protected:
  // Gives way `count` times, and then returns it, or fails with `error`.
  Coro<int> Work(int count, std::string error = "") {
    try {
      for (int i = 0; i < count; ++i) co_await Sleep(kNow);
    } catch (const CancelledError&) {
      Log("cancelled", count);
      throw;
    }
    if (!error.empty()) throw ValueError(error);
    co_return count;
  }
  // Takes a while to end when it is cancelled, and fails then with `error`.
  Coro<int> Reluctant(std::string error = "") {
    std::exception_ptr cancelled;
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError&) {
      cancelled = std::current_exception();
    }
    co_await Sleep(absl::Seconds(1));
    Log("cleaned up");
    if (!error.empty()) throw ValueError(error);
    std::rethrow_exception(cancelled);
  }
  // What comes out of it, and how often its task is being cancelled then.
  template <typename A>
  Coro<void> Observe(A awaitable) {
    std::string raised = "None";
    try {
      static_cast<void>(co_await std::move(awaitable));
    } catch (...) {
      raised = Repr(std::current_exception());
    }
    Log(raised, CurrentTask()->Cancelling());
  }
};

// ---- Results. ----

TEST_F(GatherStructuredTest, GivesResultsOfDifferentTypesInTheirOrder) {
  const auto text = []() -> Coro<std::string> { co_return "text"; };
  const auto owner = []() -> Coro<std::unique_ptr<int>> {
    co_return std::make_unique<int>(2);
  };
  const auto nothing = []() -> Coro<void> { co_return; };
  const auto main = [&]() -> Coro<void> {
    Task<int> task = CreateTask(Work(3));
    auto results = co_await GatherStructured(text(), owner(), nothing(), task);
    EXPECT_EQ(std::get<0>(results), "text");
    EXPECT_EQ(*std::get<1>(results), 2);
    EXPECT_EQ(std::get<2>(results), std::monostate());
    EXPECT_EQ(std::get<3>(results), 3);
    EXPECT_EQ(task.Result(), 3);  // The task keeps its own.
  };
  Run(main());
}

TEST_F(GatherStructuredTest, GivesTheResultsOfARange) {
  const auto main = [&]() -> Coro<void> {
    std::vector<Coro<int>> coros;
    for (int i = 5; i > 0; --i) coros.push_back(Work(i));
    std::vector<int> results = co_await GatherStructured(std::move(coros));
    EXPECT_THAT(results, ElementsAre(5, 4, 3, 2, 1));
    std::vector<Task<int>> tasks = {CreateTask(Work(1)), CreateTask(Work(2))};
    results = co_await GatherStructured(tasks);
    EXPECT_THAT(results, ElementsAre(1, 2));
    results = co_await GatherStructured(std::vector<Future<int>>());
    EXPECT_THAT(results, IsEmpty());
    const std::vector<int> counts = {2, 1};
    const auto work = [this](int count) { return Work(count); };
    results = co_await GatherStructured(counts | std::views::transform(work));
    EXPECT_THAT(results, ElementsAre(2, 1));
  };
  Run(main());
}

TEST_F(GatherStructuredTest, OfNothingOrOfWhatIsDoneDoesNotSuspend) {
  const auto main = [&]() -> Coro<void> {
    co_await GatherStructured();
    Future<int> a;
    a.SetResult(1);
    const std::tuple<int, int> both = co_await GatherStructured(a, a);
    EXPECT_EQ(both, std::make_tuple(1, 1));
    EXPECT_EQ(CoreOf(loop_).iterations(), 1u);
  };
  Run(main());
}

TEST_F(GatherStructuredTest, RunsNothingUntilItIsAwaited) {
  const auto main = [&]() -> Coro<void> {
    auto gather = GatherStructured(Work(0), Work(0));
    EXPECT_THAT(AllTasks(), SizeIs(1));
    gather.Close();  // Its arguments, too: nothing is reported.
    std::vector<Coro<int>> coros;
    coros.push_back(Work(0));
    auto range = GatherStructured(std::move(coros));
    range.Close();
    co_return;
  };
  Run(main());
}

TEST_F(GatherStructuredTest, OneThatIsNeverAwaitedIsReportedOnce) {
  const auto main = [&]() -> Coro<void> {
    {
      auto gather = GatherStructured(Work(0), Work(0));
    }
    co_return;
  };
  Run(main());
  EXPECT_THAT(TakeReports(), ElementsAre(HasSubstr("never awaited")));
}

TEST_F(GatherStructuredTest, TheSecondTimeItIsRefused) {
  const auto main = [&]() -> Coro<void> {
    auto gather = GatherStructured(Work(0));
    co_await std::move(gather);
    const std::string raised = co_await Raised(std::move(gather));
    EXPECT_THAT(raised, HasSubstr("RuntimeError"));
  };
  Run(main());
}

TEST_F(GatherStructuredTest, ItsTasksKnowWhereItIsAwaited) {
  const auto where = []() -> Coro<int> {
    co_return static_cast<int>(CurrentTask()->base().created_at().line());
  };
  const auto main = [&]() -> Coro<void> {
    auto gather = GatherStructured(where());
    const int line = __LINE__ + 1;
    auto [of_task] = co_await std::move(gather);
    EXPECT_EQ(of_task, line);
  };
  Run(main());
}

// ---- Failures. ----

TEST_F(GatherStructuredTest, AFailureCancelsTheOthersAndWaitsForThem) {
  Task<void> t =
      Start(Observe(GatherStructured(Reluctant(), Work(1, "first"), Work(9))));
  RunToStandstill();
  EXPECT_TRUE(t.Done());
  EXPECT_THAT(log_, ElementsAre("i4 t=0 cancelled 9", "i7 t=1 cleaned up",
                                "i9 t=1 ValueError('first') 0"));
}

TEST_F(GatherStructuredTest, ChildrenMayUseVariablesOfTheCaller) {
  const auto use = [](const std::string& text) -> Coro<std::size_t> {
    try {
      co_await Sleep(absl::Seconds(1));
    } catch (const CancelledError&) {
    }
    co_return text.size();
  };
  const auto caller = [&]() -> Coro<void> {
    const std::string text(100, 'x');
    co_await GatherStructured(Work(1, "bad"), use(text));
  };
  const auto main = [&]() -> Coro<void> {
    const std::string raised = co_await Raised(caller());
    Log(raised, AllTasks().size());
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i7 t=0 ValueError('bad') 1"));
}

TEST_F(GatherStructuredTest, LaterFailuresAreReported) {
  Run(Observe(GatherStructured(Work(1, "first"), Reluctant("second"))));
  EXPECT_THAT(log_, testing::Contains(HasSubstr("ValueError('first')")));
  EXPECT_THAT(TakeReports(), ElementsAre("Task exception was never retrieved: "
                                         "ValueError: second"));
}

TEST_F(GatherStructuredTest, WhatFollowsADoneFailureNeverBegins) {
  const auto main = [&]() -> Coro<void> {
    Future<int> bad;
    bad.SetException(ValueError("x"));
    const std::string raised =
        co_await Raised(GatherStructured(Work(0), bad, Work(0)));
    Log(raised);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i4 t=0 ValueError('x')"));
}

TEST_F(GatherStructuredTest, ACancelledChildIsAFailure) {
  const auto main = [&]() -> Coro<void> {
    Task<int> child = CreateTask(Work(9));
    child.Cancel("m");
    co_await Observe(GatherStructured(child, Work(8)));
  };
  Run(main());
  EXPECT_THAT(
      log_, ElementsAre("i3 t=0 cancelled 8", "i5 t=0 CancelledError('m') 0"));
}

TEST_F(GatherStructuredTest, ARangeThatFailsCancelsWhatItHasGiven) {
  const auto make = [this](int count) {
    if (count == 2) throw ValueError("cannot make it");
    return Work(count);
  };
  const std::vector<int> counts = {1, 2, 3};
  Run(Observe(GatherStructured(counts | std::views::transform(make))));
  EXPECT_THAT(log_, ElementsAre("i4 t=0 ValueError('cannot make it') 0"));
}

TEST_F(GatherStructuredTest, WhatLeavesTheLoopComesFirst) {
  const auto quit = []() -> Coro<int> {
    co_await Sleep(kNow);
    throw SystemExit(3);
  };
  Task<void> t = Start(Observe(GatherStructured(Work(1, "x"), quit())));
  EXPECT_THROW(loop_.RunForever(), SystemExit);
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre(HasSubstr("SystemExit")));
}

TEST_F(GatherStructuredTest, ReturnExceptionsMakesResultsOfFailures) {
  const auto main = [&]() -> Coro<void> {
    Task<int> cancelled = CreateTask(Work(9));
    cancelled.Cancel("m");
    auto [a, b, c] = co_await GatherStructured(kReturnExceptions, Work(2),
                                               Work(1, "x"), cancelled);
    EXPECT_EQ(a.value(), 2);
    EXPECT_EQ(Repr(b.exception()), "ValueError('x')");
    EXPECT_EQ(Repr(c.exception()), "CancelledError('m')");
    std::vector<Coro<int>> coros;
    coros.push_back(Work(1, "y"));
    coros.push_back(Work(2));
    const auto range =
        co_await GatherStructured(kReturnExceptions, std::move(coros));
    EXPECT_FALSE(range[0].ok());
    EXPECT_EQ(range[1].value(), 2);
  };
  Run(main());
}

// ---- Cancellation. ----

TEST_F(GatherStructuredTest, CancelledWhileItWaitsItCancelsAndWaits) {
  Task<void> t = Start(Observe(GatherStructured(Reluctant(), Work(9))));
  Iterate(3);
  t.Cancel("m");
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i5 t=0 cancelled 9", "i8 t=1 cleaned up",
                                "i10 t=1 CancelledError('m') 1"));
}

TEST_F(GatherStructuredTest, CancelledAgainItStillWaits) {
  Task<void> t = Start(Observe(GatherStructured(Reluctant())));
  Iterate(3);
  t.Cancel("first");
  Iterate(2);
  t.Cancel("second");
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i8 t=1 cleaned up",
                                "i10 t=1 CancelledError('first') 2"));
}

TEST_F(GatherStructuredTest, CancelledWhileItIsReadyItDropsTheResults) {
  Task<void> t = Start(Observe(GatherStructured(Work(0))));
  Iterate(3);  // The child is done, and its watcher has run.
  t.Cancel();
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i4 t=0 CancelledError() 1"));
}

TEST_F(GatherStructuredTest, CancelledBeforeItsStartItNeverBegins) {
  Task<std::tuple<int, int>> t = Start(GatherStructured(Work(0), Work(0)));
  t.Cancel();
  Iterate(3);
  EXPECT_TRUE(t.Cancelled());
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(GatherStructuredTest, AFailureComesBeforeACancellation) {
  const auto main = [&]() -> Coro<void> {
    co_await Observe(GatherStructured(Reluctant("late"), Work(9)));
    const std::string raised = co_await Raised(Sleep(kNow));
    Log("then", raised, CurrentTask()->Cancelling());
  };
  Task<void> t = Start(main());
  Iterate(3);
  t.Cancel("m");
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i5 t=0 cancelled 9", "i8 t=1 cleaned up",
                                "i10 t=1 ValueError('late') 1",
                                "i11 t=1 then CancelledError() 1"));
}

TEST_F(GatherStructuredTest, EndsAtADeadline) {
  const auto main = [&]() -> Coro<void> {
    co_await Observe(
        WaitFor(GatherStructured(Reluctant(), Work(0)), absl::Seconds(2)));
  };
  Run(main());
  EXPECT_THAT(log_,
              ElementsAre("i8 t=3 cleaned up", "i10 t=3 TimeoutError() 0"));
}

TEST_F(GatherStructuredTest, AShieldedTaskRunsOn) {
  const auto main = [&]() -> Coro<void> {
    Task<int> task = CreateTask(Work(5));
    co_await Observe(GatherStructured(Work(1, "x"), Shield(task)));
    EXPECT_FALSE(task.Done());
    EXPECT_EQ(co_await task, 5);
  };
  Run(main());
}

// ---- Destruction and reports. ----

TEST_F(GatherStructuredTest, MayBeDestroyedWhileItWaits) {
  Start(Observe(GatherStructured(Work(9), Work(0), Work(9))));
  Iterate(3);
  loop_.Reset();
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_FALSE(HoldsMemory());
}

TEST_F(GatherStructuredTest, SaysWhatItWaitsFor) {
  Task<void> t = Start(Observe(GatherStructured(Work(9), Work(0), Work(9))));
  Iterate(3);
  internal::WaitInfo info;
  t.base().waiting_on()->Explain(info);
  EXPECT_EQ(info.what, "GatherStructured(2)");
  EXPECT_THAT(info.parts, SizeIs(2));
  loop_.Reset();
}

TEST_F(GatherStructuredTest, TakesFuturesOfItsLoopOnly) {
  EventLoop other({.clock = &clock_});
  Future<int> foreign(other);
  const auto main = [&]() -> Coro<void> {
    co_await Observe(GatherStructured(Work(3), foreign));
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i4 t=0 ValueError('futures are tied to "
                                "different event loops') 0"));
}

}  // namespace
}  // namespace clotho
