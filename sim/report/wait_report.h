// The WAITS block of a report: who waits for whom when nothing can go on.

#ifndef CLOTHO_SIM_REPORT_WAIT_REPORT_H_
#define CLOTHO_SIM_REPORT_WAIT_REPORT_H_

#include <string>

#include "clotho/sim/report/trace_recorder.h"

namespace clotho::sim::internal {

// The circle, if there is one, then a table of the waits and the tasks' stacks.
std::string WaitsText(const TraceRecorder& recorder);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_WAIT_REPORT_H_
