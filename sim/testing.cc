#include "clotho/sim/testing.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <ios>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/debugging/symbolize.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "clotho/runtime/delay.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/stop_requests.h"
#include "clotho/sim/flags/flags.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/artifacts.h"
#include "clotho/sim/report/console.h"
#include "clotho/sim/report/replay_command.h"
#include "clotho/sim/search/campaign.h"
#include "clotho/sim/search/campaign_record.h"
#include "clotho/sim/search/crash_handler.h"
#include "clotho/sim/search/event_log.h"
#include "clotho/sim/search/shard.h"
#include "clotho/sim/search/signals.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

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

internal::Flags& GetFlags() {
  static internal::Flags* const flags = new internal::Flags;
  return *flags;
}

// argv[0], and when the run has begun.
const char* program = "";
internal::Campaign::Clock::time_point run_begun;

// How many tests have had a campaign.
std::int64_t campaigns_begun = 0;

// How many tests have failed only as incomplete.
int incomplete_tests = 0;
// Those whose failure, or what they lack, is in a record.
int recorded_tests = 0;

// What the tests found that GoogleTest's own verdict does not tell.
int exit_code = kPassed;

// The machine does not do what it should: results cannot be written. What was
// found until then is told all the same; but another attempt is due.
void FailInfrastructure(const std::string& what) {
  std::fprintf(stderr, "[  CLOTHO  ] %s\n", what.c_str());
  if (exit_code != kInternalError) exit_code = kInfrastructure;
  const char* const file = std::getenv("TEST_INFRASTRUCTURE_FAILURE_FILE");
  if (file == nullptr) return;
  const absl::Status written = internal::WriteFile(file, what + "\n");
  if (!written.ok()) {
    std::fprintf(stderr, "[  CLOTHO  ] %s\n",
                 std::string(written.message()).c_str());
  }
}

// Worse things are not taken back.
void SetExitCode(ExitCode code) {
  if (exit_code != kInternalError && exit_code != kInfrastructure) {
    exit_code = code;
  }
}

// The tests that RegisterSearched was told of: "Suite.Name".
std::set<std::string>& SearchedTests() {
  static auto* const tests = new std::set<std::string>;
  return *tests;
}

bool IsSearched(const testing::TestInfo& info) {
  // "All/QueueTest.Works/3" is an instance of "QueueTest.Works".
  std::string_view suite = info.test_suite_name();
  suite = suite.substr(suite.rfind('/') + 1);
  std::string_view name = info.name();
  name = name.substr(0, name.find('/'));
  return SearchedTests().contains(
      absl::StrCat(std::string(suite), ".", std::string(name)));
}

// Where each shard does a part of every search, what is no search is done in
// one of them.
class SkipsPlainTests final : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo& info) override {
    if (!IsSearched(info)) {
      GTEST_SKIP() << "it is not cut into shards: it runs in shard 0";
    }
  }
};

// What comes after the test that is interrupted is not run any more. (While a
// test runs, flags are set for that test only.)
class SkipsTheRest final : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo&) override {
    if (internal::Interrupted()) testing::GTEST_FLAG(fail_fast) = true;
  }
};

void Touch(const char* variable) {
  if (const char* const file = std::getenv(variable)) {
    std::ofstream(file, std::ios::app).flush();
  }
}

// Who cuts the list of tests is GoogleTest, if anybody is. What cuts the
// schedules of each test is not to cut that list as well.
void TellGoogleTestOfShards(const internal::Flags& flags) {
  if (!flags.shard_by_schedules) {
    if (flags.shard.count == 1) return;
    setenv("GTEST_SHARD_INDEX", absl::StrCat(flags.shard.index).c_str(), 1);
    setenv("GTEST_TOTAL_SHARDS", absl::StrCat(flags.shard.count).c_str(), 1);
    return;
  }
  // Bazel wants to see that shards were heard of.
  Touch("TEST_SHARD_STATUS_FILE");
  Touch("GTEST_SHARD_STATUS_FILE");
  for (const char* name :
       {"TEST_SHARD_INDEX", "TEST_TOTAL_SHARDS", "TEST_SHARD_STATUS_FILE",
        "GTEST_SHARD_INDEX", "GTEST_TOTAL_SHARDS", "GTEST_SHARD_STATUS_FILE"}) {
    unsetenv(name);
  }
  if (flags.shard.index != 0 || flags.shard.block != 0) {
    testing::UnitTest::GetInstance()->listeners().Append(new SkipsPlainTests);
  }
}

