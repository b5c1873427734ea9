// Compares the report of each test of failures_hunt with a file in reports/,
// and runs the line after its REPLAY. From the root of the workspace,
//
//   UPDATE_REPORTS=1 tools/bazel run //examples/failures:failures_test
//
// rewrites the files: review the changes before committing them.

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "clotho/sim/testing/shell.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::examples {
namespace {

using sim::internal::Ended;
using sim::internal::ReplayCommandOf;
using sim::internal::ReplayIn;
using sim::internal::Shell;
using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kLinesMax = 45;
constexpr std::size_t kColumnsMax = 100;

const Shell& Programs() {
  static const auto* const shell = new Shell("examples/failures/failures_hunt");
  return *shell;
}

struct Case {
  std::string_view test;
  int code = 1;
  std::string_view arguments = "";
};
void PrintTo(const Case& tested, std::ostream* out) { *out << tested.test; }

Ended RunCase(const Case& tested) {
  return Programs().Run(
      absl::StrCat("./failures_hunt --gtest_filter=", std::string(tested.test),
                   " ", std::string(tested.arguments)));
}

// From WHAT to the line that GoogleTest ends it with.
std::string ReportIn(const Ended& ended) {
  const std::size_t begin = ended.output.find("WHAT      ");
  if (begin == std::string::npos) return "no report:\n" + ended.output;
  std::string report = ended.output.substr(begin);
  report.resize(std::min(report.size(), report.find("\n[  FAILED  ]")));
  while (report.ends_with("\n\n")) report.pop_back();
  return report;
}

// What broke, without the replay line and what follows it.
std::string WhatIn(const Ended& ended) {
  const std::string report = ReportIn(ended);
  return report.substr(0, report.find("\n\n"));
}

// The values of a property's input, without how they were found.
std::string InputIn(const Ended& ended) {
  std::string report = ReportIn(ended);
  report.erase(0, report.find("INPUT     "));
  report.resize(std::min(report.size(), report.find("\n\n")));
  if (report.starts_with("INPUT     after ")) {
    report.replace(10, report.find('\n') + 11 - 10, "");
  }
  return report;
}

class ReportTest : public testing::TestWithParam<Case> {};
class AgainTest : public testing::TestWithParam<Case> {};

TEST_P(ReportTest, IsAsExpectedAndFitsOnAScreen) {
  const Ended ended = RunCase(GetParam());
  EXPECT_EQ(ended.code, GetParam().code) << ended.output;
  const std::string report = ReportIn(ended);
  const std::vector<std::string> lines = absl::StrSplit(report, '\n');
  EXPECT_LE(lines.size(), kLinesMax + 1);  // Nothing after the last break.
  for (const std::string& line : lines) {
    EXPECT_LE(line.size(), kColumnsMax) << line;
    for (const char c : line) EXPECT_TRUE(c >= ' ' && c <= '~') << line;
  }

  const std::string path = absl::StrCat(
      "examples/failures/reports/",
      absl::StrReplaceAll(std::string(GetParam().test), {{".", "_"}}), ".txt");
  if (std::getenv("UPDATE_REPORTS") != nullptr) {
    const char* const root = std::getenv("BUILD_WORKSPACE_DIRECTORY");
    std::ofstream out(absl::StrCat(root == nullptr ? "." : root, "/", path));
    out << report;
    EXPECT_TRUE(out.flush()) << path;
    return;
  }
  std::stringstream expected;
  expected << std::ifstream(path).rdbuf();
  EXPECT_EQ(report, expected.str()) << path;
}

TEST_P(AgainTest, ShowsTheSame) {
  const Ended found = RunCase(GetParam());
  const std::string line = ReplayCommandOf(found);
  const Ended again = Programs().Run(line);
  EXPECT_EQ(again.code, GetParam().code) << line << "\n" << again.output;
  EXPECT_EQ(WhatIn(again), WhatIn(found)) << line;
  EXPECT_EQ(InputIn(again), InputIn(found)) << line;
  // The replay string ends with a hash over what the program met.
  EXPECT_EQ(ReplayIn(ReplayCommandOf(again)), ReplayIn(line));
}

std::string NameOf(const testing::TestParamInfo<Case>& info) {
  return absl::StrReplaceAll(std::string(info.param.test), {{".", "_"}});
}

// Failures with a schedule that can be replayed.
constexpr Case kSchedules[] = {
    {"Violation.AlwaysIsFalse"},
    {"Violation.InvariantIsBroken"},
    {"Expectation.Fails"},
    {"Expectation.AssertionFails"},
    {"Exception.LeavesTheBody"},
    {"Exception.IsNeverRetrieved"},
    {"Exception.LeavesACallback"},
    {"Deadlock.InACircle"},
    {"Deadlock.ByALostWakeUp"},
    {"NoEnd.Livelock"},
    {"NoEnd.InVirtualTime"},
    {"Forgotten.Task"},
    {"Forgotten.Await"},
    {"History.IsNotLinearizable"},
    {"NotDeterministic.AStaticThatSurvives", 3},
};
INSTANTIATE_TEST_SUITE_P(OfASchedule, ReportTest, testing::ValuesIn(kSchedules),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(OfASchedule, AgainTest, testing::ValuesIn(kSchedules),
                         NameOf);

// Failures that also have an input.
constexpr Case kInputs[] = {
    {"Property.ExpectationFails"},
    {"Property.AssertionOfATaskFails"},
    {"Property.Deadlocks"},
    {"Property.HistoryIsNotLinearizable"},
};
INSTANTIATE_TEST_SUITE_P(OfAnInput, ReportTest, testing::ValuesIn(kInputs),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(OfAnInput, AgainTest, testing::ValuesIn(kInputs),
                         NameOf);

// Deaths of the process, which happen in child processes; the line after REPLAY
// is for this process.
constexpr Case kDeaths[] = {
    {"Crash.NullPointer", 1, "--clotho_isolate=1"},
    {"Crash.Terminate", 1, "--clotho_isolate=1"},
    {"Crash.Exit", 1, "--clotho_isolate=1"},
    {"Crash.OfAProperty", 1, "--clotho_isolate=1"},
};
INSTANTIATE_TEST_SUITE_P(OfADeath, ReportTest, testing::ValuesIn(kDeaths),
                         NameOf);

class DeathTest : public testing::TestWithParam<Case> {};

// "WHAT ..." up to the empty line, without the function: only a living parent
// process can look up its name.
std::string DeathIn(const Ended& ended) {
  std::string what = WhatIn(ended);
  const std::size_t function = what.find("in clotho::");
  if (function != what.npos) {
    what.erase(function, what.find(", ", function) + 2 - function);
  }
  return what;
}

TEST_P(DeathTest, AnIsolatedReplayShowsTheSameReport) {
  const Ended found = RunCase(GetParam());
  const Ended again =
      Programs().Run("CLOTHO_ISOLATE=1 " + ReplayCommandOf(found));
  EXPECT_EQ(again.code, 1);
  EXPECT_EQ(WhatIn(again), WhatIn(found));
  EXPECT_EQ(ReplayIn(ReplayCommandOf(again)), ReplayIn(ReplayCommandOf(found)));
}

TEST_P(DeathTest, TheLineAfterAgainDiesOfTheSame) {
  const Ended found = RunCase(GetParam());
  const Ended again = Programs().Run(ReplayCommandOf(found));
  EXPECT_NE(again.code, 0);
  EXPECT_EQ(DeathIn(again), DeathIn(found));
  EXPECT_EQ(ReplayIn(ReplayCommandOf(again)), ReplayIn(ReplayCommandOf(found)));
  EXPECT_THAT(again.output, Not(HasSubstr("SHRINK")));
}

TEST_P(DeathTest, WithoutIsolationTheLastWordsSayHowToGoOn) {
  const Ended died = Programs().Run(absl::StrCat(
      "./failures_hunt --gtest_filter=", std::string(GetParam().test)));
  EXPECT_NE(died.code, 0);
  const Ended again = Programs().Run(ReplayCommandOf(died));
  EXPECT_NE(again.code, 0);
  EXPECT_EQ(DeathIn(again), DeathIn(died));

  const std::size_t shrink = died.output.find("\nSHRINK    ");
  ASSERT_NE(shrink, died.output.npos) << died.output;
  const std::size_t begin = shrink + 11;
  const Ended shrunk = Programs().Run(
      died.output.substr(begin, died.output.find("\n\n", begin) - begin));
  EXPECT_EQ(ReportIn(shrunk), ReportIn(RunCase(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(Each, DeathTest, testing::ValuesIn(kDeaths), NameOf);

INSTANTIATE_TEST_SUITE_P(OfASearch, ReportTest,
                         testing::Values(Case{"Incomplete.GoalNeverReached", 5},
                                         Case{"Incomplete.CutShort", 5},
                                         Case{"Incomplete.GaveUp", 5}),
                         NameOf);

}  // namespace
}  // namespace clotho::examples
