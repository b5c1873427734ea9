// Two tasks that compute for 3 s each take 6 s: in one thread, only one can
// compute at a time. On the virtual clock, `BlockingSleep` stands for the work.

#include <cstdint>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::BlockingSleep;
using clotho::Coro;
using clotho::CreateTask;
using clotho::Task;
using clotho::Timed;
using clotho::examples::RunExample;

namespace {

Coro<std::int64_t> CpuBoundWork() {
  BlockingSleep(absl::Seconds(3));  // The thread is busy: nothing else runs.
  co_return 4999999950000000;       // The sum of the numbers below 100 million.
}

const auto work = Timed("cpu_bound_work", CpuBoundWork);

Coro<void> TwoJobs() {
  Task<std::int64_t> first = CreateTask(work());
  Task<std::int64_t> second = CreateTask(work());
  co_await first;
  co_await second;
}

Coro<void> Main() { co_await Timed("main", TwoJobs()); }

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
