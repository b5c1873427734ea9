#include "clotho/runtime/internal/check.h"

#include <csignal>

#include "clotho/runtime/internal/list.h"
#include "clotho/runtime/internal/ready_queue.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/timer_queue.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::internal {
namespace {

TEST(CheckTest, ConditionsThatHoldHaveNoEffect) {
  int sum = 2;
  if (sum == 2) CLOTHO_DCHECK(sum == 2, "one and one is two");
  CLOTHO_DCHECK((sum += 1) == 3, "evaluated once, or not at all");
  EXPECT_EQ(sum, CLOTHO_DCHECK_IS_ON ? 3 : 2);
}

#if CLOTHO_DCHECK_IS_ON

TEST(CheckDeathTest, SaysWhereAndWhatAndWhoseFaultItIs) {
  const int sum = 3;
  EXPECT_DEATH(CLOTHO_DCHECK(sum == 2, "one and one is two"),
               "runtime/internal/check_test\\.cc:[0-9]+: "
               "CLOTHO_DCHECK\\(sum == 2\\) failed: one and one is two; this "
               "is a bug in Clotho, please report it\n");
}

TEST(CheckDeathTest, Aborts) {
  EXPECT_EXIT(CLOTHO_DCHECK(false, "never"), testing::KilledBySignal(SIGABRT),
              "");
}

class Step final : public Timer {
 public:
  Step() : Timer(RunnableKind::kTask) {}
  void Run() override {}
  void Drop() noexcept override {}
};

TEST(CheckDeathTest, ANodeIsInOneListAtATime) {
  IntrusiveList<Step> first;
  IntrusiveList<Step> second;
  Step step;
  first.PushBack(step);
  EXPECT_DEATH(second.PushBack(step), "list\\.h:.*in one list at a time");
  step.Unlink();
  second.PushBack(step);
  EXPECT_DEATH(first.front(), "list\\.h:.*an empty list has no elements");
}

TEST(CheckDeathTest, AReadyQueueGivesOutOnlyWhatItHolds) {
  ReadyQueue queue;
  EXPECT_DEATH(queue.PopFront(), "ready_queue\\.h:.*an empty queue");
  Step step;
  queue.PushBack(step);
  EXPECT_DEATH(queue.Take(1), "ready_queue\\.h:.*within the queue");
  Step other;
  EXPECT_DEATH(queue.Replace(other, step), "ready_queue\\.h:.*is in the queue");
}

TEST(CheckDeathTest, AReadyItemWaitsForNothing) {
  IntrusiveList<Step> waiters;
  Step step;
  waiters.PushBack(step);
  ReadyQueue queue;
  EXPECT_DEATH(queue.PushBack(step), "ready_queue\\.h:.*waits for nothing");
}

TEST(CheckDeathTest, ATimerIsArmedAndDisarmedOnce) {
  TimerQueue queue;
  EXPECT_DEATH(queue.front(), "timer_queue\\.h:.*an empty queue");
  Step timer;
  queue.Add(timer, 1);
  EXPECT_DEATH(queue.Add(timer, 2), "timer_queue\\.h:.*armed once");
  queue.Remove(timer);
  EXPECT_DEATH(queue.Remove(timer), "timer_queue\\.h:.*only an armed timer");
}

#endif  // CLOTHO_DCHECK_IS_ON

}  // namespace
}  // namespace clotho::internal
