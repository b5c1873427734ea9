#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/report/findings.h"
#include "clotho/sim/report/findings_text.h"
#include "clotho/sim/report/interleaving.h"
#include "clotho/sim/report/layout.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/report/wait_report.h"

namespace clotho::sim {
namespace internal {
namespace {

constexpr std::size_t kTextWidth = kPageWidth - kPageMargin;
constexpr std::size_t kLinesMax = 45;  // One screen.
constexpr std::size_t kTableLinesMax = 24;
constexpr std::size_t kTableLinesMin = 8;
constexpr std::size_t kDeviationsShown = 6;
constexpr std::size_t kInputLinesMax = 12;

// "WHAT      text", further lines below the text. A heading that is wider than
// its column has its own line.
void AddBlock(std::string& out, std::string_view heading,
              std::string_view text) {
  bool first = true;
  if (heading.size() >= kPageMargin) {
    absl::StrAppend(&out, std::string(heading), "\n");
    first = false;
  }
  for (const auto line : absl::StrSplit(std::string(text), '\n')) {
    if (first || !line.empty()) {
      absl::StrAppend(&out, Cell(first ? heading : "", kPageMargin), line);
    }
    absl::StrAppend(&out, "\n");
    first = false;
  }
}

// The same, after an empty line. Nothing if there is no text.
void AddNextBlock(std::string& out, std::string_view heading,
                  std::string_view text) {
  if (text.empty()) return;
  absl::StrAppend(&out, "\n");
  AddBlock(out, heading, text);
}

std::string Count(std::uint64_t count, std::string_view one) {
  return absl::StrCat(count, " ", std::string(one), count == 1 ? "" : "s");
}

// "in JobQueue::Take (job_queue.cc:25), task worker-1, t = 0 s, step 5".
std::string Where(const Report& report) {
  const Failure& failure = *report.failure();
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
  if (failure.kind != FailureKind::kDeadlock && !report.incomplete()) {
    parts.push_back(absl::StrCat("t = ", TimeText(failure.time_ns)));
    parts.push_back(absl::StrCat("step ", failure.step));
  }
  std::string text;
  std::size_t width = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool goes_on = i + 1 < parts.size() && parts[i + 1].front() != '(';
    const std::string part = absl::StrCat(parts[i], goes_on ? "," : "");
    const bool wraps = width + 1 + part.size() > kTextWidth;
    absl::StrAppend(&text, width == 0 ? "" : wraps ? "\n" : " ", part);
    width = (width == 0 || wraps ? 0 : width + 1) + part.size();
  }
  return text;
}

std::size_t LineCount(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

std::string PassText(const Report& report) {
  const SearchStats& search = report.search;
  std::string text =
      absl::StrCat("no failure in ", search.exhausted ? "all " : "",
                   Count(search.distinct_executions, "execution"),
                   report.input.tests == 0
                       ? ""
                       : absl::StrCat(" of ", report.input.tests, " inputs"),
                   search.scope.empty() ? "" : " ", search.scope, " (",
                   search.strategy, ", base seed ", search.seed, ")\n");
  for (const GoalReport& goal : report.goals) {
    absl::StrAppend(&text, "reached ", goal.reached, " times: \"", goal.goal,
                    "\" (", goal.place, ")\n");
  }
  return text;
}

void AddWhat(std::string& out, const Report& report) {
  const Failure& failure = *report.failure();
  // An expectation's text stays as it is.
  AddBlock(out, "WHAT",
           failure.kind == FailureKind::kExpectation
               ? failure.what
               : Wrap(failure.what, kTextWidth, /*indent=*/2));
  if (const std::string where = Where(report); !where.empty()) {
    AddBlock(out, "", where);
  }
}

// The part of an input for which a report has room.
std::string InputText(const FailingInput& input) {
  if (input.values.empty()) return "";
  std::string text;
  if (input.tests > 0) {
    text = absl::StrCat("after ", Count(input.tests, "test"), " and ",
                        Count(input.shrinks, "shrink"), "\n");
  }
  const std::string values = Wrap(input.values, kTextWidth, /*indent=*/4);
  const std::vector<std::string> lines = absl::StrSplit(values, '\n');
  if (lines.size() <= kInputLinesMax) return absl::StrCat(text, values);
  const auto end = lines.begin() + (kInputLinesMax - 1);
  return absl::StrCat(text, absl::StrJoin(lines.begin(), end, "\n"),
                      "\n... and ", lines.end() - end,
                      " lines more: input.txt of --clotho_out has all");
}

// What the schedule did differently from FIFO order.
std::string ScheduleText(const Report& report) {
  const std::size_t count = report.trace.deviations.size();
  if (count == 0) return "none: this fails in FIFO order";
  std::string text =
      absl::StrCat(Count(count, "deviation"), " from FIFO order");
  const ShrinkStats& shrinking = report.shrinking;
  if (shrinking.deviations_found > 0) {
    absl::StrAppend(&text, " (found with ", shrinking.deviations_found,
                    ", shrunk in ", Count(shrinking.runs, "run"),
                    shrinking.minimal ? "; none to spare)" : ")");
  }
  for (std::size_t i = 0; i < count && i < kDeviationsShown; ++i) {
    const DeviationText& deviation = report.trace.deviations[i];
    const std::string one =
        absl::StrCat("step ", deviation.step, "  ", deviation.taken);
    if (one.size() + deviation.fifo.size() + 3 <= kTextWidth) {
      absl::StrAppend(&text, "\n", one, "   ", deviation.fifo);
    } else {
      absl::StrAppend(&text, "\n", one, "\n        ", deviation.fifo);
    }
  }
  if (count > kDeviationsShown) {
    absl::StrAppend(&text, "\n... and ", count - kDeviationsShown, " more");
  }
  if (report.found.reachability.has_value()) {
    absl::StrAppend(&text, "\n", ReachabilityText(*report.found.reachability));
  }
  return text;
}

// The deviation that decides, and the passing execution that is nearest.
std::string TurningPointBlock(const Findings& found) {
  std::vector<std::string> lines;
  if (found.turning_point.has_value()) {
    lines.push_back(TurningPointText(*found.turning_point));
  }
  if (found.nearest_pass.has_value()) {
    lines.push_back(NearestPassText(*found.nearest_pass));
  }
  return Wrap(absl::StrJoin(lines, "\n"), kTextWidth, /*indent=*/8);
}

bool Crashed(const Report& report) {
  return report.failure()->kind == FailureKind::kCrash;
}

// How the failure was found, and that it comes back.
std::string SearchText(const Report& report) {
  const SearchStats& search = report.search;
  if (search.schedules == 0) return "";  // A replay.
  std::string text;
  if (report.saved.has_value()) {
    text = SavedText(*report.saved);
  } else {
    text = absl::StrCat(search.strategy, ", base seed ", search.seed);
    if (!Crashed(report)) {
      absl::StrAppend(&text, ", execution ", search.executions);
      if (search.schedules != UINT64_MAX) {
        absl::StrAppend(&text, " of ", search.schedules);
      }
    }
  }
  absl::StrAppend(&text, report.verdict() == Report::Verdict::kNondeterministic
                             ? "; a second run differed"
                         : Crashed(report) ? "; died again, in a child process"
                                           : "; replayed, identical");
  return Wrap(text, kTextWidth, /*indent=*/2);
}

void AddFilesAndOthers(std::string& out, const Report& report) {
  if (report.files.has_value()) {
    AddNextBlock(out, "FILES", FilesText(*report.files));
  }
  AddNextBlock(out, "OTHERS", OtherFailuresText(report.other_failures));
}

// The blocks above the interleaving.
void AddBlocksAbove(std::string& out, const Report& report) {
  const bool differs = report.verdict() == Report::Verdict::kNondeterministic;
  if (differs) {
    AddNextBlock(
        out, "SUSPECT",
        "a real clock, an address used as a key, iteration over a hash table, "
        "real randomness,\na thread, or a static that survives from one "
        "execution to the next");
  }
  AddNextBlock(out, "REPLAY", report.replay_command);
  // If two runs differ, the schedule explains nothing; and for a failure found
  // by another process only that process's report says more.
  if (!differs &&
      (report.search.schedules > 0 || !report.trace.events.empty())) {
    AddNextBlock(out, "SCHEDULE",
                 Wrap(ScheduleText(report), kTextWidth, /*indent=*/8));
  }
}

// The blocks below the interleaving.
void AddBlocksBelow(std::string& out, const Report& report) {
  if (report.found.race.has_value()) {
    AddNextBlock(out, "RACE", RaceText(*report.found.race));
  }
  if (report.failure()->kind == FailureKind::kDeadlock &&
      !report.trace.waits.empty()) {
    AddNextBlock(out, "WAITS", WaitsText(report.trace));
  }
  AddNextBlock(out, "TURNING POINT", TurningPointBlock(report.found));
  AddNextBlock(out, "SEARCH", SearchText(report));
  AddFilesAndOthers(out, report);
}

// Whether the report is only about the request, or about a process whose
// schedule is unknown.
bool HasNoExecution(const Report& report) {
  return report.verdict() == Report::Verdict::kDiverged ||
         report.verdict() == Report::Verdict::kMisused ||
         (Crashed(report) && report.replay_command.empty());
}

std::string FailureText(const Report& report) {
  std::string out;
  AddWhat(out, report);
  AddNextBlock(out, "INPUT", InputText(report.input));
  if (report.incomplete() || HasNoExecution(report)) {
    if (report.incomplete()) {
      AddNextBlock(out, "SEARCH",
                   absl::StrCat(report.search.strategy, ", base seed ",
                                report.search.seed, ", ",
                                Count(report.search.executions, "execution")));
    }
    AddFilesAndOthers(out, report);
    return out;
  }
  AddBlocksAbove(out, report);
  std::string below;
  AddBlocksBelow(below, report);
  if (!report.trace.events.empty()) {
    // The table takes what the other blocks leave of a screen, less its empty
    // line and its heading.
    const std::size_t others = 3 + LineCount(out) + LineCount(below);
    const std::size_t lines =
        std::max(kTableLinesMin, kLinesMax - std::min(kLinesMax, others));
    absl::StrAppend(
        &out, "\n",
        InterleavingText(report.trace, std::min(lines, kTableLinesMax),
                         report.failure()->step));
  }
  return absl::StrCat(out, below);
}

}  // namespace
}  // namespace internal

std::string Report::Text() const {
  return passed() ? internal::PassText(*this) : internal::FailureText(*this);
}

}  // namespace clotho::sim
