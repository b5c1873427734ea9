#include "clotho/runtime/gather.h"

#include <exception>
#include <memory>
#include <optional>
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
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Repr;
using internal::Thrown;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

static_assert(
    std::is_same_v<decltype(Gather(std::declval<Coro<int>>(),
                                   std::declval<Task<std::string>>())),
                   Future<std::tuple<int, std::string>>>);
static_assert(std::is_same_v<decltype(Gather(std::declval<Coro<void>>())),
                             Future<std::tuple<std::monostate>>>);
static_assert(std::is_same_v<decltype(Gather(std::vector<Coro<int>>())),
                             Future<std::vector<int>>>);
static_assert(std::is_same_v<decltype(Gather(kReturnExceptions,
                                             std::declval<Coro<int>>())),
                             Future<std::tuple<Outcome<int>>>>);
static_assert(std::is_same_v<decltype(Gather(kReturnExceptions,
                                             std::vector<Task<int>>())),
                             Future<std::vector<Outcome<int>>>>);

constexpr Delay kNow;

class GatherTest : public internal::RuntimeTest {
 protected:
  // Yields `count` times, then returns `count`, or fails with `error`.
  Coro<int> Work(int count, std::string error = "") {
    try {
      for (int i = 0; i < count; ++i) co_await Sleep(kNow);
    } catch (const CancelledError& e) {
      Log("cancelled", count, e.what());
      throw;
    }
    if (!error.empty()) throw ValueError(error);
    co_return count;
  }
  Coro<int> Swallow() {
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError&) {
    }
    co_return 7;
  }
  template <typename T>
  std::string Show(Outcome<T> outcome) {
    return outcome.ok() ? std::to_string(outcome.value())
                        : Repr(outcome.exception());
  }
};

// ---- Results: G-01 to G-04. ----

TEST_F(GatherTest, GivesResultsOfDifferentTypesInTheOrderOfTheArguments) {
  const auto text = []() -> Coro<std::string> { co_return "text"; };
  const auto owner = []() -> Coro<std::unique_ptr<int>> {
    co_return std::make_unique<int>(2);
  };
  const auto nothing = []() -> Coro<void> { co_return; };
  const auto main = [&]() -> Coro<void> {
    Task<int> task = CreateTask(Work(3));
    auto results = co_await Gather(text(), owner(), nothing(), task);
    EXPECT_EQ(std::get<0>(results), "text");
    EXPECT_EQ(*std::get<1>(results), 2);
    EXPECT_EQ(std::get<2>(results), std::monostate());
    EXPECT_EQ(std::get<3>(results), 3);
    EXPECT_EQ(task.Result(), 3);  // The task keeps its own.
  };
  Run(main());
}

TEST_F(GatherTest, GivesTheResultsOfARange) {
  const auto main = [&]() -> Coro<void> {
    std::vector<Coro<int>> coros;
    for (int i = 5; i > 0; --i) coros.push_back(Work(i));
    std::vector<int> results = co_await Gather(std::move(coros));
    EXPECT_THAT(results, ElementsAre(5, 4, 3, 2, 1));
    std::vector<Task<int>> tasks = {CreateTask(Work(1)), CreateTask(Work(2))};
    results = co_await Gather(tasks);
    EXPECT_THAT(results, ElementsAre(1, 2));
    results = co_await Gather(std::vector<Future<int>>());
    EXPECT_THAT(results, IsEmpty());
  };
  Run(main());
}

TEST_F(GatherTest, TakesARangeThatMakesItsElements) {
  const auto work = [this](int count) { return Work(count); };
  const auto main = [&]() -> Coro<void> {
    const std::vector<int> counts = {3, 1, 2};
    std::vector<int> results =
        co_await Gather(counts | std::views::transform(work));
    EXPECT_THAT(results, ElementsAre(3, 1, 2));
    auto outcomes = co_await Gather(kReturnExceptions,
                                    counts | std::views::transform(work));
    EXPECT_EQ(outcomes[0].value(), 3);
    // Futures stay in what a view shows.
    std::vector<Task<int>> tasks = {CreateTask(Work(1)), CreateTask(Work(2))};
    results = co_await Gather(std::views::all(tasks));
    EXPECT_THAT(results, ElementsAre(1, 2));
    EXPECT_EQ(tasks[1].Result(), 2);
  };
  Run(main());
}

