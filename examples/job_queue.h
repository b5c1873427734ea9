// A job queue with a race in it, and one without.
//
// Workers take jobs, and wait if there are none. A worker that was woken has to
// look again, since another may have taken the job meanwhile: `JobQueue` does
// not. In the order in which asyncio runs things nobody ever gets in between,
// so that no ordinary test of it fails.

#ifndef CLOTHO_EXAMPLES_JOB_QUEUE_H_
#define CLOTHO_EXAMPLES_JOB_QUEUE_H_

#include <deque>

#include "clotho/runtime/runtime.h"

namespace clotho::examples {

struct Job {
  int number = 0;
};

// Loses its footing when a job is taken between a wake-up and the woken worker.
class JobQueue {
 public:
  void Put(Job job);
  Coro<Job> Take();

 private:
  void WakeOne();

  std::deque<Job> jobs_;
  std::deque<Future<void>> waiters_;
};

// The same, but a woken worker looks again.
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
