// Executors in a simulation: jobs without threads.
//
// A program that uses ToThread, RunInExecutor or a ThreadPoolExecutor runs as
// it is. Each executor has workers, as many as it has threads elsewhere; a
// worker takes the oldest job that waits, and has it for some virtual time.
// That a job begins, and that it ends, are events from outside, like timers:
// what else is ready may come before or after them, and the strategy chooses.
//
// The job's function runs when the job begins, all at once, in the loop's
// thread, but as if in another: no loop runs there, and what it gives to the
// loop goes the way of CallSoonThreadsafe. Others see its effects from then on,
// and its result when it ends.
//
// How long that takes: as long as the function has blocked (BlockingSleep,
// sim::Stall), else no time. A test may say otherwise:
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
  // From 1, in the order in which jobs were given to executors.
  std::uint64_t number = 0;
  // Where that was; line 0 if it is not known.
  std::source_location location = {};
  // How long the function has blocked.
  Delay blocked = {};
};

// How long a job takes. It must be a function of what it is given, and of
// `ProgramRng`; less than zero is zero.
using JobTime = std::function<Delay(const JobInfo&)>;

namespace internal {

class Executors;

// One that does the jobs of an executor, one after the other. It is the timer
// of its own next event.
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

  // It has a job: its next event is the end of that.
  bool has_job() const { return job_ != nullptr; }
  // Where the job was given to the executor; line 0 if it is not known.
  std::source_location location() const;

 private:
  friend class Executors;

  Executors& executors_;
  Pool& pool_;
  std::uint32_t references_ = 0;
  bool waits_ = false;  // For its next event.
  std::unique_ptr<clotho::internal::Job> job_;
};

// All the executors of a simulation.
class Executors final : public clotho::internal::ThreadModel {
 public:
  explicit Executors(EventLoop& loop);
  ~Executors();

  // Null: as long as the job has blocked.
  void set_job_time(JobTime time) { job_time_ = std::move(time); }
  // An execution has ended, and its loop has been reset.
  void Clear();

  void Execute(ThreadPoolExecutor& pool,
               std::unique_ptr<clotho::internal::Job> job) override;
  void Shutdown(ThreadPoolExecutor& pool, bool wait,
                bool cancel_futures) override;
  void Forget(ThreadPoolExecutor& pool) override;
  void Block(std::int64_t duration_ns) override;
  std::uint32_t chain() const override { return loop_.current_chain(); }

 private:
  friend class Worker;
  using Job = clotho::internal::Job;

  Worker::Pool* Find(const ThreadPoolExecutor& pool);
  // Its next event is due after `delay_ns`.
  void Arm(Worker& worker, std::int64_t delay_ns);
  void Step(Worker& worker);
  void Begin(Worker& worker, std::uint64_t number);
  // Lets time pass until no job of the pool is left.
  void Drain(Worker::Pool& pool);
  void TellIfDrained(Worker::Pool& pool);

  EventLoop& loop_;
  JobTime job_time_;
  std::vector<std::unique_ptr<Worker::Pool>> pools_;
  std::uint64_t job_count_ = 0;
  Worker* current_ = nullptr;    // Whose job's function runs now.
  std::int64_t blocked_ns_ = 0;  // How long that has blocked until now.
};

}  // namespace internal
}  // namespace clotho::sim

#endif  // CLOTHO_SIM_ENGINE_EXECUTOR_H_
