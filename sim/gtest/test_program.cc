#include "clotho/sim/gtest/test_program.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/debugging/symbolize.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/stop_requests.h"
#include "clotho/sim/flags/flags.h"
#include "clotho/sim/gtest/listeners.h"
#include "clotho/sim/report/artifacts.h"
#include "clotho/sim/report/console.h"
#include "clotho/sim/report/replay_command.h"
#include "clotho/sim/search/campaign_record.h"
#include "clotho/sim/search/crash_handler.h"
#include "clotho/sim/search/signals.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

constexpr std::string_view kLinkOurMain =
    "link the program with //sim:testing_main instead of gtest_main";

// The arguments that this process was started with.
std::vector<std::string> CommandLine() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  const std::string all((std::istreambuf_iterator<char>(in)),
                        std::istreambuf_iterator<char>());
  std::vector<std::string> arguments = absl::StrSplit(all, '\0');
  arguments.pop_back();  // Each argument ends with '\0'.
  if (arguments.empty()) {
    std::error_code error;
    arguments.push_back(
        std::filesystem::read_symlink("/proc/self/exe", error).native());
  }
  return arguments;
}

// Clotho's flags, which only Clotho's main function reads.
absl::Status CheckNoFlags(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    const std::string_view text = argument;
    if (text.substr(0, 9) == "--clotho_" || text.substr(0, 8) == "-clotho_") {
      return absl::InvalidArgumentError(absl::StrCat(
          argument, " has no effect: the main function of this program does ",
          "not read Clotho's flags: ", std::string(kLinkOurMain)));
    }
  }
  return absl::OkStatus();
}

// Variables that select tests, or replace what GoogleTest prints and returns,
// come too late when the first test runs.
absl::Status CheckNotTooLate(const Flags& flags) {
  for (const char* name : {"CLOTHO_EXIT_ZERO", "CLOTHO_SHARD",
                           "CLOTHO_SHARD_BY", "CLOTHO_TEST", "CLOTHO_FORMAT"}) {
    if (std::getenv(name) == nullptr) continue;
    if (std::string_view(name) == "CLOTHO_FORMAT" &&
        flags.format != Format::kJson) {
      continue;
    }
    return absl::InvalidArgumentError(absl::StrCat(
        name, " has no effect: it has to be read before the first test runs, ",
        "which the main function of this program does not do: ",
        std::string(kLinkOurMain)));
  }
  return absl::OkStatus();
}

}  // namespace

TestProgram& TestProgram::Get() {
  static TestProgram* const program = new TestProgram;
  return *program;
}

void TestProgram::SetName(const char* argv0) {
  absl::InitializeSymbolizer(argv0);
  SetProgram(argv0);
  name_ = argv0;
}

void TestProgram::Start(const Flags& flags) {
  started_ = true;
  flags_ = flags;
  begun_ = Clock::now();
}

const absl::Status& TestProgram::StartWithoutMain() {
  if (std::exchange(started_, true)) return status_;
  without_main_ = true;
  status_ = ReadEnvironment();
  return status_;
}

absl::Status TestProgram::ReadEnvironment() {
  const std::vector<std::string> arguments = CommandLine();
  SetName(arguments[0].c_str());
  InstallCrashHandlers();
  char* argv[] = {name_.data(), nullptr};
  const absl::StatusOr<Flags> flags = ReadFlags(/*argc=*/1, argv);
  absl::Status status = flags.status();
  if (status.ok()) status = CheckNotTooLate(*flags);
  if (status.ok()) status = CheckNoFlags(arguments);
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name_, ": ", std::string(status.message())));
  }
  Start(*flags);
  if (!flags->changes.empty()) PrintNote(flags->changes);
  InstallTaskTableSignal();
  PrintInColor(flags->color);
  StopAfterInterrupt();
  LogEndOfProgram();
  return absl::OkStatus();
}

bool TestProgram::AddSearched(std::string_view suite, std::string_view name) {
  return searched_tests_
      .insert(absl::StrCat(std::string(suite), ".", std::string(name)))
      .second;
}

bool TestProgram::IsSearched(const testing::TestInfo& info) const {
  std::string_view name = info.name();
  name = name.substr(0, name.find('/'));
  // "All/QueueTest.Works/3" is an instance of "QueueTest.Works"; so is
  // "QueueTest/0.Works", of a typed test.
  const std::vector<std::string> suites =
      absl::StrSplit(info.test_suite_name(), '/');
  for (const std::string& suite : suites) {
    if (searched_tests_.contains(absl::StrCat(suite, ".", std::string(name)))) {
      return true;
    }
  }
  return false;
}

