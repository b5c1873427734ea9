#include "queue/job_queue.h"

namespace shop {

clotho::Coro<Job> JobQueue::Take() {
  if (jobs_.empty()) {  // Should be `while`.
    clotho::Future<void> wake = waiters_.emplace_back();
    co_await wake;
  }
  co_return TakeFirst();
}

clotho::Coro<Job> FixedJobQueue::Take() {
  while (jobs_.empty()) {
    clotho::Future<void> wake = waiters_.emplace_back();
    co_await wake;
  }
  co_return TakeFirst();
}

Job JobQueue::TakeFirst() {
  clotho::Always(!jobs_.empty(), "a woken worker finds a job");
  const Job job = jobs_.front();
  jobs_.pop_front();
  return job;
}

void JobQueue::Put(Job job) {
  jobs_.push_back(job);
  if (waiters_.empty()) return;
  waiters_.front().SetResult();
  waiters_.pop_front();
}

}  // namespace shop
