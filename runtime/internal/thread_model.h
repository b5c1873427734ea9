// ThreadModel: simulates other threads.
//
// Clock, Scheduler and ThreadModel are the runtime's three seams: a simulation
// replaces them. An Instrument only observes.
//
// A simulation runs in a single thread, since it could not be reproduced
// otherwise. During a simulation, code that would use a thread or block this
// one calls the model instead: executor jobs become events of the simulation,
// and the time for which a thread would sleep passes on the virtual clock.
// Without a model, the runtime uses real threads.

#ifndef CLOTHO_RUNTIME_INTERNAL_THREAD_MODEL_H_
#define CLOTHO_RUNTIME_INTERNAL_THREAD_MODEL_H_

#include <cstdint>
#include <memory>

namespace clotho {
class ExecutorJob;
class ThreadPoolExecutor;
}  // namespace clotho

namespace clotho::internal {

class ThreadModel {
 public:
  // Takes ownership of a job of `pool`.
  virtual void Execute(ThreadPoolExecutor& pool,
                       std::unique_ptr<ExecutorJob> job) = 0;
  // Makes `pool` reject further jobs. With `cancel_futures`, cancels the jobs
  // that have not started; with `wait`, returns when the others are done. Calls
  // `pool.Drained()` when no job is left.
  virtual void Shutdown(ThreadPoolExecutor& pool, bool wait,
                        bool cancel_futures) = 0;
  // `pool` is being destroyed.
  virtual void Forget(ThreadPoolExecutor& pool) = 0;

  // Blocks the current job, which runs in the model, for `duration_ns`.
  virtual void Block(std::int64_t duration_ns) = 0;
  // The chain (see Runnable) for what the current job passes to the loop.
  virtual std::uint32_t chain() const = 0;

 protected:
  ~ThreadModel() = default;
};

// The model of the simulation running in this thread, or null.
inline thread_local constinit ThreadModel* thread_model = nullptr;

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_THREAD_MODEL_H_
