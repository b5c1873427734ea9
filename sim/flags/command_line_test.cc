// A test program from outside: what a person, a script or Bazel sees of it.

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "clotho/sim/testing/shell.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

using internal::Ended;
using internal::ReplayCommandOf;
using internal::ReplayIn;

const internal::Shell& SampleTests() {
  static const auto* const shell =
      new internal::Shell("sim/testing/sample_tests");
  return *shell;
}
const std::string& Folder() { return SampleTests().folder(); }
Ended Shell(std::string_view line) { return SampleTests().Run(line); }

Ended RunTests(std::string_view filter, std::string_view arguments = "",
               std::string_view variables = "") {
  return Shell(absl::StrCat(std::string(variables),
                            " ./sample_tests --gtest_filter=",
                            std::string(filter), " ", std::string(arguments)));
}

Ended Replay(std::string_view replay) {
  return RunTests("Fails.UnderSomeSchedule",
                  absl::StrCat("--clotho_replay='", std::string(replay), "'"));
}

int Count(std::string_view text, std::string_view part) {
  int count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; ++at) {
    ++count;
  }
  return count;
}

std::string ReadFile(const std::string& name) {
  std::stringstream content;
  content << std::ifstream(absl::StrCat(Folder(), "/", name)).rdbuf();
  return content.str();
}

// ---- Exit codes. ----

TEST(ExitCodeTest, ZeroIfAllPass) {
  const Ended ended = RunTests("Passes.*");
  EXPECT_EQ(ended.code, 0) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("[  PASSED  ] 3 tests."));
}

TEST(ExitCodeTest, OneIfATestFails) {
  EXPECT_EQ(RunTests("Fails.Expectation").code, 1);
  EXPECT_EQ(RunTests("Fails.UnderSomeSchedule").code, 1);
  EXPECT_EQ(RunTests("*-Differs.*:Breaks.*:Campaign.*").code, 1);
}

TEST(ExitCodeTest, TwoIfItWasCalledWrongly) {
  EXPECT_EQ(RunTests("Passes.*", "--clotho_seed=x").code, 2);
  EXPECT_EQ(RunTests("Passes.*", "--no_such_flag").code, 2);
  EXPECT_EQ(RunTests("Passes.*", "", "CLOTHO_SEEDS=1").code, 2);
}

TEST(ExitCodeTest, ThreeIfAProgramIsNotDeterministic) {
  const Ended ended = RunTests("Differs.*");
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(
      ended.output,
      HasSubstr("WHAT      Not deterministic: two runs of fifo part at"));
}

TEST(ExitCodeTest, ThreeIfAReplayDoesNotFit) {
  const Ended ended = Replay("c1/0/999:1");
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(
      ended.output,
      HasSubstr("The replay does not fit the program: deviation 999:1"));
}

TEST(ExitCodeTest, FourIfNoTestIsSelected) {
  const Ended ended = RunTests("Pases.*");
  EXPECT_EQ(ended.code, 4);
  EXPECT_THAT(ended.output,
              HasSubstr("./sample_tests: no test was selected by "
                        "--gtest_filter=Pases.*: expected the name of one, as "
                        "--gtest_list_tests has it\n"));
  EXPECT_EQ(RunTests("Disabled.*").code, 4);
  // Bazel applies a filter to all targets.
  EXPECT_EQ(RunTests("Pases.*", "", "BAZEL_TEST=1").code, 0);
  EXPECT_EQ(RunTests("Pases.*", "", "BAZEL_TEST=0").code, 4);
  // A shard of a list may be empty, but not the first one.
  EXPECT_EQ(RunTests("Passes.In*", "--clotho_shard=1/2").code, 0);
  EXPECT_EQ(RunTests("Pases.*", "--clotho_shard=0/2").code, 4);
}

TEST(ExitCodeTest, SeventyIfClothoItselfBreaks) {
  const Ended ended = RunTests("Breaks.*:Fails.Expectation");
  EXPECT_EQ(ended.code, 70);
  EXPECT_THAT(ended.output,
              AllOf(HasSubstr("internal error: \"no strategy today\" has left "
                              "the search of this test\n(please report it"),
                    HasSubstr("the first")));
}

TEST(ExitCodeTest, SeventyFiveIfResultsCannotBeWritten) {
  const Ended ended = Shell(
      "echo in the way > file; TEST_INFRASTRUCTURE_FAILURE_FILE=why "
      "./sample_tests --gtest_filter=Fails.UnderSomeSchedule "
      "--clotho_out=file");
  EXPECT_EQ(ended.code, 75);
  EXPECT_THAT(ended.output,
              AllOf(HasSubstr("not in turns"), HasSubstr("REPLAY    CLOTHO_"),
                    HasSubstr("[  CLOTHO  ] cannot make the folder \"file/")));
  EXPECT_THAT(ReadFile("why"), HasSubstr("cannot make the folder \"file/"));
}

// ---- Expectations inside a body. ----

TEST(ExpectationTest, TheFirstOneIsTheFailure) {
  const Ended ended = RunTests("Fails.Expectation");
  EXPECT_THAT(
      ended.output,
      AllOf(testing::ContainsRegex("sample_tests.cc:[0-9]+: Failure"),
            HasSubstr("1 + 1"), HasSubstr("the first"),
            HasSubstr("t = 1 ms, step 2"), Not(HasSubstr("follows from it")),
            Not(HasSubstr("Leaked task"))));
}

