#include "clotho/runtime/queue.h"

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Repr;
using internal::Thrown;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

static_assert(!std::is_copy_constructible_v<Queue<int>>);
static_assert(!std::is_move_constructible_v<Queue<int>>);
using Get = decltype(std::declval<Queue<int>&>().Get());
using Put = decltype(std::declval<Queue<int>&>().Put(1));
static_assert(std::is_same_v<AwaitResult<Get>, int>);
static_assert(std::is_void_v<AwaitResult<Put>>);

class QueueTest : public internal::RuntimeTest {
 protected:
  Coro<void> Getter(Queue<int>& queue, std::string name) {
    try {
      const int item = co_await queue.Get();
      Log(name, "got", item);
    } catch (...) {
      Log(name, Repr(std::current_exception()));
    }
  }
  Coro<void> Putter(Queue<int>& queue, std::string name, int item) {
    try {
      co_await queue.Put(item);
      Log(name, "put", item);
    } catch (...) {
      Log(name, Repr(std::current_exception()));
    }
  }
  Coro<void> Joiner(Queue<int>& queue) {
    co_await queue.Join();
    Log("joined");
  }
};

// ---- Without waiting. ----

TEST_F(QueueTest, IsFirstInFirstOut) {
  Queue<int> queue;
  EXPECT_TRUE(queue.Empty());
  EXPECT_FALSE(queue.Full());
  for (int i = 1; i <= 3; ++i) queue.PutNowait(i);
  EXPECT_EQ(queue.Qsize(), 3u);
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(queue.GetNowait(), i);
  EXPECT_TRUE(queue.Empty());
}

TEST_F(QueueTest, HoldsAtMostItsSize) {
  Queue<int> queue(2);
  EXPECT_EQ(queue.Maxsize(), 2u);
  queue.PutNowait(1);
  EXPECT_FALSE(queue.Full());
  queue.PutNowait(2);
  EXPECT_TRUE(queue.Full());
  EXPECT_THROW(queue.PutNowait(3), QueueFull);
  EXPECT_EQ(queue.Qsize(), 2u);
  queue.GetNowait();
  queue.PutNowait(3);
}

TEST_F(QueueTest, EmptyThereIsNothingToGet) {
  Queue<int> queue;
  EXPECT_THROW(queue.GetNowait(), QueueEmpty);
}

TEST_F(QueueTest, PassesOnWhatCannotBeCopied) {
  Queue<std::unique_ptr<int>> queue(1);
  const auto main = [&]() -> Coro<int> {
    co_await queue.Put(std::make_unique<int>(5));
    std::unique_ptr<int> item = co_await queue.Get();
    co_return *item;
  };
  EXPECT_EQ(Run(main()), 5);
}

TEST_F(QueueTest, NeedsNoLoopUntilSomeoneWaits) {
  Queue<int> queue;
  queue.PutNowait(1);
  queue.TaskDone();
  EXPECT_EQ(queue.GetNowait(), 1);
}

// ---- Waiting. ----

