// A test program while it runs: signals, the watchdog, and supervision.

#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
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

const internal::Shell& SignalsTests() {
  static const auto* const shell =
      new internal::Shell("sim/testing/signals_tests");
  return *shell;
}

Ended RunTests(std::string_view filter, std::string_view arguments = "",
               std::string_view variables = "") {
  return SignalsTests().Run(
      absl::StrCat(std::string(variables), " ./signals_tests --gtest_filter=",
                   std::string(filter), " ", std::string(arguments)));
}

std::string Sends(int signal) { return absl::StrCat("SIGNAL=", signal); }

bool Exists(const std::string& name) {
  return std::ifstream(absl::StrCat(SignalsTests().folder(), "/", name)).good();
}

std::string ReadFile(const std::string& name) {
  std::stringstream content;
  content << std::ifstream(absl::StrCat(SignalsTests().folder(), "/", name))
                 .rdbuf();
  return content.str();
}

// ---- Signals that end the search. ----

TEST(InterruptTest, FinishesTheExecution) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const Ended ended =
        RunTests("Interrupted.InTheTenthExecution:LastOfAll.*",
                 "--gtest_output=xml:interrupted.xml", Sends(signal));
    EXPECT_EQ(ended.code, 128 + signal) << ended.output;
    EXPECT_THAT(
        ended.output,
        AllOf(HasSubstr("[  CLOTHO  ] interrupted: this execution is finished"),
              HasSubstr("interrupted after 9 executions, of which none failed"),
              // The following tests do not begin.
              HasSubstr("[  SKIPPED ] 2 tests"), Not(HasSubstr("WHAT "))));
    EXPECT_THAT(ReadFile("interrupted.xml"),
                HasSubstr("interrupted after 9 executions"));
  }
}

TEST(InterruptTest, WhatWasFoundIsShrunkAndWritten) {
  const Ended ended =
      RunTests("Interrupted.InTheExecutionThatFails:LastOfAll.*",
               "--clotho_out=found", Sends(SIGINT));
  EXPECT_EQ(ended.code, 128 + SIGINT) << ended.output;
  EXPECT_THAT(ended.output,
              AllOf(HasSubstr("SCHEDULE  1 deviation from FIFO"),
                    HasSubstr("FILES     found/"), HasSubstr("SKIPPED ] 2")));
  EXPECT_TRUE(Exists("found/Interrupted.InTheExecutionThatFails/report.txt"));
  // From another run.
  EXPECT_EQ(SignalsTests().Run(ReplayCommandOf(ended)).code, 1);
}

TEST(InterruptTest, TheSecondTimeEndsItNow) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const Ended ended =
        RunTests("Interrupted.InTheTenthExecutionTwice", "", Sends(signal));
    EXPECT_EQ(ended.code, 128 + signal) << ended.output;
    EXPECT_THAT(ended.output,
                AllOf(HasSubstr(absl::StrCat("WHAT      Signal ", signal)),
                      HasSubstr("task main, t = 5 ms, step "),
                      HasSubstr("REPLAY    CLOTHO_REPLAY=c1/0/"),
                      Not(HasSubstr("none failed"))));
  }
}

TEST(InterruptTest, AStepThatDoesNotEndIsNotWaitedFor) {
  const Ended ended = RunTests("Interrupted.WhereNothingMoves",
                               "--clotho_step_watchdog=0", Sends(SIGTERM));
  EXPECT_EQ(ended.code, 128 + SIGTERM) << ended.output;
  EXPECT_THAT(ended.output, AllOf(HasSubstr("WHAT      Signal 15 (SIGTERM)\n"),
                                  HasSubstr("task main, t = 5 ms, step 2")));
}

TEST(InterruptTest, ASearchInAChildEnds) {
  const Ended ended =
      RunTests("Interrupted.InTheTenthExecution", "--clotho_isolate=1",
               "TO_PARENT=1 " + Sends(SIGTERM));
  EXPECT_EQ(ended.code, 128 + SIGTERM) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("interrupted after 0 executions"));
}

TEST(InterruptTest, ItIsNotRepeated) {
  const Ended ended = RunTests("Interrupted.InTheTenthExecution",
                               "--gtest_repeat=-1", Sends(SIGINT));
  EXPECT_EQ(ended.code, 128 + SIGINT) << ended.output;
}

TEST(InterruptTest, WithoutASearchASignalIsWhatItAlwaysIs) {
  const Ended ended = RunTests("Table.WithoutASearch", "", Sends(SIGINT));
  EXPECT_EQ(ended.code, 128 + SIGINT);
  EXPECT_THAT(ended.output, Not(HasSubstr("interrupted")));
}

// ---- The watchdog. ----

