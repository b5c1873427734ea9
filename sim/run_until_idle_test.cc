#include "clotho/sim/run_until_idle.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/options.h"
#include "clotho/sim/testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

auto Give() { return Sleep(absl::ZeroDuration()); }

CLOTHO_TEST(RunUntilIdleTest, LetsEverybodyRunWhoCan, Fuzz{.schedules = 200}) {
  int done = 0;
  const auto work = [](int& count, int steps) -> Coro<void> {
    for (int i = 0; i < steps; ++i) co_await Give();
    ++count;
  };
  std::vector<Task<void>> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(CreateTask(work(done, i)));
  co_await RunUntilIdle();
  EXPECT_EQ(done, 5);
  EXPECT_EQ(GetRunningLoop().Time(), absl::ZeroDuration());
  for (Task<void>& task : tasks) co_await task;
}

CLOTHO_TEST(RunUntilIdleTest, ComesBeforeTheNextTimer) {
  bool fired = false;
  GetRunningLoop().CallLater(absl::Seconds(1), [&fired] { fired = true; });
  co_await RunUntilIdle();
  EXPECT_FALSE(fired);
  co_await Sleep(absl::Seconds(1));
  co_await RunUntilIdle();
  EXPECT_TRUE(fired);
}

CLOTHO_TEST(RunUntilIdleTest, SeveralSettleInTheirOrder) {
  std::string log;
  const auto settle = [](std::string& out, char name) -> Coro<void> {
    co_await RunUntilIdle();
    out += name;
  };
  Task<void> a = CreateTask(settle(log, 'a'));
  Task<void> b = CreateTask(settle(log, 'b'));
  co_await a;
  co_await b;
  EXPECT_EQ(log, "ab");
}

CLOTHO_TEST(RunUntilIdleTest, MayBeCancelled) {
  Task<void> task = CreateTask(RunUntilIdle());
  co_await Give();
  task.Cancel();
  EXPECT_THROW(co_await task, CancelledError);
  co_await RunUntilIdle();
}

TEST(RunUntilIdleTest2, IsForSimulations) {
  EXPECT_THROW(clotho::Run(RunUntilIdle()), RuntimeError);
}

CLOTHO_TEST(AdvanceTest, RunsWhatIsDueAtTheEnd) {
  bool done = false;
  Task<void> task = CreateTask([](bool& flag) -> Coro<void> {
    co_await Sleep(absl::Seconds(5));
    co_await Give();
    flag = true;
  }(done));
  co_await Advance(absl::Seconds(5) - absl::Nanoseconds(1));
  EXPECT_FALSE(done);
  co_await Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(done);
  EXPECT_EQ(GetRunningLoop().Time(), absl::Seconds(5));
  co_await task;
}

Coro<void> InTurn(Sequencer& turn, std::vector<int>& log, int number) {
  auto t = co_await turn(number);
  log.push_back(number);
  co_await Give();
}

CLOTHO_TEST(SequencerTest, HoldsUnderEverySchedule, Fuzz{.schedules = 300}) {
  Sequencer turn;
  std::vector<int> log;
  co_await Gather(InTurn(turn, log, 3), InTurn(turn, log, 1),
                  InTurn(turn, log, 4), InTurn(turn, log, 2));
  EXPECT_THAT(log, testing::ElementsAre(1, 2, 3, 4));
}

CLOTHO_TEST(SequencerTest, ANumberIsForOnePlace) {
  Sequencer turn;
  {
    auto t = co_await turn(1);
  }
  EXPECT_THROW((void)co_await turn(1), ValueError);
  auto second = co_await turn(2);
  EXPECT_THROW((void)co_await turn(2), ValueError);
}

CLOTHO_TEST(SequencerTest, WhoIsCancelledLeavesItsTurn) {
  Sequencer turn;
  std::vector<int> log;
  Task<void> third = CreateTask(InTurn(turn, log, 2));
  co_await Give();
  third.Cancel();
  EXPECT_THROW(co_await third, CancelledError);
  co_await InTurn(turn, log, 1);
  co_await InTurn(turn, log, 2);
  EXPECT_THAT(log, testing::ElementsAre(1, 2));
}

}  // namespace
}  // namespace clotho::sim
