// The programs for asyncio_bugs.cc, and the drivers they share.
//
// A driver does what users do: it cancels a task, or makes something take
// longer. The search decides when; in FIFO order nothing happens.

#ifndef CLOTHO_EXAMPLES_ASYNCIO_BUGS_BUG_PROGRAMS_H_
#define CLOTHO_EXAMPLES_ASYNCIO_BUGS_BUG_PROGRAMS_H_

#include <string_view>
#include <vector>

#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"

namespace clotho::examples {

// Cancels `task` with a fixed message within the first few turns, or never.
// Returns whether the cancellation was promised: `Cancel` returned true.
Coro<bool> CancelSometime(Task<void> task);
inline constexpr std::string_view kCancelMessage = "closing time";

// Waits until all tasks have ended, then rethrows the exception of the first
// failed one. A cancelled task has not failed.
Coro<void> Join(std::vector<Task<void>> tasks);

// Half a second or, if the search chooses so, two.
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
