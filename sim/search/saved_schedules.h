// Saved schedules: those that run before a search (sim::ReplayFirst).

#ifndef CLOTHO_SIM_SEARCH_SAVED_SCHEDULES_H_
#define CLOTHO_SIM_SEARCH_SAVED_SCHEDULES_H_

#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/execution_runner.h"

namespace clotho::sim::internal {

// Runs a saved schedule with its own program seed. Returns false if it fails,
// or if it is no schedule of this test (Report::Verdict::kMisused); then the
// report says so. Notes in the report if its deviations do not all apply any
// more.
bool RunSaved(const SavedSchedule& saved, ExecutionRunner& runner,
              Report& report);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_SAVED_SCHEDULES_H_
