// Campaigns of a test program, from outside: what its shards leave behind, and
// the combined result.

#include "clotho/sim/search/campaign.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "clotho/runtime/claims.h"
#include "clotho/runtime/coro.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/campaign_record.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/search/search.h"
#include "clotho/sim/search/shard.h"
#include "clotho/sim/search/sketch.h"
#include "clotho/sim/testing/shell.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace clotho::sim {
namespace {

using internal::Ended;
using internal::Finding;
using internal::Record;
using internal::RecordedGoal;
using internal::Shard;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const internal::Shell& SampleTests() {
  static const auto* const shell =
      new internal::Shell("sim/testing/sample_tests");
  return *shell;
}

Ended RunTests(std::string_view filter, std::string_view arguments,
               std::string_view before = "") {
  return SampleTests().Run(
      absl::StrCat(std::string(before), " ./sample_tests --gtest_filter='",
                   std::string(filter), "' ", std::string(arguments)));
}

std::string Path(std::string_view name) {
  return absl::StrCat(SampleTests().folder(), "/", std::string(name));
}

std::string ReadFile(std::string_view name) {
  std::stringstream content;
  content << std::ifstream(Path(name)).rdbuf();
  return content.str();
}

Record ReadRecord(std::string_view out, std::string_view test,
                  const Shard& shard = {}) {
  const std::string file = internal::RecordFile(out, test, shard);
  const absl::StatusOr<Record> record = internal::ParseRecord(ReadFile(file));
  if (record.ok()) return *record;
  ADD_FAILURE() << file << ": " << std::string(record.status().message());
  return Record();
}

// A record without what depends on the process and the time.
std::string Normal(Record record) {
  record.shard = Shard();
  record.next = 0;
  record.seconds = 0;
  return FormatRecord(record);
}

void Merge(const Record& other, Record& record) {
  EXPECT_EQ(record.campaign, other.campaign);
  record.complete = record.complete && other.complete;
  record.exhausted = record.exhausted && other.exhausted;
  record.executions += other.executions;
  record.steps += other.steps;
  record.steps_max = std::max(record.steps_max, other.steps_max);
  record.tasks_max = std::max(record.tasks_max, other.tasks_max);
  record.budget_hits += other.budget_hits;
  record.checked += other.checked;
  record.virtual_time_ns += other.virtual_time_ns;
  record.sketch.Merge(other.sketch);
  for (const auto& [least, count] : other.steps_of.entries()) {
    record.steps_of.Add(least, count);
  }
  for (const auto& [least, count] : other.tasks_of.entries()) {
    record.tasks_of.Add(least, count);
  }
  for (const auto& [part, count] : other.parts) record.parts[part] += count;
  for (const RecordedGoal& goal : other.goals) {
    const auto same =
        std::ranges::find_if(record.goals, [&](const RecordedGoal& one) {
          return one.goal == goal.goal && one.place == goal.place;
        });
    if (same == record.goals.end()) {
      record.goals.push_back(goal);
      continue;
    }
    same->reached += goal.reached;
    if (!same->first.has_value() ||
        (goal.first.has_value() && *goal.first < *same->first)) {
      same->first = goal.first;
    }
  }
  for (const Finding& failure : other.failures) {
    const auto same = std::ranges::find(record.failures, failure.signature,
                                        &Finding::signature);
    if (same == record.failures.end()) {
      record.failures.push_back(failure);
      continue;
    }
    const std::uint64_t hits = same->hits + failure.hits;
    if (failure.first < same->first) *same = failure;
    same->hits = hits;
  }
}

// Runs all shards of a search, and returns their records.
std::vector<Record> RunShards(const std::vector<std::string>& tests,
                              std::uint64_t count,
                              std::string_view arguments = "") {
  std::vector<Record> merged;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string out = absl::StrCat("shards/", count, "/", i);
    std::string filter;
    for (const std::string& test : tests) absl::StrAppend(&filter, test, ":");
    const Ended ended = RunTests(
        filter, absl::StrCat("--clotho_shard=", i, "/", count,
                             " --clotho_shard_by=schedules --clotho_failures=0 "
                             "--clotho_out=",
                             out, " ", std::string(arguments)));
    EXPECT_THAT(ended.code, testing::AnyOf(0, 1)) << ended.output;
    for (std::size_t t = 0; t < tests.size(); ++t) {
      Record record = ReadRecord(out, tests[t], {.index = i, .count = count});
      if (i == 0) {
        merged.push_back(std::move(record));
      } else {
        Merge(record, merged[t]);
      }
    }
  }
  return merged;
}

