// Options that contradict each other, or ask for nothing.

#include "clotho/sim/options.h"

#include "clotho/runtime/runtime.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

Coro<void> NeverRun() {
  ADD_FAILURE() << "it was run";
  co_return;
}

TEST(OptionsTest, TwoStrategiesAreRefused) {
  const Report report = Explore(NeverRun, Fuzz(), Pct{.depth = 3});
  EXPECT_EQ(report.verdict(), Report::Verdict::kMisused);
  EXPECT_EQ(report.failure()->what,
            "The test has two strategies, \"fuzz\" and \"pct\": expected one");
}

TEST(OptionsTest, NoExecutionsAreRefused) {
  for (const Report& report : {Explore(NeverRun, Fuzz{.schedules = 0}),
                               Explore(NeverRun, Pct{.schedules = 0}),
                               Explore(NeverRun, Exhaustive{.schedules = 0})}) {
    EXPECT_EQ(report.verdict(), Report::Verdict::kMisused);
    EXPECT_THAT(report.failure()->what,
                testing::HasSubstr(".schedules = 0 would run nothing: expected "
                                   "at least 1"));
  }
}

TEST(OptionsTest, ACustomStrategyNeedsAFunction) {
  const Report report = Explore(NeverRun, CustomStrategy{});
  EXPECT_EQ(report.verdict(), Report::Verdict::kMisused);
  EXPECT_THAT(report.failure()->what,
              testing::HasSubstr(".make_strategy is empty"));
}

}  // namespace
}  // namespace clotho::sim
