#include "clotho/runtime/executor.h"

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "clotho/runtime/concurrent_future.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/testing/fixtures.h"
#include "clotho/runtime/testing/tsan.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Thrown;
using ::testing::ElementsAre;

// Keeps a worker busy until it is opened.
class Gate {
 public:
  void Open() { future_.SetResult(); }
  void Pass() const { future_.Result(); }

 private:
  ConcurrentFuture<void> future_;
};

TEST(ThreadPoolExecutorTest, RunsAJobInAnotherThread) {
  ThreadPoolExecutor pool;
  const ConcurrentFuture<std::thread::id> id =
      pool.Submit([] { return std::this_thread::get_id(); });
  EXPECT_NE(id.Result(), std::this_thread::get_id());
}

TEST(ThreadPoolExecutorTest, TheFutureGetsWhatTheJobThrows) {
  ThreadPoolExecutor pool;
  const auto fail = [] { throw ValueError("in the job"); };
  EXPECT_EQ(Thrown([&] { pool.Submit(fail).Result(); }),
            "ValueError: in the job");
  const auto exit = []() -> int { throw SystemExit(1); };
  EXPECT_EQ(Thrown([&] { pool.Submit(exit).Result(); }), "SystemExit");
}

TEST(ThreadPoolExecutorTest, AJobHasNoRunningLoop) {
  EventLoop loop;
  ThreadPoolExecutor pool;
  loop.CallSoon([&] {
    EXPECT_THROW(pool.Submit([] { GetRunningLoop(); }).Result(), RuntimeError);
    loop.Stop();
  });
  loop.RunForever();
}