TEST_F(QueueTest, WhatIsPossibleHappensAtOnce) {
  Queue<int> queue(1);
  const auto main = [&]() -> Coro<void> {
    co_await queue.Put(1);
    const int item = co_await queue.Get();
    Log(item);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i1 t=0 1"));
}

TEST_F(QueueTest, GettersAreServedInTheOrderInWhichTheyCame) {
  Queue<int> queue;
  Task<void> a = Start(Getter(queue, "a"));
  Task<void> b = Start(Getter(queue, "b"));
  Iterate();
  queue.PutNowait(1);
  queue.PutNowait(2);
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i2 t=0 a got 1", "i2 t=0 b got 2"));
}

TEST_F(QueueTest, PuttersAreServedInTheOrderInWhichTheyCame) {
  Queue<int> queue(1);
  queue.PutNowait(0);
  Task<void> a = Start(Putter(queue, "a", 1));
  Task<void> b = Start(Putter(queue, "b", 2));
  Iterate();
  EXPECT_EQ(queue.GetNowait(), 0);
  Iterate();
  EXPECT_EQ(queue.GetNowait(), 1);
  Iterate();
  EXPECT_EQ(queue.GetNowait(), 2);
  EXPECT_THAT(log_, ElementsAre("i2 t=0 a put 1", "i3 t=0 b put 2"));
}

TEST_F(QueueTest, AWokenGetterThatFindsNothingGoesToTheBack) {
  Queue<int> queue;
  Task<void> a = Start(Getter(queue, "a"));
  Task<void> b = Start(Getter(queue, "b"));
  Iterate();
  queue.PutNowait(1);
  EXPECT_EQ(queue.GetNowait(), 1);  // Another consumer is faster.
  Iterate();
  queue.PutNowait(2);
  queue.PutNowait(3);
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i3 t=0 b got 2", "i3 t=0 a got 3"));
}

TEST_F(QueueTest, AWokenPutterThatFindsNoRoomGoesToTheBack) {
  Queue<int> queue(1);
  queue.PutNowait(0);
  Task<void> a = Start(Putter(queue, "a", 1));
  Task<void> b = Start(Putter(queue, "b", 2));
  Iterate();
  queue.GetNowait();
  queue.PutNowait(9);
  Iterate();
  queue.GetNowait();
  Iterate();
  EXPECT_EQ(queue.GetNowait(), 2);
  Iterate();
  EXPECT_EQ(queue.GetNowait(), 1);
  EXPECT_THAT(log_, ElementsAre("i3 t=0 b put 2", "i4 t=0 a put 1"));
}

// ---- Cancellation: Q-05. ----

TEST_F(QueueTest, ACancelledGetterLeavesTheLine) {
  Queue<int> queue;
  Task<void> a = Start(Getter(queue, "a"));
  Task<void> b = Start(Getter(queue, "b"));
  Iterate();
  a.Cancel("m");
  queue.PutNowait(1);  // Skips `a`.
  Iterate();
  EXPECT_THAT(log_,
              ElementsAre("i2 t=0 a CancelledError('m')", "i2 t=0 b got 1"));
}

TEST_F(QueueTest, AGetterThatIsCancelledWhenItWasWokenPassesTheItemOn) {
  Queue<int> queue;
  Task<void> a = Start(Getter(queue, "a"));
  Task<void> b = Start(Getter(queue, "b"));
  Iterate();
  queue.PutNowait(1);
  a.Cancel("m");
  Iterate(2);
  EXPECT_THAT(log_,
              ElementsAre("i2 t=0 a CancelledError('m')", "i3 t=0 b got 1"));
}

TEST_F(QueueTest, APutterThatIsCancelledWhenItWasWokenPassesTheRoomOn) {
  Queue<int> queue(1);
  queue.PutNowait(0);
  Task<void> a = Start(Putter(queue, "a", 1));
  Task<void> b = Start(Putter(queue, "b", 2));
  Iterate();
  queue.GetNowait();
  a.Cancel("m");
  Iterate(2);
  EXPECT_THAT(log_,
              ElementsAre("i2 t=0 a CancelledError('m')", "i3 t=0 b put 2"));
}

TEST_F(QueueTest, CancelledAfterItWentToTheBack) {
  Queue<int> queue;
  Task<void> a = Start(Getter(queue, "a"));
  Iterate();
  queue.PutNowait(1);
  queue.GetNowait();
  Iterate();
  a.Cancel("m");
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i3 t=0 a CancelledError('m')"));
  queue.PutNowait(2);
  EXPECT_EQ(queue.GetNowait(), 2);
}

// ---- TaskDone and Join: Q-07. ----

TEST_F(QueueTest, JoinWaitsUntilAllIsDealtWith) {
  Queue<int> queue;
  queue.PutNowait(1);
  queue.PutNowait(2);
  Task<void> joiner = Start(Joiner(queue));
  Iterate();
  queue.GetNowait();
  queue.GetNowait();
  queue.TaskDone();
  Iterate();
  EXPECT_THAT(log_, IsEmpty());
  queue.TaskDone();
  queue.PutNowait(3);  // Too late to block it.
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i3 t=0 joined"));
}

TEST_F(QueueTest, JoinWithNothingToDoDoesNotSuspend) {
  Queue<int> queue;
  Run(Joiner(queue));
  EXPECT_THAT(log_, ElementsAre("i1 t=0 joined"));
}

TEST_F(QueueTest, TaskDoneTooOftenIsAnError) {
  Queue<int> queue;
  EXPECT_EQ(Thrown([&] { queue.TaskDone(); }),
            "ValueError: task_done() called too many times");
  queue.PutNowait(1);
  queue.TaskDone();
  EXPECT_EQ(Thrown([&] { queue.TaskDone(); }),
            "ValueError: task_done() called too many times");
}

// ---- Shutdown: Q-08. ----

TEST_F(QueueTest, ShutDownNothingCanBePutAndWhatIsThereCanBeGot) {
  Queue<int> queue;
  queue.PutNowait(1);
  queue.Shutdown();
  queue.Shutdown();
  EXPECT_THROW(queue.PutNowait(2), QueueShutDown);
  EXPECT_EQ(queue.GetNowait(), 1);
  EXPECT_THROW(queue.GetNowait(), QueueShutDown);
  Run(Getter(queue, "g"));
  Run(Putter(queue, "p", 1));
  EXPECT_THAT(log_, ElementsAre("i1 t=0 g QueueShutDown()",
                                "i3 t=0 p QueueShutDown()"));
}

TEST_F(QueueTest, ShutDownWakesAllWhoWait) {
  Queue<int> empty;
  Queue<int> full(1);
  full.PutNowait(0);
  Task<void> a = Start(Getter(empty, "a"));
  Task<void> b = Start(Getter(empty, "b"));
  Task<void> c = Start(Putter(full, "c", 1));
  Iterate();
  empty.Shutdown();
  full.Shutdown();
  Iterate();
  EXPECT_THAT(
      log_, ElementsAre("i2 t=0 a QueueShutDown()", "i2 t=0 b QueueShutDown()",
                        "i2 t=0 c QueueShutDown()"));
}

TEST_F(QueueTest, AGetterThatWasWokenByAnItemKeepsItUnlessItIsImmediate) {
  for (const bool immediate : {false, true}) {
    Queue<int> queue;
    Task<void> a = Start(Getter(queue, "a"));
    Iterate();
    queue.PutNowait(1);
    queue.Shutdown(immediate);
    Iterate();
  }
  EXPECT_THAT(log_, ElementsAre("i2 t=0 a got 1", "i4 t=0 a QueueShutDown()"));
}

TEST_F(QueueTest, ImmediateShutdownDropsTheItemsAndEndsJoin) {
  Queue<std::shared_ptr<int>> queue;
  auto witness = std::make_shared<int>(1);
  queue.PutNowait(witness);
  queue.PutNowait(witness);
  queue.GetNowait();
  const auto join = [&]() -> Coro<void> {
    co_await queue.Join();
    Log("joined");
  };
  Task<void> joiner = Start(join());
  Iterate();
  queue.Shutdown(/*immediate=*/true);
  EXPECT_EQ(witness.use_count(), 1);
  Iterate();
  EXPECT_THAT(log_, IsEmpty());  // The item that was got is not processed.
  queue.TaskDone();
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i3 t=0 joined"));
}

TEST_F(QueueTest, AfterAnOrdinaryShutdownTheItemsStillCount) {
  Queue<int> queue;
  queue.PutNowait(1);
  queue.Shutdown();
  Task<void> joiner = Start(Joiner(queue));
  Iterate();
  queue.GetNowait();
  queue.TaskDone();
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i2 t=0 joined"));
}

// ---- Destruction. ----

TEST_F(QueueTest, TheWaitersMayBeDestroyed) {
  Queue<int> queue(1);
  queue.PutNowait(0);
  Queue<int> empty;
  Start(Putter(queue, "a", 1));
  Start(Getter(empty, "b"));
  Start(Getter(empty, "c"));
  Start(Joiner(queue));
  Iterate();
  queue.GetNowait();  // Wakes a.
  empty.PutNowait(1);
  empty.GetNowait();
  Iterate();  // `b` waits for the second time.
  loop_.Reset();
  EXPECT_EQ(queue.GetNowait(), 1);
}

TEST_F(QueueTest, ItMayBeDestroyedWhileTasksWait) {
  auto queue = std::make_unique<Queue<int>>(0, "jobs");
  Task<void> cancelled = Start(Getter(*queue, "cancelled"));
  Task<void> woken = Start(Getter(*queue, "woken"));
  Iterate();
  internal::WaitInfo info;
  cancelled.base().waiting_on()->Explain(info);
  EXPECT_EQ(info.what, "Queue \"jobs\"");
  cancelled.Cancel();
  queue->PutNowait(1);
  queue.reset();
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i2 t=0 cancelled CancelledError()",
                                "i2 t=0 woken RuntimeError('the Queue was "
                                "destroyed while a task waited for it')"));
}

