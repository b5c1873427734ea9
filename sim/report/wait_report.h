// The WAITS block of a report: which tasks wait for which when nothing can run.

#ifndef CLOTHO_SIM_REPORT_WAIT_REPORT_H_
#define CLOTHO_SIM_REPORT_WAIT_REPORT_H_

#include <string>

#include "clotho/sim/report/trace_recorder.h"

namespace clotho::sim::internal {

// The wait cycle, if there is one, then a table of the waits and the tasks'
// stacks.
std::string WaitsText(const TraceRecorder& recorder);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_WAIT_REPORT_H_
