// What faq.md says, run. The C++ that the page shows stands here word for word
// (//tools/docs:faq_test).

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using sim::FailureKind;
using testing::HasSubstr;
using Verdict = sim::Report::Verdict;

// ---- Static variables. ----

Coro<void> FailsInItsSeventhExecution() {
  static int executions = 0;
  co_await Sleep(absl::Milliseconds(1));
  Always(++executions < 7, "it is one of the first");
}

TEST(Faq, AFailureThatNeedsEarlierExecutionsIsNotDeterministic) {
  const sim::Report report =
      sim::Explore(FailsInItsSeventhExecution, sim::Fuzz{});
  EXPECT_EQ(report.verdict(), Verdict::kNondeterministic);
  EXPECT_THAT(testing::PrintToString(report),
              HasSubstr("state survives from one execution to the next"));
}

Coro<void> WaitsInLaterExecutions() {
  static int executions = 0;
  if (++executions > 7) co_await Sleep(absl::Milliseconds(1));
}

TEST(Faq, SoAreOtherSteps) {
  EXPECT_EQ(sim::Explore(WaitsInLaterExecutions, sim::Fuzz{}).verdict(),
            Verdict::kNondeterministic);
}

Coro<void> CountsAndDoesNotCare() {
  static std::uint64_t executions = 0;
  ++executions;
  co_await Sleep(absl::Milliseconds(1));
  Always(executions > 0, "it counts");
}

TEST(Faq, StateThatChangesNothingIsNotSeen) {
  EXPECT_TRUE(sim::Explore(CountsAndDoesNotCare, sim::Fuzz{}).passed());
}

// ---- Lambdas. ----

Task<int> StartAnswer(int answer) {
  return CreateTask([answer]() -> Coro<int> {  // Is not called here.
    co_await Sleep(absl::Milliseconds(1));
    co_return answer;
  });
}

CLOTHO_TEST(Faq, ATaskOwnsTheLambdaThatItIsGiven) {
  Task<int> task = StartAnswer(42);
  EXPECT_EQ(co_await task, 42);
}

CLOTHO_TEST(Faq, ALambdaThatIsAwaitedAtOnceLivesLongEnough) {
  const int answer = 42;
  auto ask = [answer]() -> Coro<int> {
    co_await Sleep(absl::Milliseconds(1));
    co_return answer;
  };
  EXPECT_EQ(co_await ask(), 42);
}

// ---- Run inside of a loop. ----

Coro<int> Answer() {
  co_await Sleep(absl::Milliseconds(1));
  co_return 42;
}

Coro<void> RunsALoopInALoop() {
  clotho::Run(Answer());
  co_return;
}

TEST(Faq, RunInsideOfALoopNeverAwaitsItsCoroutine) {
  const sim::Report report = sim::Explore(RunsALoopInALoop);
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->kind, FailureKind::kNeverAwaited);
  EXPECT_THAT(report.failure()->what, HasSubstr("Answer()"));
}

TEST(Faq, RunInAnOrdinaryTest) {
  EXPECT_EQ(clotho::Run(Answer()), 42);  // Takes a real millisecond.
}

// ---- A Coro that nobody awaits. ----

CLOTHO_TEST(Faq, DoesNotRunWhatItDoesNotNeed) {
  Coro<int> answer = Answer();
  answer.Close();  // On purpose.
  co_return;
}

Coro<void> Fails() {
  co_await Sleep(absl::Milliseconds(1));
  throw std::runtime_error("the cause");
}

Coro<void> ThrowsPastACoro() {
  Coro<int> answer = Answer();
  co_await Fails();
  co_await std::move(answer);
}

TEST(Faq, NeverAwaitedMayHideAnException) {
  const sim::Report report = sim::Explore(ThrowsPastACoro);
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->kind, FailureKind::kNeverAwaited);
}

// ---- Tasks that are pending at the end. ----

Coro<void> LeaksATask() {
  CreateTask(Answer());
  co_return;
}

TEST(Faq, APendingTaskIsAFailure) {
  const sim::Report report = sim::Explore(LeaksATask);
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->kind, FailureKind::kLeakedTask);
}

Coro<void> Heartbeat() {
  while (true) co_await Sleep(absl::Seconds(1));
}

CLOTHO_TEST(Faq, ABackgroundTaskMayBePending) {
  CreateTask(Heartbeat(), {.name = "heartbeat", .background = true});
  co_await Sleep(absl::Minutes(1));
}

// ---- Death tests. ----

CLOTHO_TEST(Faq, DeathTestsWork) {
  co_await Sleep(absl::Milliseconds(1));
  EXPECT_DEATH(std::abort(), "");
}

// ---- Real time and threads. ----

CLOTHO_TEST(Faq, AThreadWithinOneStepIsInvisible) {
  int result = 0;
  std::thread thread([&] { result = 1; });
  thread.join();
  EXPECT_EQ(result, 1);
  co_return;
}

CLOTHO_TEST(Faq, BlockingSleepTakesVirtualTime) {
  BlockingSleep(absl::Hours(1));  // No other task runs meanwhile.
  EXPECT_EQ(GetRunningLoop().Time(), absl::Hours(1));
  co_return;
}

// ---- Long tests. ----

Coro<void> GivesWay(int times) {
  for (int i = 0; i < times; ++i) co_await Sleep(absl::ZeroDuration());
}

CLOTHO_TEST(Faq, NeedsManySteps, sim::Limits{.steps_max = 1'000'000}) {
  co_await GivesWay(150'000);
}

TEST(Faq, OtherwiseIsALivelock) {
  const sim::Report report = sim::Explore([] { return GivesWay(150'000); });
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->kind, FailureKind::kLivelock);
}

// ---- A test without a strategy. ----

TEST(Faq, WithoutAStrategyThereIsOneExecution) {
  int executions = 0;
  sim::Explore(
      [&] {
        ++executions;
        return GivesWay(2);
      },
      sim::Fifo{});
  EXPECT_LE(executions, 2);  // It is run twice, to compare the two.
}

}  // namespace
}  // namespace clotho