// ---- Shards. ----

TEST(CampaignTest, AnyNumberOfShardsComesToTheSame) {
  const std::vector<std::string> tests = {"Campaign.Several", "Campaign.Passes",
                                          "Campaign.All", "Campaign.Near"};
  const std::vector<Record> one = RunShards(tests, 1);
  EXPECT_EQ(one[0].executions, 600);
  EXPECT_EQ(one[0].failures.size(), 3);
  EXPECT_EQ(one[2].failures.size(), 3);
  EXPECT_TRUE(one[2].exhausted);
  EXPECT_GT(one[2].executions, 100);
  EXPECT_LT(one[3].executions, one[2].executions);
  // A search as a whole runs nothing twice.
  for (const int search : {2, 3}) {
    for (const auto& entry : one[search].sketch.entries()) {
      EXPECT_EQ(entry.count, 1);
    }
  }
  const std::vector<Record> three = RunShards(tests, 3);
  for (std::size_t t = 0; t < tests.size(); ++t) {
    EXPECT_EQ(Normal(three[t]), Normal(one[t]));
  }
}

TEST(CampaignTest, ManyShardsComeToTheSame) {
  const std::vector<std::string> tests = {"Campaign.Several", "Campaign.Passes",
                                          "Campaign.All", "Campaign.Near"};
  // Explaining each failure in each shard would take long.
  const std::string_view quickly = "--clotho_shrink_for=0";
  const std::vector<Record> one = RunShards(tests, 1, quickly);
  const std::vector<Record> many = RunShards(tests, 64, quickly);
  for (std::size_t t = 0; t < tests.size(); ++t) {
    EXPECT_EQ(Normal(many[t]), Normal(one[t]));
  }
}

TEST(CampaignTest, AGoalIsCountedWhateverIsMetBetweenByLookingIntoAFailure) {
  const std::vector<Record> one = RunShards({"Campaign.GoalsInAnyOrder"}, 1);
  EXPECT_EQ(one[0].failures.size(), 2);
  ASSERT_EQ(one[0].goals.size(), 3);
  std::uint64_t reached = 0;
  for (const RecordedGoal& goal : one[0].goals) {
    EXPECT_GT(goal.reached, 30);
    reached += goal.reached;
  }
  EXPECT_EQ(reached, one[0].executions);
  const std::vector<Record> three = RunShards({"Campaign.GoalsInAnyOrder"}, 3);
  EXPECT_EQ(Normal(three[0]), Normal(one[0]));
}

TEST(CampaignTest, NothingIsLostInSevenShards) {
  const std::vector<Record> seven =
      RunShards({"Campaign.Several", "Campaign.Passes", "Campaign.Islands"}, 7,
                "--clotho_schedules=1000");
  for (const Record& record : seven) {
    EXPECT_EQ(record.executions, 1000) << record.test;
    EXPECT_TRUE(record.complete) << record.test;
  }
  // The same for the list of tests: each test runs in one shard, completely.
  std::vector<std::string> run;
  for (int i = 0; i < 7; ++i) {
    const std::string out = absl::StrCat("by-tests/", i);
    RunTests("Campaign.Several:Campaign.Passes:Campaign.Islands",
             absl::StrCat("--clotho_failures=0 --clotho_shard=", i,
                          "/7 --clotho_schedules=1000 --clotho_out=", out));
    for (const char* test :
         {"Campaign.Several", "Campaign.Passes", "Campaign.Islands"}) {
      if (!std::filesystem::exists(Path(absl::StrCat(out, "/", test)))) {
        continue;
      }
      run.push_back(test);
      EXPECT_EQ(ReadRecord(out, test).executions, 1000);
    }
  }
  EXPECT_THAT(
      run, testing::UnorderedElementsAre("Campaign.Several", "Campaign.Passes",
                                         "Campaign.Islands"));
}

TEST(CampaignTest, WhatCannotBeCutRunsInTheFirstShard) {
  const std::vector<Record> one = RunShards({"Campaign.Reduced"}, 1);
  const std::vector<Record> three = RunShards({"Campaign.Reduced"}, 3);
  EXPECT_GT(one[0].executions, 1);
  EXPECT_EQ(three[0].executions, one[0].executions);
  const Ended second = RunTests(
      "Campaign.Reduced", "--clotho_shard=1/3 --clotho_shard_by=schedules");
  EXPECT_EQ(second.code, 0);
  EXPECT_THAT(second.output, HasSubstr("Campaign.Reduced: a search by "
                                       "\"reduced\" is not cut: it runs in "
                                       "shard 0\n"));
}