TEST(ExpectationTest, OnlyTheReportedExecutionIsHeardOf) {
  const Ended ended = RunTests("Fails.UnderSomeSchedule");
  EXPECT_EQ(Count(ended.output, "not in turns"), 1) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("SCHEDULE  1 deviation from FIFO"));
}

TEST(ExpectationTest, MocksAreExpectationsToo) {
  EXPECT_THAT(RunTests("Fails.MockThatIsNotCalled").output,
              AllOf(HasSubstr("Actual function call count doesn't match "
                              "EXPECT_CALL(service, Call())"),
                    HasSubstr("Expected: to be called once")));
  EXPECT_THAT(RunTests("Fails.MockThatIsCalledTooOften").output,
              HasSubstr("called more times than expected"));
  EXPECT_THAT(RunTests("Fails.FarDownInAHelper").output,
              HasSubstr("Expected: is < 3"));
}

TEST(ExpectationTest, ASkipIsASkip) {
  const Ended ended = RunTests("Skips.*");
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.output,
              AllOf(HasSubstr("not today"), HasSubstr("[  SKIPPED ] 1 test")));
}

TEST(SkipTest, EndsTheWholeExecution) {
  for (const auto& [test, why] : std::map<std::string, std::string>{
           {"SkipsInside.TheBody", "not in the body"},
           {"SkipsInside.AChildTask", "not in a child task"},
           {"SkipsInside.ASearch", "not out of turns"},
           {"SkipsInsideFixture.Body", "not in a fixture"}}) {
    for (const char* flag : {"", "--clotho_isolate=1", "--clotho_failures=0",
                             "--clotho_strategy=random"}) {
      const Ended ended = RunTests(test, flag);
      EXPECT_EQ(ended.code, 0) << ended.output;
      EXPECT_THAT(
          ended.output,
          AllOf(ContainsRegex("sim/testing/sample_tests.cc:[0-9]+: Skipped"),
                HasSubstr(why), HasSubstr("[  SKIPPED ] 1 test"),
                Not(HasSubstr("WHAT"))));
    }
  }
  EXPECT_THAT(RunTests("SkipsInsideFixture.Body").output,
              HasSubstr("torn down: 1\n"));
}

TEST(SkipTest, IsAnErrorOutsideOfAnExecution) {
  const Ended ended = RunTests("SkipsInside.NoTestOfClotho");
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.output, HasSubstr("CLOTHO_SKIP was called outside of an "
                                      "execution of a CLOTHO_TEST: use "
                                      "GTEST_SKIP() there"));
}

// ---- Typed tests. ----

TEST(TypedTest, RunsInEachShardOfACampaign) {
  for (const char* shard : {"0/2", "1/2"}) {
    const Ended ended = RunTests(
        "Typed/*.*:Passes.*",
        absl::StrCat("--clotho_shard_by=schedules --clotho_shard=", shard));
    EXPECT_EQ(ended.code, 0) << ended.output;
    EXPECT_THAT(ended.output,
                AllOf(HasSubstr("[       OK ] Typed/0.IsSearched"),
                      HasSubstr("[       OK ] Typed/1.IsSearched")));
  }
}

// ---- REPLAY. ----

TEST(AgainTest, TheLineCanBePastedIntoAShell) {
  for (const char* test :
       {"Fails.UnderSomeSchedule", "Fails.UnderAnotherSchedule",
        "Fails.Expectation", "Fails.MockThatIsNotCalled"}) {
    const Ended found = RunTests(test);
    const Ended again = Shell(ReplayCommandOf(found));
    EXPECT_EQ(again.code, 1) << ReplayCommandOf(found) << "\n" << again.output;
    // The same failure: identical up to the numbers of the search.
    const auto story = [](const Ended& ended) {
      const std::size_t from = ended.output.find("\nWHAT ");
      const std::size_t to = ended.output.find("\nSCHEDULE ", from);
      return ended.output.substr(from, to - from);
    };
    EXPECT_EQ(story(again), story(found));
    EXPECT_THAT(again.output, Not(HasSubstr("SEARCH")));
  }
}

TEST(AgainTest, UnderBazelItNamesTheTarget) {
  const Ended ended =
      RunTests("Fails.UnderSomeSchedule", "", "TEST_TARGET=//shop:cart_test");
  EXPECT_THAT(ended.output,
              AllOf(HasSubstr("REPLAY    bazel test //shop:cart_test "
                              "--test_filter=Fails.UnderSomeSchedule \\\n"
                              "              --test_env=CLOTHO_REPLAY=c1/0/"),
                    HasSubstr("same binary:  CLOTHO_REPLAY=c1/0/")));
}

TEST(AgainTest, TheProgramIsNamedAsItWasCalled) {
  const Ended ended = Shell(absl::StrCat(
      "'", Folder(), "/sample_tests' --gtest_filter=Fails.UnderSomeSchedule"));
  EXPECT_THAT(ReplayCommandOf(ended), HasSubstr(Folder() + "/sample_tests"));
  EXPECT_EQ(Shell(ReplayCommandOf(ended)).code, 1);
}

// ---- Replay strings. ----

