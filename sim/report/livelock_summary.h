// Who keeps an execution busy that comes to no end.

#ifndef CLOTHO_SIM_REPORT_LIVELOCK_SUMMARY_H_
#define CLOTHO_SIM_REPORT_LIVELOCK_SUMMARY_H_

#include <string>

#include "clotho/sim/engine/trace.h"

namespace clotho::sim::internal {

// A line for each of the few lanes that took the most steps: how many, what it
// did in its last one, and where. Empty if nothing ran.
std::string LivelockSummary(const Trace& trace);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_LIVELOCK_SUMMARY_H_
