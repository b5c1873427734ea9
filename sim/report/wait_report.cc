#include "clotho/sim/report/wait_report.h"

#include <algorithm>
#include <cstddef>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/wait_graph.h"

namespace clotho::sim::internal {
namespace {

constexpr std::size_t kWidth = 90;    // Of a line, without the heading.
constexpr std::size_t kTasksMax = 8;  // Further tasks are counted, not shown.
constexpr std::size_t kHoldersMax = 3;
constexpr std::size_t kPlaceMin = 12;  // Places are not cut below this.

std::string Cut(std::string_view text, std::size_t width) {
  if (text.size() <= width) return std::string(text);
  return absl::StrCat(std::string(text.substr(0, width - 3)), "...");
}

// A place keeps its end: the line number matters most.
std::string CutPlace(std::string_view place, std::size_t width) {
  if (place.size() <= width) return std::string(place);
  return absl::StrCat("...",
                      std::string(place.substr(place.size() - width + 3)));
}

std::string Pad(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

// +-> a-to-b  waits for  Lock "B"  held by  b-to-a
// |   b-to-a  waits for  Lock "A"  held by  a-to-b --+
// +--------------------------------------------------+
std::string CycleText(const WaitGraph& graph) {
  // Begins with the oldest task, wherever the search found the cycle.
  const std::size_t size = graph.cycle.size();
  const std::size_t first =
      std::min_element(graph.cycle.begin(), graph.cycle.end()) -
      graph.cycle.begin();
  std::size_t task_width = 0;
  std::size_t what_width = 0;
  for (const std::size_t index : graph.cycle) {
    task_width = std::max(task_width, graph.waits[index].task.size());
    what_width = std::max(what_width, graph.waits[index].what.size());
  }
  std::string text;
  std::size_t line_width = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const Wait& wait = graph.waits[graph.cycle[(first + i) % size]];
    const Wait& next = graph.waits[graph.cycle[(first + i + 1) % size]];
    const std::string line =
        absl::StrCat(i == 0 ? "+-> " : "|   ", Pad(wait.task, task_width),
                     "  waits for  ", Pad(wait.what, what_width),
                     wait.holds_by_taking ? "  held by  " : "  that is  ",
                     Pad(next.task, task_width));
    line_width = line.size();
    absl::StrAppend(&text, line, i + 1 == size ? " --+\n" : "\n");
  }
  absl::StrAppend(&text, "+", std::string(line_width + 2, '-'), "+\n");
  return text;
}

std::string HolderText(const WaitGraph& graph, const Wait& wait,
                       std::size_t room) {
  if (wait.what.empty()) return "";
  if (wait.holders.empty()) return "nobody is known to end this wait";
  std::vector<std::string> names;
  for (const std::size_t holder : wait.holders) {
    if (names.size() == kHoldersMax) {
      names.push_back("...");
      break;
    }
    names.push_back(graph.waits[holder].task);
  }
  std::string text = absl::StrJoin(names, ", ");
  if (wait.holds_by_taking && wait.held_at.line() != 0) {
    absl::StrAppend(&text, ", taken at ");
    absl::StrAppend(
        &text,
        CutPlace(Place(wait.held_at),
                 std::max<std::size_t>(
                     room > text.size() ? room - text.size() : 0, kPlaceMin)));
  }
  return text;
}

}  // namespace

std::string WaitsText(const TraceRecorder& recorder) {
  const WaitGraph& graph = recorder.waits();
  std::string text;
  if (!graph.cycle.empty()) absl::StrAppend(&text, CycleText(graph), "\n");

  // The tasks of the cycle first, then the others, oldest first.
  std::vector<std::size_t> order = graph.cycle;
  std::sort(order.begin(), order.end());
  for (std::size_t i = 0; i < graph.waits.size(); ++i) {
    if (std::find(order.begin(), order.end(), i) == order.end() &&
        !graph.waits[i].background) {
      order.push_back(i);
    }
  }
  std::size_t task_width = 4;
  std::size_t what_width = 9;
  const std::size_t shown = std::min(order.size(), kTasksMax);
  for (std::size_t i = 0; i < shown; ++i) {
    const Wait& wait = graph.waits[order[i]];
    task_width =
        std::max(task_width, std::min<std::size_t>(wait.task.size(), 18));
    what_width =
        std::max(what_width, std::min<std::size_t>(wait.what.size(), 22));
  }
  absl::StrAppend(&text, Pad("task", task_width), "  ",
                  Pad("waits for", what_width), "  since  who could end it\n");
  for (std::size_t i = 0; i < shown; ++i) {
    const Wait& wait = graph.waits[order[i]];
    const TraceRecorder::Since since = recorder.WaitsSince(wait.task);
    const std::string line =
        absl::StrCat(Pad(Cut(wait.task, task_width), task_width), "  ",
                     Pad(Cut(wait.what, what_width), what_width), "  ",
                     Pad(TimeText(since.time_ns), 5), "  ");
    const std::size_t room = kWidth > line.size() ? kWidth - line.size() : 0;
    absl::StrAppend(&text, line, HolderText(graph, wait, room), "\n");
  }
  if (order.size() > shown) {
    absl::StrAppend(&text, "and ", order.size() - shown, " more\n");
  }

  absl::StrAppend(&text, "\n");
  for (std::size_t i = 0; i < shown; ++i) {
    const Wait& wait = graph.waits[order[i]];
    std::vector<std::string> frames;
    for (const std::source_location& frame : wait.stack) {
      if (IsOfTheRuntime(frame)) continue;
      frames.push_back(
          absl::StrCat(FunctionName(frame.function_name()), " ", Place(frame)));
    }
    if (frames.size() > 3) {
      frames.erase(frames.begin() + 1, frames.end() - 2);
      frames.insert(frames.begin() + 1, "...");
    }
    std::string line = absl::StrCat(Pad(Cut(wait.task, task_width), task_width),
                                    "  ", absl::StrJoin(frames, " > "));
    if (wait.created_at.line() != 0) {
      absl::StrAppend(&line, "   created ", Place(wait.created_at));
    }
    absl::StrAppend(&text, Wrap(line, kWidth, task_width + 2), "\n");
  }
  text.pop_back();
  return text;
}

}  // namespace clotho::sim::internal
