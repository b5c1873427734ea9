// The interleaving: what an execution did, step by step, as a table with a
// column for each task.

#ifndef CLOTHO_SIM_REPORT_INTERLEAVING_H_
#define CLOTHO_SIM_REPORT_INTERLEAVING_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "clotho/sim/engine/trace.h"

namespace clotho::sim::internal {

// At most `lines_max` lines below the head of the table: of a long execution,
// the deviations and the failure with their neighbours. Ends with a line break.
std::string InterleavingText(const Trace& trace, std::size_t lines_max,
                             std::uint64_t failing_step);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_INTERLEAVING_H_
