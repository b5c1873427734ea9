#include "clotho/sim/report/report.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "clotho/sim/engine/format.h"

namespace clotho::sim {
namespace {

using internal::Place;
using internal::TimeText;
using internal::Wrap;

constexpr std::size_t kWidth = 100;
// Left of the text, for WHAT and the other headings.
constexpr std::size_t kMargin = 10;
constexpr std::size_t kLinesMax = 45;  // One screen.
constexpr std::size_t kTableLinesMax = 24;
constexpr std::size_t kTableLinesMin = 8;
// With more lanes, the table becomes a list.
constexpr std::size_t kLanesMax = 5;
constexpr std::size_t kDeviationsShown = 6;
constexpr std::size_t kInputLinesMax = 12;

std::string Pad(std::string_view text, std::size_t width) {
  std::string padded(text.substr(0, width));
  padded.resize(width, ' ');
  return padded;
}

// "WHAT      text", further lines below the text. A heading that is wider than
// its column has its own line.
void AddBlock(std::string& out, std::string_view heading,
              std::string_view text) {
  bool first = true;
  if (heading.size() >= kMargin) {
    absl::StrAppend(&out, std::string(heading), "\n");
    first = false;
  }
  for (const auto line : absl::StrSplit(std::string(text), '\n')) {
    if (first || !line.empty()) {
      absl::StrAppend(&out, Pad(first ? heading : "", kMargin), line);
    }
    absl::StrAppend(&out, "\n");
    first = false;
  }
}

// "in JobQueue::Take (job_queue.cc:25), task worker-1, t = 0 s, step 5".
std::string Where(const Failure& failure) {
  std::vector<std::string> parts;
  const std::string place =
      failure.line == 0 ? "" : Place(failure.file, failure.line);
  const bool is_said = failure.what.find(place) != failure.what.npos;
  if (!failure.function.empty()) {
    parts.push_back(absl::StrCat("in ", failure.function));
    if (!place.empty()) parts.push_back(absl::StrCat("(", place, ")"));
  } else if (!is_said) {
    parts.push_back(absl::StrCat("at ", place));
  }
  if (!failure.task.empty()) {
    parts.push_back(absl::StrCat("task ", failure.task));
  }
  // A deadlock's text already says it, and a search as a whole has no place.
  if (failure.kind != FailureKind::kDeadlock &&
      failure.kind != FailureKind::kGoal &&
      failure.kind != FailureKind::kIncomplete) {
    parts.push_back(absl::StrCat("t = ", TimeText(failure.time_ns)));
    parts.push_back(absl::StrCat("step ", failure.step));
  }
  std::string text;
  std::size_t width = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool goes_on = i + 1 < parts.size() && parts[i + 1].front() != '(';
    const std::string part = absl::StrCat(parts[i], goes_on ? "," : "");
    const bool wraps = width + 1 + part.size() > kWidth - kMargin;
    absl::StrAppend(&text, width == 0 ? "" : wraps ? "\n" : " ", part);
    width = (width == 0 || wraps ? 0 : width + 1) + part.size();
  }
  return text;
}

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

// The text of a table row in the column of its lane, and that column.
struct Cell {
  std::string text;
  std::string line;
};

class Table {
 public:
  Table(const Trace& trace, std::size_t lines_max)
      : trace_(trace), shown_(StepsToShow(trace, lines_max)) {
    for (const TraceEvent& event : trace.events) {
      if (!shown_.contains(event.step) ||
          event.kind == TraceEvent::Kind::kTimer) {
        continue;
      }
      if (std::find(lanes_.begin(), lanes_.end(), event.lane) == lanes_.end()) {
        lanes_.push_back(event.lane);
      }
    }
    std::sort(lanes_.begin(), lanes_.end());
  }