TEST(WatchdogTest, EndsAStepThatDoesNot) {
  const Ended ended = RunTests("Stuck.InAStep", "--clotho_step_watchdog=200ms");
  EXPECT_EQ(ended.code, 128 + SIGABRT) << ended.output;
  EXPECT_THAT(
      ended.output,
      AllOf(HasSubstr("WHAT      One step has taken more than 200 ms of real "
                      "time (--clotho_step_watchdog)\n"
                      "          task main, t = 5 ms, step "),
            HasSubstr("\nREPLAY    CLOTHO_REPLAY=c1/0/")));
  // The variable, and the line that was printed.
  const Ended again = SignalsTests().Run("export CLOTHO_STEP_WATCHDOG=0.1s\n" +
                                         ReplayCommandOf(ended));
  EXPECT_EQ(again.code, 128 + SIGABRT);
  EXPECT_THAT(again.output,
              HasSubstr("One step has taken more than 100 ms of real time"));
}

TEST(WatchdogTest, InAChildItIsAReport) {
  const Ended ended = RunTests(
      "Stuck.InAStep",
      "--clotho_isolate=1 --clotho_step_watchdog=200ms --clotho_shrink_for=0");
  EXPECT_EQ(ended.code, 1) << ended.output;
  EXPECT_THAT(ended.output,
              AllOf(HasSubstr("WHAT      One step has taken more than 200 ms"),
                    HasSubstr("REPLAY    CLOTHO_REPLAY=")));
}

TEST(WatchdogTest, ManyShortStepsAreNoLongOne) {
  EXPECT_EQ(RunTests("Busy.*", "--clotho_step_watchdog=100ms").code, 0);
}

// ---- The task table. ----

TEST(TaskTableTest, IsWrittenAtTheNextStep) {
  const Ended ended = RunTests("Table.OfTasks", "", Sends(SIGUSR1));
  EXPECT_EQ(ended.code, 0) << ended.output;
  EXPECT_THAT(
      ended.output,
      AllOf(HasSubstr("[  CLOTHO  ] Table.OfTasks, run 1, step "),
            HasSubstr(", t = 5 ms\n"),
            HasSubstr("\n  main    waits for Sleep(1 s) at "),
            HasSubstr("\n  holder  waits for Sleep(1 s) at "),
            testing::ContainsRegex(
                "\n  waiter  waits for Lock .* at .*, held by holder\n"),
            HasSubstr("\n  fresh   has not started, created at ")));
}

TEST(TaskTableTest, DoesNotDisturb) {
  const std::string strategy =
      "--clotho_strategy=random --clotho_schedules=50 --gtest_output=xml:";
  const Ended quiet = RunTests("Table.OfTasks", strategy + "quiet.xml");
  const Ended asked =
      RunTests("Table.OfTasks", strategy + "asked.xml", Sends(SIGUSR1));
  EXPECT_EQ(asked.code, quiet.code);
  const auto steps = [](const std::string& xml) {
    const std::size_t at = xml.find("name=\"clotho_steps\"");
    return xml.substr(at, xml.find("/>", at) - at);
  };
  EXPECT_THAT(ReadFile("asked.xml"), HasSubstr("clotho_steps"));
  EXPECT_EQ(steps(ReadFile("asked.xml")), steps(ReadFile("quiet.xml")));
}

TEST(TaskTableTest, WithoutASearchThereIsNone) {
  const Ended ended = RunTests("Table.WithoutASearch", "", Sends(SIGUSR1));
  EXPECT_EQ(ended.code, 0) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("[  CLOTHO  ] no search runs now\n"));
}

// ---- Supervision. ----

TEST(RateTest, RealTimePassesToo) {
  using Clock = std::chrono::steady_clock;
  for (const char* how :
       {"--clotho_rate=5", "--clotho_rate=5 --clotho_replay=c1/0/fifo",
        "--clotho_rate=5 --clotho_replay=c1/0/+random:1"}) {
    const Clock::time_point begin = Clock::now();
    const Ended ended = RunTests("Watched.*", how);
    EXPECT_EQ(ended.code, 0) << ended.output;
    EXPECT_GE(Clock::now() - begin, std::chrono::milliseconds(200)) << how;
  }
  EXPECT_EQ(RunTests("Watched.*", "--clotho_rate=fast").code, 2);
  EXPECT_EQ(RunTests("Watched.*", "--clotho_rate=-1").code, 2);
  EXPECT_EQ(RunTests("Watched.*", "", "CLOTHO_RATE=").code, 2);
}

