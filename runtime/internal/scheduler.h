// Scheduler: chooses which ready item runs next.
//
// Clock, Scheduler and ThreadModel are the runtime's three seams: a simulation
// replaces them. An Instrument only observes. Not for programs: a scheduler
// sees the runtime's own objects, and which order is legal is not checked.
//
// A loop without a scheduler runs ready items in FIFO order, and pays nothing
// for the seam. A scheduler may only choose among what asyncio leaves open; it
// is responsible for knowing what that is.

#ifndef CLOTHO_RUNTIME_INTERNAL_SCHEDULER_H_
#define CLOTHO_RUNTIME_INTERNAL_SCHEDULER_H_

#include <cstddef>

#include "clotho/runtime/internal/ready_queue.h"
#include "clotho/runtime/internal/timer_queue.h"

namespace clotho::internal {

class Scheduler {
 public:
  // What to do next: one of the constants below, or an index into `ready`.
  using Decision = std::ptrdiff_t;
  // Fire the next timer now, before the ready items: its deadline has passed
  // meanwhile.
  static constexpr Decision kTimer = -1;
  // Advance time to the next timer's deadline. The timers then due are queued
  // after the ready items, as at the start of an iteration.
  static constexpr Decision kDue = -3;
  // Stop the loop where it is. Ready items stay ready.
  static constexpr Decision kStop = -2;

  virtual ~Scheduler() = default;

  // Called before each item while any are ready. `next_timer` is null if no
  // timer is armed.
  virtual Decision Choose(const ReadyQueue& ready, const Timer* next_timer) = 0;

  // Called when nothing is ready. Returns false to stop the loop instead of
  // waiting for the next timer. May make something ready.
  virtual bool BeforeWait(const Timer* next_timer) = 0;
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_SCHEDULER_H_
