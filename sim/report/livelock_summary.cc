#include "clotho/sim/report/livelock_summary.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/trace.h"

namespace clotho::sim::internal {
namespace {

constexpr std::size_t kLanesMax = 3;
constexpr std::size_t kEventsMax = 3;

struct Lane {
  std::size_t index = 0;
  std::uint64_t steps = 0;
  std::uint64_t step = 0;  // The last step, and what it did.
  std::size_t events = 0;
  std::string last;
};

}  // namespace

std::string LivelockSummary(const Trace& trace) {
  std::vector<Lane> lanes(trace.lanes.size());
  for (std::size_t i = 0; i < lanes.size(); ++i) lanes[i].index = i;
  for (const TraceEvent& event : trace.events) {
    using Kind = TraceEvent::Kind;
    if (event.kind == Kind::kTimer || event.kind == Kind::kFailure) continue;
    Lane& lane = lanes[event.lane];
    if (event.step != lane.step) {
      ++lane.steps;
      lane.step = event.step;
      lane.events = 0;
      lane.last.clear();
    }
    // A resume shows only what the lane waited for, which the line already
    // says.
    if (event.kind == Kind::kResume || ++lane.events > kEventsMax) continue;
    absl::StrAppend(&lane.last, lane.last.empty() ? "" : ", ", event.text);
    if (event.line != 0) {
      absl::StrAppend(&lane.last, " (", Place(event.file, event.line), ")");
    }
  }
  std::sort(lanes.begin(), lanes.end(), [](const Lane& a, const Lane& b) {
    return a.steps != b.steps ? a.steps > b.steps : a.index < b.index;
  });
  std::string text;
  for (std::size_t i = 0; i < lanes.size() && i < kLanesMax; ++i) {
    const Lane& lane = lanes[i];
    // A lane that ran only occasionally does not keep the execution busy.
    if (lane.steps == 0 || lane.steps * 10 < lanes.front().steps) break;
    absl::StrAppend(&text, text.empty() ? "" : "\n", trace.lanes[lane.index],
                    " took ", lane.steps, lane.steps == 1 ? " step" : " steps",
                    lane.last.empty() ? "" : ", the last one: ", lane.last);
  }
  return text;
}

}  // namespace clotho::sim::internal
