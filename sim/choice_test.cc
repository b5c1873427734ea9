#include "clotho/sim/choice.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::Lt;
using ::testing::SizeIs;

TEST(ChooseTest, OutsideOfASimulationNothingHappens) {
  EXPECT_EQ(Choose(7), 0);
  EXPECT_FALSE(Buggify(100));
}

TEST(ChooseTest, RejectsWhatCannotBeDecided) {
  EXPECT_THROW(Choose(0), ValueError);
  EXPECT_THROW(Choose(std::uint64_t{1} << 40), ValueError);
  EXPECT_THROW(Buggify(-1), ValueError);
  EXPECT_THROW(Buggify(101), ValueError);
}

TEST(ChooseTest, InFifoOrderNothingHappens) {
  const auto body = []() -> Coro<void> {
    for (int i = 0; i < 100; ++i) {
      if (Choose(3) != 0 || Buggify(100)) throw ValueError("something");
    }
    co_return;
  };
  EXPECT_TRUE(Explore(body).passed());
}

TEST(ChooseTest, AllValuesAreEquallyLikely) {
  std::map<std::uint64_t, int> counts;
  const auto body = [&counts]() -> Coro<void> {
    ++counts[Choose(5)];
    co_return;
  };
  EXPECT_TRUE(Explore(body, Random{.schedules = 5'000}).passed());
  EXPECT_THAT(counts, SizeIs(5));
  for (const auto& [value, count] : counts) {
    EXPECT_THAT(count, AllOf(Gt(850), Lt(1'150))) << value;
  }
}

TEST(ChooseTest, AnExhaustiveSearchTakesEveryValue) {
  std::set<std::vector<std::uint64_t>> seen;
  int executions = 0;
  const auto body = [&]() -> Coro<void> {
    ++executions;
    const std::uint64_t first = Choose(3);
    seen.insert({first, Choose(2), Buggify() ? 1u : 0u});
    co_return;
  };
  const Report report = Explore(body, Exhaustive());
  EXPECT_TRUE(report.passed()) << report;
  EXPECT_TRUE(report.search.exhausted);
  EXPECT_EQ(report.search.executions, 12);
  EXPECT_EQ(report.search.distinct_executions, 12);
  EXPECT_THAT(seen, SizeIs(12));
}

Coro<void> TwoMishapsAreTooMany() {
  int mishaps = 0;
  for (int i = 0; i < 10; ++i) {
    if (Buggify(50)) ++mishaps;
    co_await Sleep(absl::ZeroDuration());
  }
  const std::uint64_t extra = Choose(4);
  Always(mishaps < 2 || extra != 3, "it stands two mishaps");
}

TEST(ChooseTest, AFailureIsShrunkToTheFewestMishaps) {
  const Report report = Explore(TwoMishapsAreTooMany, Random());
  ASSERT_FALSE(report.passed());
  EXPECT_TRUE(report.shrinking.minimal);
  EXPECT_THAT(report.trace.deviations, SizeIs(3));
  EXPECT_THAT(report.trace.deviations[0].taken,
              HasSubstr("Buggify happens (sim/choice_test.cc:"));
  EXPECT_EQ(report.trace.deviations[0].fifo, "FIFO order lets nothing happen");
  EXPECT_THAT(report.trace.deviations[2].taken, HasSubstr("Choose gives 3"));
  const auto again = Replay(TwoMishapsAreTooMany, FormatReplay(report.replay));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->passed());
  EXPECT_EQ(again->failure()->signature, report.failure()->signature);
}

TEST(ChooseTest, AReplayThatDoesNotFitIsSaidToBeSo) {
  const auto body = []() -> Coro<void> {
    (void)Choose(2);
    co_return;
  };
  const auto report = Replay(body, "c1/0/2:5");
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->verdict(), Report::Verdict::kDiverged);
  EXPECT_THAT(report->failure()->what,
              HasSubstr("step 2 has 2 values, numbered from 0"));
}

TEST(BuggifyTest, APlaceMisbehavesOnlyInSomeExecutions) {
  int calm = 0;
  const auto body = [&calm]() -> Coro<void> {
    int mishaps = 0;
    for (int i = 0; i < 100; ++i) mishaps += Buggify(50);
    calm += mishaps == 0;
    co_return;
  };
  EXPECT_TRUE(Explore(body, Random{.schedules = 1'000}).passed());
  EXPECT_THAT(calm, AllOf(Gt(650), Lt(850)));  // Three in four.
}

}  // namespace
}  // namespace clotho::sim
