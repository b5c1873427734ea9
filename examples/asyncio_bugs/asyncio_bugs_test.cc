// The default search finds each bug from any seed; it shrinks to a few
// deviations and reports the known failure. Its fixed twin never fails.
// benchmarks:race_table_main generates the table in README.md.

#include "clotho/examples/asyncio_bugs/asyncio_bugs.h"

#include <cstdint>
#include <ostream>
#include <string>
#include <variant>

#include "clotho/examples/races/races.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::examples {

void PrintTo(const Race& race, std::ostream* out) { *out << race.name; }

namespace {

using ::testing::HasSubstr;

class AsyncioBugTest : public ::testing::TestWithParam<Race> {};

INSTANTIATE_TEST_SUITE_P(, AsyncioBugTest,
                         ::testing::ValuesIn(AsyncioBugs().begin(),
                                             AsyncioBugs().end()),
                         [](const ::testing::TestParamInfo<Race>& info) {
                           return info.param.name;
                         });

TEST_P(AsyncioBugTest, FifoOrderHidesItOrNot) {
  const Race& bug = GetParam();
  const sim::Report report = sim::Explore(bug.buggy, sim::Fifo());
  EXPECT_EQ(report.passed(), bug.passes_in_fifo_order) << report;
}

TEST_P(AsyncioBugTest, IsFoundFromAnySeedAndShrinks) {
  const Race& bug = GetParam();
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const sim::Report report =
        sim::Explore(bug.buggy, sim::Fuzz{.schedules = 1'000, .seed = seed});
    ASSERT_FALSE(report.passed()) << "seed " << seed;
    EXPECT_EQ(report.failure()->kind, bug.failure) << report;
    EXPECT_THAT(report.failure()->what, HasSubstr(std::string(bug.says)));
    EXPECT_TRUE(report.shrinking.minimal) << report;
    EXPECT_LE(std::get<sim::Deviations>(report.replay.schedule).size(), 3)
        << report;
  }
}

TEST_P(AsyncioBugTest, TheFixedOneIsSilent) {
  const sim::Report report =
      sim::Explore(GetParam().fixed, sim::Fuzz{.schedules = 1'000});
  EXPECT_TRUE(report.passed()) << report;
  EXPECT_EQ(report.search.executions, 1'000);
}

}  // namespace
}  // namespace clotho::examples