// Each of Bazel's --runs_per_test has its own executions.
TEST(CampaignTest, RunsOfBazelAreBlocks) {
  std::uint64_t executions = 0;
  internal::TraceSketch traces;
  for (int run = 1; run <= 3; ++run) {
    const Ended ended = RunTests(
        "Campaign.Passes",
        "--clotho_shard_by=schedules --clotho_shard=auto "
        "--clotho_schedules=100 --clotho_strategy=pos --clotho_out=blocks",
        absl::StrCat("TEST_RANDOM_SEED=", run));
    EXPECT_EQ(ended.code, 0) << ended.output;
    const Record record = ReadRecord("blocks", "Campaign.Passes",
                                     {.block = static_cast<unsigned>(run) - 1});
    EXPECT_EQ(record.next, 100 * run);
    executions += record.executions;
    traces.Merge(record.sketch);
  }
  EXPECT_EQ(executions, 300);
  RunTests("Campaign.Passes",
           "--clotho_failures=0 --clotho_schedules=300 --clotho_strategy=pos "
           "--clotho_out=blocks/whole");
  EXPECT_EQ(traces, ReadRecord("blocks/whole", "Campaign.Passes").sketch);
}

TEST(CampaignTest, AGoalIsJudgedOnlyByWhoHasRunAll) {
  EXPECT_EQ(RunTests("Campaign.MissesAGoal", "--clotho_failures=0").code, 5);
  const Ended half = RunTests(
      "Campaign.MissesAGoal",
      "--clotho_shard=0/2 --clotho_shard_by=schedules --clotho_out=goal");
  EXPECT_EQ(half.code, 0) << half.output;
  const Record record =
      ReadRecord("goal", "Campaign.MissesAGoal", {.index = 0, .count = 2});
  ASSERT_EQ(record.goals.size(), 1);
  EXPECT_EQ(record.goals[0].goal, "nothing is done");
  EXPECT_EQ(record.goals[0].reached, 0);
  EXPECT_FALSE(record.goals[0].first.has_value());
}

// For engines that cancel the others when one fails.
TEST(CampaignTest, LeavesTheVerdictToTheMergeIfItIsAsked) {
  const std::string_view shard =
      "--clotho_shard=0/2 --clotho_shard_by=schedules --clotho_failures=0 "
      "--clotho_out=zero";
  const std::string zero =
      absl::StrCat(std::string(shard), " --clotho_exit_zero=1");
  EXPECT_EQ(RunTests("Campaign.Several", shard).code, 1);
  EXPECT_EQ(RunTests("Campaign.Several", zero).code, 0);
  EXPECT_FALSE(ReadRecord("zero", "Campaign.Several", {.index = 0, .count = 2})
                   .failures.empty());
  EXPECT_EQ(
      RunTests("Campaign.Differs", zero + " --clotho_check_determinism=1").code,
      0);
  // What no record contains is still reported: a test without a search, an
  // invalid call.
  EXPECT_EQ(RunTests("Campaign.Several:NotSearched.Fails", zero).code, 1);
  EXPECT_EQ(
      RunTests("Campaign.Several", "--clotho_failures=0 --clotho_exit_zero=1")
          .code,
      2);
  EXPECT_EQ(RunTests("Pases.*", zero).code, 4);
  EXPECT_EQ(
      RunTests("Campaign.Several", zero + " --clotho_out=/proc/nowhere").code,
      75);
}

// ---- Failures. ----

std::vector<std::string> Signatures(const Record& record) {
  std::vector<std::string> signatures;
  for (const Finding& failure : record.failures) {
    signatures.push_back(
        failure.signature.substr(0, failure.signature.find(' ')));
  }
  return signatures;
}

TEST(CampaignTest, GoesOnAfterAFailure) {
  const Ended all =
      RunTests("Campaign.Several", "--clotho_failures=0 --clotho_out=all");
  EXPECT_EQ(all.code, 1);
  const Record record = ReadRecord("all", "Campaign.Several");
  EXPECT_THAT(Signatures(record),
              ElementsAre("expectation", "exception", "always"));
  EXPECT_TRUE(record.complete);
  for (const Finding& failure : record.failures) {
    EXPECT_GE(failure.hits, 1);
    // Each one is reported in full when it is found; its report is saved.
    const std::string report =
        ReadFile(absl::StrCat("all/", failure.folder, "/report.txt"));
    EXPECT_THAT(report, testing::StartsWith("WHAT      "));
    EXPECT_THAT(all.output, HasSubstr(report));
    EXPECT_THAT(ReadFile(absl::StrCat("all/", failure.folder,
                                      "/Campaign.Several.saved")),
                testing::StartsWith(failure.replay));
    // It can be reproduced.
    EXPECT_EQ(
        RunTests("Campaign.Several", "--clotho_replay=" + failure.replay).code,
        1);
  }
  EXPECT_THAT(all.output, AllOf(HasSubstr("Campaign.Several: failure 3\nWHAT "),
                                HasSubstr("\nOTHERS    #2  "),
                                HasSubstr("\n          #3  ")));
}