TEST(ReplayStringTest, WhatIsMalformedIsNamedAndNothingRuns) {
  const std::string good =
      ReplayIn(ReplayCommandOf(RunTests("Fails.UnderSomeSchedule")));
  EXPECT_EQ(Replay(good).code, 1);

  const struct {
    std::string replay;
    std::string_view message;
  } cases[] = {
      {"", "is empty: expected a replay string such as c1/0/4:1"},
      {"c1", "the program seed is missing"},
      {"c1/0", "the schedule is missing"},
      {"c1/0/", "the schedule is missing"},
      {"c1/0/4", "the choice of step 4 is missing"},
      {"c1/0/4:", "the choice of step 4 is missing"},
      {"c1/0/4:1,", "a deviation is missing"},
      {good.substr(0, good.size() - 1), "check "},
      {good + "0", "check "},
      {"c2/0/4:1", "format version \"c2\" is unknown"},
      {"4:1", "format version \"4:1\" is unknown"},
      {"c1/0/0:1", "step \"0\" is out of range: expected 1 to "},
      {"c1/0/99999999999999999999999:1", " is out of range"},
      {"c1/0/4:0", "choice \"0\" is out of range"},
      {"c1/0/4:99999999", "choice \"99999999\" is out of range"},
      {"c1/0/4:1,4:1", "step 4 does not come after step 4"},
      {"c1/0/four:1", "schedule \"four:1\" is unknown"},
      {"c1/0/4:one", "choice \"one\" is not a number"},
      {"c1/0/4: 1", "choice \" 1\" is not a number"},
      {"c1/zero/fifo", "program seed \"zero\" is not a number"},
      {"c1/0/+random", "the execution is missing"},
      {"c1/0/@no_such_file", "cannot read the file \"no_such_file\""},
  };
  for (const auto& [replay, message] : cases) {
    const Ended ended = Replay(replay);
    EXPECT_EQ(ended.code, 2) << replay << "\n" << ended.output;
    EXPECT_THAT(ended.output, HasSubstr(std::string(message))) << replay;
    EXPECT_THAT(ended.output, Not(HasSubstr("WHAT "))) << replay;
  }
}

