#include "clotho/sim/gtest/test_run.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "clotho/runtime/delay.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/stop_requests.h"
#include "clotho/sim/flags/flags.h"
#include "clotho/sim/gtest/gtest_internals.h"
#include "clotho/sim/gtest/interceptor.h"
#include "clotho/sim/gtest/test_program.h"
#include "clotho/sim/report/artifacts.h"
#include "clotho/sim/report/console.h"
#include "clotho/sim/report/replay_command.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/campaign.h"
#include "clotho/sim/search/campaign_record.h"
#include "clotho/sim/search/crash_handler.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/search/search.h"
#include "clotho/sim/search/shard.h"
#include "clotho/sim/search/signals.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

// What stands below the report of a crash.
std::string CrashAdvice(const std::string& name, bool shrinks) {
  const std::string again = absl::StrReplaceAll(
      ReplayCommand(name, kReplayMark), {{"\n", "\n          "}});
  std::string text = absl::StrCat("REPLAY    ", again, "\n\n");
  if (!shrinks) return text;
  // In child processes: the parent survives the crash.
  return absl::StrCat(
      text, "SHRINK    ",
      absl::StrReplaceAll(
          again, {{absl::StrCat("CLOTHO_REPLAY=", std::string(kReplayMark)),
                   "CLOTHO_ISOLATE=1"}}),
      "\n\n");
}

// Somebody who looks at a step in a debugger, or watches one execution in slow
// motion, may take as long as they want.
Delay StepMax(const Flags& flags) {
  if (GTEST_FLAG_GET(break_on_failure) || flags.break_before > 0 ||
      flags.rate > 0) {
    return Delay();
  }
  return flags.step_watchdog;
}

// One CLOTHO_TEST, from GoogleTest's call to its return.
class TestRun {
 public:
  TestRun(TestProgram& program, const Searched& test, const Search& asked,
          const char* file, int line)
      : program_(program),
        flags_(program.flags()),
        test_(test),
        file_(file),
        line_(line),
        name_(FullName(*testing::UnitTest::GetInstance()->current_test_info())),
        search_(asked) {
    ApplyFlags(flags_, search_);
    // (A property has a search for each of its inputs.)
    search_.wants_corpus = test.has_campaigns && !flags_.out.empty();
  }

  // Searches or replays the test, and reports what that found.
  void Run();

  // Runs the test on the input of a fuzz target. Aborts if it fails.
  void RunFuzzInput();

 private:
  // ---- The phases of Run, in this order. False: the test has ended. ----

  bool LoadSavedSchedules();
  void BeginCampaign();
  void SearchOrReplay();
  void EndCampaign();
  bool ReportOtherResults();
  bool CheckSearched();
  void RecordProperties();
  bool CheckOneReplay();
  void WriteResults();
  void ReportPass();
  void ReportFailure();

  // ---- Parts of these. ----

  // What the search or the replay reports. The program under test throws no
  // exception out of it: those end in reports.
  absl::StatusOr<Report> CallTest(const std::string& replay);
  void Fail(const std::string& why) { ADD_FAILURE_AT(file_, line_) << why; }
  // Fails because of how the program was called.
  void FailAsMisused(const std::string& why) {
    program_.SetExitCode(kUsage);
    Fail(why);
  }
  std::uint64_t executions() const {
    return campaign_.has_value() ? campaign_->record().executions
                                 : report_->search.executions;
  }
  void PrintExtent();
  void WriteTraceOfPass();
  // Sets what the kind of failure means for the exit code.
  void CountFailure();
  void PrintFailure();
  // Stops a debugger where the failure is noticed, in one more run. Without a
  // debugger the program ends there; the report has been printed by then.
  void BreakAtFailure();

  TestProgram& program_;
  const Flags& flags_;
  const Searched& test_;
  const char* const file_;
  const int line_;
  const std::string name_;
  Search search_;
  std::optional<Campaign> campaign_;
  bool is_only_replay_ = true;
  // What GoogleTest was told outside of executions.
  std::vector<testing::TestPartResult> others_;
  absl::StatusOr<Report> report_ = absl::UnknownError("not run");
};

void TestRun::Run() {
  if (!LoadSavedSchedules()) return;
  BeginCampaign();
  SearchOrReplay();
  EndCampaign();
  if (!ReportOtherResults()) return;
  if (!CheckSearched()) return;
  RecordProperties();
  if (!CheckOneReplay()) return;
  WriteResults();
  if (report_->passed()) {
    ReportPass();
  } else {
    ReportFailure();
  }
}

