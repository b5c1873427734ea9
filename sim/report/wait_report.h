// The WAITS block of a report: which tasks wait for which when nothing can run.

#ifndef CLOTHO_SIM_REPORT_WAIT_REPORT_H_
#define CLOTHO_SIM_REPORT_WAIT_REPORT_H_

#include <string>

#include "clotho/sim/engine/trace.h"

namespace clotho::sim::internal {

// The wait cycle, if there is one, then a table of the waits and the tasks'
// stacks. Does not end with a line break.
std::string WaitsText(const Trace& trace);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_WAIT_REPORT_H_
