#include "clotho/runtime/staggered_race.h"

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/generator.h"
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
using ::testing::SizeIs;

using Function = std::function<Coro<std::string>()>;

constexpr bool kFails = true;

// The expected logs are CPython's for the same programs.
class StaggeredRaceTest : public internal::RuntimeTest {
 protected:
  // Sleeps for `delay`, if given, then succeeds or fails.
  Coro<std::string> Work(std::string name, std::optional<Delay> delay,
                         bool fails) {
    Log(name, "starts");
    if (delay.has_value()) {
      try {
        co_await Sleep(delay->duration());
      } catch (const CancelledError&) {
        Log(name, "cancelled");
        throw;
      }
    }
    if (fails) {
      Log(name, "fails");
      throw ValueError(name);
    }
    Log(name, "wins");
    co_return name;
  }
  Function Works(std::string name, std::optional<Delay> delay,
                 bool fails = false) {
    return [this, name, delay, fails] { return Work(name, delay, fails); };
  }

  static std::string Text(const StaggeredRaceResult<std::string>& result) {
    std::vector<std::string> exceptions;
    for (const std::exception_ptr& exception : result.exceptions) {
      exceptions.push_back(internal::Repr(exception));
    }
    return absl::StrCat(result.winner_result.value_or("None"), " ",
                        result.winner_index.has_value()
                            ? absl::StrCat(*result.winner_index)
                            : "None",
                        " [", absl::StrJoin(exceptions, ", "), "]");
  }

  // Runs a race alone, and logs its result.
  void Race(std::vector<Function> functions, std::optional<Delay> delay) {
    const auto main = [&]() -> Coro<void> {
      auto race = StaggeredRace(std::move(functions), delay);
      const auto result = co_await std::move(race);
      Log(Text(result));
    };
    Run(main());
    EXPECT_FALSE(HoldsMemory());
  }
};

TEST_F(StaggeredRaceTest, OfNothingHasNoWinner) {
  Race({}, std::nullopt);
  EXPECT_THAT(log_, ElementsAre("i4 t=0 None None []"));
}

TEST_F(StaggeredRaceTest, IfTheFirstSucceedsNoOtherIsCalled) {
  Race({Works("a", std::nullopt), Works("b", std::nullopt)}, std::nullopt);
  EXPECT_THAT(log_, ElementsAre("i2 t=0 a starts", "i2 t=0 a wins",
                                "i6 t=0 a 0 [None]"));
}

TEST_F(StaggeredRaceTest, WithoutADelayEachWaitsForTheFailureOfTheLast) {
  Race({Works("a", absl::Seconds(1), kFails), Works("b", std::nullopt, kFails),
        Works("c", absl::Seconds(2))},
       std::nullopt);
  EXPECT_THAT(
      log_,
      ElementsAre("i2 t=0 a starts", "i5 t=1 a fails", "i6 t=1 b starts",
                  "i6 t=1 b fails", "i7 t=1 c starts", "i10 t=3 c wins",
                  "i13 t=3 c 2 [ValueError('a'), ValueError('b'), None]"));
}

TEST_F(StaggeredRaceTest, AfterTheDelayTheNextIsCalledAndTheFirstToEndWins) {
  Race({Works("a", absl::Seconds(10)), Works("b", absl::Seconds(3), kFails),
        Works("c", absl::Milliseconds(1500)), Works("d", absl::Seconds(1))},
       absl::Seconds(1));
  EXPECT_THAT(
      log_, ElementsAre(
                "i2 t=0 a starts", "i5 t=1 b starts", "i8 t=2 c starts",
                "i11 t=3 d starts", "i14 t=3.5 c wins", "i15 t=3.5 a cancelled",
                "i15 t=3.5 b cancelled", "i15 t=3.5 d cancelled",
                "i19 t=3.5 c 2 [CancelledError(), CancelledError(), None, "
                "CancelledError()]"));
}

TEST_F(StaggeredRaceTest, IfAllFailThereIsNoWinner) {
  Race({Works("a", std::nullopt, kFails), Works("b", absl::Seconds(2), kFails)},
       absl::Seconds(1));
  EXPECT_THAT(log_, ElementsAre("i2 t=0 a starts", "i2 t=0 a fails",
                                "i3 t=0 b starts", "i10 t=2 b fails",
                                "i12 t=2 None None [ValueError('a'), "
                                "ValueError('b')]"));
}

TEST_F(StaggeredRaceTest, ADelayOfZeroStartsThemAll) {
  Race({Works("a", absl::Seconds(1)), Works("b", absl::Seconds(2), kFails)},
       absl::ZeroDuration());
  EXPECT_THAT(log_, ElementsAre("i2 t=0 a starts", "i6 t=0 b starts",
                                "i12 t=1 a wins", "i13 t=1 b cancelled",
                                "i16 t=1 a 0 [None, CancelledError()]"));
}

