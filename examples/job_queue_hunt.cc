// Hunts the race in JobQueue: this program is meant to fail, and to say why.

#include "clotho/examples/job_queue.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/testing.h"
#include "gtest/gtest.h"

namespace clotho::examples {
namespace {

CLOTHO_TEST(JobQueueTest, NoJobIsLost, sim::Random{.schedules = 1'000}) {
  JobQueue queue;
  Task<Job> first = CreateTask(queue.Take(), {.name = "worker-1"});
  co_await Sleep(absl::ZeroDuration());
  queue.Put(Job{1});
  Task<Job> second = CreateTask(queue.Take(), {.name = "worker-2"});
  co_await Sleep(absl::Milliseconds(1));
  queue.Put(Job{2});
  co_await first;
  co_await second;
}

}  // namespace
}  // namespace clotho::examples
