// Hunts the deadlock of Transfer: this program is meant to fail, and to say
// why.

#include "clotho/examples/bank.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/testing.h"
#include "gtest/gtest.h"

namespace clotho::examples {
namespace {

CLOTHO_TEST(BankTest, TransfersInBothDirections,
            sim::Random{.schedules = 1'000}) {
  Account a("A", 100);
  Account b("B", 100);
  // The second begins when the first is as good as over.
  Task<void> a_to_b = CreateTask(Transfer(a, b, 10), {.name = "a-to-b"});
  co_await Sleep(absl::Milliseconds(6));
  Task<void> b_to_a = CreateTask(Transfer(b, a, 20), {.name = "b-to-a"});
  co_await Gather(a_to_b, b_to_a);
  EXPECT_EQ(a.balance() + b.balance(), 200);
}

}  // namespace
}  // namespace clotho::examples
