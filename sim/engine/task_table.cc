#include "clotho/sim/engine/task_table.h"

#include <algorithm>
#include <cstddef>
#include <source_location>
#include <string>

#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/wait_graph.h"

namespace clotho::sim::internal {
namespace {

constexpr std::size_t kHoldersMax = 3;

std::string State(const WaitGraph& graph, const Wait& wait) {
  if (wait.stack.empty()) {
    return absl::StrCat("has not started, created at ", Place(wait.created_at));
  }
  const std::source_location* const place = PlaceOf(wait);
  const std::string at =
      place == nullptr ? "" : absl::StrCat(" at ", Place(*place));
  if (wait.what.empty()) return "ready to go on" + at;
  std::string state = absl::StrCat("waits for ", wait.what, at);
  for (std::size_t i = 0; i < wait.holders.size(); ++i) {
    if (i == kHoldersMax) {
      absl::StrAppend(&state, ", ...");
      break;
    }
    absl::StrAppend(&state,
                    i > 0                  ? ", "
                    : wait.holds_by_taking ? ", held by "
                                           : ", that is ",
                    graph.waits[wait.holders[i]].task);
  }
  return state;
}

}  // namespace

std::string TaskTable(const EventLoop& loop) {
  const WaitGraph graph = BuildWaitGraph(loop);
  std::size_t width = 0;
  for (const Wait& wait : graph.waits) {
    width = std::max(width, wait.task.size());
  }
  std::string text;
  for (const Wait& wait : graph.waits) {
    absl::StrAppend(&text, "  ", wait.task,
                    std::string(width - wait.task.size(), ' '), "  ",
                    State(graph, wait), "\n");
  }
  return text;
}

}  // namespace clotho::sim::internal
