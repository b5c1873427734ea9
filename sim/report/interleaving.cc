#include "clotho/sim/report/interleaving.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/report/layout.h"

namespace clotho::sim::internal {
namespace {

// With more lanes, the table becomes a list.
constexpr std::size_t kLanesMax = 5;
constexpr std::size_t kColumnMax = 34;
constexpr std::size_t kTaskMax = 24;

// An event, phrased for its own lane.
std::string EventText(const TraceEvent& event) {
  switch (event.kind) {
    case TraceEvent::Kind::kFailure:
      return absl::StrCat("FAILS: ", event.text);
    default:
      return event.text;
  }
}

std::string LineText(const TraceEvent& event) {
  return event.line == 0 ? "" : absl::StrCat(":", event.line);
}

// A step's events, as lines of the table.
struct StepLines {
  std::uint64_t step = 0;
  std::size_t lines = 0;
  bool shown = false;
};

std::vector<StepLines> StepsOf(const Trace& trace) {
  // Steps of the events, ascending, without duplicates.
  std::vector<StepLines> steps;
  for (const TraceEvent& event : trace.events) {
    if (steps.empty() || steps.back().step != event.step) {
      steps.push_back({.step = event.step, .lines = 0, .shown = false});
    }
    ++steps.back().lines;
  }
  return steps;
}

// Selects the steps of a long execution that the table shows: the deviations
// and the failure with their neighbours, then as many as fit, from the end.
// Returns how many lines that makes, including those that count omitted steps.
std::size_t ShowSteps(const Trace& trace, std::size_t lines_max,
                      std::vector<StepLines>& steps) {
  std::size_t used = 0;
  for (StepLines& step : steps) step.shown = false;
  const auto show = [&](std::size_t index) {
    if (index >= steps.size() || steps[index].shown) return;
    if (used > 0 && used + steps[index].lines > lines_max) return;
    used += steps[index].lines;
    steps[index].shown = true;
  };
  if (!steps.empty()) show(steps.size() - 1);
  for (auto deviation = trace.deviations.rbegin();
       deviation != trace.deviations.rend(); ++deviation) {
    const std::size_t at =
        std::ranges::lower_bound(steps, deviation->step, {}, &StepLines::step) -
        steps.begin();
    show(at);
    if (at > 0) show(at - 1);
    show(at + 1);
  }
  for (std::size_t i = steps.size(); i > 0; --i) show(i - 1);
  for (std::size_t i = 1; i < steps.size(); ++i) {
    if (steps[i].shown && !steps[i - 1].shown) ++used;
  }
  return used;
}

std::set<std::uint64_t> StepsToShow(const Trace& trace, std::size_t lines_max) {
  std::vector<StepLines> steps = StepsOf(trace);
  // Shows fewer and fewer steps, until the lines between them fit, too.
  for (std::size_t room = lines_max;
       ShowSteps(trace, room, steps) > lines_max && room > 1; --room) {
  }
  std::set<std::uint64_t> shown;
  for (const StepLines& step : steps) {
    if (step.shown) shown.insert(step.step);
  }
  return shown;
}

class Table {
 public:
  // `trace` must outlive it.
  Table(const Trace& trace, std::size_t lines_max)
      : trace_(trace), shown_(StepsToShow(trace, lines_max)) {
    FindLanes();
    SetWidths();
  }

  std::string Text(std::uint64_t failing_step) const {
    std::string out = Head();
    std::uint64_t previous = 0;
    std::size_t hidden = 0;
    std::uint64_t hidden_step = 0;
    for (const TraceEvent& event : trace_.events) {
      if (!shown_.contains(event.step)) {
        if (event.step != hidden_step) ++hidden;
        hidden_step = event.step;
        continue;
      }
      if (hidden > 0) {
        AddLine(out, absl::StrCat(std::string(margin_, ' '), "(", hidden,
                                  hidden == 1 ? " step)" : " steps)"));
        hidden = 0;
      }
      const bool first = event.step != previous;
      previous = event.step;
      AddLine(out, absl::StrCat(StepText(event, first, failing_step),
                                RowText(event)));
    }
    return out;
  }

 private:
  void FindLanes() {
    for (const TraceEvent& event : trace_.events) {
      if (!shown_.contains(event.step) ||
          event.kind == TraceEvent::Kind::kTimer) {
        continue;
      }
      if (std::find(lanes_.begin(), lanes_.end(), event.lane) == lanes_.end()) {
        lanes_.push_back(event.lane);
      }
    }
    std::sort(lanes_.begin(), lanes_.end());
    columns_ = lanes_.size() <= kLanesMax;
  }

