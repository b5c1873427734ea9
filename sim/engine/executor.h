// Executors in a simulation: jobs without threads.
//
// A program that uses ToThread, RunInExecutor or a ThreadPoolExecutor runs
// unchanged. Each executor has as many workers as it would have threads in
// production; a worker takes the oldest waiting job and holds it for some
// virtual time. The beginning and the end of a job are external events, like
// timers: the strategy chooses whether other ready work runs before or after
// them.
//
// The job's function runs to completion when the job begins. It runs in the
// loop's thread but as if in another one: no loop is running there, and it
// reaches the loop only through CallSoonThreadsafe. Other tasks see its side
// effects from then on, and its result when the job ends.
//
// A job takes as long as its function has blocked (BlockingSleep, sim::Stall),
// otherwise no time. A test can override that:
//
//   CLOTHO_TEST(Thumbnails, AreMadeInOrder,
//               sim::JobDuration{.time = [](const sim::JobInfo& job) -> Delay {
//                 return absl::Milliseconds(job.number % 3);
//               }}) { ... }

#ifndef CLOTHO_SIM_ENGINE_EXECUTOR_H_
#define CLOTHO_SIM_ENGINE_EXECUTOR_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <source_location>
#include <vector>

#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/executor.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/thread_model.h"
#include "clotho/runtime/internal/timer_queue.h"

namespace clotho::sim {

// A job whose function has run.
struct JobInfo {
  // From 1, in the order in which jobs were submitted to executors.
  std::uint64_t number = 0;
  // Where the job was submitted; line 0 if unknown.
  std::source_location location = {};
  // How long the function has blocked.
  Delay blocked = {};
};

// How long a job takes. Must depend only on its argument and on `ProgramRng`. A
// negative result counts as zero.
using JobTime = std::function<Delay(const JobInfo&)>;

namespace internal {

class Executors;

// Runs jobs of one executor, one after the other. It is the timer of its own
// next event.
class Worker final : public clotho::internal::Timer {
 public:
  struct Pool;

  Worker(Executors& executors, Pool& pool, std::uint32_t chain);

  void AddRef() noexcept { ++references_; }
  void Release() noexcept {
    if (--references_ == 0) delete this;
  }

  void Run() override;
  void Drop() noexcept override { Release(); }

  // If true, the next event is the end of that job.
  bool has_job() const { return job_ != nullptr; }
  // Where the job was submitted; line 0 if unknown.
  std::source_location location() const;

 private:
  friend class Executors;

  Executors& executors_;
  Pool& pool_;
  std::uint32_t references_ = 0;
  bool waits_ = false;  // For its next event.
  std::unique_ptr<ExecutorJob> job_;
};

// All executors of a simulation.
class Executors final : public clotho::internal::ThreadModel {
 public:
  explicit Executors(EventLoop& loop);
  ~Executors();

  // Null: a job takes as long as its function has blocked.
  void set_job_time(JobTime time) { job_time_ = std::move(time); }
  // Called after an execution has ended and its loop has been reset.
  void Clear();

  void Execute(ThreadPoolExecutor& pool,
               std::unique_ptr<ExecutorJob> job) override;
  void Shutdown(ThreadPoolExecutor& pool, bool wait,
                bool cancel_futures) override;
  void Forget(ThreadPoolExecutor& pool) override;
  void Block(std::int64_t duration_ns) override;
  std::uint32_t chain() const override { return CoreOf(loop_).current_chain(); }

 private:
  friend class Worker;

  Worker::Pool* Find(const ThreadPoolExecutor& pool);
  // Schedules the worker's next event in `delay_ns`.
  void Arm(Worker& worker, std::int64_t delay_ns);
  void Step(Worker& worker);
  void Begin(Worker& worker, std::uint64_t number);
  // Advances time until the pool has no jobs left.
  void Drain(Worker::Pool& pool);
  void TellIfDrained(Worker::Pool& pool);

  EventLoop& loop_;
  JobTime job_time_;
  std::vector<std::unique_ptr<Worker::Pool>> pools_;
  std::uint64_t job_count_ = 0;
  Worker* current_ = nullptr;    // The worker whose function runs now.
  std::int64_t blocked_ns_ = 0;  // How long that function has blocked so far.
};

}  // namespace internal
}  // namespace clotho::sim

#endif  // CLOTHO_SIM_ENGINE_EXECUTOR_H_