TEST_F(GatherTest, OfNothingIsDone) {
  const auto main = [&]() -> Coro<void> {
    auto nothing = Gather();
    EXPECT_TRUE(nothing.Done());
    co_await nothing;
    EXPECT_EQ(CoreOf(loop_).iterations(), 1u);
  };
  Run(main());
  EXPECT_THROW(static_cast<void>(Gather().Done()),
               RuntimeError);  // It needs a loop.
}

TEST_F(GatherTest, OfDoneFuturesIsDone) {  // G-03.
  Future<int> a(loop_);
  Future<int> b(loop_);
  a.SetResult(1);
  b.SetResult(2);
  auto gather = Gather(a, b);
  ASSERT_TRUE(gather.Done());
  EXPECT_EQ(gather.Result(), std::make_tuple(1, 2));
}

TEST_F(GatherTest, AFutureThatIsGivenTwiceCountsOnce) {  // G-02.
  Future<int> f(loop_);
  auto gather = Gather(f, f, f);
  f.SetResult(1);
  Iterate();
  EXPECT_EQ(gather.Result(), std::make_tuple(1, 1, 1));
}

TEST_F(GatherTest, StartsItsCoroutinesInTheOrderOfTheArguments) {
  const auto say = [&](int n) -> Coro<void> {
    Note(n);
    co_return;
  };
  const auto main = [&]() -> Coro<void> {
    auto gather = Gather(say(1), say(2), say(3));
    EXPECT_THAT(log_, IsEmpty());
    co_await gather;
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("1", "2", "3"));
}

TEST_F(GatherTest, ManyFuturesWorkToo) {
  std::vector<Future<int>> futures;
  for (int i = 0; i < 1000; ++i) futures.emplace_back(loop_);
  auto gather = Gather(futures);
  for (int i = 999; i >= 0; --i) futures[i].SetResult(i);
  Iterate();
  ASSERT_TRUE(gather.Done());
  EXPECT_EQ(gather.Result()[0], 0);
  EXPECT_EQ(gather.Result()[999], 999);
}

TEST_F(GatherTest, FuturesOfDifferentLoopsAreRefused) {
  EventLoop other({.clock = &clock_});
  Future<int> a(loop_);
  Future<int> b(other);
  EXPECT_EQ(Thrown([&] { static_cast<void>(Gather(a, b).Done()); }),
            "ValueError: futures are tied to different event loops");
}

TEST_F(GatherTest, OfALoopThatIsGoneSaysSo) {
  std::optional<Future<int>> f;
  {
    EventLoop other;
    f.emplace(other);
  }
  EXPECT_EQ(Thrown([&] { static_cast<void>(Gather(*f).Done()); }),
            "RuntimeError: Event loop is closed");
}

// ---- Failures: G-04, G-05, G-08, G-09. ----