TEST(ReplayStringTest, TenMegabytesOfDigitsAreRefusedInAShortMessage) {
  const std::string digits(10'000'000, '7');
  for (const std::string& text :
       {digits, "c1/0/" + digits, "c1/0/4:" + digits, "c1/" + digits + "/fifo",
        "c1/0/fifo/" + digits}) {
    std::ofstream(Folder() + "/long.replay") << text;
    const Ended ended = Replay("c1/0/@long.replay");
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.output, HasSubstr("in the file \"long.replay\": replay "
                                        "string, character "));
    EXPECT_LT(ended.output.size(), 2'000);
  }
  // As long as a variable may be.
  const Ended ended =
      RunTests("Fails.UnderSomeSchedule", "",
               "CLOTHO_REPLAY=c1/0/" + std::string(120'000, '7'));
  EXPECT_EQ(ended.code, 2);
  EXPECT_LT(ended.output.size(), 2'000);
}

TEST(ReplayStringTest, IsForOneTest) {
  const std::string good =
      ReplayIn(ReplayCommandOf(RunTests("Fails.UnderSomeSchedule")));
  const Ended ended = RunTests("Fails.Under*", "--clotho_replay=" + good);
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.output,
              AllOf(HasSubstr("a replay string is for one test, and "),
                    HasSubstr("such as --gtest_filter=Fails.UnderSomeSchedule"),
                    Not(HasSubstr("[ RUN "))));
}

TEST(ReplayStringTest, MayBeRepeated) {
  const std::string good =
      ReplayIn(ReplayCommandOf(RunTests("Fails.UnderSomeSchedule")));
  const Ended ended = RunTests("Fails.UnderSomeSchedule",
                               "--gtest_repeat=3 --clotho_replay=" + good);
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(Count(ended.output, "WHAT "), 3);
  EXPECT_THAT(ended.output, Not(HasSubstr("is for one test")));
}

TEST(ReplayStringTest, MayHaveSpacesAroundIt) {
  const std::string good =
      ReplayIn(ReplayCommandOf(RunTests("Fails.UnderSomeSchedule")));
  const Ended ended =
      RunTests("Fails.UnderSomeSchedule", "'--clotho_replay= " + good + "  '");
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(Count(ended.output, "WHAT "), 1) << ended.output;
}

// ---- Flags and variables. ----

TEST(FlagsTest, WhatIsUnknownIsNamedWithTheNearest) {
  EXPECT_THAT(RunTests("Passes.*", "", "CLOTHO_SCHEDULE=5").output,
              HasSubstr("unknown variable \"CLOTHO_SCHEDULE\": the nearest "
                        "that exists is CLOTHO_SCHEDULES"));
  EXPECT_THAT(RunTests("Passes.*", "--clotho_sed=5").output,
              HasSubstr("unknown flag \"--clotho_sed\": the nearest that "
                        "exists is --clotho_seed"));
  for (const char* far : {"--helpfull", "--version", "--gtest_filtre=X"}) {
    const std::string output = RunTests("Passes.*", far).output;
    EXPECT_THAT(output, HasSubstr("--help lists those that exist")) << far;
    EXPECT_THAT(output, Not(HasSubstr("nearest"))) << far;
  }
  EXPECT_THAT(RunTests("Passes.*", "stray").output,
              HasSubstr("unexpected argument \"stray\""));
}

TEST(FlagsTest, NumbersMayHaveAnExponent) {
  const Ended ended = RunTests("Passes.*", "--clotho_schedules=1e2");
  EXPECT_EQ(ended.code, 0) << ended.output;
}

TEST(FlagsTest, ValuesThatDoNotParseAreNamed) {
  for (const char* flag : {"--clotho_schedules=1e",
                           "--clotho_schedules=e2",
                           "--clotho_schedules=1e2.5",
                           "--clotho_schedules=1e-2",
                           "--clotho_schedules=1e20",
                           "--clotho_schedules=1e100",
                           "--clotho_seed=",
                           "--clotho_seed=-1",
                           "--clotho_seed=1.5",
                           "--clotho_seed=18446744073709551616",
                           "--clotho_schedules=0",
                           "--clotho_cases=0",
                           "--clotho_size=1000001",
                           "--clotho_schedules=many",
                           "--clotho_strategy=clever",
                           "--clotho_strategy=",
                           "--clotho_check_determinism=2",
                           "--clotho_check_determinism=-0.5",
                           "--clotho_check_determinism=often",
                           "--clotho_failures=-1",
                           "--clotho_for=0",
                           "--clotho_for=soon",
                           "--clotho_for=30",
                           "--clotho_for=-3s",
                           "--clotho_for=inf",
                           "--clotho_max_steps=0",
                           "--clotho_max_virtual_time=0",
                           "--clotho_max_virtual_time=1y",
                           "--clotho_resume=yes",
                           "--clotho_resume=1",
                           "--clotho_seed=rand",
                           "--clotho_shard=4",
                           "--clotho_shard=4/4",
                           "--clotho_shard=auto",
                           "--clotho_shard_by=cases",
                           "--clotho_shrink_for=long"}) {
    const Ended ended = RunTests("Passes.*", flag);
    EXPECT_EQ(ended.code, 2) << flag;
    EXPECT_THAT(ended.output, HasSubstr("expected ")) << flag;
  }
}

TEST(FlagsTest, ChangeTheSearch) {
  EXPECT_THAT(RunTests("Fails.UnderSomeSchedule", "--clotho_seed=77").output,
              HasSubstr("SEARCH    random, base seed 77, execution "));
  EXPECT_THAT(
      RunTests("Fails.UnderSomeSchedule", "--clotho_schedules 500").output,
      HasSubstr(" of 500;"));
  EXPECT_EQ(RunTests("Fails.UnderSomeSchedule", "--clotho_strategy=fifo").code,
            0);
  EXPECT_EQ(RunTests("Passes.InFifoOrder",
                     "--clotho_strategy=random --clotho_schedules=10")
                .code,
            0);
}

TEST(FlagsTest, TheCommandLineWins) {
  EXPECT_THAT(RunTests("Fails.UnderSomeSchedule", "--clotho_seed=77",
                       "CLOTHO_SEED=78 CLOTHO_SCHEDULES=900")
                  .output,
              AllOf(HasSubstr("base seed 77"), HasSubstr(" of 900;")));
}

TEST(FlagsTest, LimitsOfAnExecutionChange) {
  EXPECT_THAT(RunTests("Passes.InFifoOrder", "--clotho_max_steps=1").output,
              HasSubstr("WHAT      Livelock"));
  EXPECT_EQ(RunTests("Passes.InFifoOrder", "", "CLOTHO_MAX_STEPS=9").code, 0);
  EXPECT_EQ(
      RunTests("Passes.InFifoOrder", "--clotho_max_virtual_time=59m").code, 1);
  EXPECT_EQ(
      RunTests("Passes.InFifoOrder", "", "CLOTHO_MAX_VIRTUAL_TIME=1h").code, 0);
}

TEST(FlagsTest, ShrinkingCanBeForbidden) {
  const std::string found =
      RunTests("Fails.UnderAnotherSchedule", "--clotho_shrink_for=0").output;
  EXPECT_THAT(found, HasSubstr("shrunk in 0 runs"));
  EXPECT_THAT(
      RunTests("Fails.UnderAnotherSchedule", "", "CLOTHO_SHRINK_FOR=1h").output,
      HasSubstr("shrunk"));
}

TEST(FlagsTest, ExecutionsAreRunTwiceAsOftenAsAsked) {
  // Every other execution sleeps once more. Without checks, the search runs
  // only its first one.
  EXPECT_EQ(RunTests("Differs.*", "--clotho_check_determinism=0").code, 0);
  EXPECT_EQ(RunTests("Differs.*", "", "CLOTHO_CHECK_DETERMINISM=1").code, 3);
}

TEST(FlagsTest, ARandomSeedIsPrinted) {
  const auto seed_of = [](const Ended& ended) {
    const std::size_t begin = ended.output.find("] seed=") + 7;
    return ended.output.substr(begin, ended.output.find('\n', begin) - begin);
  };
  const std::string first =
      seed_of(RunTests("Passes.InFifoOrder", "--clotho_seed=random"));
  const std::string second =
      seed_of(RunTests("Passes.InFifoOrder", "", "CLOTHO_SEED=random"));
  EXPECT_THAT(first, testing::MatchesRegex("[0-9]+"));
  EXPECT_NE(first, second);
  const Ended shards = RunTests(
      "Passes.InFifoOrder",
      "--clotho_seed=random --clotho_shard=1/2 --clotho_shard_by=schedules");
  EXPECT_EQ(shards.code, 2);
  EXPECT_THAT(shards.output, HasSubstr("each shard would have its own"));
}

TEST(FlagsTest, WhatDiffersIsSaidAtTheStart) {
  EXPECT_THAT(RunTests("Passes.InFifoOrder",
                       "--clotho_schedules=1000 --clotho_shard=0/4",
                       "CLOTHO_STRATEGY=pct:3 CLOTHO_SEED=1")
                  .output,
              testing::StartsWith("[  CLOTHO  ] strategy=pct:3 schedules=1000 "
                                  "seed=1 shard=0/4\n"));
  // Nothing differs.
  EXPECT_THAT(RunTests("Passes.InFifoOrder").output,
              testing::StartsWith("Note: Google Test filter"));
  EXPECT_THAT(
      RunTests("Passes.InFifoOrder", "", "TEST_UNDECLARED_OUTPUTS_DIR=out")
          .output,
      testing::StartsWith("Note: Google Test filter"));
}

TEST(PassTest, SaysHowMuchWasSearched) {
  EXPECT_THAT(RunTests("Passes.InFifoOrder").output,
              HasSubstr("[  CLOTHO  ] 1 execution (fifo)\n[       OK ] "));
  EXPECT_THAT(RunTests("Passes.InFifoOrder",
                       "--clotho_strategy=fuzz "
                       "--clotho_schedules=20")
                  .output,
              HasSubstr("[  CLOTHO  ] 20 executions (fuzz)\n[       OK ] "));
  EXPECT_THAT(
      RunTests("Passes.InFifoOrder", "--clotho_strategy=exhaustive").output,
      ContainsRegex("\\[  CLOTHO  \\] [0-9]+ executions? \\(exhaustive\\), all "
                    "there are\n"));
}

// Every flag in --help, as a flag and as a variable: a valid value and, if
// there is one, an invalid value.
TEST(FlagsTest, EachIsAFlagAndAVariable) {
  struct Values {
    std::string good;
    std::string bad;
  };
  std::map<std::string, Values> values = {
      {"break_before", {"99", "0"}},
      {"cases", {"3", "0"}},
      {"check_determinism", {"0.5", "2"}},
      {"color", {"never", "green"}},
      {"debug", {"1", "on"}},
      {"exit_zero", {"0", "1"}},  // (There is no record.)
      {"failures", {"2", "few"}},
      {"for", {"1h", "soon"}},
      {"format", {"github", "xml"}},
      {"isolate", {"1", "both"}},
      {"saved", {".", "no_such_folder"}},
      {"max_steps", {"50", "0"}},
      {"max_virtual_time", {"2h", "1y"}},
      {"out", {"each", ""}},
      {"rate", {"1000000", "fast"}},
      {"replay", {"c1/0/fifo", "c1/0/4"}},
      {"resume", {"0", "yes"}},
      {"schedules", {"7", "0"}},
      {"seed", {"9", "x"}},
      {"shard", {"0/1", "1/1"}},
      {"shard_by", {"schedules", "cases"}},
      {"shrink_for", {"3s", "long"}},
      {"size", {"7", "1000001"}},
      {"step_watchdog", {"1h", "dog"}},
      {"strategy", {"pos", "clever"}},
      {"test", {"Passes.InFifoOrder", "No.Such"}},
      {"trace", {"never", "maybe"}},
  };
  const std::string help = Shell("./sample_tests --help").output;
  for (std::size_t at = help.find("\n  --clotho_"); at != help.npos;
       at = help.find("\n  --clotho_", at + 1)) {
    const std::size_t begin = at + 12;
    const std::string name = help.substr(begin, help.find('=', begin) - begin);
    const auto found = values.find(name);
    ASSERT_NE(found, values.end()) << name;
    const auto& [good, bad] = found->second;
    const std::string flag = "--clotho_" + name;
    const std::string variable = "CLOTHO_" + absl::AsciiStrToUpper(name);
    EXPECT_EQ(RunTests("Passes.InFifoOrder", flag + "=" + good).code, 0)
        << name;
    const Ended by_variable =
        RunTests("Passes.InFifoOrder", "", variable + "=" + good);
    EXPECT_EQ(by_variable.code, 0) << by_variable.output;
    EXPECT_THAT(by_variable.output,
                testing::StartsWith("[  CLOTHO  ] " + name + "=" + good + "\n"))
        << name;
    for (const Ended& ended :
         {RunTests("Passes.InFifoOrder", flag + "=" + bad),
          RunTests("Passes.InFifoOrder", "", variable + "=" + bad)}) {
      EXPECT_EQ(ended.code, name == "test" ? 4 : 2) << ended.output;
      EXPECT_THAT(ended.output, HasSubstr("expected")) << name;
    }
    values.erase(found);
  }
  EXPECT_THAT(values, testing::IsEmpty()) << "--help does not name them";
}

// ---- Shards. ----

std::multiset<std::string> TestsRun(const std::string& output) {
  std::multiset<std::string> run;
  for (const auto line : absl::StrSplit(output, '\n')) {
    const std::string text(line);
    if (text.rfind("[       OK ] ", 0) == 0) {
      run.insert(text.substr(13, text.find(' ', 13) - 13));
    }
  }
  return run;
}

TEST(ShardTest, CutTheListOfTests) {
  std::multiset<std::string> run;
  for (int shard = 0; shard < 2; ++shard) {
    const Ended ended =
        RunTests("Passes.*", absl::StrCat("--clotho_shard=", shard, "/2"));
    EXPECT_EQ(ended.code, 0);
    run.merge(TestsRun(ended.output));
  }
  EXPECT_THAT(run, testing::ElementsAre("Passes.InFifoOrder",
                                        "Passes.UnderRandomSchedules",
                                        "Passes.WithoutASimulation"));
}

TEST(ShardTest, SourcesThatDisagreeAreAnError) {
  const Ended ended = RunTests("Passes.*", "--clotho_shard=1/3",
                               "TEST_SHARD_INDEX=1 TEST_TOTAL_SHARDS=2");
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.output,
              HasSubstr("which shard is this? --clotho_shard says 1/3, "
                        "TEST_SHARD_INDEX and TEST_TOTAL_SHARDS says 1/2"));
}

TEST(ShardTest, TheEnvironmentOfASchedulerIsReadIfAskedFor) {
  const std::string kubernetes = "JOB_COMPLETION_INDEX=1 CLOTHO_TOTAL_SHARDS=3";
  EXPECT_THAT(RunTests("Passes.*", "--clotho_shard_by=schedules",
                       kubernetes + " CLOTHO_SHARD=auto")
                  .output,
              HasSubstr("[  CLOTHO  ] shard=1/3 shard_by=schedules\n"));
  EXPECT_EQ(TestsRun(RunTests("Passes.*", "", kubernetes).output).size(), 3);
  EXPECT_EQ(RunTests("Passes.*", "--clotho_shard=auto").code, 2);
}

// Bazel's variables are also GoogleTest's, which would divide the list as well.
TEST(ShardTest, OfSchedulesDoNotCutTheListOfTests) {
  const std::string bazel =
      "TEST_SHARD_STATUS_FILE=status GTEST_SHARD_STATUS_FILE=status "
      "TEST_TOTAL_SHARDS=3 GTEST_TOTAL_SHARDS=3 ";
  for (int shard = 0; shard < 3; ++shard) {
    const Ended ended = Shell(absl::StrCat(
        "rm -f status; ", bazel, "TEST_SHARD_INDEX=", shard,
        " GTEST_SHARD_INDEX=", shard,
        " CLOTHO_SHARD_BY=schedules ./sample_tests --gtest_filter='Passes.*'; "
        "ls status"));
    EXPECT_EQ(ended.code, 0) << ended.output;
    EXPECT_THAT(ended.output, testing::EndsWith("\nstatus\n"));
    std::multiset<std::string> run = {"Passes.InFifoOrder",
                                      "Passes.UnderRandomSchedules"};
    // A test without a search runs once.
    if (shard == 0) run.insert("Passes.WithoutASimulation");
    EXPECT_EQ(TestsRun(ended.output), run);
    EXPECT_EQ(Count(ended.output, "it runs in shard 0"), shard == 0 ? 0 : 1);
  }
}

TEST(FlagsTest, HelpNamesThemAll) {
  const Ended ended = Shell("./sample_tests --help");
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(
      ended.output,
      AllOf(HasSubstr("--clotho_replay="), HasSubstr("--clotho_seed="),
            HasSubstr("--clotho_schedules="), HasSubstr("--clotho_cases="),
            HasSubstr("--clotho_size="), HasSubstr("--clotho_strategy="),
            HasSubstr("--clotho_out=DIR"), HasSubstr("--clotho_saved=DIR"),
            HasSubstr("--clotho_shard=I/N"), HasSubstr("--clotho_for=TIME"),
            HasSubstr("--gtest_filter=")));
}

// ---- GoogleTest's own. ----

TEST(GoogleTestTest, ListsTests) {
  const Ended ended = Shell("./sample_tests --gtest_list_tests");
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.output,
              HasSubstr("Passes.\n  InFifoOrder\n  UnderRandomSchedules\n"));
}

