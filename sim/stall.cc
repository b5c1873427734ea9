#include "clotho/sim/stall.h"

#include "clotho/runtime/blocking_sleep.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/sim/engine/simulator.h"

namespace clotho::sim {

void Stall(Delay duration) {
  if (internal::Simulator::Current() == nullptr) {
    throw RuntimeError(
        "sim::Stall() is for programs inside a simulation: elsewhere code "
        "takes its own time; BlockingSleep() stops a thread anywhere");
  }
  BlockingSleep(duration);
}

}  // namespace clotho::sim