TEST(CampaignTest, CountsThePartsOfAPortfolio) {
  RunTests("Campaign.Several", "--clotho_failures=0 --clotho_out=portfolio");
  const Record record = ReadRecord("portfolio", "Campaign.Several");
  std::uint64_t executions = 4;  // All of them have learned from these.
  std::vector<std::string> names;
  for (const auto& [name, count] : record.parts) {
    names.push_back(name);
    executions += count;
  }
  EXPECT_THAT(names, ElementsAre("delay_bounded", "pct:1", "pct:2", "pct:3",
                                 "pct:4", "pct:5", "pos", "random",
                                 "role_random", "surw", "urw"));
  EXPECT_EQ(executions, record.executions);
  for (const Finding& failure : record.failures) {
    if (failure.first < 4) {
      EXPECT_EQ(failure.part, "");
    } else {
      EXPECT_THAT(names, testing::Contains(failure.part));
    }
  }
  RunTests("Campaign.Several",
           "--clotho_strategy=pct:3 --clotho_failures=0 --clotho_out=pct");
  const Record pct = ReadRecord("pct", "Campaign.Several");
  EXPECT_THAT(pct.parts,
              ElementsAre(testing::Pair("pct:3", pct.executions - 4)));
}

TEST(CampaignTest, SaysHowFarItIsWithAFailure) {
  const Ended ended = RunTests("Campaign.IsSlowToShrink",
                               "--clotho_shard_by=schedules --clotho_out=slow");
  EXPECT_EQ(ended.code, 1) << ended.output;
  std::vector<nlohmann::json> told;
  for (const auto line : absl::StrSplit(ReadFile("slow/results.jsonl"), '\n',
                                        absl::SkipEmpty())) {
    const auto event = nlohmann::json::parse(line.begin(), line.end());
    if (event.at("event") == "shrinking") told.push_back(event);
  }
  ASSERT_FALSE(told.empty());
  const Record record = ReadRecord("slow", "Campaign.IsSlowToShrink");
  ASSERT_EQ(record.failures.size(), 1);
  std::uint64_t least = told[0].at("from");
  EXPECT_GT(least, record.failures[0].deviations);
  for (const nlohmann::json& event : told) {
    EXPECT_EQ(event.at("test"), "Campaign.IsSlowToShrink");
    EXPECT_EQ(event.at("shard"), 0);
    EXPECT_EQ(event.at("kind"), "expectation");
    EXPECT_EQ(event.at("place"), record.failures[0].place);
    EXPECT_EQ(event.at("from"), told[0].at("from"));
    EXPECT_LE(event.at("to"), least);
    least = event.at("to");
  }
  EXPECT_GE(least, record.failures[0].deviations);
}

TEST(CampaignTest, StopsAfterAsManyAsAskedFor) {
  for (const int failures : {1, 2}) {
    const std::string out = absl::StrCat("stops/", failures);
    const Ended ended = RunTests(
        "Campaign.Several",
        absl::StrCat("--clotho_shard_by=schedules --clotho_failures=", failures,
                     " --clotho_out=", out));
    EXPECT_EQ(ended.code, 1);
    const Record record = ReadRecord(out, "Campaign.Several");
    EXPECT_EQ(record.failures.size(), failures);
    EXPECT_FALSE(record.complete);
    EXPECT_EQ(record.next, record.failures.back().first + 1);
    EXPECT_EQ(record.executions, record.next);
  }
}

TEST(CampaignTest, WhatDiffersIsAFindingAmongOthers) {
  const Ended ended =
      RunTests("Campaign.Differs",
               "--clotho_failures=0 --clotho_check_determinism=1 "
               "--clotho_out=differs");
  EXPECT_EQ(ended.code, 3) << ended.output;
  const Record record = ReadRecord("differs", "Campaign.Differs");
  EXPECT_EQ(record.executions, 200);
  EXPECT_EQ(record.checked, 200);
  ASSERT_THAT(Signatures(record), ElementsAre("not"));
  EXPECT_EQ(record.failures[0].kind, "not deterministic");
  EXPECT_GT(record.failures[0].hits, 1);
}

