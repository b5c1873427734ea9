// The programs, for asyncio_bugs.cc; and the drivers that they have in common.
//
// A driver does what users do: it cancels someone, sometime, or lets something
// take longer. When is for the search to decide; in FIFO order it does not.

#ifndef CLOTHO_EXAMPLES_ASYNCIO_BUGS_BUG_PROGRAMS_H_
#define CLOTHO_EXAMPLES_ASYNCIO_BUGS_BUG_PROGRAMS_H_

#include <string_view>
#include <vector>

#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"

namespace clotho::examples {

// Cancels `task` with this message, within the first few turns, or never. Gives
// whether the cancellation was promised: `Cancel` returned true.
Coro<bool> CancelSometime(Task<void> task);
inline constexpr std::string_view kCancelMessage = "closing time";

// Waits until all have ended, and throws what the first failed one has failed
// with. To be cancelled is no failure.
Coro<void> Join(std::vector<Task<void>> tasks);

// Half a second, or, if the search wants it, two.
Delay HalfASecondOrTwo();

// The race `about` of a program.
Race Bug(Race about, Coro<void> (*program)(bool fixed));

std::vector<Race> LockBugs();
std::vector<Race> SemaphoreBugs();
std::vector<Race> ConditionBugs();
std::vector<Race> QueueBugs();
std::vector<Race> WaitForBugs();
std::vector<Race> CallbackBugs();
std::vector<Race> TaskGroupBugs();
std::vector<Race> TimeoutBugs();
std::vector<Race> GatherBugs();
std::vector<Race> TaskBugs();

}  // namespace clotho::examples

#endif  // CLOTHO_EXAMPLES_ASYNCIO_BUGS_BUG_PROGRAMS_H_
