// A Trace as bytes, to be sent between processes of the same program.

#ifndef CLOTHO_SIM_REPORT_TRACE_BYTES_H_
#define CLOTHO_SIM_REPORT_TRACE_BYTES_H_

#include <optional>
#include <string>
#include <string_view>

#include "clotho/sim/engine/trace.h"

namespace clotho::sim::internal {

std::string WriteTrace(const Trace& trace);

// nullopt if the bytes are truncated or not a trace.
std::optional<Trace> ReadTrace(std::string_view bytes);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_TRACE_BYTES_H_