TEST(CampaignTest, KeptSchedulesAreRunFirst) {
  const Ended ended = SampleTests().Run(
      "mkdir -p saved; "
      "./sample_tests --gtest_filter=Campaign.Several --clotho_out=found; "
      "cp found/Campaign.Several/Campaign.Several.saved saved; "
      "./sample_tests --gtest_filter=Campaign.Several --clotho_saved=saved "
      "--clotho_strategy=fifo --clotho_failures=0 --clotho_out=saved/out");
  EXPECT_EQ(ended.code, 1) << ended.output;
  const Record record = ReadRecord("saved/out", "Campaign.Several");
  EXPECT_EQ(record.executions, 1);
  ASSERT_EQ(record.failures.size(), 1);
  EXPECT_EQ(record.failures[0].first, 0);
  EXPECT_THAT(ended.output, HasSubstr("SEARCH    the saved schedule "));
}

// The first number that a program with seed 5 draws.
std::uint64_t FirstDrawOfFive() { return Rng(5).Next(); }

// A campaign of 20 executions with program seed 0, all of which pass. The saved
// schedule has program seed 5, under which the body fails.
TEST(CampaignTest, AProgramSeedEndsWithTheSavedScheduleThatFails) {
  std::vector<std::uint64_t> drawn;
  const auto body = [&]() -> Coro<void> {
    drawn.push_back(ProgramRng().Next());
    Always(drawn.back() != FirstDrawOfFive(), "the program seed is not 5");
    co_return;
  };
  Search search =
      MakeSearch(Random{.schedules = 20}, ReplayFirst("c1/5/fifo", "issue 7"));
  internal::Campaign campaign(
      {.test = "Campaign.Seed", .out = "", .shard = {}, .failures_max = 0});
  search.campaign = &campaign;
  const Report report = RunSearch(body, search, "Campaign.Seed");
  EXPECT_EQ(report.replay.program_seed, 5);
  ASSERT_THAT(campaign.record().failures, testing::SizeIs(1));
  EXPECT_EQ(campaign.record().failures[0].hits, 1);
  EXPECT_EQ(campaign.record().executions, 20);
  ASSERT_GT(drawn.size(), 20);
  drawn.erase(drawn.begin(), drawn.end() - 20);
  EXPECT_THAT(drawn, testing::Each(Rng(0).Next()));
}

// The same of one that crashes.
TEST(CampaignTest, AProgramSeedEndsWithTheSavedScheduleThatCrashes) {
  const auto body = []() -> Coro<void> {
    if (ProgramRng().Next() == FirstDrawOfFive()) std::abort();
    co_return;
  };
  Search search =
      MakeSearch(Random{.schedules = 20}, ReplayFirst("c1/5/fifo", "issue 7"));
  search.isolate = true;
  internal::Campaign campaign(
      {.test = "Campaign.Seed", .out = "", .shard = {}, .failures_max = 0});
  search.campaign = &campaign;
  const Report report = RunSearch(body, search, "Campaign.Seed");
  EXPECT_EQ(report.replay.program_seed, 5);
  ASSERT_THAT(campaign.record().failures, testing::SizeIs(1));
  EXPECT_EQ(campaign.record().failures[0].kind, "crash");
  EXPECT_EQ(campaign.record().failures[0].hits, 1);
  EXPECT_EQ(campaign.record().executions, 20);
}

// A failure's report is one of several; that of the campaign names them all.
TEST(CampaignTest, ASavedScheduleThatFailsLeavesTheNotesOfOthers) {
  const auto body = []() -> Coro<void> {
    Always(ProgramRng().Next() != FirstDrawOfFive(), "the seed is not 5");
    co_return;
  };
  Search search =
      MakeSearch(ReplayFirst("c1/0/999:1"), ReplayFirst("c1/5/fifo"));
  internal::Campaign campaign(
      {.test = "Campaign.Drift", .out = "", .shard = {}, .failures_max = 0});
  search.campaign = &campaign;
  const Report report = RunSearch(body, search, "Campaign.Drift");
  EXPECT_FALSE(report.passed());
  ASSERT_THAT(report.drifted, testing::SizeIs(1));
  EXPECT_THAT(report.drifted[0], HasSubstr("c1/0/999:1"));
}

// ---- Crashes. ----