TEST(ThreadPoolExecutorTest, JobsBeginInTheOrderInWhichTheyCame) {
  std::vector<int> log;
  ThreadPoolExecutor pool({.max_workers = 1});
  Gate gate;
  pool.Submit([&] { gate.Pass(); });
  for (int i = 0; i < 10; ++i) {
    pool.Submit([&log, i] { log.push_back(i); });
  }
  gate.Open();
  pool.Shutdown();
  EXPECT_THAT(log, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST(ThreadPoolExecutorTest, AsManyRunAtATimeAsThereAreWorkers) {
  constexpr int kWorkers = 3;
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::vector<ConcurrentFuture<void>> arrived(kWorkers);
  Gate gate;
  ThreadPoolExecutor pool({.max_workers = kWorkers});
  for (int i = 0; i < 2 * kWorkers; ++i) {
    pool.Submit([&, i] {
      const int now = ++running;
      int seen = most;
      while (seen < now && !most.compare_exchange_weak(seen, now)) {
      }
      if (i < kWorkers) arrived[i].SetResult();
      gate.Pass();
      --running;
    });
  }
  // All three run at once, or this would not return.
  for (const ConcurrentFuture<void>& future : arrived) future.Result();
  gate.Open();
  pool.Shutdown();
  EXPECT_EQ(most, kWorkers);
}

TEST(ThreadPoolExecutorTest, AnIdleWorkerIsUsedAgain) {
  ThreadPoolExecutor pool({.max_workers = 1});
  std::set<std::thread::id> threads;
  for (int i = 0; i < 5; ++i) {
    threads.insert(
        pool.Submit([] { return std::this_thread::get_id(); }).Result());
  }
  EXPECT_EQ(threads.size(), 1u);
}

TEST(ThreadPoolExecutorTest, AJobThatHasNotBegunCanBeCancelled) {
  ThreadPoolExecutor pool({.max_workers = 1});
  Gate gate;
  ConcurrentFuture<void> begun;
  const ConcurrentFuture<void> running = pool.Submit([&] {
    begun.SetResult();
    gate.Pass();
  });
  begun.Result();
  bool called = false;
  const ConcurrentFuture<void> waiting = pool.Submit([&] { called = true; });
  EXPECT_TRUE(running.Running());
  EXPECT_FALSE(running.Cancel());
  EXPECT_TRUE(waiting.Cancel());
  EXPECT_THROW(waiting.Result(), CancelledError);
  gate.Open();
  pool.Shutdown();
  EXPECT_FALSE(called);
  EXPECT_FALSE(running.Cancelled());
}

TEST(ThreadPoolExecutorTest, AfterShutdownItTakesNoJobs) {
  ThreadPoolExecutor pool;
  pool.Shutdown();
  pool.Shutdown();
  EXPECT_EQ(Thrown([&] { pool.Submit([] {}); }),
            "RuntimeError: cannot schedule new futures after shutdown");
}

TEST(ThreadPoolExecutorTest, ShutdownWaitsForAllJobs) {
  std::atomic<int> done = 0;
  ThreadPoolExecutor pool({.max_workers = 2});
  for (int i = 0; i < 100; ++i) pool.Submit([&] { ++done; });
  pool.Shutdown();
  EXPECT_EQ(done, 100);
}

TEST(ThreadPoolExecutorTest, ShutdownNeedNotWaitAndMayCancel) {
  std::atomic<int> done = 0;
  ConcurrentFuture<void> waiting;
  Gate gate;
  {
    ThreadPoolExecutor pool({.max_workers = 1});
    ConcurrentFuture<void> begun;
    pool.Submit([&] {
      begun.SetResult();
      gate.Pass();
      ++done;
    });
    begun.Result();
    waiting = pool.Submit([&] { ++done; });
    pool.Shutdown({.wait = false});
    EXPECT_FALSE(waiting.Done());
    pool.Shutdown({.wait = false, .cancel_futures = true});
    EXPECT_TRUE(waiting.Cancelled());
    gate.Open();
  }  // No thread outlives it.
  EXPECT_EQ(done, 1);
}

TEST(ThreadPoolExecutorTest, TellsWhenItHasComeToItsEnd) {
  ThreadPoolExecutor unused;
  EXPECT_TRUE(unused.ShutdownInBackground().Done());

  ThreadPoolExecutor pool({.max_workers = 2});
  Gate gate;
  std::atomic<int> done = 0;
  for (int i = 0; i < 4; ++i) {
    pool.Submit([&] {
      gate.Pass();
      ++done;
    });
  }
  const ConcurrentFuture<void> end = pool.ShutdownInBackground();
  EXPECT_FALSE(end.Done());
  EXPECT_FALSE(end.Cancel());
  gate.Open();
  end.Result();
  EXPECT_EQ(done, 4);
}

TEST(ThreadPoolExecutorTest, WhatAJobHasCapturedIsGoneWhenItsResultIsThere) {
  ThreadPoolExecutor pool;
  auto captured = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = captured;
  const ConcurrentFuture<void> future =
      pool.Submit([captured = std::move(captured)] {});
  future.Result();
  EXPECT_TRUE(watch.expired());
}

TEST(ThreadPoolExecutorTest, AJobMayMoveWhatItHasAndSubmitMore) {
  ThreadPoolExecutor pool({.max_workers = 2});
  auto text = std::make_unique<std::string>("text");
  auto inner = [&pool, text = std::move(text)]() mutable {
    return pool.Submit([text = std::move(text)] { return *text; }).Result();
  };
  EXPECT_EQ(pool.Submit(std::move(inner)).Result(), "text");
}

TEST(ThreadPoolExecutorTest, NeedsAWorker) {
  EXPECT_EQ(Thrown([] { ThreadPoolExecutor({.max_workers = 0}); }),
            "ValueError: max_workers must be greater than 0");
  EXPECT_THROW(ThreadPoolExecutor({.max_workers = -1}), ValueError);
}

TEST(ThreadPoolExecutorTest, ManyThreadsMaySubmit) {
  ThreadPoolExecutor pool({.max_workers = 3});
  std::atomic<int> done = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) pool.Submit([&] { ++done; });
    });
  }
  for (std::thread& thread : threads) thread.join();
  pool.Shutdown();
  EXPECT_EQ(done, 800);
}

}  // namespace
}  // namespace clotho
