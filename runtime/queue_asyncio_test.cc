// CPython's tests of asyncio's queues (test_queues.py), ported to Queue. Each
// test has the name and class of the original method. Tests that a class makes
// for each kind of queue are made for each kind here.

#include <exception>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/queue.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/task_group.h"
#include "clotho/runtime/testing/fixtures.h"
#include "clotho/runtime/timeout.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Repr;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr Delay kNow;
const Delay kSoon = absl::Milliseconds(10);

// What `awaitable` throws, as "CancelledError()"; "None" if it returns.
template <typename A>
Coro<std::string> Raised(A awaitable) {
  std::exception_ptr error;
  try {
    co_await std::move(awaitable);
  } catch (...) {
    error = std::current_exception();
  }
  co_return Repr(error);
}

// Puts 1, 3 and 2, and gives what comes out.
template <typename Q>
Coro<std::vector<int>> PutThenGet(Q& queue) {
  std::vector<int> items = {1, 3, 2};
  for (const int item : items) co_await queue.Put(item);
  for (int& item : items) item = co_await queue.Get();
  co_return items;
}

class QueueBasicTests : public internal::RuntimeTest {};

TEST_F(QueueBasicTests, Empty) {
  Queue<int> queue;
  const auto main = [&]() -> Coro<void> {
    EXPECT_TRUE(queue.Empty());
    co_await queue.Put(1);
    EXPECT_FALSE(queue.Empty());
    const int item = co_await queue.Get();
    EXPECT_EQ(item, 1);
    EXPECT_TRUE(queue.Empty());
  };
  Run(main());
}

TEST_F(QueueBasicTests, Full) {
  Queue<int> unbounded;
  Queue<int> queue(1);
  const auto main = [&]() -> Coro<void> {
    co_await unbounded.Put(1);
    EXPECT_FALSE(unbounded.Full());
    EXPECT_FALSE(queue.Full());
    co_await queue.Put(1);
    EXPECT_TRUE(queue.Full());
  };
  Run(main());
}

TEST_F(QueueBasicTests, Order) {
  Queue<int> queue;
  EXPECT_THAT(Run(PutThenGet(queue)), ElementsAre(1, 3, 2));
}

TEST_F(QueueBasicTests, Maxsize) {
  Queue<int> queue(2);
  EXPECT_EQ(queue.Maxsize(), 2u);
  std::vector<int> put;
  const auto putter = [&]() -> Coro<bool> {
    for (int i = 0; i < 3; ++i) {
      co_await queue.Put(i);
      put.push_back(i);
    }
    co_return true;
  };
  Task<bool> task = Start(putter());
  Iterate(2);
  EXPECT_THAT(put, ElementsAre(0, 1));  // It waits for room.
  EXPECT_EQ(queue.GetNowait(), 0);
  Iterate();
  EXPECT_THAT(put, ElementsAre(0, 1, 2));
  EXPECT_EQ(queue.GetNowait(), 1);
  EXPECT_EQ(queue.GetNowait(), 2);
  ASSERT_TRUE(task.Done());
  EXPECT_TRUE(task.Result());
}

// ---- Get. ----

class QueueGetTests : public internal::RuntimeTest {
 protected:
  Coro<int> Get(Queue<int>& queue) { co_return co_await queue.Get(); }
  Coro<void> Put(Queue<int>& queue, int item) { co_await queue.Put(item); }
};

TEST_F(QueueGetTests, BlockingGet) {
  Queue<int> queue;
  queue.PutNowait(1);
  EXPECT_EQ(Run(Get(queue)), 1);
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());
}

TEST_F(QueueGetTests, GetWithPutters) {
  Queue<int> queue(1);
  queue.PutNowait(1);
  Task<void> putter = Start(Put(queue, 2));
  Iterate();
  EXPECT_FALSE(putter.Done());
  const auto main = [&]() -> Coro<void> {
    const int item = co_await queue.Get();
    EXPECT_EQ(item, 1);
    EXPECT_TRUE(queue.Empty());  // The putter is woken, and has not run.
    co_await Sleep(kNow);
    EXPECT_TRUE(putter.Done());
    EXPECT_TRUE(queue.Full());
  };
  Run(main());
}

