#include "clotho/runtime/race.h"

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
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

using internal::Repr;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

static_assert(std::is_same_v<decltype(Race(std::declval<Coro<int>>(),
                                           std::declval<Task<int>>())),
                             Coro<RaceResult<int>>>);
static_assert(
    std::is_same_v<decltype(Race(std::declval<Coro<int>>(),
                                 std::declval<Coro<void>>(),
                                 std::declval<Coro<int>>())),
                   Coro<RaceResult<std::variant<int, std::monostate, int>>>>);
static_assert(std::is_same_v<decltype(Race(std::declval<Coro<void>>())),
                             Coro<RaceResult<std::monostate>>>);
static_assert(std::is_same_v<decltype(Race(std::vector<Coro<int&>>())),
                             Coro<RaceResult<std::reference_wrapper<int>>>>);

class RaceTest : public internal::RuntimeTest {
 protected:
  // Takes so many seconds, and then returns them, or fails with `error`.
  Coro<int> Work(int seconds, std::string error = "") {
    try {
      co_await Sleep(absl::Seconds(seconds));
    } catch (const CancelledError&) {
      Log("cancelled", seconds);
      throw;
    }
    if (!error.empty()) throw ValueError(error);
    co_return seconds;
  }
  // Takes a second to end when it is cancelled, and fails then with `error`.
  Coro<int> Reluctant(std::string error = "") {
    try {
      co_await Sleep(absl::Hours(1));
    } catch (const CancelledError&) {
    }
    co_await Sleep(absl::Seconds(1));
    Log("cleaned up");
    if (!error.empty()) throw ValueError(error);
    co_return 7;
  }
  // Logs who wins, or what comes out.
  template <typename A>
  Coro<void> Observe(A race) {
    std::string raised;
    try {
      const auto result = co_await std::move(race);
      Log(result.index, "wins", result.value);
    } catch (...) {
      raised = Repr(std::current_exception());
    }
    if (!raised.empty()) Log(raised, CurrentTask()->Cancelling());
  }
};

TEST_F(RaceTest, TheFirstWinsAndTheOthersAreCancelledAndAwaited) {
  Run(Observe(Race(Work(3), Work(1), Reluctant())));
  EXPECT_THAT(log_, ElementsAre(HasSubstr("t=1 cancelled 3"),
                                HasSubstr("t=2 cleaned up"),
                                HasSubstr("t=2 1 wins 1")));
}

TEST_F(RaceTest, GivesAVariantOfDifferentTypes) {
  const auto text = []() -> Coro<std::string> {
    co_await Sleep(absl::Seconds(2));
    co_return "text";
  };
  const auto owner = []() -> Coro<std::unique_ptr<int>> {
    co_await Sleep(absl::Seconds(4));
    co_return std::make_unique<int>(4);
  };
  const auto main = [&]() -> Coro<void> {
    auto [index, value] = co_await Race(Work(3), text(), owner());
    EXPECT_EQ(index, 1u);
    EXPECT_EQ(value.index(), 1u);
    EXPECT_EQ(std::get<1>(value), "text");
    auto second = co_await Race(owner(), Work(5), Work(6));
    EXPECT_EQ(second.index, 0u);
    EXPECT_EQ(*std::get<0>(second.value), 4);
  };
  Run(main());
}

TEST_F(RaceTest, TakesARange) {
  const auto main = [&]() -> Coro<void> {
    std::vector<Coro<int>> coros;
    for (const int seconds : {3, 2, 1}) coros.push_back(Work(seconds));
    const auto [index, value] = co_await Race(std::move(coros));
    Log(index, value);
    co_await Observe(Race(std::vector<Coro<int>>()));
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre(HasSubstr("cancelled 3"),
                                HasSubstr("cancelled 2"), HasSubstr("t=1 2 1"),
                                HasSubstr("ValueError('Race of nothing")));
}

