// Stall: time that code takes while nothing else can run.
//
//   sim::Stall(absl::Milliseconds(200));  // In place of parsing a file.
//
// In a simulation code takes no time, however much it computes. Stall says how
// much it would: the virtual clock moves on, and deadlines pass, before anybody
// else runs. In an executor's job it is the job's time.

#ifndef CLOTHO_SIM_STALL_H_
#define CLOTHO_SIM_STALL_H_

#include "clotho/runtime/delay.h"

namespace clotho::sim {

// Throws RuntimeError outside of a simulation, where code takes its own time.
void Stall(Delay duration);

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STALL_H_
