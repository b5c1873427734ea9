#include "clotho/runtime/concurrent_future.h"

#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/testing/fixtures.h"
#include "clotho/runtime/testing/tsan.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Thrown;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ConcurrentFutureTest, ResultBlocksUntilAnotherThreadHasSetIt) {
  const ConcurrentFuture<int> future;
  std::thread other([&] { future.SetResult(42); });
  EXPECT_EQ(future.Result(), 42);
  other.join();
  EXPECT_TRUE(future.Done());
  EXPECT_FALSE(future.Cancelled());
  EXPECT_EQ(future.Result(), 42);  // Again.
  EXPECT_EQ(future.GetException(), nullptr);
}

TEST(ConcurrentFutureTest, ResultThrowsTheException) {
  const ConcurrentFuture<void> future;
  std::thread other([&] { future.SetException(ValueError("no")); });
  EXPECT_EQ(Thrown([&] { future.Result(); }), "ValueError: no");
  other.join();
  EXPECT_EQ(DescribeException(future.GetException()), "ValueError: no");
}

TEST(ConcurrentFutureTest, ResultGivesUpAfterItsTimeout) {
  const ConcurrentFuture<void> future;
  EXPECT_THROW(future.Result(absl::Milliseconds(1)), TimeoutError);
  EXPECT_THROW(future.Result(absl::ZeroDuration()), TimeoutError);
  EXPECT_THROW(future.GetException(-absl::Seconds(1)), TimeoutError);
  EXPECT_FALSE(future.Done());
  future.SetResult();
  future.Result(absl::ZeroDuration());
  future.Result(absl::InfiniteDuration());
}

TEST(ConcurrentFutureTest, CancelWakesWhoWaits) {
  const ConcurrentFuture<int> future;
  std::thread other([&] { EXPECT_TRUE(future.Cancel()); });
  EXPECT_THROW(future.Result(), CancelledError);
  other.join();
  EXPECT_TRUE(future.Done());
  EXPECT_TRUE(future.Cancelled());
  EXPECT_TRUE(future.Cancel());  // It is.
  EXPECT_THROW(future.GetException(), CancelledError);
  EXPECT_FALSE(future.SetRunningOrNotifyCancel());
  EXPECT_THROW(future.SetResult(1), InvalidStateError);
  EXPECT_THROW(future.SetException(ValueError()), InvalidStateError);
}

TEST(ConcurrentFutureTest, WhatRunsCannotBeCancelled) {
  const ConcurrentFuture<int> future;
  EXPECT_FALSE(future.Running());
  EXPECT_TRUE(future.SetRunningOrNotifyCancel());
  EXPECT_TRUE(future.Running());
  EXPECT_FALSE(future.Done());
  EXPECT_FALSE(future.Cancel());
  EXPECT_THROW(future.SetRunningOrNotifyCancel(), InvalidStateError);
  future.SetResult(1);
  EXPECT_FALSE(future.Running());
  EXPECT_FALSE(future.Cancel());
  EXPECT_EQ(future.Result(), 1);
  EXPECT_THROW(future.SetRunningOrNotifyCancel(), InvalidStateError);
}

TEST(ConcurrentFutureTest, TakesOneResult) {
  const ConcurrentFuture<int> future;
  future.SetResult(1);
  EXPECT_EQ(Thrown([&] { future.SetResult(2); }),
            "InvalidStateError: the future is done: it takes no second result");
  EXPECT_EQ(Thrown([&] { future.SetException(nullptr); }),
            "TypeError: SetException takes an exception, not a null pointer");
  EXPECT_EQ(future.Result(), 1);
}

TEST(ConcurrentFutureTest, CallbacksRunInOrderInTheThreadThatCompletesIt) {
  const ConcurrentFuture<int> future;
  std::vector<std::string> log;
  std::thread::id thread;
  future.AddDoneCallback([&](const ConcurrentFuture<int>& done) {
    log.push_back(absl::StrCat("a ", done.Result()));
    thread = std::this_thread::get_id();
  });
  future.AddDoneCallback([&] { log.push_back("b"); });
  std::thread other([&] { future.SetResult(7); });
  const std::thread::id other_id = other.get_id();
  other.join();
  EXPECT_EQ(thread, other_id);
  future.AddDoneCallback([&] { log.push_back("at once"); });
  EXPECT_THAT(log, ElementsAre("a 7", "b", "at once"));
}

TEST(ConcurrentFutureTest, ACallbackThatThrowsIsReportedAndTheOthersRun) {
  const ConcurrentFuture<void> future;
  bool called = false;
  future.AddDoneCallback([] { throw ValueError("in the callback"); });
  future.AddDoneCallback([&] { called = true; });
  testing::internal::CaptureStderr();
  EXPECT_TRUE(future.Cancel());
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("exception in a callback of a ConcurrentFuture: "
                        "ValueError: in the callback"));
  EXPECT_TRUE(called);
}

TEST(ConcurrentFutureTest, ValuesMayBeReferencesAndMoveOnly) {
  int n = 1;
  const ConcurrentFuture<int&> reference;
  reference.SetResult(n);
  EXPECT_EQ(&reference.Result(), &n);
  const ConcurrentFuture<std::unique_ptr<int>> pointer;
  pointer.SetResult(std::make_unique<int>(2));
  EXPECT_EQ(*pointer.Result(), 2);
}

TEST(ConcurrentFutureTest, ManyMayWait) {
  const ConcurrentFuture<std::string> future;
  std::vector<std::thread> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back([&] { EXPECT_EQ(future.Result(), "text"); });
  }
  future.SetResult("text");
  for (std::thread& waiter : waiters) waiter.join();
}

TEST(ConcurrentFutureTest, OfSeveralWhoCompleteItOneIsFirst) {
  for (int round = 0; round < 100; ++round) {
    const ConcurrentFuture<int> future;
    std::thread a([&] { future.Cancel(); });
    std::thread b([&] {
      if (future.SetRunningOrNotifyCancel()) future.SetResult(1);
    });
    a.join();
    b.join();
    EXPECT_TRUE(future.Done());
    if (!future.Cancelled()) {
      EXPECT_EQ(future.Result(), 1);
    }
  }
}

}  // namespace
}  // namespace clotho
