#include "clotho/sim/strategies/exhaustive.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

auto Give() { return Sleep(absl::ZeroDuration()); }

// `tasks` tasks, each of which writes its letter `steps` times.
Coro<void> Letters(int tasks, int steps, std::set<std::string>& seen) {
  std::string order;
  const auto write = [&order](char letter, int times) -> Coro<void> {
    for (int i = 0; i < times; ++i) {
      order += letter;
      if (i + 1 < times) co_await Give();
    }
  };
  std::vector<Task<void>> all;
  for (int i = 0; i < tasks; ++i) {
    all.push_back(CreateTask(write(static_cast<char>('a' + i), steps)));
  }
  co_await Gather(std::move(all));
  seen.insert(order);
}

TEST(ExhaustiveTest, RunsEveryInterleavingOnce) {
  // (2 * 3)! / (3!)^2, (3 * 3)! / (3!)^3.
  struct Case {
    int tasks;
    int steps;
    std::size_t count;
  };
  for (const Case& c : {Case{2, 3, 20}, Case{3, 3, 1680}, Case{4, 1, 24}}) {
    std::set<std::string> seen;
    const Report report =
        Explore([&] { return Letters(c.tasks, c.steps, seen); }, Exhaustive());
    EXPECT_TRUE(report.passed()) << report;
    EXPECT_TRUE(report.search.exhausted);
    EXPECT_EQ(report.search.executions, c.count);
    EXPECT_THAT(seen, SizeIs(c.count));
    EXPECT_THAT(report.Text(), HasSubstr("no failure in all "));
  }
}

// A larger bound runs the executions of a smaller one and others, each with a
// different order of the letters.
TEST(ExhaustiveTest, ABoundCountsDeviations) {
  std::set<std::string> all;
  std::uint64_t before = 0;
  for (const std::uint64_t bound : {1, 2, 3, 4}) {
    std::set<std::string> seen;
    const Report report = Explore([&] { return Letters(3, 2, seen); },
                                  Exhaustive{.deviations_max = bound});
    EXPECT_TRUE(report.passed()) << report;
    EXPECT_TRUE(report.search.exhausted);
    EXPECT_GT(report.search.distinct_executions, before);
    before = report.search.distinct_executions;
    // No execution of this program has more than four.
    const std::string scope =
        bound == 1 ? " within 1 deviation from FIFO order ("
        : bound < 4
            ? absl::StrCat(" within ", bound, " deviations from FIFO order (")
            : " (";
    EXPECT_THAT(report.Text(),
                HasSubstr(absl::StrCat("no failure in all ", before,
                                       " executions", scope)));
    // Every execution has a different list of deviations, and so a different
    // order.
    EXPECT_EQ(seen.size(), report.search.distinct_executions);
    EXPECT_TRUE(std::ranges::includes(seen, all));
    all = seen;
  }
  EXPECT_LE(all.size(), 90);
}