TEST(CampaignTest, ACrashIsAFailureAndItGoesOn) {
  const std::vector<std::string> tests = {"Campaign.Crashes",
                                          "Campaign.CrashesAtOnce"};
  const std::vector<Record> one = RunShards(tests, 1, "--clotho_isolate=1");
  EXPECT_TRUE(one[0].complete);
  EXPECT_EQ(one[0].executions, 600);
  ASSERT_THAT(one[0].failures, testing::SizeIs(3));
  for (const Finding& failure : one[0].failures) {
    EXPECT_GT(failure.hits, 1) << failure.what;
    const Ended again =
        RunTests("Campaign.Crashes", "--clotho_replay=" + failure.replay);
    const std::string what = failure.what.substr(0, failure.what.find('\n'));
    EXPECT_THAT(again.output, HasSubstr("WHAT      " + what));
    EXPECT_THAT(again.output, HasSubstr("REPLAY    CLOTHO_REPLAY=c1/0/"));
    if (failure.kind != "crash") continue;
    EXPECT_THAT(failure.what, testing::AnyOf("Signal 6 (SIGABRT)",
                                             "The program called exit()"));
    EXPECT_LT(failure.deviations, 5);
  }
  EXPECT_TRUE(one[1].complete);
  EXPECT_EQ(one[1].executions, 40);
  EXPECT_THAT(one[1].failures, testing::SizeIs(1));
  EXPECT_GT(one[1].failures[0].hits, 1);
  const std::vector<Record> three = RunShards(tests, 3, "--clotho_isolate=1");
  for (std::size_t t = 0; t < tests.size(); ++t) {
    EXPECT_EQ(Normal(three[t]), Normal(one[t]));
  }
}

TEST(CampaignTest, ACrashEndsASearchInOrder) {
  const Ended ended =
      RunTests("Campaign.CrashesInOrder",
               "--clotho_isolate=1 --clotho_failures=0 --clotho_out=in_order");
  EXPECT_EQ(ended.code, 1) << ended.output;
  const Record record = ReadRecord("in_order", "Campaign.CrashesInOrder");
  ASSERT_THAT(record.failures, testing::SizeIs(1));
  EXPECT_EQ(record.failures[0].kind, "crash");
  EXPECT_FALSE(record.complete);
}

TEST(CampaignTest, AKeptScheduleThatCrashesIsAFailure) {
  const Ended ended = SampleTests().Run(
      "mkdir -p crash; export CLOTHO_ISOLATE=1; ./sample_tests "
      "--gtest_filter=Campaign.Crashes --clotho_out=crash/found; "
      "cp crash/found/Campaign.Crashes/Campaign.Crashes.saved crash; "
      "./sample_tests --gtest_filter=Campaign.Crashes --clotho_saved=crash "
      "--clotho_strategy=fifo --clotho_failures=0 --clotho_out=crash/out");
  EXPECT_EQ(ended.code, 1) << ended.output;
  const Record record = ReadRecord("crash/out", "Campaign.Crashes");
  EXPECT_EQ(record.executions, 1);
  ASSERT_THAT(record.failures, testing::SizeIs(1));
  EXPECT_EQ(record.failures[0].kind, "crash");
}

// ---- Time. ----

TEST(CampaignTest, EndsByTheClock) {
  const Ended ended =
      RunTests("Campaign.Passes", "--clotho_for=200ms --clotho_out=clock");
  EXPECT_EQ(ended.code, 0) << ended.output;
  const Record record = ReadRecord("clock", "Campaign.Passes");
  EXPECT_EQ(record.schedules, 0);
  EXPECT_TRUE(record.complete);
  // A search limited by number ends earlier.
  RunTests("Campaign.Passes",
           "--clotho_for=100h --clotho_schedules=20 --clotho_out=number");
  EXPECT_EQ(ReadRecord("number", "Campaign.Passes").executions, 20);
}

// ---- Resuming. ----

TEST(CampaignTest, GoesOnWhereItEnded) {
  const std::string whole = "--clotho_failures=0 --clotho_out=whole";
  RunTests("Campaign.Several", whole);
  const std::string uninterrupted =
      Normal(ReadRecord("whole", "Campaign.Several"));
  RunTests("Campaign.Several",
           "--clotho_resume=1 --clotho_failures=1 --clotho_out=parts");
  const Record first = ReadRecord("parts", "Campaign.Several");
  EXPECT_LT(first.executions, 600);
  RunTests("Campaign.Several",
           "--clotho_resume=1 --clotho_failures=2 --clotho_out=parts");
  const Record second = ReadRecord("parts", "Campaign.Several");
  EXPECT_GT(second.executions, first.executions);
  const Ended third =
      RunTests("Campaign.Several",
               "--clotho_resume=1 --clotho_failures=0 --clotho_out=parts");
  EXPECT_EQ(third.code, 1);
  EXPECT_EQ(Normal(ReadRecord("parts", "Campaign.Several")), uninterrupted);
  // Found by the first process, and in the verdict of the last.
  EXPECT_THAT(third.output,
              AllOf(HasSubstr("one after the other"),
                    HasSubstr("REPLAY    CLOTHO_REPLAY="),
                    Not(HasSubstr("SCHEDULE  none")),
                    HasSubstr("FILES     parts/Campaign.Several/")));
  // Again: nothing is left to do.
  const Ended fourth =
      RunTests("Campaign.Several", "",
               "CLOTHO_RESUME=1 CLOTHO_FAILURES=0 CLOTHO_OUT=parts "
               "CLOTHO_SCHEDULES=600 CLOTHO_FOR=1h");
  EXPECT_EQ(fourth.code, 1);
  EXPECT_EQ(Normal(ReadRecord("parts", "Campaign.Several")), uninterrupted);
}

