// A job queue with a race, and one without.

#ifndef SHOP_QUEUE_JOB_QUEUE_H_
#define SHOP_QUEUE_JOB_QUEUE_H_

#include <deque>

#include "clotho/runtime/runtime.h"
#include "runtime/job.h"

namespace shop {

// Breaks when a job is taken between a wake-up and the woken worker's step.
class JobQueue {
 public:
  void Put(Job job);
  clotho::Coro<Job> Take();

 protected:
  Job TakeFirst();

  std::deque<Job> jobs_;
  std::deque<clotho::Future<void>> waiters_;
};

// A woken worker checks again.
class FixedJobQueue : public JobQueue {
 public:
  clotho::Coro<Job> Take();
};

}  // namespace shop

#endif  // SHOP_QUEUE_JOB_QUEUE_H_
