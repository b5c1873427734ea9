// What each strategy guarantees, on small programs that distinguish them.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/strategies/by_name.h"
#include "clotho/sim/tracked.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Pair;
using ::testing::SizeIs;

auto Give() { return Sleep(absl::ZeroDuration()); }

Coro<void> AwaitAll(std::vector<Task<void>> tasks) {
  for (Task<void>& task : tasks) co_await task;
}

// One task stores once, the other `kStores` times: fails if the former comes
// last.
constexpr int kStores = 25;
Coro<void> ShortTaskLast() {
  struct State {
    Tracked<int> value{"value", 0};
    int stores = 0;
  } state;
  const auto one = [](State& s) -> Coro<void> {
    co_await Give();
    s.value = -1;
    Always(s.stores < kStores, "the short task is not the last");
  };
  const auto many = [](State& s) -> Coro<void> {
    for (int i = 0; i < kStores; ++i) {
      co_await Give();
      s.value = i;
      ++s.stores;
    }
  };
  std::vector<Task<void>> tasks;
  tasks.push_back(CreateTask(one(state)));
  tasks.push_back(CreateTask(many(state)));
  co_await AwaitAll(std::move(tasks));
}

// Many setters, each in two halves, and one checker that must not run between
// them.
template <int kTasks>
Coro<void> Reorder() {
  struct State {
    Tracked<int> a{"a", 0};
    Tracked<int> b{"b", 0};
  } state;
  const auto setter = [](State& s) -> Coro<void> {
    co_await Give();
    s.a = 1;
    co_await Give();
    s.b = -1;
  };
  const auto checker = [](State& s) -> Coro<void> {
    co_await Give();
    const int a = s.a;
    co_await Give();
    const int b = s.b;
    Always((a == 0 && b == 0) || (a == 1 && b == -1), "both or none");
  };
  std::vector<Task<void>> tasks;
  for (int i = 1; i < kTasks; ++i) tasks.push_back(CreateTask(setter(state)));
  tasks.push_back(CreateTask(checker(state)));
  co_await AwaitAll(std::move(tasks));
}

// Executions until the first failure, averaged over `kTrials` seeds; none may
// take more than `limit`.
constexpr int kTrials = 20;
double MeanToFailure(Coro<void> (*body)(), std::string_view strategy,
                     std::uint64_t limit, std::string_view parameters = "") {
  std::uint64_t sum = 0;
  for (std::uint64_t seed = 1; seed <= kTrials; ++seed) {
    Search search;
    search.strategy = strategy;
    search.make_strategy = StrategyByName(strategy, parameters).value();
    search.schedules = limit;
    search.seed = seed;
    search.shrink_runs_max = 0;
    const Report report = RunSearch(body, search, "test");
    EXPECT_FALSE(report.passed()) << strategy << " seed " << seed;
    sum += report.search.executions;
  }
  return static_cast<double>(sum) / kTrials;
}

TEST(StrategiesTest, PctLetsOneTaskWaitForAnotherHoweverLong) {
  // At depth 1 every second execution fails, and four are for the warm-up.
  EXPECT_LE(MeanToFailure(ShortTaskLast, "pct", 100, "1"), 10);
  EXPECT_LE(MeanToFailure(ShortTaskLast, "pct", 200), 15);
}

TEST(StrategiesTest, UrwMakesAShortTaskAsLikelyLastAsAnywhere) {
  // One in 26.
  EXPECT_LE(MeanToFailure(ShortTaskLast, "urw", 500), 40);
  EXPECT_LE(MeanToFailure(ShortTaskLast, "surw", 500), 60);
}

TEST(StrategiesTest, PosRedrawsOnlyAfterConflicts) {
  EXPECT_LE(MeanToFailure(ShortTaskLast, "pos", 500), 60);
}