// Their executions depend on earlier ones.
TEST(CampaignTest, WhatHasNoNumbersBeginsAnew) {
  RunTests("Campaign.All", "--clotho_failures=0 --clotho_out=tree");
  const std::string whole = Normal(ReadRecord("tree", "Campaign.All"));
  RunTests("Campaign.All", "--clotho_resume=1 --clotho_out=tree2");
  EXPECT_FALSE(ReadRecord("tree2", "Campaign.All").complete);
  RunTests("Campaign.All",
           "--clotho_resume=1 --clotho_failures=0 --clotho_out=tree2");
  EXPECT_EQ(Normal(ReadRecord("tree2", "Campaign.All")), whole);
}

TEST(CampaignTest, NothingThatWasToldIsLostWhenItIsKilled) {
  const Ended killed = SampleTests().Run(
      "./sample_tests --gtest_filter=Campaign.Several --clotho_failures=0 "
      "--clotho_schedules=1000000000 --clotho_out=killed > log & pid=$!; "
      "until grep -q 'failure 2' log; do :; done; "
      "kill -9 $pid; wait $pid; echo $?");
  EXPECT_THAT(killed.output, testing::EndsWith("137\n"));
  const Record before = ReadRecord("killed", "Campaign.Several");
  EXPECT_GE(before.failures.size(), 2);
  EXPECT_FALSE(before.complete);
  const Ended after =
      RunTests("Campaign.Several",
               "--clotho_resume=1 --clotho_failures=3 "
               "--clotho_schedules=1000000000 --clotho_out=killed");
  EXPECT_EQ(after.code, 1) << after.output;
  const Ended uninterrupted =
      RunTests("Campaign.Several",
               "--clotho_failures=3 --clotho_schedules=1000000000 "
               "--clotho_out=not_killed");
  EXPECT_EQ(Normal(ReadRecord("killed", "Campaign.Several")),
            Normal(ReadRecord("not_killed", "Campaign.Several")));
}

TEST(CampaignTest, ARecordOfSomethingElseIsRefusedAndKept) {
  RunTests("Campaign.Several",
           "--clotho_failures=1 --clotho_resume=1 "
           "--clotho_out=refused");
  const std::string file = "refused/Campaign.Several/shard-0-of-1.json";
  const std::string good = ReadFile(file);
  const auto refused = [&](std::string_view arguments) {
    const std::string before = ReadFile(file);
    const Ended ended =
        RunTests("Campaign.Several",
                 absl::StrCat("--clotho_resume=1 --clotho_out=refused ",
                              std::string(arguments)));
    EXPECT_EQ(ended.code, 2) << ended.output;
    EXPECT_EQ(ReadFile(file), before);
    return ended.output;
  };
  EXPECT_THAT(refused("--clotho_seed=2"),
              AllOf(HasSubstr("cannot resume from \"refused/Campaign.Several/"
                              "shard-0-of-1.json\": it is of another campaign"),
                    HasSubstr("seed=1"), HasSubstr("seed=2")));
  refused("--clotho_schedules=601");
  refused("--clotho_strategy=pos");
  refused("--clotho_max_steps=50");
  const auto put = [&](const std::string& text) {
    std::ofstream(Path(file)) << text;
  };
  put(good.substr(0, good.size() / 2));
  EXPECT_THAT(refused(""), HasSubstr("it is no JSON, or not all of it"));
  put("");
  refused("");
  put("{\"clotho_record\": 2}");
  EXPECT_THAT(refused(""), HasSubstr("it is of another version"));
  put("{\"clotho_record\": 1}");
  EXPECT_THAT(refused(""), HasSubstr("\"campaign\" is missing"));
  std::string other = good;
  other.replace(other.find("Campaign.Several"), 16, "Campaign.Another");
  put(other);
  EXPECT_THAT(refused(""), HasSubstr("of \"Campaign.Another\": expected"));
  put(good);
  EXPECT_EQ(
      RunTests("Campaign.Several",
               "--clotho_resume=1 --clotho_failures=1 --clotho_out=refused")
          .code,
      1);
}

