// Each race is found with its known failure, which shrinks and replays; its
// fixed twin never fails. benchmarks/race_table measures how fast they are
// found, and how reliably the twins pass.

#include "clotho/examples/races/races.h"

#include <cstdint>
#include <fstream>
#include <ostream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/strategies/by_name.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::examples {

void PrintTo(const Race& race, std::ostream* out) {
  *out << race.name << " in form " << FormName(race.form);
}

namespace {

using ::testing::HasSubstr;
using ::testing::IsNull;
using ::testing::NotNull;

sim::Search Searching(std::string_view strategy, std::uint64_t schedules) {
  sim::Search search;
  search.strategy = strategy;
  search.make_strategy = sim::StrategyByName(strategy, "").value();
  search.schedules = schedules;
  search.shrink_runs_max = 0;
  return search;
}

// The default search finds all but the deepest one.
sim::Search Hunting(const Race& race) {
  return race.name == "safe_stack" ? Searching("guided", 400'000)
                                   : Searching("fuzz", 10'000);
}

void ExpectTheKnownFailure(const Race& race, const sim::Report& report) {
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->kind, race.failure) << report;
  EXPECT_THAT(report.failure()->what, HasSubstr(std::string(race.says)));
  EXPECT_NE(report.verdict(), sim::Report::Verdict::kNondeterministic);
}

class RaceTest : public ::testing::TestWithParam<Race> {};

INSTANTIATE_TEST_SUITE_P(
    , RaceTest, ::testing::ValuesIn(AllRaces().begin(), AllRaces().end()),
    [](const ::testing::TestParamInfo<Race>& info) {
      return absl::StrCat(info.param.name, "_",
                          std::string(FormName(info.param.form)));
    });

TEST_P(RaceTest, FifoOrderHidesItOrNot) {
  const Race& race = GetParam();
  const sim::Report report =
      sim::RunSearch(race.buggy, Searching("fifo", 1), race.name);
  if (race.passes_in_fifo_order) {
    EXPECT_TRUE(report.passed()) << report;
  } else {
    ExpectTheKnownFailure(race, report);
  }
}

TEST_P(RaceTest, TheFixedOnePassesInFifoOrder) {
  const Race& race = GetParam();
  const sim::Report report =
      sim::RunSearch(race.fixed, Searching("fifo", 1), race.name);
  EXPECT_TRUE(report.passed()) << report;
}

TEST_P(RaceTest, IsFound) {
  const Race& race = GetParam();
  const sim::Report report =
      sim::RunSearch(race.buggy, Hunting(race), race.name);
  ExpectTheKnownFailure(race, report);
}

TEST_P(RaceTest, TheFixedOneIsSilent) {
  const Race& race = GetParam();
  for (const std::string_view strategy : {"random", "fuzz"}) {
    const sim::Report report =
        sim::RunSearch(race.fixed, Searching(strategy, 2'000), race.name);
    EXPECT_TRUE(report.passed()) << report;
    EXPECT_EQ(report.search.executions, 2'000);
  }
}

TEST_P(RaceTest, TheFixedOneIsSilentInStrictOrdering) {
  const Race& race = GetParam();
  sim::Search search = Searching("random", 1'000);
  search.fifo_only = true;
  search.check_every = 1;
  const sim::Report report = sim::RunSearch(race.fixed, search, race.name);
  EXPECT_TRUE(report.passed()) << report;
}

TEST_P(RaceTest, ItsFailureShrinksUntilNoDeviationCanBeLeftOut) {
  const Race& race = GetParam();
  sim::Search search = Hunting(race);
  search.shrink_runs_max = 1'000'000;
  search.shrink_for = absl::InfiniteDuration();
  const sim::Report report = sim::RunSearch(race.buggy, search, race.name);
  ExpectTheKnownFailure(race, report);
  EXPECT_TRUE(report.shrinking.minimal);
}

// A failure found by another build, from testdata/replays.txt.
std::string StoredReplay(const Race& race) {
  std::ifstream in("examples/races/testdata/replays.txt");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string name;
    std::string form;
    std::string replay;
    words >> name >> form >> replay;
    if (name == race.name && form == FormName(race.form)) return replay;
  }
  return "";
}

TEST_P(RaceTest, FailsTheSameWayInEveryBuild) {
  const Race& race = GetParam();
  const std::string replay = StoredReplay(race);
  const absl::StatusOr<sim::Report> report =
      sim::RunReplay(race.buggy, Searching("fifo", 1), race.name, replay);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_NE(report->verdict(), sim::Report::Verdict::kDiverged) << *report;
  ExpectTheKnownFailure(race, *report);
  // Also the check at its end, which covers all choices.
  EXPECT_EQ(sim::FormatReplay(report->replay), replay);
}

TEST(RacesTest, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const Race& race : AllRaces()) {
    EXPECT_TRUE(names
                    .insert(absl::StrCat(race.name, " ",
                                         std::string(FormName(race.form))))
                    .second)
        << race.name;
  }
  EXPECT_THAT(FindRace("reorder_20", Form::kStrict), NotNull());
  EXPECT_THAT(FindRace("reorder_21", Form::kStrict), IsNull());
}

}  // namespace
}  // namespace clotho::examples
