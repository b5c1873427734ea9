// What a search says of itself in its report: what was asked for, goals,
// misuse, executions that are missing, and how to replay what was found.

#ifndef CLOTHO_SIM_SEARCH_SEARCH_REPORT_H_
#define CLOTHO_SIM_SEARCH_SEARCH_REPORT_H_

#include <string>
#include <string_view>
#include <vector>

#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/search.h"

namespace clotho::sim {

// Fails a report without a failure as incomplete if the program never reached
// one of its goals. `RunSearch` has done so; call it only for reports that you
// put together.
void JudgeGoals(Report& report);

namespace internal {

// A report of nothing yet, for this search.
Report NewReport(const Search& search);

// If the execution has skipped the test (CLOTHO_SKIP), the report says only
// that, and the search ends: returns true.
bool TakeSkip(const Execution& execution, Report& report);

// Why a replay string with this input does not fit the test.
std::string WrongInput(std::string_view input);

// Adds the goals that the program has met so far.
void CollectGoals(const std::vector<GoalCount>& goals, Report& report);

// Fails a search that had to be exhaustive and has used up its budget, unless
// that is allowed.
void ReportCutShort(const Search& search, Report& report);

// Adds the command that runs `report.replay` of the test `name`. A long replay
// string goes to a file beside the other results.
void AddReplayCommand(std::string_view name, Report& report);

}  // namespace internal
}  // namespace clotho::sim

#endif  // CLOTHO_SIM_SEARCH_SEARCH_REPORT_H_