TEST(GoogleTestTest, RepeatsAndShuffles) {
  const Ended ended = RunTests("Passes.*", "--gtest_repeat=3 --gtest_shuffle");
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(Count(ended.output, "[       OK ] Passes."), 9);
  // The same search each time.
  const Ended fails = RunTests("Fails.UnderSomeSchedule", "--gtest_repeat=3");
  EXPECT_EQ(Count(fails.output, ReplayCommandOf(fails)), 3);
}

TEST(GoogleTestTest, ShardsShareOutTheTests) {
  std::multiset<std::string> run;
  for (int shard = 0; shard < 3; ++shard) {
    const Ended ended = RunTests(
        "Passes.*:Fails.*", "",
        absl::StrCat("GTEST_TOTAL_SHARDS=3 GTEST_SHARD_INDEX=", shard));
    for (const auto line : absl::StrSplit(ended.output, '\n')) {
      const std::string text(line);
      if (text.rfind("[ RUN      ] ", 0) == 0) run.insert(text);
    }
  }
  EXPECT_EQ(run.size(), 9);
  EXPECT_EQ(std::set<std::string>(run.begin(), run.end()).size(), 9);
}

TEST(GoogleTestTest, TheFilterOfBazelSelects) {
  const Ended ended = Shell("TESTBRIDGE_TEST_ONLY='Passes.In*' ./sample_tests");
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.output, HasSubstr("[  PASSED  ] 1 test."));
}

