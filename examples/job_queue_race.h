// The race that JobQueue loses and FixedJobQueue does not, for tests: two
// workers, two jobs.

#ifndef CLOTHO_EXAMPLES_JOB_QUEUE_RACE_H_
#define CLOTHO_EXAMPLES_JOB_QUEUE_RACE_H_

#include "absl/time/time.h"
#include "clotho/examples/job_queue.h"
#include "clotho/runtime/runtime.h"

namespace clotho::examples {

// The body of job_queue_hunt.cc, on either of the queues.
template <typename AnyQueue>
Coro<void> TwoWorkersTwoJobs() {
  AnyQueue queue;
  Task<Job> first = CreateTask(queue.Take(), {.name = "worker-1"});
  co_await Sleep(absl::ZeroDuration());
  queue.Put(Job{1});
  Task<Job> second = CreateTask(queue.Take(), {.name = "worker-2"});
  co_await Sleep(absl::Milliseconds(1));
  queue.Put(Job{2});
  const Job one = co_await first;
  const Job two = co_await second;
  Always(one.number + two.number == 3, "each job is taken once");
}

}  // namespace clotho::examples

#endif  // CLOTHO_EXAMPLES_JOB_QUEUE_RACE_H_
