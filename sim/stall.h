// Stall: time that code takes while nothing else can run.
//
//   sim::Stall(absl::Milliseconds(200));  // Instead of parsing a file.
//
// In a simulation code takes no time, however much it computes. Stall declares
// how long it would take: the virtual clock advances, and deadlines pass,
// before anything else runs. In a job of an executor it adds to the job's time.

#ifndef CLOTHO_SIM_STALL_H_
#define CLOTHO_SIM_STALL_H_

#include "clotho/runtime/delay.h"

namespace clotho::sim {

// Throws RuntimeError outside a simulation, where code takes real time.
void Stall(Delay duration);

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STALL_H_