// ---- What cannot be written. ----

std::vector<std::string> FilesBelow(std::string_view folder) {
  std::vector<std::string> files;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(Path(folder))) {
    if (entry.is_regular_file()) files.push_back(entry.path().filename());
  }
  return files;
}

TEST(CampaignTest, AFolderThatCannotBeMade) {
  const Ended ended = SampleTests().Run(
      "echo in the way > in_the_way; TEST_INFRASTRUCTURE_FAILURE_FILE=why "
      "./sample_tests --gtest_filter=Campaign.Several --clotho_failures=0 "
      "--clotho_out=in_the_way/out");
  EXPECT_EQ(ended.code, 75);
  EXPECT_THAT(ended.output, HasSubstr("cannot make the folder \"in_the_way/"));
  EXPECT_THAT(ReadFile("why"), HasSubstr("cannot make the folder"));
  EXPECT_EQ(ReadFile("in_the_way"), "in the way\n");
}

TEST(CampaignTest, AFullDisk) {
  // Files have room for the event log and for reports, but not for traces; then
  // for nothing.
  for (const int blocks : {2, 0}) {
    const Ended ended = SampleTests().Run(absl::StrCat(
        "rm -rf full; mkdir full; trap '' XFSZ; ulimit -f ", blocks,
        "; ./sample_tests --gtest_filter=Campaign.Several --clotho_failures=0 "
        "--clotho_out=full | cat"));
    EXPECT_THAT(ended.output, HasSubstr("cannot write \"full/"));
    if (blocks > 0) {
      // The findings are printed, and no file is left half written.
      EXPECT_THAT(ended.output, HasSubstr("WHAT      Expected: (log)"));
    }
    for (const std::string& file : FilesBelow("full")) {
      EXPECT_THAT(file, Not(HasSubstr(".tmp")));
    }
    EXPECT_EQ(
        SampleTests()
            .Run(absl::StrCat("rm -rf full; trap '' XFSZ; ulimit -f ", blocks,
                              "; ./sample_tests "
                              "--gtest_filter=Campaign.Several "
                              "--clotho_failures=0 --clotho_out=full "
                              "> /dev/null 2>&1"))
            .code,
        75);
  }
}

TEST(CampaignTest, AEventLogThatCannotBeWritten) {
  const Ended ended = SampleTests().Run(
      "mkdir -p devfull; ln -sf /dev/full devfull/results.jsonl; "
      "./sample_tests --gtest_filter=Campaign.Several --clotho_failures=0 "
      "--clotho_out=devfull");
  EXPECT_EQ(ended.code, 75);
  EXPECT_THAT(ended.output,
              HasSubstr("cannot write \"devfull/results.jsonl\": No space"));
}

// ---- The event log. ----

TEST(CampaignTest, TheEventLogSaysWhatHappens) {
  RunTests("Campaign.Several", "--clotho_failures=0 --clotho_out=event_log");
  std::vector<std::string> events;
  const std::string event_log = ReadFile("event_log/results.jsonl");
  for (const auto line : absl::StrSplit(event_log, '\n', absl::SkipEmpty())) {
    const auto json = nlohmann::json::parse(std::string(line));
    events.push_back(json.at("event").get<std::string>());
    if (events.back() == "run") {
      EXPECT_EQ(json.at("clotho_results"), 1);
    }
    if (events.back() == "end") {
      EXPECT_EQ(json.at("code"), 1);
    }
    if (events.back() == "test") {
      EXPECT_EQ(json.at("verdict"), "failed");
    }
    if (events.back() == "failure") {
      EXPECT_EQ(json.at("test"), "Campaign.Several");
      EXPECT_THAT(json.at("replay").get<std::string>(),
                  testing::StartsWith("c1/0/"));
    }
  }
  EXPECT_THAT(events, ElementsAre("run", "goal", "failure", "goal", "failure",
                                  "failure", "stats", "test", "end"));
  // Without a folder and without a campaign, nothing is written.
  EXPECT_EQ(SampleTests()
                .Run("mkdir here; cd here; ../sample_tests "
                     "--gtest_filter=Campaign.Several --clotho_failures=0 > "
                     "/dev/null; ls")
                .output,
            "");
}

}  // namespace
}  // namespace clotho::sim