TEST(ExhaustiveTest, ABoundThatIsNeverReachedIsNone) {
  std::set<std::string> seen;
  const Report report = Explore([&] { return Letters(3, 2, seen); },
                                Exhaustive{.deviations_max = 1'000});
  EXPECT_TRUE(report.search.exhausted);
  EXPECT_EQ(report.search.distinct_executions, 90);
  EXPECT_THAT(report.Text(), HasSubstr("no failure in all 90 executions ("));
  EXPECT_THAT(seen, SizeIs(90));
}

TEST(ExhaustiveTest, ABudgetThatCutsItShortFailsTheTest) {
  std::set<std::string> seen;
  const auto body = [&] { return Letters(3, 3, seen); };
  const Report cut = Explore(body, Exhaustive{.schedules = 1'679});
  EXPECT_FALSE(cut.passed());
  EXPECT_EQ(cut.verdict(), Report::Verdict::kIncomplete);
  EXPECT_THAT(cut.Text(), HasSubstr("Incomplete: 1679 executions have passed, "
                                    "and there are more"));
  const Report enough = Explore(body, Exhaustive{.schedules = 1'680});
  EXPECT_TRUE(enough.passed()) << enough;
  const Report allowed =
      Explore(body, Exhaustive{.schedules = 100, .allow_incomplete = true});
  EXPECT_TRUE(allowed.passed()) << allowed;
  EXPECT_FALSE(allowed.search.exhausted);
  EXPECT_THAT(allowed.Text(), HasSubstr("no failure in 100 executions"));
}

// Polls until another task has run.
Coro<void> Poll(bool& fails) {
  struct State {
    bool come = false;
    int polls = 0;
  } state;
  const auto come = [](State& s) -> Coro<void> {
    s.come = true;
    co_return;
  };
  const auto poll = [](State& s) -> Coro<void> {
    while (!s.come) {
      ++s.polls;
      co_await Give();
    }
  };
  Task<void> poller = CreateTask(poll(state));
  Task<void> comer = CreateTask(come(state));
  co_await poller;
  co_await comer;
  Always(!fails || state.polls != 700, "not as long as that");
}

TEST(ExhaustiveTest, WhoPollsIsNotChosenForEver) {
  bool fails = false;
  const auto body = [&] { return Poll(fails); };
  const Limits limits = {.steps_max = 20'000};
  const Report report = Explore(body, Exhaustive(), limits);
  EXPECT_TRUE(report.passed()) << report;
  EXPECT_TRUE(report.search.exhausted);
  // It does not claim more than it has done.
  EXPECT_THAT(report.Text(), HasSubstr(" executions in FIFO order after "));
  EXPECT_GT(report.search.executions, 1'000);
  // After many steps.
  fails = true;
  EXPECT_FALSE(Explore(body, Exhaustive(), limits).passed());
}

TEST(ExhaustiveTest, APollThatNobodyEndsIsALivelock) {
  const auto body = []() -> Coro<void> {
    const auto poll = []() -> Coro<void> {
      for (;;) co_await Give();
    };
    co_await Gather(poll(), poll());
  };
  const Report report = Explore(body, Exhaustive(), Limits{.steps_max = 5'000});
  ASSERT_FALSE(report.passed());
  EXPECT_THAT(report.Text(), HasSubstr("Livelock"));
}

TEST(ExhaustiveTest, FindsTheOneFailureAmongMany) {
  const auto body = []() -> Coro<void> {
    std::set<std::string> seen;
    co_await Letters(3, 3, seen);
    Always(!seen.contains("cbacbacba"), "never backwards");
  };
  const Report report = Explore(body, Exhaustive());
  ASSERT_FALSE(report.passed());
  EXPECT_TRUE(report.shrinking.minimal);
}

TEST(ExhaustiveTest, AProgramThatChoosesOtherwiseEachTimeComesToAnEnd) {
  int run = 0;
  const auto body = [&run]() -> Coro<void> {
    ++run;
    std::set<std::string> seen;
    co_await Letters(2 + run % 2, 2, seen);
  };
  const Report report = Explore(body, Exhaustive{.schedules = 10'000});
  // Whether it is reported as not deterministic depends on which executions are
  // checked; it must not hang or crash.
  EXPECT_LE(report.search.executions, 10'000);
}

// ---- Parts. ----

// What a part runs: its orders of letters, and their positions among all.
struct PartRun {
  std::vector<std::string> seen;
  std::vector<std::uint64_t> places;
};

PartRun RunPart(std::uint64_t index, std::uint64_t count, int tasks, int steps,
                std::uint64_t deviations_max) {
  ExhaustiveStrategy strategy(deviations_max);
  EXPECT_TRUE(strategy.TakePart(index, count));
  internal::Simulator simulator;
  PartRun run;
  while (!strategy.done()) {
    std::set<std::string> seen;
    simulator.Run([&] { return Letters(tasks, steps, seen); }, strategy, {});
    strategy.EndExecution();
    if (!strategy.counts()) continue;
    run.seen.push_back(*seen.begin());
    run.places.push_back(strategy.order().value());
  }
  return run;
}

TEST(ExhaustiveTest, PartsAreTheWholeTogether) {
  struct Case {
    int tasks;
    int steps;
    std::uint64_t deviations_max;
  };
  for (const Case& c : {Case{2, 3, 0}, Case{3, 2, 0}, Case{3, 3, 2},
                        Case{3, 3, 1}, Case{1, 1, 0}}) {
    const PartRun whole = RunPart(0, 1, c.tasks, c.steps, c.deviations_max);
    EXPECT_TRUE(std::ranges::is_sorted(whole.places, std::less_equal()))
        << "two have one place";
    for (const std::uint64_t count : {2, 3, 7, 50}) {
      std::multiset<std::pair<std::uint64_t, std::string>> all;
      std::size_t most = 0;
      for (std::uint64_t index = 0; index < count; ++index) {
        const PartRun part =
            RunPart(index, count, c.tasks, c.steps, c.deviations_max);
        EXPECT_TRUE(std::ranges::is_sorted(part.places, std::less_equal()));
        most = std::max(most, part.seen.size());
        for (std::size_t i = 0; i < part.seen.size(); ++i) {
          all.emplace(part.places[i], part.seen[i]);
        }
      }
      std::multiset<std::pair<std::uint64_t, std::string>> expected;
      for (std::size_t i = 0; i < whole.seen.size(); ++i) {
        expected.emplace(whole.places[i], whole.seen[i]);
      }
      EXPECT_EQ(all, expected) << c.tasks << " tasks in " << count;
      // No part has most of the work.
      if (whole.seen.size() >= 16 * count) {
        EXPECT_LE(most, 3 * whole.seen.size() / count);
      }
    }
  }
}

}  // namespace
}  // namespace clotho::sim