bool TestRun::LoadSavedSchedules() {
  const absl::StatusOr<std::vector<SavedSchedule>> saved =
      ReadSaved(SavedFile(flags_.saved, file_, name_));
  if (!saved.ok()) {
    FailAsMisused(std::string(saved.status().message()));
    return false;
  }
  search_.saved.insert(search_.saved.begin(), saved->begin(), saved->end());
  return true;
}

void TestRun::BeginCampaign() {
  if (!flags_.campaign() || !flags_.replay.empty()) return;
  if (!test_.has_campaigns) {
    PrintNote(absl::StrCat(name_,
                           ": a property has no campaign: it runs as a whole, "
                           "in one shard, up to its first failure"));
    return;
  }
  // Without a number of schedules, only the time ends the search.
  if (flags_.budget.has_value() && !flags_.schedules.has_value() &&
      search_.schedules > 1) {
    search_.schedules = kNoBound;
  }
  program_.BeginEventLog();
  campaign_.emplace(CampaignOptions{
      .test = name_,
      .out = flags_.out,
      .shard = flags_.shard_by_schedules ? flags_.shard : Shard(),
      .failures_max = flags_.failures.value_or(1),
      .deadline = program_.DeadlineOfNextTest(),
      .resume = flags_.resume,
      .with_traces = flags_.traces != Traces::kNever,
      .event_log = &program_.event_log(),
      .tell = &PrintNote});
  search_.campaign = &*campaign_;
}

void TestRun::SearchOrReplay() {
  SetCrashAdvice(CrashAdvice(name_, flags_.replay.empty()));
  {
    const NoBreakAtFailure no_break;
    Interceptor interceptor(test_.has_threads);
    if (!flags_.replay.empty()) is_only_replay_ = program_.TakeReplay(name_);
    const SignalScope signals(name_, StepMax(flags_));
    report_ = CallTest(flags_.replay);
    others_ = interceptor.others();
  }
  // The text is about this test: the next one may search without a name.
  SetCrashAdvice("");
}

absl::StatusOr<Report> TestRun::CallTest(const std::string& replay) {
  std::string what = "an exception";
  try {
    return replay.empty() ? test_.run(search_, name_)
                          : test_.replay(search_, name_, replay);
  } catch (const std::exception& error) {
    what = error.what();
  } catch (...) {
    // It has no text.
  }
  program_.SetInternalError();
  return absl::InternalError(absl::StrCat(
      "internal error: \"", what,
      "\" has left the search of this test\n(please report it, unless it comes "
      "from a strategy or a function that this test gave to Clotho)"));
}

void TestRun::EndCampaign() {
  if (!campaign_.has_value()) return;
  const Record& record = campaign_->record();
  if (absl::IsInvalidArgument(campaign_->status())) {
    program_.SetExitCode(kUsage);
  } else {
    program_.FailInfrastructure(campaign_->status());
  }
  for (const Finding& finding : record.failures) {
    if (finding.kind == VerdictName(Report::Verdict::kNondeterministic)) {
      program_.SetExitCode(kNotReproducible);
    }
  }
  program_.LogEvent(
      absl::StrCat("{\"event\": \"test\", \"test\": ", JsonString(record.test),
                   ", \"shard\": ", record.shard.index, ", \"verdict\": \"",
                   !campaign_->status().ok()  ? "broken"
                   : !record.failures.empty() ? "failed"
                   : record.complete          ? "passed"
                                              : "incomplete",
                   "\", \"executions\": ", record.executions,
                   ", \"failures\": ", record.failures.size(), "}"));
}

// A skip ends the test, whatever the executions did.
bool TestRun::ReportOtherResults() {
  for (const testing::TestPartResult& other : others_) {
    if (!other.failed() && !other.skipped()) continue;
    ReportTestPart(other.type(), other.file_name(), other.line_number(),
                   other.message(), testing::Message());
    if (other.skipped()) return false;
  }
  if (report_.ok() && report_->verdict() == Report::Verdict::kSkipped) {
    const Failure& skip = *report_->failure();
    ReportTestPart(testing::TestPartResult::kSkip, skip.file.c_str(),
                   static_cast<int>(skip.line), "",
                   testing::Message() << skip.what);
    return false;
  }
  return true;
}