TEST(GoogleTestTest, TheXmlHasTheReplayString) {
  const Ended ended =
      RunTests("Fails.UnderSomeSchedule:Passes.UnderRandomSchedules",
               "--gtest_output=xml:result.xml");
  std::stringstream xml;
  xml << std::ifstream(Folder() + "/result.xml").rdbuf();
  EXPECT_THAT(
      xml.str(),
      AllOf(
          HasSubstr("<testsuites tests=\"2\" failures=\"1\""),
          AnyOf(
              HasSubstr(absl::StrCat("clotho_replay=\"",
                                     ReplayIn(ReplayCommandOf(ended)), "\"")),
              HasSubstr(absl::StrCat("name=\"clotho_replay\" value=\"",
                                     ReplayIn(ReplayCommandOf(ended)), "\""))),
          AnyOf(HasSubstr("clotho_executions=\"50\""),
                HasSubstr("name=\"clotho_executions\" value=\"50\""))));
  EXPECT_THAT(xml.str(),
              AllOf(HasSubstr("name=\"clotho_seed\" value=\"1\""),
                    HasSubstr("\"clotho_strategy\" value=\"random\""),
                    HasSubstr("name=\"clotho_steps\" value=\"")));
}

TEST(GoogleTestTest, TheJsonHasTheReplayString) {
  const Ended ended =
      RunTests("Fails.UnderSomeSchedule", "--gtest_output=json:result.json");
  // GoogleTest writes a slash as "\/".
  const std::string json =
      absl::StrReplaceAll(ReadFile("result.json"), {{"\\/", "/"}});
  EXPECT_THAT(
      json,
      AllOf(HasSubstr(absl::StrCat("\"clotho_replay\": \"",
                                   ReplayIn(ReplayCommandOf(ended)), "\"")),
            HasSubstr("\"clotho_seed\": \"1\""),
            HasSubstr("\"clotho_executions\": \"")));
}