// Whether a filter that was meant to select something has not. A part of the
// list may well be empty, unless it is the first. Bazel applies a filter to
// many targets.
bool SelectedNothing(const internal::Flags& flags) {
  const char* const bazel = std::getenv("BAZEL_TEST");
  return testing::UnitTest::GetInstance()->test_to_run_count() == 0 &&
         (flags.shard_by_schedules || flags.shard.index == 0) &&
         (bazel == nullptr || std::string_view(bazel) != "1");
}

// ---- Campaigns: see search/campaign.h. ----

// The event_log of this run, opened when the first campaign begins.
internal::EventLog& GetEventLog() {
  static auto* const event_log = new internal::EventLog;
  return *event_log;
}

void LogEvent(const std::string& line) {
  const absl::Status written = GetEventLog().Write(line);
  if (!written.ok()) FailInfrastructure(std::string(written.message()));
}

void BeginEventLog() {
  static bool begun = false;
  if (std::exchange(begun, true)) return;
  const internal::Flags& flags = GetFlags();
  if (!flags.out.empty()) {
    const absl::Status opened = GetEventLog().Open(flags.out);
    if (!opened.ok()) FailInfrastructure(std::string(opened.message()));
  }
  LogEvent(absl::StrCat(
      "{\"event\": \"run\", \"clotho_results\": 1, \"program\": ",
      internal::JsonString(program),
      ", \"flags\": ", internal::JsonString(flags.changes),
      ", \"shard\": ", flags.shard.index, ", \"shards\": ", flags.shard.count,
      ", \"block\": ", flags.shard.block, ", \"shard_by\": \"",
      flags.shard_by_schedules ? "schedules" : "tests", "\"}"));
}

// The time that there is for all tests is shared out: what one leaves, the
// others have.
std::optional<internal::Campaign::Clock::time_point> DeadlineOfNextTest() {
  using Clock = internal::Campaign::Clock;
  const internal::Flags& flags = GetFlags();
  if (!flags.budget.has_value()) return std::nullopt;
  const Clock::time_point now = Clock::now();
  const std::chrono::nanoseconds left =
      std::max(std::chrono::nanoseconds(0),
               run_begun + std::chrono::nanoseconds(flags.budget->ns()) - now);
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  std::int64_t tests = 0;
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *all.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      const testing::TestInfo& info = *suite.GetTestInfo(j);
      tests += info.should_run() && IsSearched(info);
    }
  }
  return now + left / std::max<std::int64_t>(1, tests - campaigns_begun++);
}

// What a test that is no campaign has to say in the event_log.
void LogEventTest(const std::string& name, const Report& report) {
  if (!GetEventLog().is_open()) return;
  if (!report.passed()) {
    const Failure& failure = *report.failure;
    const internal::Finding finding = {
        .signature = failure.signature,
        .kind = std::string(FailureKindName(failure.kind)),
        .what = failure.what,
        .place = failure.line == 0
                     ? ""
                     : internal::Place(failure.file, failure.line),
        // From 0; a replay is the only one.
        .first = report.executions == 0 ? 0 : report.executions - 1,
        .hits = 1,
        .replay = FormatReplay(report.replay),
        .deviations = report.trace.deviations.size(),
        .part = "",
        .folder = GetFlags().out.empty() ? "" : internal::FileName(name)};
    LogEvent(absl::StrCat(
        "{\"event\": \"failure\", \"test\": ", internal::JsonString(name),
        ", \"shard\": 0, ", internal::FindingMembers(finding), "}"));
  }
  LogEvent(absl::StrCat(
      "{\"event\": \"test\", \"test\": ", internal::JsonString(name),
      ", \"shard\": 0, \"verdict\": \"",
      report.incomplete || (report.passed() && internal::Interrupted())
          ? "incomplete"
      : report.passed() ? "passed"
                        : "failed",
      "\", \"executions\": ", report.executions,
      ", \"failures\": ", report.passed() ? 0 : 1, "}"));
}

void Tell(const std::string& text) {
  std::printf("[  CLOTHO  ] %s\n", text.c_str());
  std::fflush(stdout);
}

