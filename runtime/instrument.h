// Instrument: someone who watches a loop and must not act on it.
//
// Traces, reports and metrics are instruments. A loop without one pays a test
// of a pointer at each of these events.

#ifndef CLOTHO_RUNTIME_INSTRUMENT_H_
#define CLOTHO_RUNTIME_INSTRUMENT_H_

#include "clotho/runtime/internal/runnable.h"

namespace clotho {

namespace internal {
class TaskBase;
class FutureBase;
}  // namespace internal

class Instrument {
 public:
  virtual ~Instrument() = default;

  virtual void TaskCreated(const internal::TaskBase&) {}
  // A task has ended. Its result is there, its frames are gone.
  virtual void TaskDone(const internal::TaskBase&) {}
  // Something now stands in the ready queue.
  virtual void BecameReady(const internal::Runnable&) {}
  // Around everything that the loop runs, bookkeeping included. A task that
  // starts eagerly takes its first step inside of another's.
  virtual void StepBegins(const internal::Runnable&) {}
  virtual void StepEnds() {}
  // A task is about to wait for a future, or (null) only gives way.
  virtual void TaskWaits(const internal::TaskBase&,
                         const internal::FutureBase*) {}
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_INSTRUMENT_H_
