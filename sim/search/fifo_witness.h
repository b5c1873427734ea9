// FindFifoWitness: looks for a failure that is known from any ordering in FIFO
// ordering, where asyncio could show it, too.

#ifndef CLOTHO_SIM_SEARCH_FIFO_WITNESS_H_
#define CLOTHO_SIM_SEARCH_FIFO_WITNESS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/search/execution_runner.h"

namespace clotho::sim::internal {

struct FifoWitness {
  // A schedule that fails in the same way in FIFO ordering, shrunk. It was run
  // as its replay string runs. Empty: none was found.
  std::optional<Deviations> schedule;
  bool minimal = false;  // Known: every deviation of `schedule` is needed.
  // The executions in FIFO ordering that did not fail in that way.
  std::uint64_t tried = 0;
  bool exhausted = false;  // There are no others.
};

// `deviations` fails with `signature` after `steps` steps. Tries, in this
// order: the schedule itself, of which FIFO ordering keeps what the environment
// decides; every schedule with few deviations; and random ones. The number of
// executions is bounded by the length of the failing one.
FifoWitness FindFifoWitness(ExecutionRunner& runner, std::uint64_t program_seed,
                            const Deviations& deviations,
                            const std::string& signature, std::uint64_t steps);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_FIFO_WITNESS_H_
