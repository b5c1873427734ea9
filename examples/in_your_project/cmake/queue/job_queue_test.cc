// The same race cannot break FixedJobQueue. The schedule that breaks JobQueue
// is saved in testdata/clotho, and runs first.

#include "queue/job_queue.h"

#include "clotho/runtime/runtime.h"
#include "clotho/sim/testing.h"
#include "runtime/job.h"
#include "tools/describe.h"

namespace shop {
namespace {

using clotho::CreateTask;
using clotho::Sleep;
using clotho::Task;

CLOTHO_TEST(FixedJobQueueTest, LosesNoJob,
            clotho::sim::Random{.schedules = 200}) {
  FixedJobQueue queue;
  Task<Job> first = CreateTask(queue.Take(), {.name = "worker-1"});
  co_await Sleep(absl::ZeroDuration());
  queue.Put(Job{1});
  Task<Job> second = CreateTask(queue.Take(), {.name = "worker-2"});
  co_await Sleep(absl::Milliseconds(1));
  queue.Put(Job{2});
  const Job one = co_await first;
  const Job two = co_await second;
  EXPECT_NE(Describe(one), Describe(two));
}

}  // namespace
}  // namespace shop