TEST_F(GatherTest, TheFirstFailureComesOutAndTheOthersGoOn) {
  const auto main = [&]() -> Coro<void> {
    Task<int> slow = CreateTask(Work(5));
    Task<int> fails_later = CreateTask(Work(3, "later"));
    try {
      co_await Gather(slow, Work(1, "first"), fails_later);
    } catch (const ValueError& e) {
      Log(e.what(), slow.Done());
    }
    const int value = co_await slow;
    Log(value);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i5 t=0 first False", "i8 t=0 5"));
  // The later failure was silently retrieved (G-05).
}

TEST_F(GatherTest, AFailedArgumentFailsItAtOnce) {
  Future<int> a(loop_);
  Future<int> b(loop_);
  b.SetException(ValueError("x"));
  auto gather = Gather(a, b);
  ASSERT_TRUE(gather.Done());
  EXPECT_EQ(Repr(gather.GetException()), "ValueError('x')");
  a.SetException(ValueError("silent"));
  Iterate();
}

TEST_F(GatherTest, ACancelledChildIsAFailure) {  // G-08.
  Task<int> a = Start(Work(9));
  Task<int> b = Start(Work(3));
  auto gather = Gather(a, b);
  Iterate();
  a.Cancel("m");
  Iterate(2);
  ASSERT_TRUE(gather.Done());
  EXPECT_FALSE(gather.Cancelled());
  EXPECT_EQ(Repr(gather.GetException()), "CancelledError('m')");
  EXPECT_EQ(b.Cancelling(), 0);
  Iterate(2);
  EXPECT_EQ(b.Result(), 3);
}

TEST_F(GatherTest, AFailureThatNobodySawIsReported) {
  {
    Future<int> f(loop_);
    auto gather = Gather(f);
    f.SetException(ValueError("x"));
    Iterate();
  }
  EXPECT_THAT(TakeReports(), ElementsAre("_GatheringFuture exception was never "
                                         "retrieved: ValueError: x"));
}

TEST_F(GatherTest, ReturnExceptionsMakesResultsOfFailures) {
  const auto main = [&]() -> Coro<void> {
    Task<int> cancelled = CreateTask(Work(9));
    Task<int> with_message = CreateTask(Work(9));
    cancelled.Cancel();
    with_message.Cancel("m");
    auto all = co_await Gather(kReturnExceptions, Work(1), Work(1, "x"),
                               cancelled, with_message);
    Note(Show(std::get<0>(all)));
    Note(Show(std::get<1>(all)));
    Note(Show(std::get<2>(all)));
    Note(Show(std::get<3>(all)));
    std::vector<Coro<int>> coros;
    coros.push_back(Work(1, "y"));
    coros.push_back(Work(2));
    auto range = co_await Gather(kReturnExceptions, std::move(coros));
    Note(Show(range[0]), Show(range[1]));
  };
  Run(main());
  // The error of a cancelled child has a message, which may be empty (G-04).
  // (The message of a task that had ended went to its first reader.)
  EXPECT_THAT(log_, ElementsAre("1", "ValueError('x')", "CancelledError('')",
                                "CancelledError('')", "ValueError('y') 2"));
}

TEST_F(GatherTest, ReturnExceptionsGivesTheMessageOfACancelledFuture) {
  Future<int> f(loop_);
  f.Cancel("m");
  auto gather = Gather(kReturnExceptions, f);
  EXPECT_EQ(Show(std::get<0>(gather.Result())), "CancelledError('m')");
}

// ---- Cancelling it: G-06, G-07. ----

TEST_F(GatherTest, CancelCancelsEveryChildAndIsTrueIfOneAccepts) {
  Task<int> a = Start(Work(9));
  Task<int> b = Start(Work(9));
  Future<int> done(loop_);
  done.SetResult(1);
  auto gather = Gather(a, done, b);
  Iterate();
  EXPECT_TRUE(gather.Cancel("m"));
  EXPECT_EQ(a.Cancelling(), 1);
  EXPECT_EQ(b.Cancelling(), 1);
  EXPECT_FALSE(gather.Done());
  Iterate(2);
  EXPECT_EQ(Repr(gather.GetException()), "CancelledError('m')");
  EXPECT_FALSE(gather.Cancelled());  // G-07.
  EXPECT_FALSE(gather.Cancel());
}

TEST_F(GatherTest, WithAllChildrenDoneCancelIsRefused) {
  Future<int> f(loop_);
  auto gather = Gather(f);
  f.SetResult(1);
  EXPECT_FALSE(gather.Cancel());
  Iterate();
  EXPECT_EQ(gather.Result(), std::make_tuple(1));
}

TEST_F(GatherTest, IfAllSwallowTheCancellationItIsCancelledAllTheSame) {
  Task<int> a = Start(Swallow());
  Task<int> b = Start(Swallow());
  auto gather = Gather(a, b);
  Iterate();
  EXPECT_TRUE(gather.Cancel("m"));
  Iterate(2);
  EXPECT_EQ(Repr(gather.GetException()), "CancelledError()");
  EXPECT_EQ(a.Result(), 7);
}

TEST_F(GatherTest, WithReturnExceptionsTheLastArgumentGivesTheMessage) {
  Task<int> a = Start(Swallow());
  Task<int> b = Start(Work(9));
  auto gather = Gather(kReturnExceptions, a, b);
  Iterate();
  EXPECT_TRUE(gather.Cancel("m"));
  Iterate(2);
  EXPECT_EQ(Repr(gather.GetException()), "CancelledError('m')");
}

TEST_F(GatherTest, CancellingWhoAwaitsItCancelsTheChildren) {
  Task<int> a = Start(Work(9));
  const auto main = [&]() -> Coro<void> { co_await Gather(a, Work(8)); };
  Task<void> t = Start(main());
  Iterate();
  t.Cancel("m");
  Iterate(3);
  EXPECT_THAT(log_, ElementsAre("i2 t=0 cancelled 9 m"));
  EXPECT_TRUE(a.Cancelled());
  EXPECT_TRUE(t.Cancelled());
}

// ---- Lifetime. ----

TEST_F(GatherTest, DroppedItLetsItsChildrenRun) {
  Task<int> a = Start(Work(2));
  {
    auto gather = Gather(a);
  }
  Iterate(4);
  EXPECT_EQ(a.Result(), 2);
}

TEST_F(GatherTest, DestroyedWhileItWaits) {
  Future<int> outside(loop_);
  const auto main = [&]() -> Coro<void> {
    auto inner = Gather(Work(9), outside);
    co_await Gather(inner, Work(9), outside);
  };
  Start(main());
  Iterate(2);
  loop_.Reset();
  EXPECT_TRUE(outside.state()->IsOnlyReference());
}

TEST_F(GatherTest, DestroyedWithItsWatchersReady) {
  {
    Future<int> f(loop_);
    auto gather = Gather(f);
    f.SetResult(1);
  }
  loop_.Reset();
  EXPECT_FALSE(HoldsMemory());
}

TEST_F(GatherTest, ItsResultMayOutliveTheLoop) {
  std::optional<Future<std::tuple<int>>> gather;
  {
    EventLoop other({.clock = &clock_});
    Future<int> f(other);
    gather = Gather(f);
  }
  EXPECT_FALSE(gather->Done());
}

TEST_F(GatherTest, SaysWhatItWaitsFor) {
  Future<int> a(loop_);
  Future<int> b(loop_);
  auto gather = Gather(a, b);
  a.SetResult(1);
  internal::WaitInfo info;
  gather.state()->Explain(info);
  EXPECT_EQ(info.what, "Gather(2)");
  EXPECT_THAT(info.parts, ElementsAre(b.state().get()));
}

TEST_F(GatherTest, TheTasksOfUpToFourKnowWhereItWasCalled) {
  std::vector<unsigned> lines;
  const auto child = [&]() -> Coro<void> {
    lines.push_back(CurrentTask()->base().created_at().line());
    co_return;
  };
  unsigned here = 0;
  const auto main = [&]() -> Coro<void> {
    here = __LINE__;
    co_await Gather(child());
    co_await Gather(child(), child());
    co_await Gather(child(), child(), child());
    co_await Gather(child(), child(), child(), child());
    co_await Gather(kReturnExceptions, child());
    co_await Gather(kReturnExceptions, child(), child());
    co_await Gather(kReturnExceptions, child(), child(), child());
    co_await Gather(kReturnExceptions, child(), child(), child(), child());
    co_await Gather(child(), child(), child(), child(), child());
  };
  Run(main());
  for (unsigned& line : lines) {
    if (line != 0) line -= here;
  }
  EXPECT_THAT(lines, ElementsAre(1, 2, 2, 3, 3, 3, 4, 4, 4, 4,  //
                                 5, 6, 6, 7, 7, 7, 8, 8, 8, 8,  //
                                 0, 0, 0, 0, 0));
}

}  // namespace
}  // namespace clotho
