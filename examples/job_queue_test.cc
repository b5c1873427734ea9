#include "clotho/examples/job_queue.h"

#include <algorithm>
#include <cstdint>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/examples/job_queue_race.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::examples {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

CLOTHO_TEST(JobQueueTest, IsRightInFifoOrder) {
  co_await TwoWorkersTwoJobs<JobQueue>();
}

CLOTHO_TEST(FixedJobQueueTest, LosesNoJob, sim::Random{.schedules = 2'000}) {
  co_await TwoWorkersTwoJobs<FixedJobQueue>();
}

TEST(JobQueueTest, FailsWhenAJobIsTakenBetweenAWakeUpAndTheWokenWorker) {
  const sim::Report report = sim::Explore(TwoWorkersTwoJobs<JobQueue>,
                                          sim::Random{.schedules = 1'000});
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->kind, sim::FailureKind::kAlways);
  EXPECT_EQ(report.failure()->what,
            "Always \"a woken worker finds a job\" is false");
  EXPECT_EQ(report.failure()->task, "worker-1");
  EXPECT_THAT(report.failure()->function, HasSubstr("JobQueue::Take"));
  EXPECT_THAT(std::get<sim::Deviations>(report.replay.schedule),
              ElementsAre(sim::Deviation{.step = 4, .choice = 1}));
  ASSERT_EQ(report.trace.deviations.size(), 1);
  EXPECT_EQ(report.trace.deviations[0].taken, "ran worker-2 (its first step)");
  EXPECT_THAT(report.trace.deviations[0].fifo,
              HasSubstr("FIFO order runs worker-1 (examples/job_queue.cc:"));
}

TEST(JobQueueTest, IsFoundWithinAHundredSchedulesFromAnyOfFiftySeeds) {
  std::uint64_t most = 0;
  std::uint64_t total = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const sim::Report report =
        sim::Explore(TwoWorkersTwoJobs<JobQueue>,
                     sim::Random{.schedules = 100, .seed = seed});
    ASSERT_FALSE(report.passed()) << "seed " << seed;
    EXPECT_THAT(std::get<sim::Deviations>(report.replay.schedule),
                ElementsAre(sim::Deviation{.step = 4, .choice = 1}))
        << "seed " << seed;
    EXPECT_TRUE(report.shrinking.minimal);
    most = std::max(most, report.search.executions);
    total += report.search.executions;
  }
  RecordProperty("most_executions", absl::StrCat(most));
  RecordProperty("mean_executions", absl::StrCat(total / 50));
}

}  // namespace
}  // namespace clotho::examples
