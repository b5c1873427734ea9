#include "clotho/runtime/blocking_sleep.h"

#include <chrono>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/runner.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using ::testing::ElementsAre;

class BlockingSleepTest : public internal::RuntimeTest {};

TEST_F(BlockingSleepTest, TimePassesAndNobodyElseRuns) {
  const auto other = [this]() -> Coro<void> {
    co_await Sleep(absl::Seconds(1));
    Log("other");
  };
  const auto main = [&]() -> Coro<void> {
    const Task<void> task = CreateTask(other());
    co_await Sleep(absl::ZeroDuration());
    BlockingSleep(absl::Seconds(5));
    BlockingSleep(absl::ZeroDuration());
    BlockingSleep(-absl::Seconds(1));
    Log("main");
    co_await task;
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i2 t=5 main", "i4 t=5 other"));
}

TEST(BlockingSleepRealTest, StopsTheThread) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point before = Clock::now();
  BlockingSleep(absl::Milliseconds(1));  // Outside of any loop.
  EXPECT_GE(Clock::now() - before, std::chrono::milliseconds(1));
  const auto main = []() -> Coro<void> {
    const absl::Duration begin = GetRunningLoop().Time();
    BlockingSleep(absl::Milliseconds(1));
    EXPECT_GE(GetRunningLoop().Time() - begin, absl::Milliseconds(1));
    co_return;
  };
  clotho::Run(main());
}

}  // namespace
}  // namespace clotho