TEST(GoogleTestTest, WhatIsDisabledDoesNotRun) {
  const Ended ended = RunTests("Disabled.*:Passes.InFifoOrder");
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.output, AllOf(HasSubstr("YOU HAVE 1 DISABLED TEST"),
                                  Not(HasSubstr("[ RUN      ] Disabled"))));
  EXPECT_EQ(RunTests("Disabled.*", "--gtest_also_run_disabled_tests").code, 1);
}

TEST(GoogleTestTest, FailsFast) {
  const Ended ended =
      RunTests("Fails.Under*:Fails.Expectation", "--gtest_fail_fast");
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(Count(ended.output, "WHAT "), 1);
  EXPECT_THAT(ended.output, HasSubstr("[  SKIPPED ] 2 tests, listed below:"));
}

TEST(GoogleTestTest, ShuffledTestsFindTheSame) {
  const Ended straight = RunTests("Fails.Under*");
  const Ended shuffled =
      RunTests("Fails.Under*", "--gtest_shuffle --gtest_random_seed=7");
  EXPECT_EQ(shuffled.code, 1);
  EXPECT_EQ(Count(shuffled.output, ReplayCommandOf(straight)), 1);
}

// A plain test throws out of RUN_ALL_TESTS in the same way.
TEST(GoogleTestTest, ThrowsWhenAskedTo) {
  const Ended ended =
      RunTests("Fails.UnderSomeSchedule", "--gtest_throw_on_failure");
  EXPECT_NE(ended.code, 0);
  EXPECT_NE(ended.code, 1);
  EXPECT_THAT(ended.output, AllOf(HasSubstr("SCHEDULE  1 deviation from FIFO"),
                                  HasSubstr("GoogleTestFailureException")));
}

TEST(GoogleTestTest, BreaksOnceAndAfterTheReport) {
  for (const char* test :
       {"Fails.UnderSomeSchedule", "Fails.UnderAnotherSchedule",
        "Fails.Expectation", "Fails.MockThatIsNotCalled"}) {
    const Ended ended = RunTests(test, "--gtest_break_on_failure", "TRAPS=yes");
    EXPECT_EQ(ended.code, 1) << ended.output;
    EXPECT_EQ(Count(ended.output, "WHAT "), 1) << ended.output;
    EXPECT_EQ(Count(ended.output, "TRAP\n"), 1) << ended.output;
    EXPECT_LT(ended.output.find("WHAT "), ended.output.find("TRAP\n"));
    EXPECT_LT(ended.output.find("SEARCH "), ended.output.find("TRAP\n"));
  }
  // In a replay, too.
  const std::string good =
      ReplayIn(ReplayCommandOf(RunTests("Fails.UnderSomeSchedule")));
  const Ended replayed =
      RunTests("Fails.UnderSomeSchedule",
               "--gtest_break_on_failure --clotho_replay=" + good, "TRAPS=yes");
  EXPECT_EQ(Count(replayed.output, "TRAP\n"), 1);
  // A passing test does not.
  EXPECT_EQ(
      Count(
          RunTests("Passes.*", "--gtest_break_on_failure", "TRAPS=yes").output,
          "TRAP\n"),
      0);
}

TEST(GoogleTestTest, WithoutADebuggerABreakEndsTheProgram) {
  const Ended ended =
      RunTests("Fails.UnderSomeSchedule", "--gtest_break_on_failure");
  EXPECT_EQ(ended.code, 128 + SIGTRAP) << ended.output;
  // Nothing of the report is lost.
  EXPECT_THAT(ended.output, AllOf(HasSubstr("REPLAY    CLOTHO_REPLAY="),
                                  HasSubstr("SEARCH    random")));
}

// ---- Artifacts. ----

std::string FilesOf(const Ended& ended) {
  const std::size_t at = ended.output.find("\nFILES     ");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + 11;
  return ended.output.substr(begin, ended.output.find('\n', begin) - begin);
}

