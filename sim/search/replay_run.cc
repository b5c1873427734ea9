#include "clotho/sim/search/replay_run.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/search/execution_runner.h"
#include "clotho/sim/search/failure_confirmer.h"
#include "clotho/sim/search/failure_explainer.h"
#include "clotho/sim/search/search_report.h"
#include "clotho/sim/search/warmed_strategy.h"
#include "clotho/sim/strategies/replay.h"

namespace clotho::sim::internal {

void ReplayRun::Run() {
  report_.search.schedules = 0;
  report_.search.executions = 1;
  report_.replay = replay_;
  if (const auto* const run = std::get_if<StrategyRun>(&replay_.schedule)) {
    RunStrategy(*run);
  } else {
    RunSchedule(std::get<Deviations>(replay_.schedule));
  }
}

void ReplayRun::RunStrategy(const StrategyRun& run) {
  // It is not shrunk: first it has to be seen what the strategy does.
  WarmedStrategy warmed(runner_, replay_.program_seed);
  warmed.Learn(run.execution);
  const Execution& execution = [&]() -> const Execution& {
    const ExecutionRunner::WatchScope watched(runner_);
    return warmed.Run(run.execution);
  }();
  CheckReplay(execution, std::nullopt);
}

void ReplayRun::RunSchedule(const Deviations& deviations) {
  ReplayStrategy strategy(deviations);
  const Execution& execution = [&]() -> const Execution& {
    const ExecutionRunner::WatchScope watched(runner_);
    return runner_.Run(strategy, OrderingOf(deviations),
                       ExecutionRunner::ProgramSeed(replay_.program_seed));
  }();
  const std::optional<std::string> divergence = strategy.FinalDivergence();
  // A report shows a deadlock beside periodic work up to where it is first
  // seen; this run has shown that it is one.
  if (execution.failure.has_value() &&
      execution.failure->beside_periodic_work &&
      replay_.check != execution.check) {
    const ExecutionRunner::QuietScope early(runner_, true);
    CheckReplay(runner_.Rerun(deviations, replay_.program_seed), divergence);
    return;
  }
  CheckReplay(execution, divergence);
}

void ReplayRun::CheckReplay(const Execution& execution,
                            std::optional<std::string> divergence) {
  report_.search.steps = execution.steps;
  if (TakeSkip(execution, report_)) return;
  if (!divergence.has_value() && replay_.check.has_value() &&
      *replay_.check != execution.check) {
    divergence =
        "the choices that the program met are not those of the replay string";
  }
  if (divergence.has_value()) {
    report_.Diverge(absl::StrCat(
        "The replay does not fit the program: ", *divergence,
        "\nThe string was made by another program, or by another version of "
        "this one."));
    return;
  }
  const Deviations deviations = execution.deviations;
  const std::uint64_t hash = execution.trace_hash;
  FailureExplainer explainer(runner_, execution.ordering, replay_.program_seed,
                             report_);
  if (explainer.Record(deviations) != hash) {
    FailureConfirmer(runner_, replay_.program_seed, report_)
        .ReportNondeterminism(deviations);
  } else if (!report_.passed()) {
    explainer.AddFifoRun(deviations);
  }
}

}  // namespace clotho::sim::internal
