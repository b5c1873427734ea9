// Report: what a search of a test's executions found, as data.
//
// The text answers in this order: what broke (WHAT), how to see it again
// (REPLAY), what the schedule did differently from FIFO order (SCHEDULE), what
// happened (the interleaving), and which tasks waited for which (WAITS). It is
// made in report_text.cc, and the JSON in trace_json.cc.

#ifndef CLOTHO_SIM_REPORT_REPORT_H_
#define CLOTHO_SIM_REPORT_REPORT_H_

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/report/findings.h"

namespace clotho::sim {

class Report {
 public:
  enum class Verdict {
    kPassed,  // No failure was found.
    kFailed,
    kNondeterministic,  // Two runs of the same execution differ.
    kDiverged,    // A replay was requested, but the program did not follow it.
    kMisused,     // The request cannot be carried out.
    kGoalMissed,  // Nothing failed, but a goal was never reached.
    kIncomplete,  // Nothing failed, but executions were left out.
    kDiscarded,   // The input does not count: see Search::judge.
    kSkipped,     // The test has skipped itself: see CLOTHO_SKIP.
  };

  Verdict verdict() const { return verdict_; }
  bool passed() const { return verdict_ == Verdict::kPassed; }
  // The search established less than requested.
  bool incomplete() const {
    return verdict_ == Verdict::kGoalMissed || verdict_ == Verdict::kIncomplete;
  }
  // What is behind the verdict: the first failure, shrunk, or the reason. Empty
  // if and only if the verdict is kPassed. Its kind is kNone if nothing failed
  // in an execution.
  const std::optional<Failure>& failure() const { return failure_; }

  // ---- Verdicts. A report begins as passed and gets one verdict. A failure
  // may then turn out to be nondeterministic; nothing else changes. Any other
  // call is an error in Clotho, and throws a std::logic_error. ----

  // `failure.kind` must be that of a failure.
  void Fail(Failure failure);
  // `difference` says where the two runs differ. Its kind is ignored, as in all
  // the following.
  void FailAsNondeterministic(Failure difference);
  // The report's failure was not reproduced. The failure stays.
  void LoseDeterminism();
  void Diverge(std::string what);
  void Misuse(std::string what);
  void MissGoal(Failure missed);
  // The search must not be exhausted.
  void CutShort(Failure what_is_missing);
  void Discard(Failure reason);
  void Skip(Failure reason);

  // The kind of the failure or, if it has none, the verdict, in words:
  // "deadlock", "not deterministic". Must not have passed.
  std::string_view KindName() const;

  // ---- The failing execution, after shrinking. ----

  ReplayString replay;
  // How to run this test, for REPLAY; see replay_command.h. Empty: unknown.
  std::string replay_command;
  Trace trace;
  std::uint64_t trace_hash = 0;
  Findings found;
  FailingInput input;
  // The schedule of sim::ReplayFirst that found the failure. Empty: the search
  // found it.
  std::optional<SavedSchedule> saved;
  // Empty: none were requested.
  std::optional<Files> files;
  // For a campaign.
  std::vector<OtherFailure> other_failures;

  // ---- The search. ----

  SearchStats search;
  ShrinkStats shrinking;
  // Schedules that ran before the search (sim::ReplayFirst) and have a
  // deviation that no longer applies, with the reason.
  std::vector<std::string> drifted;
  // Every Sometimes and Reachable, in the order in which the program reached
  // them. If there is a failure, up to that failure.
  std::vector<GoalReport> goals;
  // If requested: schedules that showed something new, as bytes (see
  // strategies/bytes.h).
  std::vector<std::string> corpus;

  // The whole report, at most 100 columns wide. Ends with a line break.
  std::string Text() const;

 private:
  void Set(Verdict verdict, Failure failure);

  Verdict verdict_ = Verdict::kPassed;
  std::optional<Failure> failure_;
};

// "passed", "not deterministic", ...
std::string_view VerdictName(Report::Verdict verdict);

std::ostream& operator<<(std::ostream& out, const Report& report);

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_REPORT_REPORT_H_