// What a test's campaign came to that its report does not say.
void EndCampaign(const internal::Campaign& campaign) {
  const internal::Record& record = campaign.record();
  if (absl::IsInvalidArgument(campaign.status())) {
    SetExitCode(kUsage);
  } else if (!campaign.status().ok()) {
    FailInfrastructure(std::string(campaign.status().message()));
  }
  if (std::ranges::find(record.failures,
                        FailureKindName(FailureKind::kNotDeterministic),
                        &internal::Finding::kind) != record.failures.end()) {
    SetExitCode(kNotReproducible);
  }
  LogEvent(absl::StrCat(
      "{\"event\": \"test\", \"test\": ", internal::JsonString(record.test),
      ", \"shard\": ", record.shard.index, ", \"verdict\": \"",
      !campaign.status().ok()    ? "broken"
      : !record.failures.empty() ? "failed"
      : record.complete          ? "passed"
                                 : "incomplete",
      "\", \"executions\": ", record.executions,
      ", \"failures\": ", record.failures.size(), "}"));
}

// The test that the replay string was used for; empty: none yet.
std::string& ReplayedTest() {
  static std::string* const test = new std::string;
  return *test;
}

// Of a fuzz target: what the test is to be run with. Null: it is none.
const std::string* fuzz_input = nullptr;
// Whether the test has taken it.
bool fuzz_input_was_run = false;

// Takes what EXPECT_* and mocks report inside an execution for its failure;
// GoogleTest hears only of the execution that is reported in the end.
class Interceptor final : public testing::ScopedFakeTestPartResultReporter {
 public:
  Interceptor()
      : ScopedFakeTestPartResultReporter(INTERCEPT_ONLY_CURRENT_THREAD,
                                         &unused_) {}

  void ReportTestPartResult(const testing::TestPartResult& result) override {
    internal::Simulator* const simulator = internal::Simulator::Current();
    if (!result.failed() || simulator == nullptr) {
      others_.push_back(result);  // A skip, most likely.
      return;
    }
    Failure failure;
    failure.kind = FailureKind::kExpectation;
    failure.what = result.message();
    while (!failure.what.empty() && failure.what.back() == '\n') {
      failure.what.pop_back();
    }
    if (result.file_name() != nullptr) {
      failure.file = internal::ShortFile(result.file_name());
      failure.line = static_cast<std::uint32_t>(
          result.line_number() > 0 ? result.line_number() : 0);
    }
    failure.signature = absl::StrCat(
        "expectation ", internal::Place(failure.file, failure.line));
    simulator->Fail(std::move(failure));
  }

  const std::vector<testing::TestPartResult>& others() const { return others_; }

 private:
  testing::TestPartResultArray unused_;
  std::vector<testing::TestPartResult> others_;
};

// While executions are searched, a failure is no reason to stop.
class FlagSaver {
 public:
  FlagSaver()
      : break_(testing::GTEST_FLAG(break_on_failure)),
        throw_(testing::GTEST_FLAG(throw_on_failure)) {
    testing::GTEST_FLAG(break_on_failure) = false;
    testing::GTEST_FLAG(throw_on_failure) = false;
  }
  ~FlagSaver() {
    testing::GTEST_FLAG(break_on_failure) = break_;
    testing::GTEST_FLAG(throw_on_failure) = throw_;
  }
  FlagSaver(const FlagSaver&) = delete;
  FlagSaver& operator=(const FlagSaver&) = delete;

 private:
  const bool break_;
  const bool throw_;
};

// Tells a debugger where the failure is noticed: runs it again, and stops
// there. The report has been printed by then; without a debugger the program
// ends.
void BreakAtFailure(const internal::Searched& test, Search search,
                    std::string_view name, const Report& report) {
  std::printf("[  CLOTHO  ] once more, to break where it fails\n");
  std::fflush(nullptr);
  search.break_at_failure = true;
  Interceptor interceptor;
  test.replay(search, name, FormatReplay(report.replay)).IgnoreError();
}

}  // namespace

