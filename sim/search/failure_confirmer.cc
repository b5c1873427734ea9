#include "clotho/sim/search/failure_confirmer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/report/trace_recorder.h"
#include "clotho/sim/search/bounded_search.h"
#include "clotho/sim/search/execution_runner.h"
#include "clotho/sim/search/failure_explainer.h"
#include "clotho/sim/search/failure_shrinker.h"
#include "clotho/sim/search/fifo_witness.h"
#include "clotho/sim/search/fork_run.h"
#include "clotho/sim/search/search.h"
#include "clotho/sim/search/search_report.h"

namespace clotho::sim::internal {
namespace {

std::string Describe(const Trace& trace, std::size_t index) {
  if (index >= trace.events.size()) return "ends";
  const TraceEvent& event = trace.events[index];
  std::string text = absl::StrCat(trace.lanes[event.lane], "  ", event.text);
  if (event.line != 0) {
    absl::StrAppend(&text, "  ", event.file, ":", event.line);
  }
  return text;
}

bool HasSignature(const Execution& execution, const std::string& signature) {
  return execution.failure.has_value() &&
         execution.failure->signature == signature;
}

// Says in which step the two recordings of the same schedule part.
Failure DifferenceOf(const Trace& first, const Trace& second,
                     const Deviations& deviations) {
  const std::vector<TraceEvent>& a = first.events;
  const std::vector<TraceEvent>& b = second.events;
  std::size_t i = 0;
  while (i < a.size() && i < b.size() && a[i] == b[i]) ++i;
  Failure failure;
  failure.signature = "not deterministic";
  failure.what = absl::StrCat("Not deterministic: two runs of ",
                              FormatDeviations(deviations));
  if (i < a.size() || i < b.size()) {
    absl::StrAppend(&failure.what, " part at step ",
                    i < a.size() ? a[i].step : b[i].step, "\nfirst   ",
                    Describe(first, i), "\nsecond  ", Describe(second, i));
    failure.step = i < a.size() ? a[i].step : b[i].step;
    failure.time_ns = i < a.size() ? a[i].time_ns : b[i].time_ns;
  } else {
    absl::StrAppend(&failure.what,
                    " differed\nthe runs that looked for the place did not");
  }
  return failure;
}

}  // namespace

void FailureConfirmer::OnFailure(const Execution& execution) {
  if (runner_.only_probes()) return;
  const Search& search = runner_.search();
  bool shrinks = search.shrink_runs_max > 0;
  // Shrinking and explaining may crash where this execution did not. A child
  // tries it first; if the child crashes, the schedule stays as it is.
  if (search.isolate && shrinks) {
    shrinks = RunInChild([&]() -> std::string {
                ConfirmAndExplain(execution, /*shrinks=*/true);
                return "";
              }).said.has_value();
  }
  ConfirmAndExplain(execution, shrinks);
}

void FailureConfirmer::ConfirmAndExplain(const Execution& execution,
                                         bool shrinks) {
  Failure failure = *execution.failure;
  const std::uint64_t hash = execution.trace_hash;
  const Deviations found = execution.deviations;
  Deviations deviations = found;
  const Execution& again = runner_.Rerun(deviations, program_seed_);
  if (!HasSignature(again, failure.signature) || again.trace_hash != hash) {
    ReportNondeterminism(deviations);
    return;
  }
  Ordering ordering = OrderingOfFailure(deviations, failure);
  // A deadlock beside periodic work is known by now: that its repetitions come
  // to the same point is enough.
  std::optional<ExecutionRunner::QuietScope> quiet;
  if (failure.beside_periodic_work) {
    quiet.emplace(runner_, true);
    const Execution& early = runner_.Rerun(deviations, ordering, program_seed_);
    if (HasSignature(early, failure.signature)) {
      failure = *early.failure;
      deviations = early.deviations;
    }
  }
  report_.shrinking.deviations_found = deviations.size();
  report_.shrinking.minimal = deviations.empty();
  // (Of threads, any order is one that a machine can show.)
  const bool is_of_asyncio = runner_.simulator().threads() == nullptr;
  FifoWitness witness;
  if (shrinks) {
    if (!deviations.empty()) {
      deviations = Minimize(failure, ordering, std::move(deviations));
    }
    if (is_of_asyncio) {
      witness = FindFifoWitness(runner_, program_seed_, deviations,
                                failure.signature, failure.step);
    }
    if (witness.schedule.has_value() &&
        witness.schedule->size() < deviations.size()) {
      ordering = Ordering::kFifo;
      deviations = *witness.schedule;
      report_.shrinking.minimal = witness.minimal;
    }
  }
  if (quiet.has_value() && !FailsForSure(deviations, failure.signature)) {
    quiet.reset();
    deviations = found;
    report_.shrinking.minimal = false;
    witness = {};
  }
  FailureExplainer explainer(runner_, ordering, program_seed_, report_);
  explainer.Record(deviations);
  if (report_.passed() || report_.failure()->signature != failure.signature) {
    ReportNondeterminism(deviations);
    return;
  }
  if (shrinks) explainer.Explain(deviations, witness);
}

bool FailureConfirmer::FailsForSure(const Deviations& deviations,
                                    const std::string& signature) {
  const ExecutionRunner::QuietScope to_the_end(runner_, false);
  return HasSignature(runner_.Rerun(deviations, program_seed_), signature);
}

Deviations FailureConfirmer::Minimize(const Failure& failure, Ordering ordering,
                                      Deviations deviations) {
  // Fewer executions of a long program.
  constexpr std::uint64_t kStepsMax = 300'000;
  const Search& search = runner_.search();
  const auto deadline = ShrinkDeadline(search);
  deviations = FailureShrinker(runner_, ordering, program_seed_)
                   .Shrink(failure, std::move(deviations), report_);
  // Removing deviations need not lead to the fewest: others may do.
  if (deviations.size() < 2) return deviations;
  ShrinkStats& shrinking = report_.shrinking;
  const std::uint64_t runs_left =
      search.shrink_runs_max - std::min(search.shrink_runs_max, shrinking.runs);
  const std::uint64_t steps = std::max<std::uint64_t>(failure.step, 1);
  const BoundedSearchResult fewer = RunBoundedSearch(
      runner_, {.ordering = ordering,
                .program_seed = program_seed_,
                .signature = failure.signature,
                .deviations_max = deviations.size() - 1,
                .executions_max = std::min(runs_left, kStepsMax / steps),
                .deadline = deadline});
  shrinking.runs += fewer.executions;
  if (!fewer.schedule.has_value()) return deviations;
  shrinking.minimal = true;
  return *fewer.schedule;
}

Ordering FailureConfirmer::OrderingOfFailure(const Deviations& deviations,
                                             const Failure& failure) {
  if (!runner_.search().fifo_only) return OrderingOf(deviations);
  // A saved schedule may be of another ordering than the search.
  const Execution& execution =
      runner_.Rerun(deviations, Ordering::kFifo, program_seed_);
  return HasSignature(execution, failure.signature) &&
                 execution.deviations == deviations
             ? Ordering::kFifo
             : OrderingOf(deviations);
}

Trace FailureConfirmer::Recorded(const Deviations& deviations) {
  TraceRecorder recorder(runner_.simulator());
  runner_.Rerun(deviations, program_seed_, &recorder);
  return std::move(recorder.trace());
}

void FailureConfirmer::ReportNondeterminism(const Deviations& deviations) {
  if (runner_.only_probes()) return;
  // Two runs need not differ because two others have.
  constexpr int kRunsMax = 20;
  const Trace first = Recorded(deviations);
  Trace second = Recorded(deviations);
  for (int runs = 2; runs < kRunsMax && first.events == second.events; ++runs) {
    second = Recorded(deviations);
  }
  report_.FailAsNondeterministic(DifferenceOf(first, second, deviations));
  report_.replay = ReplayString{.program_seed = program_seed_,
                                .input = runner_.search().input,
                                .schedule = deviations,
                                .check = std::nullopt};
  AddReplayCommand(runner_.name(), report_);
  report_.trace = Trace();
}

}  // namespace clotho::sim::internal
