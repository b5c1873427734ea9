#include "clotho/sim/search/surviving_state.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/execution_runner.h"
#include "clotho/sim/search/search.h"
#include "clotho/sim/search/search_report.h"

namespace clotho::sim::internal {

void SurvivingState::Remember(const Execution& execution, std::uint64_t number,
                              std::uint64_t program_seed) {
  if (first_.has_value() || execution.failure.has_value()) return;
  first_ = First{.number = number,
                 .deviations = execution.deviations,
                 .ordering = execution.ordering,
                 .program_seed = program_seed,
                 .trace_hash = execution.trace_hash};
}

SurvivingState::Repetition SurvivingState::Repeat(ExecutionRunner& runner) {
  if (!first_.has_value() || runner.search().check_every == 0) {
    return Repetition::kSame;
  }
  const Execution& execution =
      runner.Rerun(first_->deviations, first_->ordering, first_->program_seed);
  failure_ = execution.failure;
  if (failure_.has_value() && !IsFailure(*failure_)) failure_.reset();
  if (failure_.has_value()) return Repetition::kFails;
  return execution.trace_hash == first_->trace_hash ? Repetition::kSame
                                                    : Repetition::kOtherSteps;
}

void SurvivingState::ReportIt(ExecutionRunner& runner, Report& report) const {
  Failure failure;
  failure.signature = "not deterministic";
  failure.what = absl::StrCat(
      "Not deterministic: state survives from one execution to the next\n",
      "execution ", first_->number, " passed; run again after execution ",
      report.search.executions);
  if (failure_.has_value()) {
    absl::StrAppend(&failure.what, ", it fails: ",
                    failure_->what.substr(0, failure_->what.find('\n')));
    failure.function = failure_->function;
    failure.file = failure_->file;
    failure.line = failure_->line;
    failure.step = failure_->step;
    failure.task = failure_->task;
    failure.time_ns = failure_->time_ns;
  } else {
    absl::StrAppend(&failure.what, ", it takes other steps");
  }
  absl::StrAppend(&failure.what,
                  "\nEach execution must begin with the same state: reset what "
                  "outlives the test's body, or create it inside");
  report.FailAsNondeterministic(std::move(failure));
  report.replay = ReplayString{.program_seed = first_->program_seed,
                               .input = runner.search().input,
                               .schedule = first_->deviations,
                               .check = std::nullopt};
  report.trace = Trace();
}

}  // namespace clotho::sim::internal