namespace internal {
namespace {

// What follows after a crash has been told.
std::string HowToSeeADeathAgain(const std::string& name, bool shrinks) {
  const std::string again = absl::StrReplaceAll(
      ReplayCommand(name, kReplayMark), {{"\n", "\n          "}});
  std::string text = absl::StrCat("REPLAY    ", again, "\n\n");
  if (!shrinks) return text;
  // In child processes, which are survived.
  return absl::StrCat(
      text, "SHRINK  ",
      absl::StrReplaceAll(
          again, {{absl::StrCat("CLOTHO_REPLAY=", std::string(kReplayMark)),
                   "CLOTHO_ISOLATE=1"}}),
      "\n\n");
}

// What a test's search or replay reports. An exception that comes out of it is
// none of the program under test: those end in reports.
absl::StatusOr<Report> ReportOf(const Searched& test, const Search& search,
                                const std::string& name,
                                const std::string& replay) {
  std::string what = "an exception";
  try {
    return replay.empty() ? test.run(search, name)
                          : test.replay(search, name, replay);
  } catch (const std::exception& error) {
    what = error.what();
  } catch (...) {
    // What it is nobody knows.
  }
  exit_code = kInternalError;
  return absl::InternalError(absl::StrCat(
      "internal error: \"", what,
      "\" has left the search of this test\n(please report it, unless it comes "
      "from a strategy or a function that this test gave to Clotho)"));
}

// A person who looks at a step in a debugger, or watches one execution slowly,
// is in no hurry.
Delay StepMax(const Flags& flags) {
  if (testing::GTEST_FLAG(break_on_failure) || flags.break_before > 0 ||
      flags.rate > 0) {
    return Delay();
  }
  return flags.step_watchdog;
}

// Writes what a passing execution did, if it was recorded.
void TracePass(const Flags& flags, const std::string& name,
               const Report& report) {
  if (report.trace.events.empty()) return;
  const absl::StatusOr<std::string> files =
      WriteTrace(flags.out.empty() ? "clotho-out" : flags.out, name, report);
  if (!files.ok()) {
    FailInfrastructure(std::string(files.status().message()));
    return;
  }
  std::printf("[  CLOTHO  ] %s\n", files->c_str());
}

// Engines keep what aborts, and sort it by the line that says which check
// failed: its form is Chromium's, which ClusterFuzz knows.
void RunFuzzed(const Searched& test, Search search, const std::string& name,
               const char* file, int line) {
  fuzz_input_was_run = true;
  Bytes{*fuzz_input}.Apply(search);
  search.saved.clear();
  SetDeathText(HowToSeeADeathAgain(name, /*shrinks=*/true));
  absl::StatusOr<Report> report = absl::UnknownError("not run");
  {
    const FlagSaver saver;
    Interceptor interceptor;
    report = ReportOf(test, search, name, "");
  }
  if (!report.ok()) {
    std::fprintf(stderr, "%s\n",
                 std::string(report.status().message()).c_str());
    std::exit(kUsage);
  }
  // One execution need not reach every goal.
  if (report->passed() || report->incomplete) return;
  const std::string& out = GetFlags().out;
  if (!out.empty()) {
    const absl::Status written = WriteArtifacts(out, name, *report);
    if (!written.ok()) FailInfrastructure(std::string(written.message()));
  }
  const Failure& failure = *report->failure;
  const bool has_place = failure.line != 0;
  std::fprintf(stderr, "%s\n[FATAL:%s(%d)] Check failed: %s\n",
               report->Text().c_str(),
               has_place ? failure.file.c_str() : ShortFile(file).c_str(),
               has_place ? static_cast<int>(failure.line) : line,
               failure.signature.c_str());
  std::abort();
}

}  // namespace

bool RegisterSearched(const char* suite, const char* name) {
  return SearchedTests().insert(absl::StrCat(suite, ".", name)).second;
}

void RunTest(Coro<void> (*body)(), const Search& search, const char* file,
             int line) {
  RunTest({.run =
               [body](const Search& how, std::string_view name) {
                 return RunSearch(body, how, name);
               },
           .replay =
               [body](const Search& how, std::string_view name,
                      std::string_view replay) {
                 return RunReplay(body, how, name, replay);
               },
           .has_campaigns = true},
          search, file, line);
}

void RunTest(const Searched& test, const Search& asked, const char* file,
             int line) {
  const testing::TestInfo* const info =
      testing::UnitTest::GetInstance()->current_test_info();
  const std::string name =
      absl::StrCat(info->test_suite_name(), ".", info->name());
  // GoogleTest runs its tests again for as often as it was told.
  if (Interrupted()) std::exit(128 + stop_requests.interrupted_by);
  const Flags& flags = GetFlags();
  Search search = asked;
  ApplyFlags(flags, search);
  // (A property has a search for each of its inputs.)
  search.wants_corpus = test.has_campaigns && !flags.out.empty();
  if (fuzz_input != nullptr) return RunFuzzed(test, search, name, file, line);
  absl::StatusOr<std::vector<SavedSchedule>> saved =
      ReadSaved(SavedFile(flags.saved, file, name));
  if (!saved.ok()) {
    SetExitCode(kUsage);
    ADD_FAILURE_AT(file, line) << std::string(saved.status().message());
    return;
  }
  search.saved.insert(search.saved.begin(), saved->begin(), saved->end());
  SetDeathText(HowToSeeADeathAgain(name, flags.replay.empty()));
  std::optional<Campaign> campaign;
  if (flags.campaign() && flags.replay.empty()) {
    if (test.has_campaigns) {
      // Until the time is up, if nothing else is said.
      if (flags.budget.has_value() && !flags.schedules.has_value() &&
          search.schedules > 1) {
        search.schedules = kNoBound;
      }
      BeginEventLog();
      campaign.emplace(CampaignOptions{
          .test = name,
          .out = flags.out,
          .shard = flags.shard_by_schedules ? flags.shard : Shard(),
          .failures_max = flags.failures.value_or(1),
          .deadline = DeadlineOfNextTest(),
          .resume = flags.resume,
          .with_traces = flags.traces != Traces::kNever,
          .event_log = &GetEventLog(),
          .tell = &Tell});
      search.campaign = &*campaign;
    } else {
      Tell(absl::StrCat(name,
                        ": a property has no campaign: it runs as a whole, "
                        "in one shard, up to its first failure"));
    }
  }
  absl::StatusOr<Report> report = absl::UnknownError("not run");
  std::vector<testing::TestPartResult> others;
  {
    const FlagSaver saver;
    Interceptor interceptor;
    if (!flags.replay.empty() && ReplayedTest().empty()) {
      ReplayedTest() = name;
    }
    const SignalScope signals(name, StepMax(flags));
    report = ReportOf(test, search, name, flags.replay);
    others = interceptor.others();
  }
  // It is for this test only, and not for a search that the next one makes.
  SetDeathText("");
  if (campaign.has_value()) EndCampaign(*campaign);
  for (const testing::TestPartResult& other : others) {
    if (other.skipped()) GTEST_SKIP() << other.message();
    if (other.failed()) {
      ADD_FAILURE_AT(other.file_name(), other.line_number()) << other.message();
    }
  }
  if (!report.ok()) {
    SetExitCode(kUsage);
    ADD_FAILURE_AT(file, line) << std::string(report.status().message());
    return;
  }
  testing::Test::RecordProperty("clotho_strategy", report->strategy);
  testing::Test::RecordProperty(
      "clotho_executions",
      absl::StrCat(campaign.has_value() ? campaign->record().executions
                                        : report->executions));
  if (report->tests > 0) {
    testing::Test::RecordProperty("clotho_cases", absl::StrCat(report->tests));
  }
  testing::Test::RecordProperty("clotho_steps", absl::StrCat(report->steps));
  if (!report->drifted.empty()) {
    testing::Test::RecordProperty("clotho_drifted",
                                  absl::StrJoin(report->drifted, "\n"));
  }
  for (const std::string& drifted : report->drifted) {
    std::printf("[  CLOTHO  ] a saved schedule has drifted: %s\n",
                drifted.c_str());
  }
  if (report->exhausted) {
    testing::Test::RecordProperty("clotho_exhausted", "all executions");
  }
  testing::Test::RecordProperty("clotho_seed", absl::StrCat(report->seed));
  if (!ReplayedTest().empty() && ReplayedTest() != name) {
    SetExitCode(kUsage);
    ADD_FAILURE_AT(file, line)
        << "a replay string is for one test, and this is the second that runs: "
           "name the test with --gtest_filter="
        << name;
    return;
  }
  if (campaign.has_value() && !campaign->status().ok()) {
    ADD_FAILURE_AT(file, line) << std::string(campaign->status().message());
  }
  if (!campaign.has_value()) LogEventTest(name, *report);
  const absl::Status corpus = WriteCorpus(flags.out, name, report->corpus);
  if (!corpus.ok()) FailInfrastructure(std::string(corpus.message()));
  if (report->passed()) {
    if (flags.traces == Traces::kAlways) TracePass(flags, name, *report);
    if (Interrupted()) {
      const std::uint64_t executions = campaign.has_value()
                                           ? campaign->record().executions
                                           : report->executions;
      ADD_FAILURE_AT(file, line)
          << "interrupted after " << executions
          << (executions == 1 ? " execution" : " executions")
          << ", of which none failed";
    }
    return;
  }
  testing::Test::RecordProperty("clotho_replay", FormatReplay(report->replay));
  if (campaign.has_value() && campaign->status().ok() && !report->misused) {
    ++recorded_tests;
  }
  if (report->nondeterministic || report->diverged) {
    SetExitCode(kNotReproducible);
  } else if (report->misused) {
    SetExitCode(kUsage);
  } else if (report->incomplete) {
    ++incomplete_tests;
    if (exit_code == kPassed) SetExitCode(kIncomplete);
  }
  if (!flags.out.empty() && !campaign.has_value()) {
    const absl::Status written =
        WriteArtifacts(flags.out, name, *report, /*part=*/"",
                       /*with_traces=*/flags.traces != Traces::kNever);
    if (!written.ok()) FailInfrastructure(std::string(written.message()));
  }
  const Failure& failure = *report->failure;
  const auto tell = [&] {
    const bool has_place = failure.line != 0;
    const std::string place = has_place ? failure.file : file;
    const int at = has_place ? static_cast<int>(failure.line) : line;
    const std::string text = report->Text();
    ADD_FAILURE_AT(place.c_str(), at) << text;
    if (flags.format == Format::kGithub) {
      std::printf(
          "%s\n",
          GithubError(ShortFile(place.c_str()), at, name, text).c_str());
      std::fflush(stdout);
    }
  };
  const bool comes_back = !report->nondeterministic && !report->diverged &&
                          !report->misused && !report->incomplete;
  if (testing::GTEST_FLAG(break_on_failure) && comes_back) {
    const FlagSaver saver;
    tell();
    BreakAtFailure(test, search, name, *report);
  } else {
    tell();
  }
}

namespace {

// The tests of this program, by their names.
std::vector<std::string> AllTests() {
  std::vector<std::string> names;
  const testing::UnitTest& tests = *testing::UnitTest::GetInstance();
  for (int i = 0; i < tests.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *tests.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      names.push_back(
          absl::StrCat(suite.name(), ".", suite.GetTestInfo(j)->name()));
    }
  }
  return names;
}

[[noreturn]] void EndAsWrong(const char* program, const std::string& why) {
  std::fprintf(stderr, "%s: %s\n", program, why.c_str());
  std::exit(kUsage);
}

}  // namespace