TEST(RateTest, ChangesNoExecution) {
  const auto steps = [](std::string_view arguments) {
    EXPECT_EQ(RunTests("Watched.*", absl::StrCat("--gtest_output=xml:rate.xml ",
                                                 std::string(arguments)))
                  .code,
              0);
    const std::string xml = ReadFile("rate.xml");
    const std::size_t at = xml.find("name=\"clotho_steps\"");
    return xml.substr(at, xml.find("/>", at) - at);
  };
  EXPECT_EQ(steps("--clotho_rate=1000"), steps(""));
}

TEST(BreakTest, StopsBeforeTheStep) {
  // A debugger shows the program where it stops; without a debugger it ends
  // like this.
  const Ended ended = RunTests("Table.OfTasks",
                               "--clotho_break_before=3 "
                               "--clotho_replay=c1/0/fifo --clotho_out=b");
  EXPECT_EQ(ended.code, 128 + SIGTRAP) << ended.output;
  // It stops once, and then continues: of the runs of a replay, in the first.
  const Ended trapped = RunTests(
      "Table.OfTasks", "--clotho_break_before=3 --clotho_replay=c1/0/fifo",
      "TRAPS=yes");
  EXPECT_EQ(trapped.code, 0);
  EXPECT_THAT(trapped.output, testing::ContainsRegex("\nTRAP\n[^T]*OK"));
  // There is no such step.
  EXPECT_EQ(RunTests("Table.OfTasks", "--clotho_break_before=1000").code, 0);
  EXPECT_EQ(RunTests("Table.OfTasks", "--clotho_break_before=0").code, 2);
}

TEST(TraceTest, NeverLeavesThemOut) {
  const Ended ended = RunTests("Interrupted.InTheExecutionThatFails",
                               "--clotho_out=never --clotho_trace=never");
  EXPECT_EQ(ended.code, 1);
  const std::string folder = "never/Interrupted.InTheExecutionThatFails/";
  EXPECT_TRUE(Exists(folder + "report.txt"));
  EXPECT_FALSE(Exists(folder + "trace.json"));
  EXPECT_FALSE(Exists(folder + "trace.chrome.json"));
  EXPECT_THAT(ReadFile(folder + "report.txt"), HasSubstr("  step  time  "));
}

TEST(TraceTest, AlwaysWritesThatOfARunThatPasses) {
  EXPECT_EQ(RunTests("Watched.*", "--clotho_out=quiet").code, 0);
  EXPECT_FALSE(Exists("quiet/Watched.TakesASecond/trace.json"));
  for (const char* how : {"", "CLOTHO_REPLAY=c1/0/fifo"}) {
    const Ended ended = RunTests("Watched.*", "--clotho_out=passes",
                                 absl::StrCat("CLOTHO_TRACE=always ", how));
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.output,
                HasSubstr("[  CLOTHO  ] passes/Watched.TakesASecond/  "
                          "trace.json  trace.chrome.json\n"));
    EXPECT_THAT(ReadFile("passes/Watched.TakesASecond/trace.json"),
                AllOf(HasSubstr("\"replay\":\"c1/0/fifo"),
                      HasSubstr("\"test\":\"Watched.TakesASecond\"")));
    EXPECT_EQ(SignalsTests().Run("rm -r passes").code, 0);
  }
  // Without --clotho_out.
  EXPECT_THAT(RunTests("Watched.*", "--clotho_trace=always").output,
              HasSubstr("] clotho-out/Watched.TakesASecond/  trace.json"));
  EXPECT_EQ(RunTests("Watched.*", "--clotho_trace=yes").code, 2);
}

// ---- Colours and formats. ----

constexpr std::string_view kFails = "Interrupted.InTheExecutionThatFails";

TEST(ColorTest, IsForTerminals) {
  // There is no terminal here.
  EXPECT_THAT(RunTests(kFails).output, Not(HasSubstr("\033[")));
  const Ended ended =
      RunTests(kFails,
               "--clotho_color=always --gtest_output=xml:color.xml "
               "--clotho_out=color");
  EXPECT_THAT(ended.output,
              AllOf(HasSubstr("\033[1mWHAT\033[0m    "),
                    HasSubstr("\033[1mREPLAY\033[0m    "),
                    HasSubstr("\033[1;31mX "), HasSubstr("\033[33m*")));
  // Files have no colours.
  EXPECT_THAT(ReadFile("color.xml"),
              AllOf(HasSubstr("WHAT "), Not(HasSubstr("\033"))));
  EXPECT_THAT(
      ReadFile(absl::StrCat("color/", std::string(kFails), "/report.txt")),
      AllOf(HasSubstr("WHAT "), Not(HasSubstr("\033"))));
  EXPECT_EQ(RunTests(kFails, "--clotho_color=red").code, 2);
}

