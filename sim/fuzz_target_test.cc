// A fuzz target from outside: what an engine and a person see of it.

#include <fstream>
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

// How sh reports a signal.
constexpr int kAborted = 128 + 6;

const internal::Shell& FuzzTarget() {
  static const auto* const shell =
      new internal::Shell("sim/testing/sample_fuzz_target");
  return *shell;
}

Ended Fuzz(std::string_view arguments, std::string_view variables = "") {
  return FuzzTarget().Run(absl::StrCat(std::string(variables),
                                       " ./sample_fuzz_target ",
                                       std::string(arguments)));
}

// The name of a file with such an input.
std::string Input(const std::string& name, std::string_view bytes) {
  std::ofstream(absl::StrCat(FuzzTarget().folder(), "/", name),
                std::ios::binary)
      << bytes;
  return name;
}

// The first one-byte input under which the test fails.
std::string FailingInput() {
  static const std::string* const failing = [] {
    for (int byte = 0; byte < 256; ++byte) {
      const std::string name = Input(absl::StrCat("byte-", byte),
                                     std::string(1, static_cast<char>(byte)));
      if (Fuzz("--clotho_test=Fails.UnderSomeSchedule " + name).code != 0) {
        return new std::string(name);
      }
    }
    return new std::string("none");
  }();
  return *failing;
}

TEST(FuzzTargetTest, AnInputIsASchedule) {
  const std::string failing = FailingInput();
  const Ended passes = Fuzz(
      absl::StrCat("--clotho_test=Fails.UnderSomeSchedule ", Input("empty", ""),
                   " ", Input("zeros", std::string(2, '\0'))));
  EXPECT_EQ(passes.code, 0) << passes.output;
  EXPECT_EQ(passes.output, "ran empty\nran zeros\n");
  const Ended fails =
      Fuzz("--clotho_test=Fails.UnderSomeSchedule empty " + failing);
  EXPECT_EQ(fails.code, kAborted) << fails.output;
  EXPECT_THAT(fails.output, AllOf(HasSubstr("ran empty\n"), HasSubstr("WHAT "),
                                  HasSubstr("not in turns"),
                                  HasSubstr("SCHEDULE  1 deviation from FIFO"),
                                  HasSubstr("SEARCH    bytes, "),
                                  Not(HasSubstr("ran " + failing))));
  // Engines distinguish crashes by what follows the report.
  EXPECT_THAT(fails.output, HasSubstr("\n[FATAL:sim/testing/sample_tests.cc("));
  const std::size_t line = fails.output.find(")] Check failed: expectation ");
  EXPECT_NE(line, std::string::npos) << fails.output;
  EXPECT_LT(fails.output.find("SEARCH    "), line);
}

TEST(FuzzTargetTest, TheVariableNamesTheTest) {
  EXPECT_EQ(Fuzz(FailingInput(), "CLOTHO_TEST=Fails.UnderSomeSchedule").code,
            kAborted);
}

TEST(FuzzTargetTest, TheLineAfterAgainReplaysInTheTargetItself) {
  const Ended fails =
      Fuzz("--clotho_test=Fails.UnderSomeSchedule " + FailingInput());
  const Ended again = FuzzTarget().Run(ReplayCommandOf(fails));
  EXPECT_EQ(again.code, 1) << ReplayCommandOf(fails) << "\n" << again.output;
  EXPECT_THAT(again.output, HasSubstr("[  FAILED  ] 1 test, listed below:"));
  EXPECT_EQ(ReplayIn(ReplayCommandOf(again)), ReplayIn(ReplayCommandOf(fails)));
}

TEST(FuzzTargetTest, AnyTestProgramReplaysTheInput) {
  const internal::Shell tests("sim/testing/sample_tests");
  const std::string input =
      absl::StrCat(FuzzTarget().folder(), "/", FailingInput());
  const Ended ended = tests.Run(
      absl::StrCat("./sample_tests --clotho_test=Fails.UnderSomeSchedule "
                   "--clotho_strategy=bytes:",
                   input));
  EXPECT_EQ(ended.code, 1) << ended.output;
  EXPECT_THAT(ended.output, AllOf(HasSubstr("Running 1 test "),
                                  HasSubstr("SEARCH    bytes, "),
                                  HasSubstr("execution 1 of 1")));
  const Ended fails =
      Fuzz("--clotho_test=Fails.UnderSomeSchedule " + FailingInput());
  EXPECT_EQ(ReplayIn(ReplayCommandOf(ended)), ReplayIn(ReplayCommandOf(fails)));
  // The empty input is FIFO order.
  EXPECT_EQ(tests
                .Run("touch nothing; ./sample_tests "
                     "--clotho_test=Fails.UnderSomeSchedule "
                     "--clotho_strategy=bytes:nothing")
                .code,
            0);
  for (const char* missing : {"bytes", "bytes:", "bytes:no_such_file"}) {
    const Ended wrong =
        tests.Run(absl::StrCat("./sample_tests --clotho_strategy=", missing));
    EXPECT_EQ(wrong.code, 2);
    EXPECT_THAT(wrong.output, HasSubstr("cannot read the file: expected "));
  }
}

TEST(FuzzTargetTest, FixturesAndParametersWork) {
  const Ended ended = Fuzz("--clotho_test=Three/WithASuite.IsSetUp/0 " +
                           Input("e", "") + " e e");
  EXPECT_EQ(ended.output, "ran e\nran e\nran e\n");
}

TEST(FuzzTargetTest, ACrashSaysHowToSeeItAgain) {
  const Ended ended = Fuzz("--clotho_test=Crashes.BySignal " + Input("e", ""));
  EXPECT_NE(ended.code, 0);
  EXPECT_THAT(ended.output, HasSubstr("\nREPLAY    CLOTHO_REPLAY=c1/0/fifo "));
}

TEST(FuzzTargetTest, ItNeedsOneTest) {
  const Ended none = Fuzz("empty");
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.output,
              AllOf(HasSubstr("no test is named: expected --clotho_test=NAME"),
                    HasSubstr("\n  Fails.UnderSomeSchedule\n")));
  const Ended unknown = Fuzz("--clotho_test=Fails.Never empty");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.output, HasSubstr("unknown test \"Fails.Never\": "));
  const Ended fifo = Fuzz("--clotho_test=Passes.WithoutASimulation empty");
  EXPECT_EQ(fifo.code, 2);
  EXPECT_THAT(fifo.output,
              HasSubstr("Passes.WithoutASimulation: cannot be fuzzed: it is no "
                        "CLOTHO_TEST"));
  EXPECT_EQ(Fuzz("--clotho_tset=Fails.Expectation empty").code, 2);
}

}  // namespace
}  // namespace clotho::sim
