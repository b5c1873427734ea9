#include "clotho/sim/search/search_loop.h"

#include <algorithm>
#include <cstdint>

#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/stop_requests.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/execution_runner.h"
#include "clotho/sim/search/failure_confirmer.h"
#include "clotho/sim/search/failure_explainer.h"
#include "clotho/sim/search/saved_schedules.h"
#include "clotho/sim/search/search_report.h"

namespace clotho::sim::internal {
namespace {

// Executions after which a search repeats its first one. It costs little then.
constexpr std::uint64_t kRepeatAfter = 100;

}  // namespace

void SearchLoop::Run() {
  if (RunSavedSchedules() && RunFirst() && RunAll()) Conclude();
  warmed_.TakeCorpus(report_);
}

bool SearchLoop::RunSavedSchedules() {
  return std::ranges::all_of(search_.saved, [this](const SavedSchedule& saved) {
    return RunSaved(saved, runner_, report_);
  });
}

bool SearchLoop::RunFirst() {
  if (!search_.first.has_value()) return true;
  const Execution& execution =
      runner_.Rerun(*search_.first, search_.program_seed);
  ++report_.search.executions;
  if (TakeSkip(execution, report_)) return false;
  if (!runner_.Counts(execution)) return true;
  OnFailure(execution);
  return false;
}

bool SearchLoop::RunAll() {
  for (std::uint64_t j = 0; j < search_.schedules && !Interrupted(); ++j) {
    const Execution& execution = RunNumber(j);
    ++report_.search.executions;
    report_.search.steps += execution.steps;
    if (!Judge(execution, j)) return false;
    if (warmed_.strategy().done()) {
      report_.search.exhausted = true;
      report_.search.scope = warmed_.strategy().scope();
      break;
    }
  }
  return true;
}

const Execution& SearchLoop::RunNumber(std::uint64_t number) {
  // A single execution is one that a person may watch.
  if (search_.schedules != 1) [[likely]]
    return warmed_.Run(number);
  const ExecutionRunner::WatchScope watched(runner_);
  return warmed_.Run(number);
}

bool SearchLoop::Judge(const Execution& execution, std::uint64_t number) {
  if (TakeSkip(execution, report_)) return false;
  if (runner_.Counts(execution)) {
    OnFailure(execution);
    return false;
  }
  surviving_.Remember(execution, report_.search.executions,
                      search_.program_seed);
  if (number == 0 && execution.failure.has_value() &&
      execution.failure->kind == FailureKind::kDiscarded) {
    report_.Discard(*execution.failure);
    return false;
  }
  if (search_.check_every == 0 || number % search_.check_every != 0) {
    return true;
  }
  const std::uint64_t hash = execution.trace_hash;
  const Deviations deviations = execution.deviations;
  if (runner_.Rerun(deviations, search_.program_seed).trace_hash == hash) {
    return true;
  }
  FailureConfirmer(runner_, search_.program_seed, report_)
      .ReportNondeterminism(deviations);
  return false;
}

void SearchLoop::Conclude() {
  report_.search.distinct_executions =
      report_.search.executions - warmed_.strategy().repeated();
  if (Interrupted()) return;
  CollectGoals(runner_.simulator().goals(), report_);
  if (report_.search.executions >= kRepeatAfter && FindsSurvivingState()) {
    return;
  }
  if (search_.exhaustive && !report_.search.exhausted) {
    ReportCutShort(search_, report_);
  }
  JudgeGoals(report_);
  if (search_.trace_passes && search_.schedules == 1 && report_.passed()) {
    FailureExplainer(runner_, runner_.simulator().execution().ordering,
                     search_.program_seed, report_)
        .Record(Deviations(runner_.simulator().execution().deviations));
  }
}

void SearchLoop::OnFailure(const Execution& execution) {
  if (runner_.only_probes()) return;
  const Execution failing = execution;
  CollectGoals(runner_.simulator().goals(), report_);
  // It may fail because of those before it.
  if (surviving_.Repeat(runner_) == SurvivingState::Repetition::kFails) {
    surviving_.ReportIt(runner_, report_);
    return;
  }
  FailureConfirmer(runner_, search_.program_seed, report_).OnFailure(failing);
}

bool SearchLoop::FindsSurvivingState() {
  if (surviving_.Repeat(runner_) == SurvivingState::Repetition::kSame) {
    return false;
  }
  surviving_.ReportIt(runner_, report_);
  return true;
}

}  // namespace clotho::sim::internal
