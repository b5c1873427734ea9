#include "clotho/examples/bank.h"

#include <cstdint>
#include <utility>
#include <variant>

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/report/wait_report.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::examples {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Le;
using testing::SizeIs;

// The program of bank_hunt.cc.
Coro<void> TransfersInBothDirections() {
  Account a("A", 100);
  Account b("B", 100);
  Task<void> a_to_b = CreateTask(Transfer(a, b, 10), {.name = "a-to-b"});
  co_await Sleep(absl::Milliseconds(6));
  Task<void> b_to_a = CreateTask(Transfer(b, a, 20), {.name = "b-to-a"});
  co_await Gather(a_to_b, b_to_a);
  EXPECT_EQ(a.balance(), 110);
  EXPECT_EQ(b.balance(), 90);
}

CLOTHO_TEST(TransferTest, IsRightInFifoOrder) {
  co_await TransfersInBothDirections();
}

CLOTHO_TEST(OrderedTransferTest, NeverLocksOut,
            sim::Random{.schedules = 2'000}) {
  Account a("A", 100);
  Account b("B", 100);
  Coro<void> to_b = OrderedTransfer(a, b, 10, /*from_first=*/true);
  Task<void> a_to_b = CreateTask(std::move(to_b), {.name = "a-to-b"});
  co_await Sleep(absl::Milliseconds(6));
  Coro<void> to_a = OrderedTransfer(b, a, 20, /*from_first=*/false);
  Task<void> b_to_a = CreateTask(std::move(to_a), {.name = "b-to-a"});
  co_await Gather(a_to_b, b_to_a);
  EXPECT_EQ(a.balance(), 110);
  EXPECT_EQ(b.balance(), 90);
}

TEST(TransferTest, DeadlocksWhenEachHoldsWhatTheOtherNeeds) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const sim::Report report =
        sim::Explore(TransfersInBothDirections,
                     sim::Random{.schedules = 1'000, .seed = seed});
    ASSERT_FALSE(report.passed()) << "seed " << seed;
    EXPECT_EQ(report.failure()->kind, sim::FailureKind::kDeadlock);
    EXPECT_THAT(std::get<sim::Deviations>(report.replay.schedule),
                SizeIs(Le(2)));
    EXPECT_TRUE(report.shrinking.minimal);
    EXPECT_THAT(
        sim::internal::WaitsText(report.trace),
        AllOf(HasSubstr("+-> a-to-b  waits for  Lock \"B\"  held by  b-to-a\n"
                        "|   b-to-a  waits for  Lock \"A\"  held by  a-to-b"),
              HasSubstr("b-to-a, taken at examples/bank.cc:"),
              HasSubstr("a-to-b, taken at examples/bank.cc:")));
  }
}

}  // namespace
}  // namespace clotho::examples
