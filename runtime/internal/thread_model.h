// ThreadModel: what stands for other threads in a simulation.
//
// A simulation is one thread, or it could not be repeated. While one runs, what
// would use a thread, or would stop this one, asks the model instead: jobs of
// executors become events of the simulation, and time that a thread would spend
// asleep passes on the virtual clock. Without one, threads are threads.

#ifndef CLOTHO_RUNTIME_INTERNAL_THREAD_MODEL_H_
#define CLOTHO_RUNTIME_INTERNAL_THREAD_MODEL_H_

#include <cstdint>
#include <memory>

namespace clotho {
class ThreadPoolExecutor;
}  // namespace clotho

namespace clotho::internal {

class Job;

class ThreadModel {
 public:
  // Takes over a job of `pool`.
  virtual void Execute(ThreadPoolExecutor& pool, std::unique_ptr<Job> job) = 0;
  // `pool` takes no jobs any more. Cancels those that have not begun if
  // `cancel_futures`; returns when the others are done if `wait`. Calls
  // `pool.Drained()` when none is left.
  virtual void Shutdown(ThreadPoolExecutor& pool, bool wait,
                        bool cancel_futures) = 0;
  // `pool` goes away.
  virtual void Forget(ThreadPoolExecutor& pool) = 0;

  // A job, which this runs in, does nothing for so long.
  virtual void Block(std::int64_t duration_ns) = 0;
  // The chain (see Runnable) of what a job gives to the loop.
  virtual std::uint32_t chain() const = 0;

 protected:
  ~ThreadModel() = default;
};

// That of the simulation that this thread runs, or null.
inline thread_local constinit ThreadModel* thread_model = nullptr;

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_THREAD_MODEL_H_