TEST_F(QueueTest, SaysWhatItIs) {
  EXPECT_EQ(Queue<int>().Describe(), "Queue");
  EXPECT_EQ(Queue<int>(3, "jobs").Describe(), "Queue \"jobs\"");
}

TEST_F(QueueTest, ManyProducersAndConsumersLoseNothing) {
  Queue<int> queue(3);
  std::vector<int> got;
  const auto produce = [&](int first) -> Coro<void> {
    for (int i = 0; i < 100; ++i) co_await queue.Put(first + i);
  };
  const auto consume = [&]() -> Coro<void> {
    while (true) {
      const int item = co_await queue.Get();
      got.push_back(item);
      queue.TaskDone();
    }
  };
  const auto main = [&]() -> Coro<void> {
    std::vector<Task<void>> consumers;
    for (int i = 0; i < 4; ++i) consumers.push_back(CreateTask(consume()));
    std::vector<Task<void>> producers;
    for (int i = 0; i < 5; ++i) {
      producers.push_back(CreateTask(produce(100 * i)));
    }
    for (const Task<void>& producer : producers) co_await producer;
    co_await queue.Join();
    for (const Task<void>& consumer : consumers) consumer.Cancel();
  };
  Run(main());
  EXPECT_EQ(got.size(), 500u);
  std::vector<bool> seen(500);
  for (const int item : got) seen[item] = true;
  EXPECT_THAT(seen, testing::Each(true));
  Iterate(2);
}

