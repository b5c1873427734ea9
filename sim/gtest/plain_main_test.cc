// A program that is linked with GoogleTest's main function, from outside.

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "clotho/sim/testing/shell.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using internal::Ended;
using internal::ReplayCommandOf;
using internal::ReplayIn;

const internal::Shell& PlainMain() {
  static const auto* const shell =
      new internal::Shell("sim/testing/plain_main_tests");
  return *shell;
}

Ended RunTests(std::string_view filter, std::string_view variables = "",
               std::string_view arguments = "") {
  return PlainMain().Run(absl::StrCat(
      std::string(variables), " ./plain_main_tests --gtest_filter=",
      std::string(filter), " ", std::string(arguments)));
}

TEST(PlainMainTest, ReplayLineNamesTheProgramAndReplays) {
  const Ended found = RunTests("Fails.UnderSomeSchedule");
  EXPECT_EQ(found.code, 1) << found.output;
  const std::string command = ReplayCommandOf(found);
  EXPECT_THAT(command, HasSubstr("./plain_main_tests "
                                 "--gtest_filter=Fails.UnderSomeSchedule"));
  const Ended replayed = PlainMain().Run(command);
  EXPECT_EQ(replayed.code, 1) << replayed.output;
  EXPECT_THAT(replayed.output, HasSubstr("not in turns"));
  EXPECT_EQ(ReplayIn(ReplayCommandOf(replayed)), ReplayIn(command));
}

TEST(PlainMainTest, VariablesAreReadAndPrinted) {
  const Ended ended =
      RunTests("Fails.UnderSomeSchedule", "CLOTHO_STRATEGY=fifo");
  EXPECT_EQ(ended.code, 0) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("[  CLOTHO  ] strategy=fifo\n"));
  EXPECT_THAT(RunTests("Fails.UnderSomeSchedule", "CLOTHO_COLOR=always").output,
              HasSubstr("\033[1mWHAT"));
}

TEST(PlainMainTest, NoSettingIsPrintedWithoutVariables) {
  const Ended ended = RunTests("Passes.*");
  EXPECT_EQ(ended.code, 0) << ended.output;
  // Only how much was searched.
  EXPECT_THAT(ended.output,
              AllOf(HasSubstr("[  CLOTHO  ] 1 execution (fifo)\n[       OK ]"),
                    HasSubstr("[  CLOTHO  ] 50 executions (random)\n"),
                    Not(HasSubstr("CLOTHO_")), Not(HasSubstr("strategy="))));
}

TEST(PlainMainTest, AWrongVariableFailsTheTest) {
  const Ended ended = RunTests("Passes.UnderRandomSchedules", "CLOTHO_SED=7");
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.output,
              HasSubstr("./plain_main_tests: unknown variable \"CLOTHO_SED\": "
                        "the nearest that exists is CLOTHO_SEED\n"));
}

TEST(PlainMainTest, AFlagFailsTheTest) {
  const Ended ended =
      RunTests("Passes.UnderRandomSchedules", "", "--clotho_seed=7");
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(
      ended.output,
      HasSubstr("./plain_main_tests: --clotho_seed=7 has no effect: the main "
                "function of this program does not read Clotho's flags: link "
                "the program with //sim:testing_main instead of gtest_main\n"));
}

TEST(PlainMainTest, AVariableThatComesTooLateFailsTheTest) {
  for (const char* variable :
       {"CLOTHO_TEST=Passes.InFifoOrder", "CLOTHO_SHARD=1/2",
        "CLOTHO_SHARD_BY=schedules", "CLOTHO_FORMAT=json"}) {
    const Ended ended = RunTests("Passes.UnderRandomSchedules", variable);
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.output,
                AllOf(HasSubstr(" has no effect: it has to be read before the "
                                "first test runs"),
                      HasSubstr("link the program with //sim:testing_main")));
  }
  EXPECT_EQ(
      RunTests("Passes.UnderRandomSchedules", "CLOTHO_FORMAT=github").code, 0);
}

TEST(PlainMainTest, PlainTestsDoNotNeedClotho) {
  EXPECT_EQ(RunTests("Passes.WithoutASimulation", "CLOTHO_SED=7").code, 0);
}

TEST(PlainMainTest, ResultsThatCannotBeWrittenFailTheTest) {
  const Ended ended = PlainMain().Run(
      "echo in the way > file; CLOTHO_OUT=file CLOTHO_FAILURES=0 "
      "./plain_main_tests "
      "--gtest_filter=Passes.UnderRandomSchedules");
  EXPECT_EQ(ended.code, 1) << ended.output;
}

TEST(PlainMainTest, TheEventLogEnds) {
  const Ended ended = PlainMain().Run(
      "CLOTHO_OUT=results CLOTHO_FAILURES=0 ./plain_main_tests "
      "--gtest_filter=Campaign.Several; cat results/results.jsonl");
  EXPECT_THAT(ended.output,
              AllOf(HasSubstr("{\"event\": \"run\""),
                    HasSubstr("{\"event\": \"end\", \"code\": 1}")));
}

}  // namespace
}  // namespace clotho::sim
