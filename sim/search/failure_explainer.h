// FailureExplainer: fills a report with what the failing execution did and why.
//
// It records the execution, compares it with the one in FIFO order, and runs
// variations of its schedule: could asyncio fail the same way, which deviation
// decides, which passing execution is nearest.

#ifndef CLOTHO_SIM_SEARCH_FAILURE_EXPLAINER_H_
#define CLOTHO_SIM_SEARCH_FAILURE_EXPLAINER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/report/findings.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/execution_runner.h"
#include "clotho/sim/search/fifo_witness.h"

namespace clotho::sim::internal {

class FailureExplainer {
 public:
  // All executions have this program seed; variations run in `ordering`.
  // `runner` and `report` must outlive it.
  FailureExplainer(ExecutionRunner& runner, Ordering ordering,
                   std::uint64_t program_seed, Report& report)
      : runner_(runner),
        ordering_(ordering),
        program_seed_(program_seed),
        report_(report) {}

  // Runs the schedule once more and records what happens, with the failure if
  // there is one. Returns the hash of the execution's steps.
  std::uint64_t Record(const Deviations& deviations);

  // Adds the execution in FIFO order, to compare the recorded one with.
  void AddFifoRun(const Deviations& deviations);

  // Explains the failure that `Record` has recorded. `witness` is what the
  // search for it in FIFO ordering has shown.
  void Explain(const Deviations& deviations, const FifoWitness& witness);

 private:
  // The execution without deviations; its steps up to a little more than
  // `steps`.
  std::optional<FifoRun> RunInFifoOrder(const Deviations& deviations,
                                        std::uint64_t steps);

  // Whether asyncio could show this failure, too.
  Reachability ReachabilityOf(const Deviations& deviations,
                              const FifoWitness& witness) const;

  // The deviation that decides: compares how many random continuations fail
  // after it and before it. (Causality analysis by re-execution; the largest
  // rise wins.) Empty if there is none, or if the analysis would take long.
  std::optional<TurningPoint> FindTurningPoint(const Deviations& deviations,
                                               const std::string& signature,
                                               std::uint64_t steps);

  // How many of `continuations` executions fail that follow the schedule up to
  // `last_step` and then choose at random.
  std::uint64_t FailuresAfter(std::uint64_t last_step,
                              const Deviations& deviations,
                              const std::string& signature,
                              std::uint64_t continuations);

  // Steps of an execution that continues where the failing one, of `steps`
  // steps, has ended: about as many as the execution in FIFO order has.
  std::uint64_t ContinuationLength(std::uint64_t steps) const;

  // The passing execution that follows the failing one for the longest, then
  // makes one other choice and continues in FIFO order. Empty if there is none,
  // or if the search for it would take long.
  std::optional<NearestPass> FindNearestPass(const Deviations& deviations,
                                             std::uint64_t steps);

  // Whether the schedule passes, in `ordering_` and as its string is replayed.
  bool Passes(const Deviations& candidate);

  // `candidate` passes, and leaves the failing execution at `step`.
  NearestPass PassOf(const Deviations& candidate, std::uint64_t step);

  // A replay string without a check.
  std::string ReplayOf(const Deviations& deviations) const;

  ExecutionRunner& runner_;
  const Ordering ordering_;
  const std::uint64_t program_seed_;
  Report& report_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_FAILURE_EXPLAINER_H_