// ---- LifoQueue and PriorityQueue: Q-01. ----

template <typename Q>
std::vector<int> TakeAll(Q& queue) {
  std::vector<int> items;
  while (!queue.Empty()) items.push_back(queue.GetNowait());
  return items;
}

TEST_F(QueueTest, ALifoQueueGivesTheYoungestFirst) {
  LifoQueue<int> queue;
  for (const int item : {1, 2, 3}) queue.PutNowait(item);
  EXPECT_THAT(TakeAll(queue), testing::ElementsAre(3, 2, 1));
}

TEST_F(QueueTest, APriorityQueueGivesTheLeastFirst) {
  PriorityQueue<int> queue;
  for (const int item : {5, 1, 4, 1, 3}) queue.PutNowait(item);
  EXPECT_THAT(TakeAll(queue), testing::ElementsAre(1, 1, 3, 4, 5));
}

// Compares by the tens.
struct TensLess {
  bool operator()(int a, int b) const { return a / 10 < b / 10; }
};

TEST_F(QueueTest, EqualPrioritiesComeOutAsInPython) {  // L-21.
  PriorityQueue<int, TensLess> queue;
  for (const int item : {0, 1, 2, 3, 4, 5}) queue.PutNowait(item);
  EXPECT_THAT(TakeAll(queue), testing::ElementsAre(0, 2, 5, 4, 1, 3));
  for (const int item : {0, 1, 2, 3, 4, 5, 90}) queue.PutNowait(item);
  EXPECT_THAT(TakeAll(queue), testing::ElementsAre(0, 2, 5, 1, 3, 4, 90));
}

TEST_F(QueueTest, TheOtherKindsWaitAndShutDownLikeAQueue) {
  PriorityQueue<int> queue(1);
  const auto put = [&]() -> Coro<void> {
    for (const int item : {2, 1}) co_await queue.Put(item);
    queue.Shutdown(/*immediate=*/true);
  };
  Task<void> putter = Start(put());
  Iterate();
  EXPECT_TRUE(queue.Full());
  EXPECT_EQ(queue.GetNowait(), 2);
  Iterate();
  EXPECT_TRUE(queue.Empty());
  EXPECT_EQ(Thrown([&] { queue.GetNowait(); }), "QueueShutDown");
}

}  // namespace
}  // namespace clotho