void StartFuzzTarget(int argc, char** argv) {
  absl::InitializeSymbolizer(argv[0]);
  SetProgram(argv[0]);
  // What else there is belongs to the engine.
  std::vector<char*> own = {argv[0]};
  std::copy_if(argv + 1, argv + argc, std::back_inserter(own),
               [](std::string_view argument) {
                 return argument.substr(0, 9) == "--clotho_" ||
                        argument.substr(0, 8) == "--gtest_";
               });
  int count = static_cast<int>(own.size());
  own.push_back(nullptr);
  testing::InitGoogleTest(&count, own.data());
  if (testing::GTEST_FLAG(list_tests)) std::exit(RUN_ALL_TESTS());
  const absl::StatusOr<Flags> flags = ReadFlags(count, own.data());
  if (!flags.ok()) {
    EndAsWrong(argv[0], std::string(flags.status().message()));
  }
  GetFlags() = *flags;
  const std::vector<std::string> tests = AllTests();
  std::string test = flags->test;
  if (test.empty() && tests.size() == 1) test = tests[0];
  if (!flags->replay.empty()) {
    InstallDeathHandlers();
    if (!test.empty()) testing::GTEST_FLAG(filter) = test;
    const int verdict = RUN_ALL_TESTS();
    std::exit(exit_code != kPassed ? exit_code : verdict);
  }
  if (std::find(tests.begin(), tests.end(), test) == tests.end()) {
    EndAsWrong(argv[0], absl::StrCat(test.empty() ? "no test is named"
                                                  : "unknown test \"",
                                     test, test.empty() ? "" : "\"",
                                     ": expected --clotho_test=NAME, or "
                                     "CLOTHO_TEST, with one of\n  ",
                                     absl::StrJoin(tests, "\n  ")));
  }
  testing::GTEST_FLAG(filter) = test;
  testing::TestEventListeners& listeners =
      testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
  testing::GTEST_FLAG(output) = "";  // It would be written for each input.
}

