// Runs a program with properties from outside: what a person, a script or Bazel
// sees.

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "clotho/sim/testing/shell.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::properties {
namespace {

using sim::internal::Ended;
using sim::internal::ReplayCommandOf;
using sim::internal::ReplayIn;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

const sim::internal::Shell& Programs() {
  static const auto* const shell =
      new sim::internal::Shell("properties/sample_properties");
  return *shell;
}

Ended RunTests(std::string_view filter, std::string_view arguments = "") {
  return Programs().Run(
      absl::StrCat("./sample_properties --gtest_filter=", std::string(filter),
                   " ", std::string(arguments)));
}

TEST(CommandLineTest, WhatPassesTellsItsTags) {
  const Ended ended = RunTests("Passes.*");
  EXPECT_EQ(ended.code, 0) << ended.output;
  EXPECT_THAT(ended.output, AllOf(HasSubstr("OK, passed 100 tests"),
                                  ContainsRegex("[0-9.]+% - \"full\"\n"),
                                  HasSubstr("\"full\", items.size() > 10"),
                                  Not(HasSubstr("OK, passed 10 tests"))));
  EXPECT_EQ(RunTests("Passes.*").code, 0);
}

TEST(CommandLineTest, WhatIsToldIsTheSameEveryTime) {
  const auto tags = [](const Ended& ended) {
    const std::size_t begin = ended.output.find("OK, passed");
    return ended.output.substr(begin, ended.output.find("[ ", begin) - begin);
  };
  EXPECT_EQ(tags(RunTests("Passes.WithTags")),
            tags(RunTests("Passes.WithTags")));
  EXPECT_NE(tags(RunTests("Passes.WithTags")),
            tags(RunTests("Passes.WithTags", "--clotho_seed=2")));
}

TEST(CommandLineTest, AnExpectationFailsOnce) {
  const Ended ended = RunTests("Fails.Expectation");
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(
      ended.output,
      AllOf(HasSubstr("out of order"), Not(HasSubstr("only the first is told")),
            ContainsRegex("INPUT     after [0-9]+ tests? and [0-9]+ "
                          "shrinks?\n          items = \\[")));
}

TEST(CommandLineTest, AnAssertionLeavesTheBody) {
  const Ended ended = RunTests("Fails.Assertion");
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.output, HasSubstr("          text = \"aaaa\"\n"));
}

TEST(CommandLineTest, AMockCounts) {
  const Ended ended = RunTests("Fails.Mock");
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.output, HasSubstr("          times = 3\n"));
}

TEST(CommandLineTest, ASkippedPropertyIsSkipped) {
  const Ended ended = RunTests("Skips.*");
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.output, HasSubstr("[  SKIPPED ] 1 test"));
}

TEST(CommandLineTest, TheLineAfterAgainFailsInTheSameWay) {
  for (const char* const test : {"Fails.Expectation", "Fails.Assertion",
                                 "Fails.Mock", "Fails.InALargeInput"}) {
    const Ended found = RunTests(test);
    const std::string line = ReplayCommandOf(found);
    const Ended again = Programs().Run(line);
    EXPECT_EQ(again.code, 1) << line;
    EXPECT_EQ(ReplayIn(ReplayCommandOf(again)), ReplayIn(line)) << again.output;
    const auto values = [](const std::string& output) {
      const std::size_t begin = output.find(" = ", output.find("\nINPUT     "));
      return output.substr(begin, output.find("\n\nREPLAY", begin) - begin);
    };
    EXPECT_EQ(values(again.output), values(found.output));
  }
}

TEST(CommandLineTest, FlagsChangeTheCases) {
  EXPECT_THAT(RunTests("Passes.WithTags", "--clotho_cases=30").output,
              HasSubstr("OK, passed 30 tests"));
  EXPECT_THAT(RunTests("Passes.WithTags", "--clotho_size=0").output,
              HasSubstr("100.00% - \"empty\""));
  EXPECT_EQ(RunTests("Fails.Mock", "--clotho_size=0").code, 0);
  EXPECT_EQ(RunTests("Fails.Expectation", "--clotho_strategy=fifo").code, 0);
  EXPECT_THAT(Programs()
                  .Run("CLOTHO_CASES=20 ./sample_properties "
                       "--gtest_filter=Passes.WithTags")
                  .output,
              HasSubstr("OK, passed 20 tests"));
}

