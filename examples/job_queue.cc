#include "clotho/examples/job_queue.h"

#include <utility>

namespace clotho::examples {

Coro<Job> JobQueue::Take() {
  if (jobs_.empty()) {  // Should be `while`.
    Future<void> wake = waiters_.emplace_back();
    co_await wake;
  }
  Always(!jobs_.empty(), "a woken worker finds a job");
  Job job = jobs_.front();
  jobs_.pop_front();
  co_return job;
}

void JobQueue::Put(Job job) {
  jobs_.push_back(job);
  WakeOne();
}

void JobQueue::WakeOne() {
  if (waiters_.empty()) return;
  waiters_.front().SetResult();
  waiters_.pop_front();
}

Coro<Job> FixedJobQueue::Take() {
  while (jobs_.empty()) {
    Future<void> wake = waiters_.emplace_back();
    co_await wake;
  }
  Job job = jobs_.front();
  jobs_.pop_front();
  co_return job;
}

void FixedJobQueue::Put(Job job) {
  jobs_.push_back(job);
  WakeOne();
}

void FixedJobQueue::WakeOne() {
  if (waiters_.empty()) return;
  waiters_.front().SetResult();
  waiters_.pop_front();
}

}  // namespace clotho::examples
