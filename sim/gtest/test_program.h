// TestProgram: what the tests of one process share.

#ifndef CLOTHO_SIM_GTEST_TEST_PROGRAM_H_
#define CLOTHO_SIM_GTEST_TEST_PROGRAM_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "clotho/sim/flags/flags.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/event_log.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {

// How a test program ends.
enum ExitCode {
  kPassed = 0,
  kFailed = 1,
  kUsage = 2,
  kNotReproducible = 3,
  kNoTest = 4,
  kIncomplete = 5,
  kInternalError = 70,
  kInfrastructure = 75,
};

// There is one for the process: tests register themselves before main begins,
// and GoogleTest runs them as functions without arguments. The main function
// calls Start; if it is not Clotho's, the first test starts the program itself.
class TestProgram {
 public:
  using Clock = std::chrono::steady_clock;

  static TestProgram& Get();

  TestProgram(const TestProgram&) = delete;
  TestProgram& operator=(const TestProgram&) = delete;

  // ---- For main functions. ----

  // The first thing to do: reports name the program, and crashes are reported.
  // A fuzzing engine has handlers of its own: see InstallCrashHandlers.
  void SetName(const char* argv0);
  // Takes the flags and variables from here on.
  void Start(const Flags& flags);

  // ---- For tests. ----

  // Reads the environment if the main function has not started the program: it
  // is then GoogleTest's own. OK, or why no test can be run as it was asked
  // for.
  const absl::Status& StartWithoutMain();

  const Flags& flags() const { return flags_; }

  // Remembers that executions of "suite.name" are searched. True.
  bool AddSearched(std::string_view suite, std::string_view name);
  bool IsSearched(const testing::TestInfo& info) const;

  // Whether `name` is the first test that the replay string is used for: it is
  // for one test.
  bool TakeReplay(const std::string& name);

  // The time that is left for the whole run is shared out equally among the
  // searched tests that have not begun. Empty: there is no limit.
  std::optional<Clock::time_point> DeadlineOfNextTest();

  // ---- The event log: see search/event_log.h. ----

  EventLog& event_log() { return event_log_; }
  void BeginEventLog();
  void LogEvent(const std::string& line);
  // What a test that had no campaign found.
  void LogTest(const std::string& name, const Report& report);

  // ---- What GoogleTest's own verdict does not say. ----

  int exit_code() const { return exit_code_; }
  // An internal error, or one of the infrastructure, stays.
  void SetExitCode(ExitCode code);
  // An exception has left a search.
  void SetInternalError() { exit_code_ = kInternalError; }
  // Results cannot be written. Tests go on, but another attempt is due.
  void FailInfrastructure(const std::string& what);
  void FailInfrastructure(const absl::Status& status) {
    if (!status.ok()) FailInfrastructure(std::string(status.message()));
  }
  // A test failed only because it was cut short.
  void AddIncomplete();
  // The failure of a test is in a record.
  void AddRecorded() { ++recorded_tests_; }
  int incomplete_tests() const { return incomplete_tests_; }
  int recorded_tests() const { return recorded_tests_; }

  // ---- Of a fuzz target. ----

  // The input to run the test with. Null: this is no fuzz target.
  const std::string* fuzz_input() const { return fuzz_input_; }
  void set_fuzz_input(const std::string* input) {
    fuzz_input_ = input;
    fuzz_input_was_run_ = false;
  }
  // Whether a CLOTHO_TEST has taken the input.
  bool fuzz_input_was_run() const { return fuzz_input_was_run_; }
  void SetFuzzInputWasRun() { fuzz_input_was_run_ = true; }

 private:
  TestProgram() = default;

  absl::Status ReadEnvironment();

  std::string name_;  // argv[0].
  Flags flags_;
  bool started_ = false;
  // Whether the main function is not Clotho's; what came of that.
  bool without_main_ = false;
  absl::Status status_;
  Clock::time_point begun_;

  std::set<std::string> searched_tests_;  // "Suite.Name".
  std::string replayed_test_;             // Empty: none yet.
  std::int64_t deadlines_given_ = 0;

  EventLog event_log_;
  bool event_log_begun_ = false;

  int exit_code_ = kPassed;
  int incomplete_tests_ = 0;
  int recorded_tests_ = 0;

  const std::string* fuzz_input_ = nullptr;
  bool fuzz_input_was_run_ = false;
};

// Prints a line that GoogleTest's own lines do not hide.
void PrintNote(std::string_view text);

// "suite.name" of a test.
std::string FullName(const testing::TestInfo& info);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_GTEST_TEST_PROGRAM_H_
