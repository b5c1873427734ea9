#include "clotho/sim/search/failure_explainer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/report/livelock_summary.h"
#include "clotho/sim/report/races.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/report/trace_recorder.h"
#include "clotho/sim/report/wait_report.h"
#include "clotho/sim/search/choice_list.h"
#include "clotho/sim/search/execution_runner.h"
#include "clotho/sim/search/fifo_witness.h"
#include "clotho/sim/search/search_report.h"
#include "clotho/sim/strategies/continue.h"
#include "clotho/sim/strategies/fifo.h"
#include "clotho/sim/strategies/random.h"

namespace clotho::sim::internal {
namespace {

// Adds to the failure and the report what only a recording shows.
void AddFindings(const Trace& trace, const TraceRecorder& recorder,
                 Failure& failure, Report& report) {
  switch (failure.kind) {
    case FailureKind::kDeadlock:
      report.waits = WaitsText(recorder);
      break;
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
  report_.failure = execution.failure;
  if (report_.failure.has_value() && !IsFailure(*report_.failure)) {
    report_.failure.reset();
  }
  if (report_.failure.has_value()) {
    AddFindings(recorder.trace(), recorder, *report_.failure, report_);
  }
  report_.trace = std::move(recorder.trace());
  report_.trace_hash = report_.trace.Hash();
  report_.replay = ReplayString{.program_seed = program_seed_,
                                .input = runner_.search().input,
                                .schedule = execution.deviations,
                                .check = execution.check};
  if (!report_.failure.has_value()) return execution.trace_hash;
  if (recorder.races().race().has_value()) {
    report_.race = RaceText(*recorder.races().race());
  }
  AddReplayCommand(runner_.name(), report_);
  return execution.trace_hash;
}

void FailureExplainer::AddFifoRun(const Deviations& deviations) {
  report_.trace.fifo = RunInFifoOrder(deviations, report_.failure->step);
}

void FailureExplainer::Explain(const Deviations& deviations,
                               const FifoWitness& witness) {
  const std::string signature = report_.failure->signature;
  const std::uint64_t steps = report_.failure->step;
  AddFifoRun(deviations);
  report_.reachable = Reachability(deviations, witness);
  report_.turn = TurningPoint(deviations, signature, steps);
  report_.nearest_pass = NearestPass(deviations, steps);
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

std::string FailureExplainer::Reachability(const Deviations& deviations,
                                           const FifoWitness& witness) const {
  if (witness.schedule.has_value()) {
    return absl::StrCat("reachable under asyncio today",
                        *witness.schedule == deviations
                            ? ""
                            : ", with " + ReplayOf(*witness.schedule));
  }
  std::string tried;
  if (!witness.exhausted) {
    tried = absl::StrCat(" (none of ", witness.tried,
                         " executions in FIFO ordering fails like this)");
  } else if (witness.tried > 1) {
    tried = absl::StrCat(" (none of the ", witness.tried,
                         " executions in FIFO ordering fails like this)");
  }
  return "needs a reordering that asyncio does not do today" + tried;
}

std::string FailureExplainer::TurningPoint(const Deviations& deviations,
                                           const std::string& signature,
                                           std::uint64_t steps) {
  constexpr std::uint64_t kStepsMax = 1'000'000;
  constexpr std::uint64_t kContinuationsMax = 200;
  constexpr std::uint64_t kContinuationsMin = 50;  // Fewer would say little.
  if (deviations.empty()) return "";
  const std::uint64_t continuations =
      std::min(kContinuationsMax,
               kStepsMax / (2 * deviations.size() * ContinuationLength(steps)));
  if (continuations < kContinuationsMin) return "";
  // Up to the step before a deviation, and then including it.
  const Deviation* turn = nullptr;
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  for (const Deviation& deviation : deviations) {
    const std::uint64_t without =
        FailuresAfter(deviation.step - 1, deviations, signature, continuations);
    const std::uint64_t with =
        FailuresAfter(deviation.step, deviations, signature, continuations);
    if (turn == nullptr || with + before > without + after) {
      turn = &deviation;
      before = without;
      after = with;
    }
  }
  if (after <= before) return "";
  return absl::StrCat("step ", turn->step, ": ", after, " of ", continuations,
                      " random continuations fail after it, ", before,
                      " before it");
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

std::string FailureExplainer::NearestPass(const Deviations& deviations,
                                          std::uint64_t steps) {
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
      if (runs_left-- == 0) return "";
      candidate.resize(common);
      if (choice != 0) candidate.push_back({others->step, choice});
      if (Passes(candidate)) {
        return DescribePass(candidate, others->step);
      }
    }
  }
  return "";
}

bool FailureExplainer::Passes(const Deviations& candidate) {
  if (ordering_ != OrderingOf(candidate) &&
      runner_.Rerun(candidate, ordering_, program_seed_).failure.has_value()) {
    return false;
  }
  return !runner_.Rerun(candidate, program_seed_).failure.has_value();
}

std::string FailureExplainer::DescribePass(const Deviations& candidate,
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
  constexpr std::size_t kShownMax = 60;
  std::string replay = ReplayOf(candidate);
  if (replay.size() > kShownMax) replay = "the same deviations before it";
  return absl::StrCat("nearest pass  ", replay, ": at step ", step, " ",
                      instead);
}

std::string FailureExplainer::ReplayOf(const Deviations& deviations) const {
  return FormatReplay({.program_seed = program_seed_,
                       .input = runner_.search().input,
                       .schedule = deviations});
}

}  // namespace clotho::sim::internal