  std::string Text(std::uint64_t failing_step) const {
    const bool columns = lanes_.size() <= kLanesMax;
    const std::size_t lane_count = columns ? lanes_.size() : 1;
    std::size_t time_width = 4;
    for (const TraceEvent& event : trace_.events) {
      time_width = std::max(time_width, TimeText(event.time_ns).size());
    }
    std::size_t task_width = 4;
    if (!columns) {
      for (const std::size_t lane : lanes_) {
        task_width = std::max(task_width, trace_.lanes[lane].size());
      }
      task_width = std::min<std::size_t>(task_width, 24);
    }
    std::size_t step_width = 4;
    if (!trace_.events.empty()) {
      step_width =
          std::max(step_width, absl::StrCat(trace_.events.back().step).size());
    }
    const std::size_t margin = 2 + step_width + 2;
    const std::size_t left =
        margin + time_width + 2 + (columns ? 0 : task_width + 2);
    const std::size_t width =
        std::min<std::size_t>(
            (kWidth - left) / std::max<std::size_t>(lane_count, 1),
            columns ? 34 : kWidth - left) -
        2;

    std::string out = absl::StrCat("  ", Pad("step", step_width), "  ",
                                   Pad("time", time_width), "  ");
    std::string rule = absl::StrCat("  ", std::string(step_width, '-'), "  ",
                                    std::string(time_width, '-'), "  ");
    if (columns) {
      for (const std::size_t lane : lanes_) {
        absl::StrAppend(&out, Pad(trace_.lanes[lane], width), "  ");
        absl::StrAppend(&rule, std::string(width, '-'), "  ");
      }
    } else {
      absl::StrAppend(&out, Pad("task", task_width), "  event");
      absl::StrAppend(&rule, std::string(task_width, '-'), "  ",
                      std::string(width, '-'));
    }
    AddLine(out, "");
    AddLine(out, rule);

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
        AddLine(out, absl::StrCat(std::string(margin, ' '), "(", hidden,
                                  hidden == 1 ? " step)" : " steps)"));
        hidden = 0;
      }
      const bool first = event.step != previous;
      previous = event.step;
      std::string row(margin, ' ');
      if (first && event.step > 0) {
        const std::string number = absl::StrCat(event.step);
        row = absl::StrCat(Mark(event.step, failing_step),
                           std::string(step_width - number.size(), ' '), number,
                           "  ");
      }
      absl::StrAppend(
          &row, Pad(first ? TimeText(event.time_ns) : "", time_width), "  ");
      if (event.kind == TraceEvent::Kind::kTimer) {
        absl::StrAppend(&row, "[", event.text, "]");
      } else if (columns) {
        for (const std::size_t lane : lanes_) {
          absl::StrAppend(
              &row,
              lane == event.lane ? CellText(event, width) : Pad("", width),
              "  ");
        }
      } else {
        absl::StrAppend(&row, Pad(trace_.lanes[event.lane], task_width), "  ",
                        CellText(event, width));
      }
      AddLine(out, row);
    }
    return out;
  }

 private:
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

  static std::string CellText(const TraceEvent& event, std::size_t width) {
    std::string text = EventText(event);
    const std::string line = LineText(event);
    if (line.empty()) return Pad(text, width);
    const std::size_t room =
        width > line.size() + 1 ? width - line.size() - 1 : 0;
    return absl::StrCat(Pad(text, room), " ", line);
  }

  const Trace& trace_;
  std::set<std::uint64_t> shown_;
  std::vector<std::size_t> lanes_;
};

std::size_t LineCount(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

// The part of an input for which a report has room.
std::string InputText(const Report& report) {
  std::string text;
  if (report.tests > 0) {
    text = absl::StrCat(
        "after ", report.tests, report.tests == 1 ? " test" : " tests", " and ",
        report.input_shrinks,
        report.input_shrinks == 1 ? " shrink" : " shrinks", "\n");
  }
  const std::string values = Wrap(report.input, kWidth - kMargin, /*indent=*/4);
  const std::vector<std::string> lines = absl::StrSplit(values, '\n');
  if (lines.size() <= kInputLinesMax) return absl::StrCat(text, values);
  const auto end = lines.begin() + (kInputLinesMax - 1);
  return absl::StrCat(text, absl::StrJoin(lines.begin(), end, "\n"),
                      "\n... and ", lines.end() - end,
                      " lines more: input.txt of --clotho_out has all");
}

// What the schedule did differently from FIFO order.
std::string ChangeText(const Report& report) {
  const std::size_t count = report.trace.deviations.size();
  if (count == 0) return "none: this fails in FIFO order";
  std::string change = absl::StrCat(
      count, count == 1 ? " deviation" : " deviations", " from FIFO order");
  if (report.deviations_found > 0) {
    absl::StrAppend(&change, " (found with ", report.deviations_found,
                    ", shrunk in ", report.shrink_runs,
                    report.shrink_runs == 1 ? " run" : " runs",
                    report.minimal ? "; none to spare)" : ")");
  }
  for (std::size_t i = 0; i < count && i < kDeviationsShown; ++i) {
    const DeviationText& deviation = report.trace.deviations[i];
    const std::string one =
        absl::StrCat("step ", deviation.step, "  ", deviation.taken);
    if (one.size() + deviation.fifo.size() + 3 + kMargin <= kWidth) {
      absl::StrAppend(&change, "\n", one, "   ", deviation.fifo);
    } else {
      absl::StrAppend(&change, "\n", one, "\n        ", deviation.fifo);
    }
  }
  if (count > kDeviationsShown) {
    absl::StrAppend(&change, "\n... and ", count - kDeviationsShown, " more");
  }
  if (!report.reachable.empty()) {
    absl::StrAppend(&change, "\n", report.reachable);
  }
  return change;
}

}  // namespace