TEST(StrategiesTest, RandomDoesNotFindWhatNeedsPatience) {
  // 2^-25.
  const Report report = Explore(ShortTaskLast, Random{.schedules = 2'000});
  EXPECT_TRUE(report.passed());
}

TEST(StrategiesTest, RolesMakeTheNumberOfTasksCountForLittle) {
  EXPECT_LE(MeanToFailure(Reorder<100>, "role_random", 500), 25);
  EXPECT_LE(MeanToFailure(Reorder<100>, "fuzz", 500), 50);
  EXPECT_LE(MeanToFailure(Reorder<5>, "role_random", 100), 15);
}

TEST(StrategiesTest, RolesHaveAPaceOfTheirOwn) {
  // 2^-25 if both had the same pace in all executions.
  EXPECT_LE(MeanToFailure(ShortTaskLast, "role_random", 1'000), 60);
}

TEST(StrategiesTest, DelayBoundedNeedsFewDeviations) {
  EXPECT_LE(MeanToFailure(Reorder<20>, "delay_bounded", 500), 50);
}

TEST(StrategiesTest, FuzzFindsWhatAnyOfThemFinds) {
  EXPECT_LE(MeanToFailure(ShortTaskLast, "fuzz", 500), 50);
  EXPECT_LE(MeanToFailure(Reorder<20>, "fuzz", 500), 50);
}

// When each of two tasks with `steps` steps stores: "abab".
std::string& Order() {
  static std::string order;
  return order;
}
Coro<void> Interleave() {
  Order().clear();
  const auto store = [](char name) -> Coro<void> {
    for (int i = 0; i < 3; ++i) {
      Order() += name;
      co_await Give();
    }
  };
  Task<void> a = CreateTask(store('a'));
  Task<void> b = CreateTask(store('b'));
  co_await a;
  co_await b;
}

std::map<std::string, int> Interleavings(std::string_view strategy,
                                         std::uint64_t schedules) {
  std::map<std::string, int> counts;
  Search search;
  search.strategy = strategy;
  search.make_strategy = StrategyByName(strategy, "").value();
  search.schedules = schedules;
  search.check_every = 0;
  const auto body = [&counts]() -> Coro<void> {
    co_await Interleave();
    ++counts[Order()];
  };
  EXPECT_TRUE(RunSearch(body, search, "test").passed());
  return counts;
}

TEST(StrategiesTest, UrwMakesAllInterleavingsEquallyLikely) {
  // 20 orders of aaabbb. (Main has steps of its own, which blur the result
  // slightly.)
  const std::map<std::string, int> counts = Interleavings("urw", 20'000);
  EXPECT_THAT(counts, SizeIs(20));
  for (const auto& [order, count] : counts) {
    EXPECT_GT(count, 700) << order;
    EXPECT_LT(count, 1'500) << order;
  }
  // The random walk strongly prefers some of them.
  const std::map<std::string, int> random = Interleavings("random", 20'000);
  EXPECT_THAT(random, SizeIs(20));
  int most = 0;
  int least = 20'000;
  for (const auto& [order, count] : random) {
    most = std::max(most, count);
    least = std::min(least, count);
  }
  EXPECT_GT(most, 3 * least);
}

TEST(StrategiesTest, EachReachesEveryInterleavingOfASmallProgram) {
  for (const std::string_view name : StrategyNames()) {
    // Three deviations do not suffice; and reduction cannot see that they share
    // the order.
    if (name == "fifo" || name == "delay_bounded" || name == "reduced") {
      continue;
    }
    EXPECT_THAT(Interleavings(name, 20'000), SizeIs(20)) << name;
  }
}

// Two tasks poll for what a third one does in several steps.
Coro<void> Poll() {
  struct State {
    Tracked<bool> ready{"ready", false};
  } state;
  const auto poller = [](State& s) -> Coro<void> {
    while (!s.ready) co_await Give();
  };
  const auto setter = [](State& s) -> Coro<void> {
    for (int i = 0; i < 3; ++i) co_await Give();
    s.ready = true;
  };
  std::vector<Task<void>> tasks;
  tasks.push_back(CreateTask(poller(state)));
  tasks.push_back(CreateTask(poller(state)));
  tasks.push_back(CreateTask(setter(state)));
  co_await AwaitAll(std::move(tasks));
}

TEST(StrategiesTest, NoneLetsPollersKeepOutWhomTheyWaitFor) {
  for (const std::string_view name : StrategyNames()) {
    Search search;
    search.strategy = name;
    search.make_strategy = StrategyByName(name, "").value();
    // These would try longer and longer executions.
    search.schedules = name == "exhaustive" || name == "reduced" ? 500 : 20'000;
    // Enough for strategies with a limit on unfairness, but not unlimited.
    search.steps_max = 1'000;
    const Report report = RunSearch(Poll, search, "test");
    EXPECT_TRUE(report.passed()) << name << report;
  }
}

// A task must overtake another at the very end, where possibly no execution of
// the warm-up had a choice.
Coro<void> LastStepFirst() {
  struct State {
    Tracked<bool> open{"open", true};
    bool taken = false;
  } state;
  const auto user = [](State& s) -> Coro<void> {
    co_await Give();
    if (!s.open) co_return;
    s.taken = true;
    co_await Give();
    Always(s.open, "still open");
  };
  const auto closer = [](State& s) -> Coro<void> {
    co_await Give();
    if (s.taken) co_return;
    co_await Give();
    s.open = false;
  };
  std::vector<Task<void>> tasks;
  tasks.push_back(CreateTask(user(state)));
  tasks.push_back(CreateTask(closer(state)));
  co_await AwaitAll(std::move(tasks));
}

TEST(StrategiesTest, PctReachesTheLastStepsOfLongerExecutions) {
  EXPECT_LE(MeanToFailure(LastStepFirst, "pct", 2'000), 150);
  EXPECT_LE(MeanToFailure(LastStepFirst, "pct", 2'000, "3"), 150);
}

TEST(StrategiesTest, AnExecutionIsTheSameWithoutThoseBeforeIt) {
  for (const std::string_view name : StrategyNames()) {
    // The first has a single execution; the executions of the others have no
    // numbers.
    if (name == "fifo" || name == "exhaustive" || name == "reduced" ||
        name == "guided") {
      continue;
    }
    // The hash of execution 40 within a search.
    Search search;
    search.strategy = name;
    search.make_strategy = StrategyByName(name, "").value();
    search.schedules = 41;
    std::string last;
    const auto body = [&last]() -> Coro<void> {
      co_await Interleave();
      last = Order();
    };
    ASSERT_TRUE(RunSearch(body, search, "test").passed());
    const std::string in_search = last;
    last.clear();
    ASSERT_TRUE(RunReplay(body, search, "test",
                          absl::StrCat("c1/0/+", std::string(name), ":40"))
                    .ok());
    EXPECT_EQ(last, in_search) << name;
  }
}

TEST(StrategyByNameTest, KnowsAllNamesAndQuotesWhatIsWrong) {
  for (const std::string_view name : StrategyNames()) {
    EXPECT_TRUE(StrategyByName(name, "").ok()) << name;
  }
  EXPECT_TRUE(StrategyByName("pct", "3").ok());
  EXPECT_THAT(std::string(StrategyByName("pct", "0").status().message()),
              HasSubstr("depth \"0\" is not a number from 1 to"));
  EXPECT_THAT(std::string(StrategyByName("pct", "x3").status().message()),
              HasSubstr("\"x3\""));
  EXPECT_THAT(std::string(StrategyByName("pos", "3").status().message()),
              HasSubstr("takes no parameters"));
  EXPECT_THAT(
      std::string(StrategyByName("best", "").status().message()),
      AllOf(HasSubstr("unknown strategy \"best\""), HasSubstr("or fuzz")));
}

}  // namespace
}  // namespace clotho::sim
