// Findings in words: for the text of a report, and for readers of its JSON.
// None of the texts ends with a line break.

#ifndef CLOTHO_SIM_REPORT_FINDINGS_TEXT_H_
#define CLOTHO_SIM_REPORT_FINDINGS_TEXT_H_

#include <string>
#include <vector>

#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/report/findings.h"

namespace clotho::sim::internal {

// The RACE block.
std::string RaceText(const Race& race);

// "step 4: 135 of 200 random continuations fail after it, 20 before it".
std::string TurningPointText(const TurningPoint& turning_point);

// "nearest pass  c1/0/4:2: at step 4 ran worker-1 (job_queue.cc:23)". A long
// replay string is left out.
std::string NearestPassText(const NearestPass& pass);

// "reachable under asyncio today, with c1/0/2:2".
std::string ReachabilityText(const Reachability& reachability);

// "the saved schedule c1/0/4:1 of Cart.Fills.saved:3, issue 7".
std::string SavedText(const SavedSchedule& saved);

// The OTHERS block, a line for each.
std::string OtherFailuresText(const std::vector<OtherFailure>& others);

// The FILES block.
std::string FilesText(const Files& files);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_FINDINGS_TEXT_H_
