// Scheduler: which of the ready items runs next. One of the two seams of the
// runtime; the other is the Clock.
//
// A loop without a scheduler runs them first in, first out, and pays nothing
// for the seam. A scheduler may only choose what asyncio leaves open; deciding
// what that is, is its own business.

#ifndef CLOTHO_RUNTIME_SCHEDULER_H_
#define CLOTHO_RUNTIME_SCHEDULER_H_

#include <cstddef>

#include "clotho/runtime/internal/ready_queue.h"
#include "clotho/runtime/internal/timer_queue.h"

namespace clotho {

class Scheduler {
 public:
  // What to do next; see the constants. A number from 0 is a place in `ready`.
  using Decision = std::ptrdiff_t;
  // The next timer fires now, before what is ready: its deadline has passed
  // meanwhile.
  static constexpr Decision kTimer = -1;
  // Time passes up to the next timer's deadline: those that are due now go
  // behind what is ready, as they do at the beginning of an iteration.
  static constexpr Decision kDue = -3;
  // The loop stops where it is. What is ready stays so.
  static constexpr Decision kStop = -2;

  virtual ~Scheduler() = default;

  // Asked before each item, while there are any. `next_timer` is null if none
  // is armed.
  virtual Decision Choose(const internal::ReadyQueue& ready,
                          const internal::Timer* next_timer) = 0;

  // Nothing is ready. Returns false to stop the loop in place of waiting for
  // the next timer. It may make something ready.
  virtual bool BeforeWait(const internal::Timer* next_timer) = 0;
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_SCHEDULER_H_
