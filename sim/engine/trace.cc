#include "clotho/sim/engine/trace.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "clotho/sim/engine/hash.h"

namespace clotho::sim {

std::uint64_t Trace::Hash() const {
  StreamHash hash;
  for (const std::string& lane : lanes) hash.Add(std::string_view(lane));
  for (const TraceEvent& event : events) {
    hash.Add(event.step);
    hash.Add(static_cast<std::uint64_t>(event.time_ns));
    hash.Add(static_cast<std::uint64_t>(event.lane));
    hash.Add(static_cast<std::uint64_t>(event.kind));
    hash.Add(static_cast<std::uint64_t>(event.other));
    hash.Add(std::string_view(event.text));
  }
  hash.Add(static_cast<std::uint64_t>(deviations.size()));
  for (const DeviationText& deviation : deviations) hash.Add(deviation.step);
  return hash.Finish();
}

}  // namespace clotho::sim