void RunFuzzInput(std::string bytes) {
  // Only now: the engine's own handlers are there, and are called after ours.
  [[maybe_unused]] static const bool installed = [] {
    InstallDeathHandlers(/*of_sanitizers=*/false);
    return true;
  }();
  fuzz_input = &bytes;
  fuzz_input_was_run = false;
  const int verdict = RUN_ALL_TESTS();
  fuzz_input = nullptr;
  if (verdict == 0 && fuzz_input_was_run) return;
  std::fprintf(stderr, "%s: cannot be fuzzed: %s\n",
               std::string(testing::GTEST_FLAG(filter)).c_str(),
               verdict == 0 ? "it is no CLOTHO_TEST, or skips itself"
                            : "it fails outside of its executions");
  std::exit(kUsage);
}

}  // namespace internal

namespace {

// What GoogleTest says, together with what it does not know.
int ExitCodeOf(int verdict, const char* name) {
  if (SelectedNothing(GetFlags())) {
    std::fprintf(stderr,
                 "%s: no test was selected by --gtest_filter=%s: expected the "
                 "name of one, as --gtest_list_tests has it\n",
                 name, testing::GTEST_FLAG(filter).c_str());
    return kNoTest;
  }
  if (exit_code == kPassed || exit_code == kIncomplete) {
    // What only says too little counts for less than a failure.
    const int failed = testing::UnitTest::GetInstance()->failed_test_count();
    if (failed > incomplete_tests) return verdict;
  }
  return exit_code != kPassed ? exit_code : verdict;
}

}  // namespace

