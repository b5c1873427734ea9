// Which tasks keep an execution busy that does not end.

#ifndef CLOTHO_SIM_REPORT_LIVELOCK_SUMMARY_H_
#define CLOTHO_SIM_REPORT_LIVELOCK_SUMMARY_H_

#include <string>

#include "clotho/sim/engine/trace.h"

namespace clotho::sim::internal {

// One line for each of the few lanes with the most steps: how many steps it
// took, what it did in the last one, and where. Empty if nothing ran.
std::string LivelockSummary(const Trace& trace);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_LIVELOCK_SUMMARY_H_