bool TestRun::CheckSearched() {
  if (report_.ok()) return true;
  FailAsMisused(std::string(report_.status().message()));
  return false;
}

void TestRun::RecordProperties() {
  const auto record = [](const char* key, const std::string& value) {
    testing::Test::RecordProperty(key, value);
  };
  record("clotho_strategy", report_->search.strategy);
  record("clotho_executions", absl::StrCat(executions()));
  if (report_->input.tests > 0) {
    record("clotho_cases", absl::StrCat(report_->input.tests));
  }
  record("clotho_steps", absl::StrCat(report_->search.steps));
  if (!report_->drifted.empty()) {
    record("clotho_drifted", absl::StrJoin(report_->drifted, "\n"));
  }
  for (const std::string& drifted : report_->drifted) {
    std::printf("[  CLOTHO  ] a saved schedule has drifted: %s\n",
                drifted.c_str());
  }
  if (report_->search.exhausted) record("clotho_exhausted", "all executions");
  record("clotho_seed", absl::StrCat(report_->search.seed));
}

bool TestRun::CheckOneReplay() {
  if (is_only_replay_) return true;
  FailAsMisused(absl::StrCat(
      "a replay string is for one test, and this is the second that runs: "
      "name the test with --gtest_filter=",
      name_));
  return false;
}

void TestRun::WriteResults() {
  if (!campaign_.has_value()) {
    program_.LogTest(name_, *report_);
  } else if (!campaign_->status().ok()) {
    Fail(std::string(campaign_->status().message()));
  }
  program_.FailInfrastructure(WriteCorpus(flags_.out, name_, report_->corpus));
}

void TestRun::ReportPass() {
  if (flags_.traces == Traces::kAlways) WriteTraceOfPass();
  if (!Interrupted()) {
    PrintExtent();
    return;
  }
  Fail(absl::StrCat("interrupted after ", executions(),
                    executions() == 1 ? " execution" : " executions",
                    ", of which none failed"));
}

// How much was searched, which GoogleTest's own line does not say.
void TestRun::PrintExtent() {
  if (!flags_.replay.empty() || campaign_.has_value()) return;
  std::string extent = absl::StrCat(
      executions(), executions() == 1 ? " execution" : " executions", " (",
      report_->search.strategy, ")");
  if (report_->input.tests > 0) {
    absl::StrAppend(&extent, " of ", report_->input.tests, " inputs");
  }
  if (report_->search.exhausted) absl::StrAppend(&extent, ", all there are");
  if (!report_->search.scope.empty()) {
    absl::StrAppend(&extent, " ", report_->search.scope);
  }
  if (const std::size_t saved = search_.saved.size(); saved > 0) {
    absl::StrAppend(&extent, ", ", saved,
                    saved == 1 ? " saved schedule" : " saved schedules");
  }
  PrintNote(extent);
}

// Writes what a passing execution did, if that was recorded.
void TestRun::WriteTraceOfPass() {
  if (report_->trace.events.empty()) return;
  const absl::StatusOr<std::string> files = WriteTrace(
      flags_.out.empty() ? "clotho-out" : flags_.out, name_, *report_);
  program_.FailInfrastructure(files.status());
  if (files.ok()) std::printf("[  CLOTHO  ] %s\n", files->c_str());
}

void TestRun::ReportFailure() {
  testing::Test::RecordProperty("clotho_replay", FormatReplay(report_->replay));
  CountFailure();
  if (!flags_.out.empty() && !campaign_.has_value()) {
    program_.FailInfrastructure(
        WriteArtifacts(flags_.out, name_, *report_, /*part=*/"",
                       /*with_traces=*/flags_.traces != Traces::kNever));
  }
  const bool comes_back = report_->verdict() == Report::Verdict::kFailed;
  if (!GTEST_FLAG_GET(break_on_failure) || !comes_back) return PrintFailure();
  const NoBreakAtFailure no_break;
  PrintFailure();
  BreakAtFailure();
}