bool TestProgram::TakeReplay(const std::string& name) {
  if (replayed_test_.empty()) replayed_test_ = name;
  return replayed_test_ == name;
}

std::optional<TestProgram::Clock::time_point>
TestProgram::DeadlineOfNextTest() {
  if (!flags_.budget.has_value()) return std::nullopt;
  const Clock::time_point now = Clock::now();
  const std::chrono::nanoseconds left =
      std::max(std::chrono::nanoseconds(0),
               begun_ + std::chrono::nanoseconds(flags_.budget->ns()) - now);
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  std::int64_t tests = 0;
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *all.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      const testing::TestInfo& info = *suite.GetTestInfo(j);
      tests += info.should_run() && IsSearched(info);
    }
  }
  return now + left / std::max<std::int64_t>(1, tests - deadlines_given_++);
}

void TestProgram::BeginEventLog() {
  if (std::exchange(event_log_begun_, true)) return;
  if (!flags_.out.empty()) FailInfrastructure(event_log_.Open(flags_.out));
  LogEvent(absl::StrCat(
      "{\"event\": \"run\", \"clotho_results\": 1, \"program\": ",
      JsonString(name_), ", \"flags\": ", JsonString(flags_.changes),
      ", \"shard\": ", flags_.shard.index, ", \"shards\": ", flags_.shard.count,
      ", \"block\": ", flags_.shard.block, ", \"shard_by\": \"",
      flags_.shard_by_schedules ? "schedules" : "tests", "\"}"));
}

void TestProgram::LogEvent(const std::string& line) {
  FailInfrastructure(event_log_.Write(line));
}

void TestProgram::LogTest(const std::string& name, const Report& report) {
  if (!event_log_.is_open()) return;
  if (!report.passed()) {
    const Failure& failure = *report.failure();
    const Finding finding = {
        .signature = failure.signature,
        .kind = std::string(report.KindName()),
        .what = failure.what,
        .place = failure.line == 0 ? "" : Place(failure.file, failure.line),
        // From 0; a replay is the only one.
        .first =
            report.search.executions == 0 ? 0 : report.search.executions - 1,
        .hits = 1,
        .replay = FormatReplay(report.replay),
        .deviations = report.trace.deviations.size(),
        .part = "",
        .folder = flags_.out.empty() ? "" : FileName(name)};
    LogEvent(
        absl::StrCat("{\"event\": \"failure\", \"test\": ", JsonString(name),
                     ", \"shard\": 0, ", FindingMembers(finding), "}"));
  }
  LogEvent(absl::StrCat(
      "{\"event\": \"test\", \"test\": ", JsonString(name),
      ", \"shard\": 0, \"verdict\": \"",
      report.incomplete() || (report.passed() && Interrupted()) ? "incomplete"
      : report.passed()                                         ? "passed"
                                                                : "failed",
      "\", \"executions\": ", report.search.executions,
      ", \"failures\": ", report.passed() ? 0 : 1, "}"));
}

void TestProgram::SetExitCode(ExitCode code) {
  if (exit_code_ != kInternalError && exit_code_ != kInfrastructure) {
    exit_code_ = code;
  }
}

void TestProgram::FailInfrastructure(const std::string& what) {
  std::fprintf(stderr, "[  CLOTHO  ] %s\n", what.c_str());
  if (exit_code_ != kInternalError) exit_code_ = kInfrastructure;
  // GoogleTest's main function knows of no other exit code.
  if (without_main_) ADD_FAILURE() << what;
  const char* const file = std::getenv("TEST_INFRASTRUCTURE_FAILURE_FILE");
  if (file == nullptr) return;
  const absl::Status written = WriteFile(file, what + "\n");
  if (!written.ok()) {
    std::fprintf(stderr, "[  CLOTHO  ] %s\n",
                 std::string(written.message()).c_str());
  }
}

void TestProgram::AddIncomplete() {
  ++incomplete_tests_;
  if (exit_code_ == kPassed) SetExitCode(kIncomplete);
}

void PrintNote(std::string_view text) {
  std::printf("[  CLOTHO  ] %s\n", std::string(text).c_str());
  std::fflush(stdout);
}

std::string FullName(const testing::TestInfo& info) {
  return absl::StrCat(info.test_suite_name(), ".", info.name());
}

}  // namespace clotho::sim::internal
