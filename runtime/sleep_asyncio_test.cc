// CPython's tests of asyncio.sleep (test_tasks.py), ported to Sleep. Each test
// has the name of the original method.

#include <chrono>
#include <limits>
#include <string>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

class BaseTaskTests : public internal::RuntimeTest {};

TEST_F(BaseTaskTests, Sleep) {
  const auto sleeper = [](absl::Duration time,
                          std::string result) -> Coro<std::string> {
    co_await Sleep(time / 2);
    co_return co_await Sleep(time / 2, result);
  };
  Task<std::string> task = Start(sleeper(absl::Milliseconds(100), "yeah"));
  EXPECT_EQ(loop_.RunUntilComplete(task), "yeah");
  EXPECT_TRUE(task.Done());
  EXPECT_EQ(task.Result(), "yeah");
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(100));
}

TEST_F(BaseTaskTests, SleepWhenDelayIsNan) {
  const auto sleeper = []() -> Coro<void> {
    co_await Sleep(std::chrono::duration<double>(
        std::numeric_limits<double>::quiet_NaN()));
  };
  EXPECT_THROW(loop_.RunUntilComplete(Start(sleeper())), ValueError);
}

TEST_F(BaseTaskTests, SleepCancel) {
  Task<std::string> task = Start(Sleep(absl::Seconds(10), std::string("yeah")));
  Iterate();
  EXPECT_FALSE(task.Done());
  task.Cancel();
  Iterate();
  EXPECT_TRUE(task.Cancelled());
  RunToStandstill();  // The timer is gone: nothing moves the clock.
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());
}

class SleepTests : public internal::RuntimeTest {};

TEST_F(SleepTests, SleepZero) {
  int result = 0;
  const auto main = [&]() -> Coro<void> {
    loop_.CallSoon([&] { result += 1; });
    EXPECT_EQ(result, 0);
    const int number = co_await Sleep(absl::ZeroDuration(), 10);
    EXPECT_EQ(result, 1);  // The callback had its turn.
    result += number;
  };
  Run(main());
  EXPECT_EQ(result, 11);
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());
}

}  // namespace
}  // namespace clotho