  void SetWidths() {
    for (const TraceEvent& event : trace_.events) {
      time_width_ = std::max(time_width_, TimeText(event.time_ns).size());
    }
    if (!columns_) {
      for (const std::size_t lane : lanes_) {
        task_width_ = std::max(task_width_, trace_.lanes[lane].size());
      }
      task_width_ = std::min(task_width_, kTaskMax);
    }
    if (!trace_.events.empty()) {
      step_width_ =
          std::max(step_width_, absl::StrCat(trace_.events.back().step).size());
    }
    margin_ = 2 + step_width_ + 2;
    const std::size_t left =
        margin_ + time_width_ + 2 + (columns_ ? 0 : task_width_ + 2);
    const std::size_t lane_count = columns_ ? lanes_.size() : 1;
    width_ = std::min<std::size_t>(
                 (kPageWidth - left) / std::max<std::size_t>(lane_count, 1),
                 columns_ ? kColumnMax : kPageWidth - left) -
             2;
  }

  // The names of the columns, and a rule.
  std::string Head() const {
    std::string out = absl::StrCat("  ", Cell("step", step_width_), "  ",
                                   Cell("time", time_width_), "  ");
    std::string rule = absl::StrCat("  ", std::string(step_width_, '-'), "  ",
                                    std::string(time_width_, '-'), "  ");
    if (columns_) {
      for (const std::size_t lane : lanes_) {
        absl::StrAppend(&out, Cell(trace_.lanes[lane], width_), "  ");
        absl::StrAppend(&rule, std::string(width_, '-'), "  ");
      }
    } else {
      absl::StrAppend(&out, Cell("task", task_width_), "  event");
      absl::StrAppend(&rule, std::string(task_width_, '-'), "  ",
                      std::string(width_, '-'));
    }
    AddLine(out, "");
    AddLine(out, rule);
    return out;
  }

  // The step and its time; `first`: the event is the first in its step.
  std::string StepText(const TraceEvent& event, bool first,
                       std::uint64_t failing_step) const {
    std::string text(margin_, ' ');
    if (first && event.step > 0) {
      const std::string number = absl::StrCat(event.step);
      text = absl::StrCat(Mark(event.step, failing_step),
                          std::string(step_width_ - number.size(), ' '), number,
                          "  ");
    }
    return absl::StrCat(
        text, Cell(first ? TimeText(event.time_ns) : "", time_width_), "  ");
  }

  // The event, in the column of its lane.
  std::string RowText(const TraceEvent& event) const {
    if (event.kind == TraceEvent::Kind::kTimer) {
      return absl::StrCat("[", event.text, "]");
    }
    if (!columns_) {
      return absl::StrCat(Cell(trace_.lanes[event.lane], task_width_), "  ",
                          CellText(event));
    }
    std::string row;
    for (const std::size_t lane : lanes_) {
      absl::StrAppend(
          &row, lane == event.lane ? CellText(event) : Cell("", width_), "  ");
    }
    return row;
  }

  static void AddLine(std::string& out, std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    if (line.empty() && !out.empty()) {  // Ends the current line of `out`.
      out.erase(out.find_last_not_of(' ') + 1);
    }
    absl::StrAppend(&out, line, "\n");
  }

  std::string Mark(std::uint64_t step, std::uint64_t failing_step) const {
    for (const DeviationText& deviation : trace_.deviations) {
      if (deviation.step == step) return step == failing_step ? "*X" : "* ";
    }
    return step == failing_step ? "X " : "  ";
  }

  std::string CellText(const TraceEvent& event) const {
    std::string text = EventText(event);
    const std::string line = LineText(event);
    if (line.empty()) return Cell(text, width_);
    const std::size_t room =
        width_ > line.size() + 1 ? width_ - line.size() - 1 : 0;
    return absl::StrCat(Cell(text, room), " ", line);
  }

  const Trace& trace_;
  const std::set<std::uint64_t> shown_;
  std::vector<std::size_t> lanes_;
  bool columns_ = true;  // A column for each lane; if not, one for all.
  std::size_t step_width_ = 4;
  std::size_t time_width_ = 4;
  std::size_t task_width_ = 4;  // Without columns.
  std::size_t margin_ = 0;      // Left of the time.
  std::size_t width_ = 0;       // Of an event.
};

}  // namespace

std::string InterleavingText(const Trace& trace, std::size_t lines_max,
                             std::uint64_t failing_step) {
  return Table(trace, lines_max).Text(failing_step);
}

}  // namespace clotho::sim::internal