TEST_F(QueueGetTests, BlockingGetWait) {
  Queue<int> queue;
  Event started;
  bool finished = false;
  const auto get = [&]() -> Coro<int> {
    started.Set();
    const int item = co_await queue.Get();
    finished = true;
    co_return item;
  };
  const auto main = [&]() -> Coro<void> {
    Task<int> task = CreateTask(get());
    co_await started.Wait();
    EXPECT_FALSE(finished);
    loop_.CallLater(kSoon, [&] { queue.PutNowait(1); });
    const int item = co_await task;
    EXPECT_TRUE(finished);
    EXPECT_EQ(item, 1);
    EXPECT_EQ(Delay(loop_.Time()), kSoon);
  };
  Run(main());
}

TEST_F(QueueGetTests, NonblockingGet) {
  Queue<int> queue;
  queue.PutNowait(1);
  EXPECT_EQ(queue.GetNowait(), 1);
}

TEST_F(QueueGetTests, NonblockingGetException) {
  Queue<int> queue;
  EXPECT_THROW(queue.GetNowait(), QueueEmpty);
}

TEST_F(QueueGetTests, GetCancelledRace) {
  Queue<int> queue;
  Task<int> first = Start(Get(queue));
  Task<int> second = Start(Get(queue));
  Iterate();
  first.Cancel();
  Iterate();
  EXPECT_TRUE(first.Cancelled());
  const auto main = [&]() -> Coro<void> {
    co_await queue.Put(7);
    co_await Sleep(kNow);
    EXPECT_TRUE(second.Done());
    const int item = co_await second;
    EXPECT_EQ(item, 7);
  };
  Run(main());
}

TEST_F(QueueGetTests, GetWithWaitingPutters) {
  Queue<int> queue(1);
  const auto main = [&]() -> Coro<void> {
    CreateTask(queue.Put(1));
    CreateTask(queue.Put(2));
    for (const int expected : {1, 2}) {
      const int item = co_await queue.Get();
      EXPECT_EQ(item, expected);
    }
  };
  Run(main());
}