int RunAllTests(int argc, char** argv) {
  absl::InitializeSymbolizer(argv[0]);
  internal::SetProgram(argv[0]);
  internal::InstallDeathHandlers();
  bool help = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    help = help || argument == "--help" || argument == "-h";
  }
  if (help) std::printf("%s\n", internal::FlagsUsage().c_str());
  testing::InitGoogleTest(&argc, argv);
  // Neither runs a test.
  if (help || testing::GTEST_FLAG(list_tests)) return RUN_ALL_TESTS();
  const absl::StatusOr<internal::Flags> flags = internal::ReadFlags(argc, argv);
  if (!flags.ok()) {
    std::fprintf(stderr, "%s: %s\n", argv[0],
                 std::string(flags.status().message()).c_str());
    return kUsage;
  }
  GetFlags() = *flags;
  program = argv[0];
  run_begun = internal::Campaign::Clock::now();
  if (flags->format == internal::Format::kJson) {
    GetEventLog().AlsoTo(internal::KeepStandardOutput());
    BeginEventLog();
  }
  // Also if no test has a part in it.
  if (flags->campaign()) BeginEventLog();
  if (!flags->changes.empty()) {
    std::printf("[  CLOTHO  ] %s\n", flags->changes.c_str());
    std::fflush(stdout);
  }
  TellGoogleTestOfShards(*flags);
  if (!flags->test.empty()) testing::GTEST_FLAG(filter) = flags->test;
  internal::InstallTaskTableSignal();
  testing::UnitTest::GetInstance()->listeners().Append(new SkipsTheRest);
  internal::PrintInColor(flags->color);
  int code = ExitCodeOf(RUN_ALL_TESTS(), argv[0]);
  if (internal::Interrupted())
    code = 128 + internal::stop_requests.interrupted_by;
  LogEvent(absl::StrCat("{\"event\": \"end\", \"code\": ", code, "}"));
  // That may have been what could not be written.
  if (exit_code == kInfrastructure) return exit_code;
  const bool is_verdict =
      code == kFailed || code == kNotReproducible || code == kIncomplete;
  const int failed = testing::UnitTest::GetInstance()->failed_test_count();
  if (flags->exit_zero && is_verdict && failed == recorded_tests) {
    return kPassed;
  }
  return code;
}

}  // namespace clotho::sim
