// The correct twins stay silent, for as long as a nightly search would look.

#include <cstdint>
#include <utility>

#include "absl/time/time.h"
#include "clotho/examples/bank.h"
#include "clotho/examples/job_queue.h"
#include "clotho/examples/job_queue_race.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "gtest/gtest.h"

namespace clotho::examples {
namespace {

constexpr std::uint64_t kSchedules = 100'000;

Coro<void> TransfersInBothDirections() {
  Account a("A", 100);
  Account b("B", 100);
  Coro<void> to_b = OrderedTransfer(a, b, 10, /*from_first=*/true);
  Task<void> a_to_b = CreateTask(std::move(to_b), {.name = "a-to-b"});
  co_await Sleep(absl::Milliseconds(6));
  Coro<void> to_a = OrderedTransfer(b, a, 20, /*from_first=*/false);
  Task<void> b_to_a = CreateTask(std::move(to_a), {.name = "b-to-a"});
  co_await Gather(a_to_b, b_to_a);
  Always(a.balance() == 110 && b.balance() == 90, "no money is lost");
}

TEST(SilenceTest, TheFixedJobQueueNeverFails) {
  const sim::Report report = sim::Explore(TwoWorkersTwoJobs<FixedJobQueue>,
                                          sim::Random{.schedules = kSchedules});
  EXPECT_TRUE(report.passed()) << report;
  EXPECT_EQ(report.search.executions, kSchedules);
}

TEST(SilenceTest, OrderedTransfersNeverFail) {
  const sim::Report report = sim::Explore(TransfersInBothDirections,
                                          sim::Random{.schedules = kSchedules});
  EXPECT_TRUE(report.passed()) << report;
  EXPECT_EQ(report.search.executions, kSchedules);
}

}  // namespace
}  // namespace clotho::examples
