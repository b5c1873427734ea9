// FailureShrinker: finds a smallest schedule that fails as the found one does,
// within the runs and the time that the search allows.

#ifndef CLOTHO_SIM_SEARCH_FAILURE_SHRINKER_H_
#define CLOTHO_SIM_SEARCH_FAILURE_SHRINKER_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/execution_runner.h"
#include "clotho/sim/search/search.h"
#include "clotho/sim/search/shrink.h"

namespace clotho::sim {

// When a shrinking that begins now has to end: after `search.shrink_for` of
// real time, which bounds only how far that goes, never what an execution does.
std::chrono::steady_clock::time_point ShrinkDeadline(const Search& search);

// Whether a shrinking that has to end by `deadline` is to end now: also ten
// seconds after somebody has interrupted the search.
bool ShrinkingIsOver(std::chrono::steady_clock::time_point deadline);

namespace internal {

// Shrinks by runs of `attempt`, until `deadline`. The report says how many runs
// there were, and whether the result is minimal.
Deviations ShrinkUntil(std::chrono::steady_clock::time_point deadline,
                       const Search& search, Deviations deviations,
                       TryDeviations attempt, Report& report);

// Shrinks by executions in this process, in one ordering: what a search in FIFO
// ordering has found is not shrunk to something that FIFO ordering cannot do.
class FailureShrinker {
 public:
  // `runner` must outlive it.
  FailureShrinker(ExecutionRunner& runner, Ordering ordering,
                  std::uint64_t program_seed)
      : runner_(runner), ordering_(ordering), program_seed_(program_seed) {}

  // Shrinks `found`, which ends with `failure`. A campaign hears how far it is.
  Deviations Shrink(const Failure& failure, Deviations found, Report& report);

  // The same, but nobody hears of it.
  ShrinkResult ShrinkQuietly(const std::string& signature, Deviations found);

 private:
  // Runs `candidate`. Returns the deviations that happened if it fails with
  // this signature.
  std::optional<Deviations> Try(const std::string& signature,
                                const Deviations& candidate);

  ExecutionRunner& runner_;
  const Ordering ordering_;
  const std::uint64_t program_seed_;
};

}  // namespace internal
}  // namespace clotho::sim

#endif  // CLOTHO_SIM_SEARCH_FAILURE_SHRINKER_H_