TEST_F(StaggeredRaceTest, CancelledItCancelsAllAndWaitsForNone) {
  const auto main = [&]() -> Coro<void> {
    Task<StaggeredRaceResult<std::string>> race = CreateTask(
        StaggeredRace(std::vector<Function>{Works("a", absl::Seconds(5)),
                                            Works("b", absl::Seconds(5)),
                                            Works("c", absl::Seconds(5))},
                      absl::Seconds(1)));
    co_await Sleep(absl::Milliseconds(1500));
    race.Cancel("m");
    try {
      co_await race;
    } catch (const CancelledError& e) {
      Log("main", e.what());
    }
    Log(AllTasks().size());
  };
  Run(main());
  EXPECT_THAT(
      log_,
      ElementsAre("i3 t=0 a starts", "i6 t=1 b starts", "i11 t=1.5 a cancelled",
                  "i11 t=1.5 b cancelled", "i11 t=1.5 main m", "i11 t=1.5 1"));
  EXPECT_FALSE(HoldsMemory());
}

TEST_F(StaggeredRaceTest, CancelledBeforeItsFirstStepItStartsNothing) {
  auto race = StaggeredRace(std::vector<Function>{Works("a", std::nullopt)},
                            std::nullopt);
  auto task = Start(std::move(race));
  task.Cancel();
  RunToStandstill();
  EXPECT_TRUE(task.Cancelled());
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(StaggeredRaceTest, DestroyedWithTheLoopItGoesWithItsTasks) {
  auto witness = std::make_shared<int>(1);
  const Function wait = [witness]() -> Coro<std::string> {
    const auto held = witness;
    co_await Sleep(absl::Hours(1));
    co_return "";
  };
  auto task = Start(
      StaggeredRace(std::vector<Function>{wait, wait, wait}, absl::Seconds(1)));
  Iterate(8);
  loop_.Close();
  EXPECT_FALSE(task.Done());
  EXPECT_EQ(witness.use_count(), 2);
  EXPECT_THAT(TakeReports(), SizeIs(::testing::Ge(2)));
}

TEST_F(StaggeredRaceTest, AFunctionThatThrowsInPlaceOfACoroutineHasFailed) {
  const Function bad = []() -> Coro<std::string> { throw ValueError("call"); };
  Race({bad, Works("b", std::nullopt)}, std::nullopt);
  EXPECT_THAT(log_, ElementsAre("i3 t=0 b starts", "i3 t=0 b wins",
                                "i6 t=0 b 1 [ValueError('call'), None]"));
}

TEST_F(StaggeredRaceTest, ACriticalExceptionLeavesTheLoop) {
  const Function exit = []() -> Coro<std::string> {
    throw SystemExit(2);
    co_return "";
  };
  EXPECT_THROW(Race({exit}, std::nullopt), SystemExit);
  loop_.Close();
  EXPECT_THAT(TakeReports(),
              ElementsAre("Task was destroyed but it is pending!",
                          "Task exception was never retrieved: SystemExit"));
}

TEST_F(StaggeredRaceTest, TwoWinnersAreAnError) {
  // Succeeds although it is cancelled.
  const Function stubborn = [this]() -> Coro<std::string> {
    try {
      co_await Sleep(absl::Hours(1));
    } catch (const CancelledError&) {
    }
    Note("too late");
    co_return "stubborn";
  };
  EXPECT_EQ(Thrown([&] {
              Race({stubborn, Works("b", absl::Seconds(1))}, absl::Seconds(1));
            }),
            "RuntimeError: a function of a StaggeredRace has succeeded after "
            "another had won: let CancelledError pass");
}

// CPython 3.13.0 fails here.
TEST_F(StaggeredRaceTest, GoesTheSameWayWithEagerTasks) {
  const auto race = [&] {
    Race({Works("a", std::nullopt, kFails), Works("b", absl::Seconds(1))},
         std::nullopt);
    loop_.Reset();
    return std::exchange(log_, {});
  };
  const std::vector<std::string> ordinary = race();
  clock_.Advance(-loop_.Time());
  loop_.SetTaskFactory(EagerTaskFactory);
  EXPECT_THAT(ordinary, SizeIs(5));
  EXPECT_EQ(race(), ordinary);
}

TEST_F(StaggeredRaceTest, AsksForAFunctionWhenItIsItsTurn) {
  const auto attempts = [this]() -> Generator<Function> {
    for (int i = 0;; ++i) {  // Endless.
      Note("asked for", i);
      co_yield Works(absl::StrCat(i), std::nullopt, i < 2);
    }
  };
  const auto main = [&]() -> Coro<void> {
    auto race = StaggeredRace(attempts(), std::nullopt);
    const auto result = co_await std::move(race);
    Note(Text(result));
  };
  Run(main());
  EXPECT_THAT(log_,
              ElementsAre("asked for 0", "i2 t=0 0 starts", "i2 t=0 0 fails",
                          "asked for 1", "i3 t=0 1 starts", "i3 t=0 1 fails",
                          "asked for 2", "i4 t=0 2 starts", "i4 t=0 2 wins",
                          "2 2 [ValueError('0'), ValueError('1'), None]"));
}

TEST_F(StaggeredRaceTest, FunctionsMayReturnNothing) {
  const auto main = [&]() -> Coro<void> {
    std::vector<std::function<Coro<void>()>> functions;
    functions.push_back([]() -> Coro<void> { co_return; });
    auto race = StaggeredRace(std::move(functions), std::nullopt);
    const StaggeredRaceResult<void> result = co_await std::move(race);
    EXPECT_TRUE(result.winner_result.has_value());
    EXPECT_EQ(result.winner_index, 0u);
  };
  Run(main());
}

}  // namespace
}  // namespace clotho
