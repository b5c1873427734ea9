// SimulatedThread: a thread of the program under test, as the simulator and its
// strategies see it. The room sim/threads/ makes and runs them.

#ifndef CLOTHO_SIM_ENGINE_SIMULATED_THREAD_H_
#define CLOTHO_SIM_ENGINE_SIMULATED_THREAD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/timer_queue.h"

namespace clotho::sim::internal {

// As a Timer, it is the deadline of the thread's own wait.
class SimulatedThread : public clotho::internal::Timer {
 public:
  SimulatedThread() : Timer(clotho::internal::RunnableKind::kThread) {}

  // Not for loops: the room switches to it.
  void Run() override {}
  void Drop() noexcept override {}

  // Equal for threads that run the same function: see Candidate::role.
  virtual const void* role() const = 0;
  // A signal handler may read it.
  const std::string& name() const { return name_; }
  // What it is about to do: "locks mutex 1". Empty: its first step.
  virtual std::string NextStep() const = 0;

 protected:
  ~SimulatedThread() = default;

  void set_name(std::string name) { name_ = std::move(name); }

 private:
  std::string name_;
};

// A thread that has not ended.
struct ThreadWait {
  std::string thread;
  // What it waits for: "mutex 1". Empty: nothing, it could have run.
  std::string what;
  std::uint64_t since_step = 0;  // 0: it never waited.
  std::int64_t since_ns = 0;
  // Where: return addresses, innermost first. Empty if it has not started.
  std::vector<void*> stack;
  // The threads that could end the wait, as indices.
  std::vector<std::size_t> holders;
  bool taken = false;  // The holder has taken what is waited for.
};

// What runs the threads of an execution.
class ThreadHost {
 public:
  // The thread that runs now. Null: none, the execution is in the simulator's
  // own thread.
  virtual const SimulatedThread* Running() const = 0;
  // Leaves the running thread for good: the execution has failed.
  [[noreturn]] virtual void Leave() = 0;
  // Every thread that has not ended, oldest first.
  virtual std::vector<ThreadWait> Waits() = 0;

 protected:
  ~ThreadHost() = default;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_ENGINE_SIMULATED_THREAD_H_