TEST(ArtifactsTest, OnlyAFailureLeavesSome) {
  const Ended fails = RunTests("Fails.UnderSomeSchedule:Passes.InFifoOrder",
                               "--clotho_out=results/a");
  EXPECT_THAT(fails.output,
              HasSubstr("\nFILES     results/a/Fails.UnderSomeSchedule/\n"
                        "          report.txt  trace.json  trace.chrome.json  "
                        "Fails.UnderSomeSchedule.saved\n"));
  const std::string report =
      ReadFile("results/a/Fails.UnderSomeSchedule/report.txt");
  EXPECT_THAT(report, testing::StartsWith("WHAT      "));
  EXPECT_THAT(fails.output, HasSubstr(report));
  EXPECT_THAT(ReadFile("results/a/Fails.UnderSomeSchedule/trace.json"),
              HasSubstr(absl::StrCat("\"replay\":\"",
                                     ReplayIn(ReplayCommandOf(fails)), "\"")));
  EXPECT_EQ(Shell("ls results/a").output, "Fails.UnderSomeSchedule\n");
}

TEST(ArtifactsTest, NobodyWritesWithoutBeingTold) {
  EXPECT_EQ(FilesOf(RunTests("Fails.UnderSomeSchedule")), "");
}

TEST(ArtifactsTest, TheVariablesWork) {
  EXPECT_THAT(
      FilesOf(RunTests("Fails.Expectation", "", "CLOTHO_OUT=results/b")),
      HasSubstr("results/b/Fails.Expectation/"));
  EXPECT_THAT(FilesOf(RunTests("Fails.Expectation", "",
                               "TEST_UNDECLARED_OUTPUTS_DIR=results/c "
                               "TEST_TARGET=//shop:cart_test")),
              testing::StartsWith("Fails.Expectation/  report.txt"));
  EXPECT_THAT(ReadFile("results/c/Fails.Expectation/report.txt"),
              HasSubstr("in outputs.zip below bazel-testlogs/shop/cart_test/"));
}

TEST(ArtifactsTest, WhatCannotBeWrittenIsSaid) {
  const Ended ended = Shell(
      "echo in the way > file; ./sample_tests "
      "--gtest_filter=Fails.UnderSomeSchedule --clotho_out=file");
  EXPECT_EQ(ended.code, 75);
  EXPECT_THAT(FilesOf(ended),
              testing::StartsWith("none: cannot make the folder \"file/"));
}

TEST(ArtifactsTest, AGuidedSearchLeavesWhatAFuzzerCanBeginWith) {
  RunTests("Campaign.Islands", "--clotho_out=results/d");
  const std::string schedules = "results/d/corpus/Campaign.Islands/";
  EXPECT_THAT(Shell(absl::StrCat("ls ", schedules)).output,
              MatchesRegex("([0-9a-f]{16}\n)+"));
  // Each one is a schedule of this test.
  EXPECT_THAT(
      Shell(absl::StrCat("for file in ", schedules,
                         "*; do ./sample_tests --gtest_filter=Campaign.Islands "
                         "--clotho_strategy=bytes:$file >/dev/null; "
                         "echo ended with $?; done"))
          .output,
      MatchesRegex("(ended with [01]\n)+"));
}

// ---- Saved schedules. ----

TEST(SavedTest, RunFirstOnceTheyAreCopied) {
  const Ended ended = Shell(
      "./sample_tests --gtest_filter=Fails.UnderSomeSchedule "
      "--clotho_out=results/saved; mkdir -p saved; "
      "cp results/saved/*/*.saved saved/; "
      "./sample_tests --gtest_filter=Fails.UnderSomeSchedule "
      "--clotho_saved=saved");
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.output,
              AllOf(HasSubstr("SEARCH    the saved schedule c1/0/"),
                    HasSubstr(" of saved/Fails.UnderSomeSchedule.saved:1,")));
}

TEST(SavedTest, AreRunOfATestThatIsNotSearchedToo) {
  const Ended ended = Shell(
      "mkdir -p saved2; echo '# None' > saved2/Passes.InFifoOrder.saved; "
      "echo 'c1/0/900:1 issue 7' >> saved2/Passes.InFifoOrder.saved; "
      "CLOTHO_SAVED=saved2 ./sample_tests --gtest_filter=Passes.InFifoOrder "
      "--gtest_output=xml:saved.xml");
  EXPECT_EQ(ended.code, 0) << ended.output;
  EXPECT_THAT(ended.output,
              HasSubstr("[  CLOTHO  ] a saved schedule has drifted: c1/0/900:1 "
                        "of saved2/Passes.InFifoOrder.saved:2: deviation 900:1 "
                        "does not apply"));
  EXPECT_THAT(ReadFile("saved.xml"), HasSubstr("clotho_drifted"));
}

TEST(SavedTest, ALineThatDoesNotParseIsQuoted) {
  const Ended ended = Shell(
      "mkdir -p saved3; echo 'c1/0/4:one' > saved3/Passes.InFifoOrder.saved; "
      "./sample_tests --gtest_filter=Passes.InFifoOrder --clotho_saved=saved3");
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.output,
              HasSubstr("saved3/Passes.InFifoOrder.saved:1: \"c1/0/4:one\": "));
  EXPECT_THAT(ended.output, Not(HasSubstr("WHAT ")));
}

TEST(SavedTest, TheFolderThatIsNamedHasToBeThere) {
  const Ended ended = RunTests("Passes.*", "--clotho_saved=no_such_folder");
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.output, HasSubstr("--clotho_saved=\"no_such_folder\": "
                                      "expected a folder that is there"));
}

}  // namespace
}  // namespace clotho::sim