// script(1) provides a terminal.
Ended OnATerminal(const std::string& variables, const std::string& arguments) {
  return SignalsTests().Run(absl::StrCat(
      "TERM=xterm ", variables, " script --quiet --return --command ",
      "'./signals_tests --gtest_filter=", std::string(kFails), " ", arguments,
      "' /dev/null"));
}

TEST(ColorTest, OnATerminalUnlessItIsNotWanted) {
  if (SignalsTests().Run("command -v script").code != 0) {
    GTEST_SKIP() << "no script(1)";
  }
  EXPECT_THAT(OnATerminal("", "").output, HasSubstr("\033[1mWHAT\033[0m "));
  EXPECT_THAT(OnATerminal("NO_COLOR=1", "").output,
              Not(HasSubstr("\033[1mWHAT")));
  EXPECT_THAT(OnATerminal("CLOTHO_COLOR=never", "").output,
              Not(HasSubstr("\033[1mWHAT")));
  EXPECT_THAT(OnATerminal("TERM=dumb", "").output,
              Not(HasSubstr("\033[1mWHAT")));
  EXPECT_THAT(OnATerminal("NO_COLOR=1", "--clotho_color=auto").output,
              HasSubstr("\033[1mWHAT"));
}

TEST(FormatTest, GithubAnnotatesThePlace) {
  const Ended ended = RunTests(kFails, "", "CLOTHO_FORMAT=github");
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(
      ended.output,
      AllOf(HasSubstr("\nWHAT      "),
            testing::ContainsRegex(
                "\n::error file=[^,]*signals_tests.cc,line=[0-9]+,title="
                "Interrupted.InTheExecutionThatFails::WHAT      ")));
  // One line.
  const std::size_t at = ended.output.find("\n::error ") + 1;
  const std::string line =
      ended.output.substr(at, ended.output.find('\n', at) - at);
  EXPECT_THAT(line, AllOf(HasSubstr("%0A%0AREPLAY    CLOTHO_REPLAY="),
                          HasSubstr("SEARCH    random")));
  EXPECT_EQ(RunTests(kFails, "--clotho_format=xml").code, 2);
}

TEST(FormatTest, JsonIsAllThereIsOnStandardOutput) {
  const Ended ended = SignalsTests().Run(
      absl::StrCat("./signals_tests --clotho_format=json --clotho_out=json "
                   "--gtest_filter=Watched.*:",
                   std::string(kFails), " 2>stderr.txt"));
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.output, ReadFile("json/results.jsonl"));
  EXPECT_THAT(
      ended.output,
      AllOf(testing::StartsWith("{\"event\": \"run\", \"clotho_results\": 1, "),
            HasSubstr("\n{\"event\": \"failure\", \"test\": "
                      "\"Interrupted.InTheExecutionThatFails\", "),
            HasSubstr("\"folder\": \"Interrupted.InTheExecutionThatFails\"}\n"),
            HasSubstr("\n{\"event\": \"test\", \"test\": "
                      "\"Watched.TakesASecond\", \"shard\": 0, \"verdict\": "
                      "\"passed\", \"executions\": 1, \"failures\": 0}\n"),
            testing::EndsWith("\n{\"event\": \"end\", \"code\": 1}\n")));
  EXPECT_THAT(ReadFile("stderr.txt"),
              AllOf(HasSubstr("WHAT      "), HasSubstr("[  FAILED  ] 1 test")));
  // Without a folder, and for a campaign.
  EXPECT_THAT(SignalsTests()
                  .Run("./signals_tests --clotho_format=json "
                       "--clotho_failures=0 --clotho_schedules=100 "
                       "--gtest_filter=LastOfAll.Passes 2>/dev/null")
                  .output,
              AllOf(HasSubstr("{\"event\": \"test\", \"test\": "
                              "\"LastOfAll.Passes\", "),
                    HasSubstr("\"executions\": 100,"),
                    testing::EndsWith("{\"event\": \"end\", \"code\": 0}\n")));
}

// A resumed campaign finds a record that ends between executions.
TEST(InterruptTest, ACampaignLeavesItsRecord) {
  const Ended ended =
      RunTests("Interrupted.InTheTenthExecution",
               "--clotho_failures=0 --clotho_out=campaign", Sends(SIGTERM));
  EXPECT_EQ(ended.code, 128 + SIGTERM) << ended.output;
  EXPECT_THAT(
      ReadFile("campaign/Interrupted.InTheTenthExecution/shard-0-of-1.json"),
      AllOf(HasSubstr("\"complete\": false"), Not(HasSubstr("\"next\": 0,"))));
  EXPECT_THAT(ReadFile("campaign/results.jsonl"),
              HasSubstr("{\"event\": \"end\", \"code\": 143}"));
}

}  // namespace
}  // namespace clotho::sim
