// Hunts the race in JobQueue: this program is meant to fail, and to say why.

#include "clotho/runtime/runtime.h"
#include "clotho/sim/testing.h"
#include "queue/job_queue.h"
#include "runtime/job.h"

namespace shop {
namespace {

using clotho::CreateTask;
using clotho::Sleep;
using clotho::Task;

CLOTHO_TEST(JobQueueTest, NoJobIsLost,
            clotho::sim::Random{.schedules = 1'000}) {
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
}  // namespace shop
