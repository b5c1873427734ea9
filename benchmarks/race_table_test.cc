#include "clotho/benchmarks/race_table.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clotho/examples/races/races.h"
#include "clotho/sim/options.h"
#include "clotho/sim/search/search.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::benchmarks {
namespace {

using examples::FindRace;
using examples::Form;
using examples::Race;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

sim::Search Searching(const char* name) {
  absl::StatusOr<sim::Search> search = SearchByName(name);
  EXPECT_TRUE(search.ok()) << search.status();
  return *search;
}

TEST(SearchByNameTest, TakesAParameterBehindAColon) {
  const sim::Search search = Searching("pct:3");
  EXPECT_EQ(search.strategy, "pct");
  EXPECT_EQ(search.strategy_parameters, "3");
  EXPECT_EQ(search.shrink_runs_max, 0);
}

TEST(SearchByNameTest, QuotesWhatItDoesNotKnow) {
  const absl::StatusOr<sim::Search> search = SearchByName("randum");
  EXPECT_EQ(search.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(search.status().message()), HasSubstr("randum"));
}

TEST(HuntTest, CountsTheTrialsThatFoundItAndTheirExecutions) {
  const Race& race = *FindRace("twostage", Form::kPortable);
  const Hunt all =
      RunHunt(race, Searching("random"), {.trials = 5, .schedules = 10'000});
  EXPECT_EQ(all.trials, 5);
  EXPECT_EQ(all.found, 5);
  EXPECT_GE(all.mean, 1);
  EXPECT_LE(all.mean, 10'000);
  EXPECT_GT(all.schedules_per_second, 0);
  EXPECT_THAT(all.others, IsEmpty());

  // FIFO order cannot find a race in it.
  const Hunt none =
      RunHunt(race, Searching("fifo"), {.trials = 2, .schedules = 3});
  EXPECT_EQ(none.found, 0);
  EXPECT_EQ(none.mean, 0);
}

TEST(HuntTest, IsTheSameEveryTime) {
  const Race& race = *FindRace("driver", Form::kStrict);
  const Protocol protocol = {.trials = 3, .schedules = 10'000, .seed = 7};
  EXPECT_EQ(RunHunt(race, Searching("fuzz"), protocol).mean,
            RunHunt(race, Searching("fuzz"), protocol).mean);
}

TEST(HuntTest, AnotherFailureIsNotCountedButListed) {
  Race race = *FindRace("lost_update", Form::kPortable);
  race.says = "something else";
  const Hunt hunt =
      RunHunt(race, Searching("random"), {.trials = 2, .schedules = 1'000});
  EXPECT_EQ(hunt.found, 0);
  ASSERT_THAT(hunt.others, SizeIs(2));
  EXPECT_THAT(hunt.others[0], HasSubstr("every update counts"));
}

TEST(ShrinkFailuresTest, CountsDeviationsBeforeAndAfter) {
  const Race& race = *FindRace("get_port", Form::kPortable);
  const Shrinkage shrinkage =
      ShrinkFailures(race, Searching("random"), {.trials = 5});
  EXPECT_EQ(shrinkage.trials, 5);
  EXPECT_EQ(shrinkage.found, 5);
  EXPECT_EQ(shrinkage.minimal, 5);
  EXPECT_GE(shrinkage.deviations_found, shrinkage.deviations);
  EXPECT_GE(shrinkage.deviations, 1);
  EXPECT_GE(shrinkage.deviations_max, shrinkage.deviations);
  EXPECT_GE(shrinkage.runs, 1);
  EXPECT_THAT(shrinkage.replay, StartsWith("c1/0/"));

  const Shrinkage none = ShrinkFailures(race, Searching("fifo"), {});
  EXPECT_EQ(none.found, 0);
  EXPECT_EQ(none.replay, "");
}

TEST(ShrinkTableTest, HasALineForEachRace) {
  const std::vector<ShrinkRow> rows = {
      {.race = FindRace("driver", Form::kPortable),
       .strategy = "fuzz",
       .shrinkage = {.trials = 20,
                     .found = 19,
                     .minimal = 18,
                     .deviations_found = 30.4,
                     .deviations = 1.5,
                     .deviations_max = 3,
                     .runs = 44,
                     .seconds_max = 0.0123,
                     .replay = "c1/0/6:1/26f2"}}};
  EXPECT_THAT(ShrinkTable(rows),
              HasSubstr("| driver | P | fuzz | 19 | 18 | 30 | 1.5 | 3 | 44 | "
                        "12.3 | c1/0/6:1/26f2 |\n"));
}

TEST(CheckFixedTest, IsEmptyUnlessSomethingFails) {
  Race race = *FindRace("get_port", Form::kPortable);
  EXPECT_EQ(CheckFixed(race, Searching("random"), {.schedules = 1'000}), "");
  race.fixed = race.buggy;
  EXPECT_THAT(CheckFixed(race, Searching("random"), {.schedules = 1'000}),
              HasSubstr("address already in use"));
}

TEST(HuntTableTest, HasTheFiguresOfBothAndTheMeansOfWhatAllFound) {
  const std::vector<std::string> strategies = {"one", "two"};
  const std::vector<Row> rows = {
      {.race = FindRace("reorder_5", Form::kPortable),
       .hunts = {{.trials = 20,
                  .found = 20,
                  .mean = 4,
                  .schedules_per_second = 123'456},
                 {.trials = 20,
                  .found = 20,
                  .mean = 50,
                  .schedules_per_second = 1'000}}},
      {.race = FindRace("driver", Form::kPortable),
       .hunts = {{.trials = 20,
                  .found = 20,
                  .mean = 9,
                  .schedules_per_second = 1'000},
                 {.trials = 20,
                  .found = 20,
                  .mean = 200,
                  .schedules_per_second = 1'000}}},
      {.race = FindRace("archive", Form::kStrict),
       .hunts = {{.trials = 20,
                  .found = 3,
                  .mean = 12,
                  .schedules_per_second = 1'000},
                 {.trials = 20,
                  .schedules_per_second = 1'000,
                  .others = {"trial 4, execution 5: Livelock"}}}}};
  const std::string table = HuntTable(strategies, rows);
  EXPECT_THAT(table, HasSubstr("| reorder_5 | P | 2 | 4.0 | 123k | 50 | 1.0k "
                               "| 10 | 647 | 1094 | 2169 | – | 6.0 | |\n"));
  EXPECT_THAT(table, HasSubstr("| archive | S | 2 | 12 (3) | 1.0k | – ! | 1.0k "
                               "| | | | | | | |\n"));
  EXPECT_THAT(table, HasSubstr("geometric mean of the 2 common ones"));
  EXPECT_THAT(table, HasSubstr("| one | 3 of 3 | 2 | 2.15 | 6.0 |\n"));
  EXPECT_THAT(table, HasSubstr("| two | 2 of 3 | 2 | 2.00 | 100 |\n"));
  EXPECT_THAT(table, HasSubstr("- archive/S, two, trial 4, execution 5: "
                               "Livelock\n"));
}

}  // namespace
}  // namespace clotho::benchmarks
