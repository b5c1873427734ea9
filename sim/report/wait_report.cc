#include "clotho/sim/report/wait_report.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/trace.h"

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

std::string PlaceOf(const TraceFrame& frame) {
  return Place(frame.file, frame.line);
}

bool IsOfTheRuntime(const TraceFrame& frame) {
  return PlaceOf(frame).starts_with("runtime/");
}

// +-> a-to-b  waits for  Lock "B"  held by  b-to-a
// |   b-to-a  waits for  Lock "A"  held by  a-to-b --+
// +--------------------------------------------------+
std::string CycleText(const Trace& trace) {
  // Begins with the oldest task, wherever the search found the cycle.
  const std::size_t size = trace.cycle.size();
  const std::size_t first =
      std::min_element(trace.cycle.begin(), trace.cycle.end()) -
      trace.cycle.begin();
  std::size_t task_width = 0;
  std::size_t what_width = 0;
  for (const std::size_t index : trace.cycle) {
    task_width = std::max(task_width, trace.waits[index].task.size());
    what_width = std::max(what_width, trace.waits[index].what.size());
  }
  std::string text;
  std::size_t line_width = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const TraceWait& wait = trace.waits[trace.cycle[(first + i) % size]];
    const TraceWait& next = trace.waits[trace.cycle[(first + i + 1) % size]];
    const std::string line = absl::StrCat(
        i == 0 ? "+-> " : "|   ", Pad(wait.task, task_width), "  waits for  ",
        Pad(wait.what, what_width), wait.taken ? "  held by  " : "  that is  ",
        Pad(next.task, task_width));
    line_width = line.size();
    absl::StrAppend(&text, line, i + 1 == size ? " --+\n" : "\n");
  }
  absl::StrAppend(&text, "+", std::string(line_width + 2, '-'), "+\n");
  return text;
}

std::string HolderText(const Trace& trace, const TraceWait& wait,
                       std::size_t room) {
  if (wait.what.empty()) return "";
  if (wait.holders.empty()) return "nobody is known to end this wait";
  std::vector<std::string> names;
  for (const std::size_t holder : wait.holders) {
    if (names.size() == kHoldersMax) {
      names.push_back("...");
      break;
    }
    names.push_back(trace.waits[holder].task);
  }
  std::string text = absl::StrJoin(names, ", ");
  if (wait.taken && wait.held.line != 0) {
    absl::StrAppend(&text, ", taken at ");
    absl::StrAppend(
        &text,
        CutPlace(PlaceOf(wait.held),
                 std::max<std::size_t>(
                     room > text.size() ? room - text.size() : 0, kPlaceMin)));
  }
  return text;
}

// The tasks of the cycle first, then the others, oldest first.
std::vector<std::size_t> Order(const Trace& trace) {
  std::vector<std::size_t> order = trace.cycle;
  std::sort(order.begin(), order.end());
  for (std::size_t i = 0; i < trace.waits.size(); ++i) {
    if (std::find(order.begin(), order.end(), i) == order.end() &&
        !trace.waits[i].background) {
      order.push_back(i);
    }
  }
  return order;
}

struct Widths {
  std::size_t task = 4;
  std::size_t what = 9;
};

Widths WidthsOf(const std::vector<const TraceWait*>& shown) {
  Widths widths;
  for (const TraceWait* const wait : shown) {
    widths.task =
        std::max(widths.task, std::min<std::size_t>(wait->task.size(), 18));
    widths.what =
        std::max(widths.what, std::min<std::size_t>(wait->what.size(), 22));
  }
  return widths;
}

std::string TaskText(const TraceWait& wait, const Widths& widths) {
  return Pad(Cut(wait.task, widths.task), widths.task);
}

// "a-to-b  Lock "B"   6 ms   b-to-a, taken at bank.cc:12".
std::string RowText(const Trace& trace, const TraceWait& wait,
                    const Widths& widths) {
  const std::string line =
      absl::StrCat(TaskText(wait, widths), "  ",
                   Pad(Cut(wait.what, widths.what), widths.what), "  ",
                   Pad(TimeText(wait.since_ns), 5), "  ");
  const std::size_t room = kWidth > line.size() ? kWidth - line.size() : 0;
  return absl::StrCat(line, HolderText(trace, wait, room));
}

// Where the coroutines of the task are suspended, outermost first.
std::string StackText(const TraceWait& wait, const Widths& widths) {
  std::vector<std::string> frames;
  for (const TraceFrame& frame : wait.stack) {
    if (IsOfTheRuntime(frame)) continue;
    frames.push_back(absl::StrCat(frame.function, " ", PlaceOf(frame)));
  }
  if (frames.size() > 3) {
    frames.erase(frames.begin() + 1, frames.end() - 2);
    frames.insert(frames.begin() + 1, "...");
  }
  std::string line =
      absl::StrCat(TaskText(wait, widths), "  ", absl::StrJoin(frames, " > "));
  if (wait.created.line != 0) {
    absl::StrAppend(&line, "   created ", PlaceOf(wait.created));
  }
  return Wrap(line, kWidth, widths.task + 2);
}

}  // namespace

std::string WaitsText(const Trace& trace) {
  std::string text;
  if (!trace.cycle.empty()) absl::StrAppend(&text, CycleText(trace), "\n");
  const std::vector<std::size_t> order = Order(trace);
  std::vector<const TraceWait*> shown;
  for (const std::size_t index : order) {
    if (shown.size() < kTasksMax) shown.push_back(&trace.waits[index]);
  }
  const Widths widths = WidthsOf(shown);
  absl::StrAppend(&text, Pad("task", widths.task), "  ",
                  Pad("waits for", widths.what), "  since  who could end it\n");
  for (const TraceWait* const wait : shown) {
    absl::StrAppend(&text, RowText(trace, *wait, widths), "\n");
  }
  if (order.size() > shown.size()) {
    absl::StrAppend(&text, "and ", order.size() - shown.size(), " more\n");
  }
  absl::StrAppend(&text, "\n");
  for (const TraceWait* const wait : shown) {
    absl::StrAppend(&text, StackText(*wait, widths), "\n");
  }
  text.pop_back();
  return text;
}

}  // namespace clotho::sim::internal
