#include "clotho/sim/search/saved_schedules.h"

#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/execution_runner.h"
#include "clotho/sim/search/failure_confirmer.h"
#include "clotho/sim/search/search_report.h"
#include "clotho/sim/strategies/replay.h"

namespace clotho::sim::internal {

bool RunSaved(const SavedSchedule& saved, ExecutionRunner& runner,
              Report& report) {
  const absl::StatusOr<ReplayString> replay = ParseReplay(saved.replay);
  const Deviations* const deviations =
      replay.ok() ? std::get_if<Deviations>(&replay->schedule) : nullptr;
  if (deviations == nullptr) {
    report.Misuse(absl::StrCat(
        "sim::ReplayFirst(\"", saved.replay, "\"): ",
        replay.ok() ? "expected deviations from FIFO order, as in c1/0/4:1"
                    : std::string(replay.status().message())));
    return false;
  }
  if (replay->input != runner.search().input) {
    report.Misuse(absl::StrCat("sim::ReplayFirst(\"", saved.replay,
                               "\"): ", WrongInput(replay->input)));
    return false;
  }
  const std::uint64_t program_seed = replay->program_seed;
  ReplayStrategy strategy(*deviations);
  const Execution& execution =
      runner.Run(strategy, OrderingOf(*deviations),
                 ExecutionRunner::ProgramSeed(program_seed));
  ++report.search.executions;
  if (TakeSkip(execution, report)) return false;
  if (runner.Counts(execution)) {
    report.saved = saved;
    // (A campaign counts them by itself.)
    if (runner.search().campaign == nullptr) {
      CollectGoals(runner.simulator().goals(), report);
    }
    FailureConfirmer(runner, program_seed, report).OnFailure(execution);
    return false;
  }
  if (const auto divergence = strategy.FinalDivergence()) {
    report.drifted.push_back(absl::StrCat(saved.replay,
                                          saved.place.empty() ? "" : " of ",
                                          saved.place, ": ", *divergence));
  }
  return true;
}

}  // namespace clotho::sim::internal
