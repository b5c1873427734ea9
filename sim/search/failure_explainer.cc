#include "clotho/sim/search/failure_explainer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/report/findings.h"
#include "clotho/sim/report/livelock_summary.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/report/trace_recorder.h"
#include "clotho/sim/search/choice_list.h"
#include "clotho/sim/search/execution_runner.h"
#include "clotho/sim/search/fifo_witness.h"
#include "clotho/sim/search/search_report.h"
#include "clotho/sim/strategies/continue.h"
#include "clotho/sim/strategies/fifo.h"
#include "clotho/sim/strategies/random.h"

namespace clotho::sim::internal {
namespace {

// Adds to the failure what only a recording shows.
void Complete(const Trace& trace, const TraceRecorder& recorder,
              Failure& failure) {
  switch (failure.kind) {
    case FailureKind::kInvariant:
      failure.task = recorder.LastToStep();
      break;
    case FailureKind::kLivelock:
    case FailureKind::kVirtualTime:
      if (const std::string livelock_summary = LivelockSummary(trace);
          !livelock_summary.empty()) {
        // After the first line, which says what it is.
        const std::size_t at = failure.what.find('\n');
        failure.what.insert(at, "\n" + livelock_summary);
      }
      break;
    default:
      break;
  }
}

}  // namespace

std::uint64_t FailureExplainer::Record(const Deviations& deviations) {
  TraceRecorder recorder(runner_.simulator());
  const Execution& execution =
      runner_.Rerun(deviations, program_seed_, &recorder);
  const bool fails =
      execution.failure.has_value() && IsFailure(*execution.failure);
  if (fails) {
    Failure failure = *execution.failure;
    Complete(recorder.trace(), recorder, failure);
    report_.Fail(std::move(failure));
  }
  report_.trace = std::move(recorder.trace());
  report_.trace_hash = report_.trace.Hash();
  report_.replay = ReplayString{.program_seed = program_seed_,
                                .input = runner_.search().input,
                                .schedule = execution.deviations,
                                .check = execution.check};
  if (!fails) return execution.trace_hash;
  report_.found.race = recorder.races().race();
  AddReplayCommand(runner_.name(), report_);
  return execution.trace_hash;
}

void FailureExplainer::AddFifoRun(const Deviations& deviations) {
  report_.trace.fifo = RunInFifoOrder(deviations, report_.failure()->step);
}

void FailureExplainer::Explain(const Deviations& deviations,
                               const FifoWitness& witness) {
  const std::string signature = report_.failure()->signature;
  const std::uint64_t steps = report_.failure()->step;
  AddFifoRun(deviations);
  Findings& found = report_.found;
  if (runner_.simulator().threads() == nullptr) {
    found.reachability = ReachabilityOf(deviations, witness);
  }
  found.turning_point = FindTurningPoint(deviations, signature, steps);
  found.nearest_pass = FindNearestPass(deviations, steps);
}

std::optional<FifoRun> FailureExplainer::RunInFifoOrder(
    const Deviations& deviations, std::uint64_t steps) {
  constexpr std::uint64_t kMore = 1'000;  // Than the failing execution has.
  if (deviations.empty() || runner_.only_probes()) return std::nullopt;
  TraceRecorder recorder(runner_.simulator());
  FifoStrategy strategy;
  const Execution& execution =
      runner_.Run(strategy, ordering_,
                  ExecutionRunner::ProgramSeed(program_seed_), &recorder);
  FifoRun fifo;
  if (execution.failure.has_value() && IsFailure(*execution.failure)) {
    const std::string& what = execution.failure->what;
    fifo.failure = what.substr(0, what.find('\n'));
  }
  const Trace& trace = recorder.trace();
  // A step belongs to the task that starts or resumes first in it.
  auto event = trace.events.begin();
  for (const TraceStep& step : trace.steps) {
    if (step.step > steps + kMore) {
      ++fifo.left_out;
      continue;
    }
    const auto begins = [&step](const TraceEvent& e) {
      return e.step == step.step && (e.kind == TraceEvent::Kind::kStart ||
                                     e.kind == TraceEvent::Kind::kResume);
    };
    while (event != trace.events.end() && event->step <= step.step &&
           !begins(*event)) {
      ++event;
    }
    const bool known = event != trace.events.end() && begins(*event);
    fifo.steps.push_back({.step = step.step,
                          .time_ns = step.time_ns,
                          .task = known ? trace.lanes[event->lane] : "-",
                          .taken = step.taken});
  }
  return fifo;
}

Reachability FailureExplainer::ReachabilityOf(
    const Deviations& deviations, const FifoWitness& witness) const {
  if (witness.schedule.has_value()) {
    const bool is_this = *witness.schedule == deviations;
    return {.reachable = true,
            .replay = is_this ? "" : ReplayOf(*witness.schedule)};
  }
  return {.reachable = false,
          .tried = witness.tried,
          .exhausted = witness.exhausted};
}

std::optional<TurningPoint> FailureExplainer::FindTurningPoint(
    const Deviations& deviations, const std::string& signature,
    std::uint64_t steps) {
  constexpr std::uint64_t kStepsMax = 1'000'000;
  constexpr std::uint64_t kContinuationsMax = 200;
  constexpr std::uint64_t kContinuationsMin = 50;  // Fewer would say little.
  if (deviations.empty()) return std::nullopt;
  const std::uint64_t continuations =
      std::min(kContinuationsMax,
               kStepsMax / (2 * deviations.size() * ContinuationLength(steps)));
  if (continuations < kContinuationsMin) return std::nullopt;
  // Up to the step before a deviation, and then including it.
  std::optional<TurningPoint> best;
  for (const Deviation& deviation : deviations) {
    const std::uint64_t without =
        FailuresAfter(deviation.step - 1, deviations, signature, continuations);
    const std::uint64_t with =
        FailuresAfter(deviation.step, deviations, signature, continuations);
    if (!best.has_value() ||
        with + best->failures_before > without + best->failures_after) {
      best = TurningPoint{.step = deviation.step,
                          .continuations = continuations,
                          .failures_after = with,
                          .failures_before = without};
    }
  }
  if (best->failures_after <= best->failures_before) return std::nullopt;
  return best;
}

std::uint64_t FailureExplainer::FailuresAfter(std::uint64_t last_step,
                                              const Deviations& deviations,
                                              const std::string& signature,
                                              std::uint64_t continuations) {
  std::uint64_t failures = 0;
  for (std::uint64_t j = 0; j < continuations; ++j) {
    ContinueStrategy strategy(deviations, last_step);
    const Execution& execution = runner_.Run(
        strategy, ordering_,
        {.strategy = DeriveSeed(runner_.search().seed, "turning point", j),
         .program = program_seed_});
    failures += execution.failure.has_value() &&
                execution.failure->signature == signature;
  }
  return failures;
}

std::uint64_t FailureExplainer::ContinuationLength(std::uint64_t steps) const {
  const std::optional<FifoRun>& fifo = report_.trace.fifo;
  const std::uint64_t to_the_end =
      fifo.has_value() ? fifo->steps.size() + fifo->left_out : 0;
  return std::max({steps, to_the_end, std::uint64_t{1}});
}

std::optional<NearestPass> FailureExplainer::FindNearestPass(
    const Deviations& deviations, std::uint64_t steps) {
  constexpr std::size_t kChoicesMax = 4;  // Tried at each step.
  std::uint64_t runs_left =
      std::min<std::uint64_t>(500, 500'000 / std::max<std::uint64_t>(steps, 1));
  ChoiceList list(deviations, kChoicesMax);
  runner_.Run(list, ordering_, ExecutionRunner::ProgramSeed(program_seed_));
  for (auto others = list.steps().rbegin(); others != list.steps().rend();
       ++others) {
    Deviations candidate;
    for (const Deviation& deviation : deviations) {
      if (deviation.step < others->step) candidate.push_back(deviation);
    }
    const std::size_t common = candidate.size();
    for (const std::uint32_t choice : others->choices) {
      if (runs_left-- == 0) return std::nullopt;
      candidate.resize(common);
      if (choice != 0) candidate.push_back({others->step, choice});
      if (Passes(candidate)) {
        return PassOf(candidate, others->step);
      }
    }
  }
  return std::nullopt;
}

bool FailureExplainer::Passes(const Deviations& candidate) {
  if (ordering_ != OrderingOf(candidate) &&
      runner_.Rerun(candidate, ordering_, program_seed_).failure.has_value()) {
    return false;
  }
  return !runner_.Rerun(candidate, program_seed_).failure.has_value();
}

NearestPass FailureExplainer::PassOf(const Deviations& candidate,
                                     std::uint64_t step) {
  TraceRecorder recorder(runner_.simulator());
  runner_.Rerun(candidate, program_seed_, &recorder);
  std::string instead;
  for (const DeviationText& deviation : recorder.trace().deviations) {
    if (deviation.step == step) instead = deviation.taken;
  }
  for (const DeviationText& deviation : report_.trace.deviations) {
    if (deviation.step == step && instead.empty()) instead = deviation.fifo;
  }
  return {.replay = ReplayOf(candidate),
          .step = step,
          .instead = std::move(instead)};
}

std::string FailureExplainer::ReplayOf(const Deviations& deviations) const {
  return FormatReplay({.program_seed = program_seed_,
                       .input = runner_.search().input,
                       .schedule = deviations});
}

}  // namespace clotho::sim::internal
