// The programs for races.cc, and what they share.

#ifndef CLOTHO_EXAMPLES_RACES_PROGRAMS_H_
#define CLOTHO_EXAMPLES_RACES_PROGRAMS_H_

#include <functional>
#include <vector>

#include "clotho/examples/races/races.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/sleep.h"

namespace clotho::examples {

// Suspends according to the form. Precedes each operation that other tasks can
// observe.
[[nodiscard]] internal::SleepAwaitable GiveWay(Form form);

// Creates the coroutine of a program.
using Program = std::function<Coro<void>(Form form, bool fixed)>;

// The race `about`, of this program, in one form and in both.
Race InForm(Form form, Race about, const Program& program);
std::vector<Race> InBothForms(const Race& about, const Program& program);

std::vector<Race> LostUpdateRaces();
std::vector<Race> ReorderRaces();
std::vector<Race> TwoStageRaces();
std::vector<Race> DriverRaces();
std::vector<Race> WrongLockRaces();
std::vector<Race> StringBufferRaces();
std::vector<Race> BoundedBufferRaces();
std::vector<Race> PhilosophersRaces();
std::vector<Race> WorkStealQueueRaces();
std::vector<Race> UnevenRaces();
std::vector<Race> StarvationRaces();
std::vector<Race> SwallowedCancelRaces();
std::vector<Race> KeepAliveRaces();
std::vector<Race> MkdirpRaces();
std::vector<Race> GetPortRaces();
std::vector<Race> ArchiveRaces();
std::vector<Race> StaleAnswerRaces();
std::vector<Race> SafeStackRaces();
std::vector<Race> QsortRaces();
std::vector<Race> DeepOrderingRaces();

}  // namespace clotho::examples

#endif  // CLOTHO_EXAMPLES_RACES_PROGRAMS_H_