void TestRun::CountFailure() {
  if (campaign_.has_value() && campaign_->status().ok() &&
      report_->verdict() != Report::Verdict::kMisused) {
    program_.AddRecorded();
  }
  switch (report_->verdict()) {
    case Report::Verdict::kNondeterministic:
    case Report::Verdict::kDiverged:
      program_.SetExitCode(kNotReproducible);
      break;
    case Report::Verdict::kMisused:
      program_.SetExitCode(kUsage);
      break;
    case Report::Verdict::kGoalMissed:
    case Report::Verdict::kIncomplete:
      program_.AddIncomplete();
      break;
    case Report::Verdict::kPassed:
    case Report::Verdict::kFailed:
    case Report::Verdict::kDiscarded:
    case Report::Verdict::kSkipped:
      break;
  }
}

void TestRun::PrintFailure() {
  const Failure& failure = *report_->failure();
  const bool has_place = failure.line != 0;
  const std::string place = has_place ? failure.file : file_;
  const int at = has_place ? static_cast<int>(failure.line) : line_;
  const std::string text = report_->Text();
  ADD_FAILURE_AT(place.c_str(), at) << text;
  if (flags_.format != Format::kGithub) return;
  std::printf("%s\n", GithubError(ShortFile(place), at, name_, text).c_str());
  std::fflush(stdout);
}

void TestRun::BreakAtFailure() {
  std::printf("[  CLOTHO  ] once more, to break where it fails\n");
  std::fflush(nullptr);
  search_.break_at_failure = true;
  Interceptor interceptor(test_.has_threads);
  test_.replay(search_, name_, FormatReplay(report_->replay)).IgnoreError();
}

void TestRun::RunFuzzInput() {
  program_.SetFuzzInputWasRun();
  UseBytes(search_, *program_.fuzz_input());
  search_.saved.clear();
  SetCrashAdvice(CrashAdvice(name_, /*shrinks=*/true));
  {
    const NoBreakAtFailure no_break;
    Interceptor interceptor(test_.has_threads);
    report_ = CallTest(/*replay=*/"");
  }
  if (!report_.ok()) {
    std::fprintf(stderr, "%s\n",
                 std::string(report_.status().message()).c_str());
    std::exit(kUsage);
  }
  // One execution need not reach every goal.
  if (report_->passed() || report_->incomplete()) return;
  const Failure& failure = *report_->failure();
  if (report_->verdict() == Report::Verdict::kSkipped) return;
  if (!flags_.out.empty()) {
    program_.FailInfrastructure(WriteArtifacts(flags_.out, name_, *report_));
  }
  // Engines sort crashes by the line that says which check failed. This is
  // Chromium's form of it, which ClusterFuzz knows.
  const bool has_place = failure.line != 0;
  std::fprintf(stderr, "%s\n[FATAL:%s(%d)] Check failed: %s\n",
               report_->Text().c_str(),
               has_place ? failure.file.c_str() : ShortFile(file_).c_str(),
               has_place ? static_cast<int>(failure.line) : line_,
               failure.signature.c_str());
  std::abort();
}

Searched SearchedBody(const Body& body, bool has_threads) {
  return {.run =
              [body](const Search& how, std::string_view name) {
                return RunSearch(body, how, name);
              },
          .replay =
              [body](const Search& how, std::string_view name,
                     std::string_view replay) {
                return RunReplay(body, how, name, replay);
              },
          .has_campaigns = true,
          .has_threads = has_threads};
}

}  // namespace

bool RegisterSearched(const char* suite, const char* name) {
  return TestProgram::Get().AddSearched(suite, name);
}

void RunTest(const Searched& test, const Search& search, const char* file,
             int line) {
  TestProgram& program = TestProgram::Get();
  const absl::Status& started = program.StartWithoutMain();
  if (!started.ok()) {
    ADD_FAILURE_AT(file, line) << std::string(started.message());
    return;
  }
  // With --gtest_repeat, GoogleTest would run the tests again.
  if (Interrupted()) std::exit(128 + stop_requests.interrupted_by);
  TestRun run(program, test, search, file, line);
  if (program.fuzz_input() != nullptr) {
    run.RunFuzzInput();
  } else {
    run.Run();
  }
}

void RunTest(Coro<void> (*body)(), const Search& search, const char* file,
             int line) {
  RunTest(SearchedBody(body, /*has_threads=*/false), search, file, line);
}

void RunThreadsTest(const Body& body, const Search& search, const char* file,
                    int line) {
  RunTest(SearchedBody(body, /*has_threads=*/true), search, file, line);
}

}  // namespace clotho::sim::internal