TEST_F(QueueGetTests, WhyAreGettersWaiting) {
  constexpr int kItems = 5;
  Queue<int> queue(1);
  std::vector<int> got;
  const auto producer = [&]() -> Coro<void> {
    for (int i = 0; i < kItems; ++i) co_await queue.Put(i);
  };
  const auto consumer = [&]() -> Coro<void> {
    for (int i = 0; i < kItems; ++i) {
      const int item = co_await queue.Get();
      got.push_back(item);
    }
  };
  TaskGroup group;
  const auto body = [&]() -> Coro<void> {
    group.CreateTask(producer());
    group.CreateTask(consumer());
    co_return;
  };
  Run(group.Run(body()));
  EXPECT_THAT(got, ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(QueueGetTests, CancelledGettersNotBeingHeldInSelfGetters) {
  Queue<int> queue(5);
  const auto main = [&]() -> Coro<void> {
    auto wait = Raised(WaitFor(queue.Get(), absl::Milliseconds(100)));
    const std::string raised = co_await std::move(wait);
    EXPECT_EQ(raised, "TimeoutError()");
  };
  Run(main());
  EXPECT_EQ(queue.NextGetter(), nullptr);
}

// ---- Put. ----

class QueuePutTests : public QueueGetTests {};

TEST_F(QueuePutTests, BlockingPut) {
  Queue<int> queue;
  const auto main = [&]() -> Coro<void> {
    co_await queue.Put(1);  // There is room for any number: it does not wait.
    const int item = co_await queue.Get();
    EXPECT_EQ(item, 1);
    EXPECT_EQ(CoreOf(loop_).iterations(), 1u);
  };
  Run(main());
}

TEST_F(QueuePutTests, BlockingPutWait) {
  Queue<int> queue(1);
  Event started;
  bool finished = false;
  const auto put = [&]() -> Coro<void> {
    started.Set();
    co_await queue.Put(1);
    co_await queue.Put(2);
    finished = true;
  };
  const auto main = [&]() -> Coro<void> {
    loop_.CallLater(kSoon, [&] { queue.GetNowait(); });
    Task<void> task = CreateTask(put());
    co_await started.Wait();
    EXPECT_FALSE(finished);
    co_await task;
    EXPECT_TRUE(finished);
    EXPECT_EQ(Delay(loop_.Time()), kSoon);
  };
  Run(main());
}

TEST_F(QueuePutTests, NonblockingPut) {
  Queue<int> queue;
  queue.PutNowait(1);
  EXPECT_EQ(queue.Qsize(), 1u);
  EXPECT_EQ(queue.GetNowait(), 1);
}

TEST_F(QueuePutTests, GetCancelDropOnePendingReader) {
  Queue<int> queue;
  Task<int> reader = Start(Get(queue));
  Iterate();
  queue.PutNowait(1);
  queue.PutNowait(2);
  reader.Cancel();
  EXPECT_THROW(loop_.RunUntilComplete(reader), CancelledError);
  EXPECT_EQ(Run(Get(queue)), 1);  // It was not taken along.
}

TEST_F(QueuePutTests, GetCancelDropManyPendingReaders) {
  Queue<int> queue;
  std::vector<int> got;
  TaskGroup group;
  const auto body = [&]() -> Coro<void> {
    Task<int> first = group.CreateTask(Get(queue));
    Task<int> second = group.CreateTask(Get(queue));
    Task<int> third = group.CreateTask(Get(queue));
    co_await Sleep(kNow);
    queue.PutNowait(1);
    queue.PutNowait(2);
    first.Cancel();
    auto wait = Raised(first);
    const std::string raised = co_await std::move(wait);
    EXPECT_EQ(raised, "CancelledError()");
    for (const Task<int>& reader : {second, third}) {
      const int item = co_await reader;
      got.push_back(item);
    }
  };
  Run(group.Run(body()));
  EXPECT_THAT(got, UnorderedElementsAre(1, 2));
}

TEST_F(QueuePutTests, PutCancelDrop) {
  Queue<int> queue(1);
  queue.PutNowait(1);
  Task<void> writer = Start(Put(queue, 2));
  Iterate();
  EXPECT_EQ(queue.GetNowait(), 1);
  writer.Cancel();
  EXPECT_THROW(loop_.RunUntilComplete(writer), CancelledError);
  Run(Put(queue, 2));
  EXPECT_EQ(queue.GetNowait(), 2);
  EXPECT_EQ(queue.Qsize(), 0u);  // The cancelled one has put nothing.
}

TEST_F(QueuePutTests, NonblockingPutException) {
  Queue<int> queue(1);
  queue.PutNowait(1);
  EXPECT_THROW(queue.PutNowait(2), QueueFull);
}

TEST_F(QueuePutTests, PutCancelled) {
  Queue<int> queue;
  const auto put = [&]() -> Coro<bool> {
    co_await queue.Put(1);
    co_return true;
  };
  Task<bool> task = Start(put());
  EXPECT_EQ(Run(Get(queue)), 1);
  ASSERT_TRUE(task.Done());
  EXPECT_TRUE(task.Result());
}

TEST_F(QueuePutTests, PutCancelledRace) {
  Queue<int> queue(1);
  Task<void> first = Start(Put(queue, 1));
  Task<void> second = Start(Put(queue, 2));
  Task<void> third = Start(Put(queue, 3));
  Iterate();
  EXPECT_TRUE(first.Done());
  EXPECT_FALSE(second.Done());
  third.Cancel();
  Iterate();
  EXPECT_TRUE(third.Cancelled());
  EXPECT_EQ(queue.GetNowait(), 1);
  Iterate();
  EXPECT_EQ(queue.GetNowait(), 2);
  EXPECT_TRUE(second.Done());
  loop_.RunUntilComplete(second);
  EXPECT_TRUE(queue.Empty());
}

TEST_F(QueuePutTests, PutWithWaitingGetters) {
  Queue<int> queue;
  Task<int> getter = Start(Get(queue));
  Iterate();
  Run(Put(queue, 7));
  EXPECT_EQ(loop_.RunUntilComplete(getter), 7);
}

TEST_F(QueuePutTests, WhyArePuttersWaiting) {
  Queue<int> queue(2);
  const auto getter = [&]() -> Coro<void> {
    co_await Sleep(kNow);
    for (auto left = queue.Qsize(); left > 0; --left) queue.GetNowait();
  };
  TaskGroup group;
  const auto body = [&]() -> Coro<void> {
    group.CreateTask(getter());
    for (int item = 0; item < 4; ++item) group.CreateTask(Put(queue, item));
    co_return;
  };
  Run(group.Run(body()));
  EXPECT_EQ(queue.GetNowait(), 2);
  EXPECT_EQ(queue.GetNowait(), 3);
}

TEST_F(QueuePutTests, CancelledPutsNotBeingHeldInSelfPutters) {
  Queue<int> queue(1);
  queue.PutNowait(1);
  Task<void> cancelled = Start(Put(queue, 2));
  Iterate();
  cancelled.Cancel();
  EXPECT_THROW(loop_.RunUntilComplete(cancelled), CancelledError);
  // The one behind it is first in line: one item that is got wakes it.
  Task<void> next = Start(Put(queue, 3));
  Iterate();
  EXPECT_EQ(queue.GetNowait(), 1);
  Iterate();
  EXPECT_TRUE(next.Done());
  EXPECT_EQ(queue.GetNowait(), 3);
}

TEST_F(QueuePutTests, CancelledPutSilenceValueErrorException) {
  Queue<int> queue(1);
  queue.PutNowait(1);
  Task<void> putter = Start(Put(queue, 2));
  Iterate();
  queue.GetNowait();  // It leaves the line,
  putter.Cancel();    // and has nothing to leave any more.
  EXPECT_THROW(loop_.RunUntilComplete(putter), CancelledError);
  EXPECT_TRUE(queue.Empty());
}

// ---- The other kinds. ----

class LifoQueueTests : public internal::RuntimeTest {};

TEST_F(LifoQueueTests, Order) {
  LifoQueue<int> queue;
  EXPECT_THAT(Run(PutThenGet(queue)), ElementsAre(2, 3, 1));
}

class PriorityQueueTests : public internal::RuntimeTest {};

TEST_F(PriorityQueueTests, Order) {
  PriorityQueue<int> queue;
  EXPECT_THAT(Run(PutThenGet(queue)), ElementsAre(1, 2, 3));
}

using Kinds = testing::Types<Queue<int>, LifoQueue<int>, PriorityQueue<int>>;

// ---- Join, of each kind. ----

template <typename Q>
class QueueJoinTestMixin : public internal::RuntimeTest {};
TYPED_TEST_SUITE(QueueJoinTestMixin, Kinds);

TYPED_TEST(QueueJoinTestMixin, TaskDoneUnderflow) {
  TypeParam queue;
  EXPECT_THROW(queue.TaskDone(), ValueError);
}

TYPED_TEST(QueueJoinTestMixin, TaskDone) {
  constexpr int kItems = 100;
  constexpr int kSum = kItems * (kItems - 1) / 2;
  TypeParam queue;
  for (int i = 0; i < kItems; ++i) queue.PutNowait(i);
  int sum = 0;
  bool running = true;
  const auto worker = [&]() -> Coro<void> {
    while (running) {
      const int item = co_await queue.Get();
      sum += item;
      queue.TaskDone();
    }
  };
  TaskGroup group;
  const auto body = [&]() -> Coro<void> {
    group.CreateTask(worker());
    group.CreateTask(worker());
    co_await queue.Join();
    EXPECT_EQ(sum, kSum);
    running = false;  // Each waits for one more.
    queue.PutNowait(0);
    queue.PutNowait(0);
  };
  this->Run(group.Run(body()));
  EXPECT_EQ(sum, kSum);
}

TYPED_TEST(QueueJoinTestMixin, JoinEmptyQueue) {
  TypeParam queue;
  const auto main = [&]() -> Coro<void> {
    co_await queue.Join();
    co_await queue.Join();
    EXPECT_EQ(CoreOf(this->loop_).iterations(), 1u);
  };
  this->Run(main());
}

// ---- Shutdown, of each kind. ----

template <typename Q>
class QueueShutdownTestMixin : public internal::RuntimeTest {
 protected:
  Coro<void> Join(Q& queue) { co_await queue.Join(); }
  Coro<int> Get(Q& queue) { co_return co_await queue.Get(); }
  Coro<void> Put(Q& queue, int item) { co_await queue.Put(item); }

  // Nothing can be put or got any more, whether by waiting or not.
  void ExpectIsShutDown(Q& queue) {
    EXPECT_THROW(Run(Put(queue, 1)), QueueShutDown);
    EXPECT_THROW(queue.PutNowait(1), QueueShutDown);
    EXPECT_THROW(Run(Get(queue)), QueueShutDown);
    EXPECT_THROW(queue.GetNowait(), QueueShutDown);
  }
};
TYPED_TEST_SUITE(QueueShutdownTestMixin, Kinds);

TYPED_TEST(QueueShutdownTestMixin, ShutdownEmpty) {
  TypeParam queue;
  Task<int> getter = this->Start(this->Get(queue));
  this->Iterate();
  queue.Shutdown();
  EXPECT_EQ(queue.Qsize(), 0u);
  Task<void> joiner = this->Start(this->Join(queue));
  this->Iterate();
  EXPECT_TRUE(joiner.Done());
  ASSERT_TRUE(getter.Done());
  EXPECT_THROW(static_cast<void>(getter.Result()), QueueShutDown);
  this->ExpectIsShutDown(queue);
}

TYPED_TEST(QueueShutdownTestMixin, ShutdownNonempty) {
  TypeParam queue(1);
  queue.PutNowait(1);
  Task<void> joiner = this->Start(this->Join(queue));
  Task<void> putter = this->Start(this->Put(queue, 2));
  this->Iterate();
  EXPECT_FALSE(putter.Done());
  queue.Shutdown();
  EXPECT_EQ(queue.Qsize(), 1u);
  this->Iterate();
  ASSERT_TRUE(putter.Done());
  EXPECT_THROW(putter.Result(), QueueShutDown);
  // What was in it can be got, and holds up those who join.
  EXPECT_EQ(this->Run(this->Get(queue)), 1);
  this->Iterate();
  EXPECT_FALSE(joiner.Done());
  this->ExpectIsShutDown(queue);
  queue.TaskDone();
  this->Iterate();
  EXPECT_TRUE(joiner.Done());
  this->loop_.RunUntilComplete(joiner);
  EXPECT_THROW(queue.TaskDone(), ValueError);
}

TYPED_TEST(QueueShutdownTestMixin, ShutdownImmediate) {
  TypeParam queue;
  queue.PutNowait(1);
  Task<void> joiner = this->Start(this->Join(queue));
  queue.Shutdown(/*immediate=*/true);
  EXPECT_EQ(queue.Qsize(), 0u);
  this->Iterate();
  EXPECT_TRUE(joiner.Done());
  this->loop_.RunUntilComplete(joiner);
  this->ExpectIsShutDown(queue);
  EXPECT_THROW(queue.TaskDone(), ValueError);  // All count as dealt with.
}

TYPED_TEST(QueueShutdownTestMixin, ShutdownImmediateWithUnfinished) {
  TypeParam queue;
  queue.PutNowait(1);
  queue.PutNowait(1);
  Task<void> joiner = this->Start(this->Join(queue));
  EXPECT_EQ(this->Run(this->Get(queue)), 1);
  queue.Shutdown(/*immediate=*/true);
  EXPECT_EQ(queue.Qsize(), 0u);
  this->Iterate();
  EXPECT_FALSE(joiner.Done());  // What was got is not dealt with.
  this->ExpectIsShutDown(queue);
  queue.TaskDone();
  EXPECT_THROW(queue.TaskDone(), ValueError);
  this->Iterate();
  EXPECT_TRUE(joiner.Done());
  this->loop_.RunUntilComplete(joiner);
}

}  // namespace
}  // namespace clotho
