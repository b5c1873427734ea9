#include "clotho/sim/search/search_report.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/report/replay_command.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/search.h"

namespace clotho::sim {

void JudgeGoals(Report& report) {
  const auto missed =
      std::ranges::find(report.goals, std::uint64_t{0}, &GoalReport::reached);
  if (missed == report.goals.end() || !report.passed()) return;
  const std::uint64_t executions = report.search.executions;
  Failure failure;
  failure.what = absl::StrCat(
      "Sometimes \"", missed->goal, "\" was false in ",
      executions == 1 ? "the only execution"
                      : absl::StrCat("all ", executions, " executions"),
      "\n", missed->place,
      ": the test does not test what this line says it should");
  failure.file = missed->place.substr(0, missed->place.rfind(':'));
  failure.line = missed->line;
  failure.signature = absl::StrCat("goal ", missed->place);
  report.MissGoal(std::move(failure));
}

namespace internal {
namespace {

// Longer replay strings are for files.
constexpr std::size_t kReplayLineMax = 200;

}  // namespace

Report NewReport(const Search& search) {
  Report report;
  report.search.strategy = search.strategy;
  report.search.seed = search.seed;
  report.search.schedules = search.schedules;
  return report;
}

bool TakeSkip(const Execution& execution, Report& report) {
  if (!execution.failure.has_value() ||
      execution.failure->kind != FailureKind::kSkipped) {
    return false;
  }
  report.Skip(*execution.failure);
  return true;
}

std::string WrongInput(std::string_view input) {
  if (input.empty()) {
    return "a property needs an input: expected one as in c1/8f21.12/4:1";
  }
  return absl::StrCat("the input \"", std::string(input.substr(0, 40)),
                      input.size() > 40 ? "...\"" : "\"",
                      " is of a property, which this test is not: expected a "
                      "program seed alone, as in c1/0/4:1");
}

void CollectGoals(const std::vector<GoalCount>& goals, Report& report) {
  for (const GoalCount& goal : goals) {
    report.goals.push_back({.goal = goal.goal,
                            .place = Place(goal.location),
                            .line = goal.location.line(),
                            .reached = goal.reached});
  }
}

void ReportCutShort(const Search& search, Report& report) {
  if (search.allow_incomplete) return;
  Failure failure;
  failure.what = absl::StrCat(
      "Incomplete: ", report.search.executions,
      " executions have passed, and there are more\n(raise the number: "
      "sim::Exhaustive{.schedules = ...}; bound it: {.deviations_max = 2}; "
      "or accept it: {.allow_incomplete = true})");
  failure.signature = "incomplete";
  report.CutShort(std::move(failure));
}

void AddReplayCommand(std::string_view name, Report& report) {
  std::string text = FormatReplay(report.replay);
  if (text.size() > kReplayLineMax) text = WriteReplayFile(name, text);
  report.replay_command = ReplayCommand(name, text);
}

}  // namespace internal
}  // namespace clotho::sim