TEST(CommandLineTest, AWrongInputIsAUsageError) {
  struct Bad {
    std::string_view test;
    std::string_view replay;
    std::string_view says;
  };
  for (const Bad& bad : {
           Bad{"Fails.Expectation", "c1/8f21/4:1", "needs an input"},
           Bad{"Fails.Expectation", "c1/8f21./4:1", "the input is missing"},
           Bad{"Fails.Expectation", "c1/8f21.12x/4:1", "\"12x\""},
           Bad{"Fails.Expectation", "c1/8f21.12.0-/4:1", "\"0-\""},
           Bad{"Fails.Expectation", "c1/8f21.12.0~/4:1", "has a \"~\""},
           Bad{"Fails.Expectation", "c1/8f21.2.0-99999/4:1", "does not fit"},
           Bad{"Fails.Expectation", "c1/8f21.2.7-0/4:1", "does not fit"},
           Bad{"Fails.Expectation", "c1/100000000.2/fifo", "\"100000000\""},
           Bad{"Fails.WithoutAnInput", "c1/8f21.12/fifo", "\"12\""},
       }) {
    const Ended ended = RunTests(
        bad.test,
        absl::StrCat("--clotho_replay='", std::string(bad.replay), "'"));
    EXPECT_EQ(ended.code, 2) << bad.replay << "\n" << ended.output;
    EXPECT_THAT(ended.output, HasSubstr(bad.says)) << bad.replay;
  }
}

TEST(CommandLineTest, ResultsCanBeSaved) {
  const Ended found = RunTests("Fails.Expectation", "--clotho_out=out");
  EXPECT_THAT(found.output, HasSubstr("input.txt"));
  std::stringstream input;
  input << std::ifstream(Programs().folder() +
                         "/out/Fails.Expectation/input.txt")
               .rdbuf();
  EXPECT_THAT(input.str(), testing::StartsWith("items = ["));
  const Ended saved =
      RunTests("Fails.Expectation",
               "--clotho_saved=out/Fails.Expectation --clotho_strategy=fifo");
  EXPECT_EQ(saved.code, 1) << saved.output;
  EXPECT_THAT(saved.output, HasSubstr("the saved schedule "));
  EXPECT_EQ(ReplayIn(ReplayCommandOf(saved)), ReplayIn(ReplayCommandOf(found)));
}

TEST(CommandLineTest, ADeathIsNotToldOfTheTestBefore) {
  const Ended ended = RunTests("Passes.Quietly:Dies.*");
  EXPECT_NE(ended.code, 0);
  EXPECT_THAT(ended.output,
              AllOf(HasSubstr("\nWHAT      Signal 6 (SIGABRT)"),
                    Not(HasSubstr("--gtest_filter=Passes.Quietly"))));
}

TEST(CommandLineTest, ALongInputIsInAFile) {
  const Ended found = RunTests("Fails.InALargeInput");
  EXPECT_EQ(found.code, 1);
  EXPECT_THAT(ReplayIn(ReplayCommandOf(found)), HasSubstr("/@clotho-out/"));
}

TEST(CommandLineTest, InACampaignAPropertyIsRunAsAWholeInOneShard) {
  const std::string campaign =
      "--clotho_shard_by=schedules --clotho_failures=0 --clotho_for=1h ";
  const Ended first =
      RunTests("Fails.Expectation", campaign + "--clotho_shard=0/2");
  EXPECT_EQ(first.code, 1);
  EXPECT_THAT(first.output,
              AllOf(HasSubstr("Fails.Expectation: a property has no campaign: "
                              "it runs as a whole, in one shard"),
                    HasSubstr("out of order")));
  EXPECT_EQ(ReplayIn(ReplayCommandOf(first)),
            ReplayIn(ReplayCommandOf(RunTests("Fails.Expectation"))));
  const Ended second =
      RunTests("Fails.Expectation", campaign + "--clotho_shard=1/2");
  EXPECT_EQ(second.code, 0);
  EXPECT_THAT(second.output, HasSubstr("it runs in shard 0"));
}

}  // namespace
}  // namespace clotho::properties
