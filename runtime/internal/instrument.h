// Instrument: observes a loop, and must not act on it.
//
// Clock, Scheduler and ThreadModel are the runtime's three seams: a simulation
// replaces them. An Instrument only observes. Not for programs: it sees the
// runtime's own objects.
//
// Traces, reports and metrics are instruments. A loop without one pays one
// pointer test at each of these events.

#ifndef CLOTHO_RUNTIME_INTERNAL_INSTRUMENT_H_
#define CLOTHO_RUNTIME_INTERNAL_INSTRUMENT_H_

#include "clotho/runtime/internal/runnable.h"

namespace clotho::internal {

class TaskBase;
class FutureBase;

class Instrument {
 public:
  virtual ~Instrument() = default;

  virtual void TaskCreated(const TaskBase&) {}
  // A task has ended. Its result is available; its frames are gone.
  virtual void TaskDone(const TaskBase&) {}
  // A Runnable has entered the ready queue.
  virtual void BecameReady(const Runnable&) {}
  // Called around everything the loop runs, bookkeeping included. A task that
  // starts eagerly takes its first step inside another task's step.
  virtual void StepBegins(const Runnable&) {}
  virtual void StepEnds() {}
  // A task is about to wait for a future; null: it only yields.
  virtual void TaskWaits(const TaskBase&, const FutureBase*) {}
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_INSTRUMENT_H_