std::string Report::Text() const {
  std::string out;
  if (passed()) {
    absl::StrAppend(&out, "no failure in ", exhausted ? "all " : "",
                    distinct_executions,
                    distinct_executions == 1 ? " execution" : " executions",
                    tests == 0 ? "" : absl::StrCat(" of ", tests, " inputs"),
                    scope.empty() ? "" : " ", scope, " (", strategy,
                    ", base seed ", seed, ")\n");
    for (const GoalReport& goal : goals) {
      absl::StrAppend(&out, "reached ", goal.reached, " times: \"", goal.goal,
                      "\" (", goal.place, ")\n");
    }
    return out;
  }
  // An expectation's text stays as it is.
  AddBlock(out, "WHAT",
           failure->kind == FailureKind::kExpectation
               ? failure->what
               : Wrap(failure->what, kWidth - kMargin, /*indent=*/2));
  if (const std::string where = Where(*failure); !where.empty()) {
    AddBlock(out, "", where);
  }
  if (!input.empty()) {
    absl::StrAppend(&out, "\n");
    AddBlock(out, "INPUT", InputText(*this));
  }
  const auto add_files = [this](std::string& to) {
    if (!files.empty()) {
      absl::StrAppend(&to, "\n");
      AddBlock(to, "FILES", files);
    }
    if (!others.empty()) {
      absl::StrAppend(&to, "\n");
      AddBlock(to, "OTHERS", others);
    }
  };
  if (diverged || misused) {
    add_files(out);
    return out;
  }
  const bool crashed = failure->kind == FailureKind::kCrash;
  if (crashed && again.empty()) {  // Its schedule is unknown.
    add_files(out);
    return out;
  }
  if (incomplete) {
    absl::StrAppend(&out, "\n");
    AddBlock(out, "SEARCH",
             absl::StrCat(strategy, ", base seed ", seed, ", ", executions,
                          executions == 1 ? " execution" : " executions"));
    add_files(out);
    return out;
  }
  if (nondeterministic) {
    absl::StrAppend(&out, "\n",
                    "SUSPECT   a real clock, an address used as a key, "
                    "iteration over a hash "
                    "table, real randomness,\n"
                    "          a thread, or a static that survives from one "
                    "execution to the "
                    "next\n");
  }
  if (!again.empty()) {
    absl::StrAppend(&out, "\n");
    AddBlock(out, "REPLAY", again);
  }

  // If two runs differ, the schedule explains nothing; and for a failure found
  // by another process only that process's report says more.
  if (!nondeterministic && (schedules > 0 || !trace.events.empty())) {
    absl::StrAppend(&out, "\n");
    AddBlock(out, "SCHEDULE",
             Wrap(ChangeText(*this), kWidth - kMargin, /*indent=*/8));
  }

  std::string rest;
  if (!race.empty()) {
    absl::StrAppend(&rest, "\n");
    AddBlock(rest, "RACE", race);
  }
  if (!waits.empty()) {
    absl::StrAppend(&rest, "\n");
    AddBlock(rest, "WAITS", waits);
  }
  if (!turn.empty() || !nearest_pass.empty()) {
    absl::StrAppend(&rest, "\n");
    AddBlock(rest, "TURNING POINT",
             Wrap(absl::StrCat(turn,
                               turn.empty() || nearest_pass.empty() ? "" : "\n",
                               nearest_pass),
                  kWidth - kMargin, /*indent=*/8));
  }
  if (schedules > 0) {
    absl::StrAppend(&rest, "\n");
    AddBlock(
        rest, "SEARCH",
        Wrap(absl::StrCat(
                 saved.empty()
                     ? absl::StrCat(
                           strategy, ", base seed ", seed,
                           crashed ? ""
                                   : absl::StrCat(
                                         ", execution ", executions,
                                         schedules == UINT64_MAX
                                             ? ""
                                             : absl::StrCat(" of ", schedules)))
                     : saved,
                 nondeterministic ? "; a second run differed"
                 : crashed        ? "; died again, in a child process"
                                  : "; replayed, identical"),
             kWidth - kMargin, /*indent=*/2));
  }
  add_files(rest);
  if (!trace.events.empty()) {
    // The table takes what the other blocks leave of a screen, less its empty
    // line and its heading.
    const std::size_t above = 3 + LineCount(out) + LineCount(rest);
    const std::size_t lines =
        std::max(kTableLinesMin, kLinesMax - std::min(kLinesMax, above));
    absl::StrAppend(
        &out, "\n",
        Table(trace, std::min(lines, kTableLinesMax)).Text(failure->step));
  }
  return absl::StrCat(out, rest);
}

std::ostream& operator<<(std::ostream& out, const Report& report) {
  return out << report.Text();
}

}  // namespace clotho::sim
