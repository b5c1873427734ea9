// FailureConfirmer: what a search does with an execution that fails.
//
// It runs the execution again, shrinks its schedule, and has the shrunk
// execution recorded and explained. If the failure does not come back, that is
// the report: the program is not deterministic.

#ifndef CLOTHO_SIM_SEARCH_FAILURE_CONFIRMER_H_
#define CLOTHO_SIM_SEARCH_FAILURE_CONFIRMER_H_

#include <cstdint>
#include <string>

#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/execution_runner.h"

namespace clotho::sim::internal {

class FailureConfirmer {
 public:
  // All executions have this program seed. `runner` and `report` must outlive
  // it.
  FailureConfirmer(ExecutionRunner& runner, std::uint64_t program_seed,
                   Report& report)
      : runner_(runner), program_seed_(program_seed), report_(report) {}

  // Confirms, shrinks and explains the failure of `execution`, which may be the
  // runner's latest.
  void OnFailure(const Execution& execution);

  // Two runs of the same schedule differ: finds the step at which they part.
  void ReportNondeterminism(const Deviations& deviations);

 private:
  // Without `shrinks`, the schedule stays as it is and is not explained.
  void ConfirmAndExplain(const Execution& execution, bool shrinks);
  // A smallest schedule that fails like this one, as far as is known.
  Deviations Minimize(const Failure& failure, Ordering ordering,
                      Deviations deviations);
  // What happens in a run of the schedule.
  Trace Recorded(const Deviations& deviations);
  // Whether the schedule fails like this even if it is not ended early.
  bool FailsForSure(const Deviations& deviations, const std::string& signature);
  // The ordering in which a failure is shrunk and explained: FIFO ordering if
  // the search is in that and the failure occurs in it.
  Ordering OrderingOfFailure(const Deviations& deviations,
                             const Failure& failure);

  ExecutionRunner& runner_;
  const std::uint64_t program_seed_;
  Report& report_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_FAILURE_CONFIRMER_H_