TEST_F(RaceTest, OfSeveralThatAreDoneTheFirstArgumentWins) {
  const auto main = [&]() -> Coro<void> {
    Future<int> pending;
    Future<int> a;
    Future<int> b;
    b.SetResult(2);
    a.SetResult(1);
    co_await Observe(Race(pending, a, b, Work(3)));
    EXPECT_TRUE(pending.Cancelled());  // What it is given belongs to it.
    EXPECT_EQ(b.Result(), 2);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre(HasSubstr("t=0 1 wins 1")));
}

TEST_F(RaceTest, AFailureWins) {
  Run(Observe(Race(Work(2), Work(1, "first"), Reluctant())));
  EXPECT_THAT(log_, ElementsAre(HasSubstr("t=1 cancelled 2"),
                                HasSubstr("t=2 cleaned up"),
                                HasSubstr("t=2 ValueError('first') 0")));
}

TEST_F(RaceTest, AFailureOfALoserIsReported) {
  Run(Observe(Race(Work(1), Reluctant("late"))));
  EXPECT_THAT(log_, testing::Contains(HasSubstr("0 wins 1")));
  EXPECT_THAT(TakeReports(), ElementsAre("Task exception was never retrieved: "
                                         "ValueError: late"));
}

TEST_F(RaceTest, ACancelledOneWinsWithCancelledError) {
  const auto main = [&]() -> Coro<void> {
    Task<int> task = CreateTask(Work(9));
    task.Cancel("m");
    co_await Observe(Race(Work(8), task));
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre(HasSubstr("cancelled 8"),
                                HasSubstr("CancelledError('m') 0")));
}

TEST_F(RaceTest, WhatLeavesTheLoopComesOutEvenOfALoser) {
  const auto quit = [this]() -> Coro<int> {
    try {
      co_await Sleep(absl::Hours(1));
    } catch (const CancelledError&) {
    }
    Log("quits");
    throw SystemExit(3);
  };
  Start(Observe(Race(Work(1), quit())));
  EXPECT_THROW(loop_.RunForever(), SystemExit);
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre(HasSubstr("quits"), HasSubstr("SystemExit")));
}

TEST_F(RaceTest, CancelledWhileItWaitsItCancelsAndWaits) {
  Task<void> t = Start(Observe(Race(Reluctant(), Work(9))));
  Iterate(3);
  t.Cancel("m");
  RunToStandstill();
  EXPECT_THAT(log_,
              ElementsAre(HasSubstr("cancelled 9"), HasSubstr("cleaned up"),
                          HasSubstr("CancelledError('m') 1")));
}

TEST_F(RaceTest, CancelledWhileItIsReadyItDropsTheResult) {
  Task<void> t = Start(Observe(Race(Work(0))));
  Iterate(4);
  t.Cancel();
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre(HasSubstr("CancelledError() 1")));
}

TEST_F(RaceTest, CancelledBeforeItsStartItNeverBegins) {
  Task<RaceResult<int>> t = Start(Race(Work(0), Work(1)));
  t.Cancel();
  Iterate(3);
  EXPECT_TRUE(t.Cancelled());
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(RaceTest, MayBeDestroyedWhileItWaits) {
  Start(Observe(Race(Work(1), Work(2))));
  Iterate(3);
  loop_.Reset();
  EXPECT_FALSE(HoldsMemory());
}

TEST_F(RaceTest, TheSecondTimeItIsRefused) {
  const auto main = [&]() -> Coro<void> {
    auto race = Race(Work(0));
    co_await std::move(race);
    const std::string raised = co_await Raised(std::move(race));
    EXPECT_THAT(raised, HasSubstr("RuntimeError"));
  };
  Run(main());
}

TEST_F(RaceTest, SaysWhatItWaitsFor) {
  Task<void> t = Start(Observe(Race(Work(1), Work(2))));
  Iterate(3);
  internal::WaitInfo info;
  t.base().waiting_on()->Explain(info);
  EXPECT_EQ(info.what, "Race(2)");
  EXPECT_THAT(info.parts, SizeIs(2));
  loop_.Reset();
}

}  // namespace
}  // namespace clotho
