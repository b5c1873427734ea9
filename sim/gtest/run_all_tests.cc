#include "clotho/sim/gtest/run_all_tests.h"

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/stop_requests.h"
#include "clotho/sim/flags/flags.h"
#include "clotho/sim/gtest/listeners.h"
#include "clotho/sim/gtest/test_program.h"
#include "clotho/sim/report/console.h"
#include "clotho/sim/search/crash_handler.h"
#include "clotho/sim/search/signals.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace internal {
namespace {

// One run of all tests.
class AllTestsRun {
 public:
  AllTestsRun(TestProgram& program, int argc, char** argv)
      : program_(program), argc_(argc), argv_(argv) {}

  int Run();

 private:
  // Empty: the tests are to be run. Else they are not, and this is the exit
  // code.
  std::optional<int> ReadArguments();
  void Prepare();
  int ExitCodeOf(int verdict) const;
  // Whether the filter selects no test, and that is a mistake. Bazel applies a
  // filter to many targets; a shard other than the first may have no test.
  bool SelectedNothing() const;

  TestProgram& program_;
  int argc_;
  char** const argv_;
};

int FailedTests() {
  return testing::UnitTest::GetInstance()->failed_test_count();
}

int AllTestsRun::Run() {
  program_.SetName(argv_[0]);
  InstallCrashHandlers();
  if (const std::optional<int> code = ReadArguments()) return *code;
  Prepare();
  int code = ExitCodeOf(RUN_ALL_TESTS());
  if (Interrupted()) code = 128 + stop_requests.interrupted_by;
  program_.LogEvent(absl::StrCat("{\"event\": \"end\", \"code\": ", code, "}"));
  // That line may have been what could not be written.
  if (program_.exit_code() == kInfrastructure) return kInfrastructure;
  const bool is_verdict =
      code == kFailed || code == kNotReproducible || code == kIncomplete;
  if (program_.flags().exit_zero && is_verdict &&
      FailedTests() == program_.recorded_tests()) {
    return kPassed;
  }
  return code;
}

std::optional<int> AllTestsRun::ReadArguments() {
  bool help = false;
  for (int i = 1; i < argc_; ++i) {
    const std::string_view argument = argv_[i];
    help = help || argument == "--help" || argument == "-h";
  }
  if (help) std::printf("%s\n", FlagsUsage().c_str());
  testing::InitGoogleTest(&argc_, argv_);
  // Neither runs a test.
  if (help || GTEST_FLAG_GET(list_tests)) return RUN_ALL_TESTS();
  const absl::StatusOr<Flags> flags = ReadFlags(argc_, argv_);
  if (!flags.ok()) {
    std::fprintf(stderr, "%s: %s\n", argv_[0],
                 std::string(flags.status().message()).c_str());
    return kUsage;
  }
  program_.Start(*flags);
  return std::nullopt;
}

void AllTestsRun::Prepare() {
  const Flags& flags = program_.flags();
  if (flags.format == Format::kJson) {
    program_.event_log().AlsoTo(KeepStandardOutput());
    program_.BeginEventLog();
  }
  // Also if no test has a part in it.
  if (flags.campaign()) program_.BeginEventLog();
  if (!flags.changes.empty()) PrintNote(flags.changes);
  if (!flags.replay.empty()) RefuseReplayOfManyTests();
  ShardTests(flags);
  if (!flags.test.empty()) GTEST_FLAG_SET(filter, flags.test);
  InstallTaskTableSignal();
  StopAfterInterrupt();
  PrintInColor(flags.color);
}

bool AllTestsRun::SelectedNothing() const {
  const char* const bazel = std::getenv("BAZEL_TEST");
  const Flags& flags = program_.flags();
  return testing::UnitTest::GetInstance()->test_to_run_count() == 0 &&
         (flags.shard_by_schedules || flags.shard.index == 0) &&
         (bazel == nullptr || std::string_view(bazel) != "1");
}

int AllTestsRun::ExitCodeOf(int verdict) const {
  if (SelectedNothing()) {
    const std::string filter = GTEST_FLAG_GET(filter);
    std::fprintf(stderr,
                 "%s: no test was selected by --gtest_filter=%s: expected the "
                 "name of one, as --gtest_list_tests has it\n",
                 argv_[0], filter.c_str());
    return kNoTest;
  }
  const int code = program_.exit_code();
  // A failure counts for more than a search that was cut short.
  if (code == kPassed) return verdict;
  if (code == kIncomplete && FailedTests() > program_.incomplete_tests()) {
    return verdict;
  }
  return code;
}

}  // namespace
}  // namespace internal

int RunAllTests(int argc, char** argv) {
  return internal::AllTestsRun(internal::TestProgram::Get(), argc, argv).Run();
}

}  // namespace clotho::sim
