// A job queue with a race, and one without.
//
// Workers take jobs, and wait if there are none. A woken worker must check
// again, since another may have taken the job meanwhile: `JobQueue` does not.
// In asyncio's FIFO order no other task ever runs in between, so no ordinary
// test of it fails.

#ifndef CLOTHO_EXAMPLES_JOB_QUEUE_H_
#define CLOTHO_EXAMPLES_JOB_QUEUE_H_

#include <deque>

#include "clotho/runtime/runtime.h"

namespace clotho::examples {

struct Job {
  int number = 0;
};

// Breaks when a job is taken between a wake-up and the woken worker's step.
class JobQueue {
 public:
  void Put(Job job);
  Coro<Job> Take();

 private:
  void WakeOne();

  std::deque<Job> jobs_;
  std::deque<Future<void>> waiters_;
};

// Like JobQueue, but a woken worker checks again.
class FixedJobQueue {
 public:
  void Put(Job job);
  Coro<Job> Take();

 private:
  void WakeOne();

  std::deque<Job> jobs_;
  std::deque<Future<void>> waiters_;
};

}  // namespace clotho::examples

#endif  // CLOTHO_EXAMPLES_JOB_QUEUE_H_
