// ToThread, RunInExecutor, RunCoroutineThreadsafe and WrapFuture: rules X-02 to
// X-06, HT-21 and HT-22, with real threads. No test depends on which thread is
// faster.

#include "clotho/runtime/threads.h"

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/concurrent_future.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/executor.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/runner.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "clotho/runtime/testing/tsan.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Thrown;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Makes a thread wait for the loop, and vice versa.
class Gate {
 public:
  void Open() const { future_.SetResult(); }
  void Pass() const { future_.Result(); }

 private:
  ConcurrentFuture<void> future_;
};

// ---- ToThread and RunInExecutor. ----

int Add(int a, int b) { return a + b; }

TEST(ToThreadTest, CallsTheFunctionInAnotherThread) {
  const auto main = []() -> Coro<void> {
    const std::thread::id here = std::this_thread::get_id();
    const std::thread::id there = co_await ToThread(std::this_thread::get_id);
    EXPECT_NE(here, there);
    const int sum = co_await ToThread(Add, 1, 2);
    EXPECT_EQ(sum, 3);
  };
  clotho::Run(main());
}

TEST(ToThreadTest, MovesArgumentsAndResults) {
  const auto main = []() -> Coro<void> {
    const auto twice = [](std::unique_ptr<int> n) {
      return std::make_unique<int>(*n * 2);
    };
    std::unique_ptr<int> one = std::make_unique<int>(1);
    const std::unique_ptr<int> two = co_await ToThread(twice, std::move(one));
    EXPECT_EQ(*two, 2);
  };
  clotho::Run(main());
}

TEST(ToThreadTest, ThrowsWhatTheFunctionThrows) {
  const auto main = []() -> Coro<void> {
    const auto fail = [] { throw ValueError("in the thread"); };
    try {
      co_await ToThread(fail);
      ADD_FAILURE();
    } catch (const ValueError& e) {
      EXPECT_STREQ(e.what(), "in the thread");
    }
  };
  clotho::Run(main());
}

TEST(ToThreadTest, RunsInACopyOfTheContext) {
  const ContextVar<std::string> name("name", "nobody");
  const auto main = [&]() -> Coro<void> {
    name.Set("main");
    const auto look = [&name] {
      std::string seen = name.Get();
      name.Set("the thread");
      return seen;
    };
    const std::string first = co_await ToThread(look);
    const std::string second = co_await ToThread(look);
    EXPECT_EQ(first, "main");
    EXPECT_EQ(second, "main");
    EXPECT_EQ(name.Get(), "main");
    Future<std::string> without =
        GetRunningLoop().RunInExecutor(nullptr, look);
    const std::string third = co_await without;
    EXPECT_EQ(third, "nobody");
  };
  clotho::Run(main());
}

TEST(ToThreadTest, OthersRunMeanwhile) {
  const auto main = []() -> Coro<void> {
    const Gate gate;
    const auto open = [&gate]() -> Coro<void> {
      gate.Open();
      co_return;
    };
    const Task<void> opener = CreateTask(open());
    const auto pass = [&gate] { gate.Pass(); };
    co_await ToThread(pass);  // Otherwise this would never end.
    EXPECT_TRUE(opener.Done());
  };
  clotho::Run(main());
}

TEST(ToThreadTest, NothingHappensBeforeItIsAwaited) {
  bool called = false;
  const auto main = [&]() -> Coro<void> {
    const auto call = [&called] { called = true; };
    Coro<void> coro = ToThread(call);
    co_await Sleep(absl::ZeroDuration());
    coro.Close();
  };
  clotho::Run(main());
  EXPECT_FALSE(called);
}

TEST(ToThreadTest, NeedsARunningLoop) {
  EventLoop loop;
  EXPECT_EQ(Thrown([&] {
              loop.RunUntilComplete(ToThread(Add, 1, 2));
              loop.Close();
              loop.RunInExecutor(nullptr, [] {});
            }),
            "RuntimeError: Event loop is closed");
}

TEST(RunInExecutorTest, CancellingTheFutureCancelsAJobThatHasNotBegun) {
  ThreadPoolExecutor pool({.max_workers = 1});
  const Gate gate;
  bool called = false;
  const auto main = [&]() -> Coro<void> {
    EventLoop& loop = GetRunningLoop();
    const auto pass = [&gate] { gate.Pass(); };
    const auto call = [&called] { called = true; };
    Future<void> busy = loop.RunInExecutor(&pool, pass);
    const Future<void> waiting = loop.RunInExecutor(&pool, call);
    EXPECT_TRUE(waiting.Cancel());
    EXPECT_TRUE(waiting.Cancelled());
    co_await Sleep(absl::ZeroDuration());  // one hop later.
    gate.Open();
    co_await busy;
  };
  clotho::Run(main());
  pool.Shutdown();
  EXPECT_FALSE(called);
}

TEST(RunInExecutorTest, AJobThatRunsGoesOnWhenItsFutureIsCancelled) {
  ThreadPoolExecutor pool({.max_workers = 1});
  const Gate begun;
  const Gate gate;
  bool finished = false;
  const auto main = [&]() -> Coro<void> {
    const auto job = [&] {
      begun.Open();
      gate.Pass();
      finished = true;
      return 1;
    };
    const Future<int> future = GetRunningLoop().RunInExecutor(&pool, job);
    begun.Pass();
    EXPECT_TRUE(future.Cancel());
    bool cancelled = false;
    try {
      co_await future;
    } catch (const CancelledError&) {
      cancelled = true;
    }
    EXPECT_TRUE(cancelled);
    gate.Open();
  };
  clotho::Run(main());
  pool.Shutdown();
  EXPECT_TRUE(finished);
}

TEST(RunInExecutorTest, CancellingWhoAwaitsItCancelsTheFuture) {
  const Gate gate;
  const auto main = [&]() -> Coro<void> {
    const auto pass = [&gate] { gate.Pass(); };
    const auto child = [&]() -> Coro<void> { co_await ToThread(pass); };
    const Task<void> task = CreateTask(child());
    co_await Sleep(absl::ZeroDuration());
    task.Cancel("enough");
    bool cancelled = false;
    try {
      co_await task;
    } catch (const CancelledError& e) {
      cancelled = e.message() == "enough";
    }
    EXPECT_TRUE(cancelled);
    gate.Open();
  };
  clotho::Run(main());
}

TEST(RunInExecutorTest, AnExceptionThatNobodyRetrievesIsReported) {
  std::vector<std::string> reports;
  Runner runner;
  runner.GetLoop().SetExceptionHandler(
      [&](EventLoop&, const ExceptionContext& context) {
        reports.push_back(DescribeException(context.exception));
      });
  const auto main = [&]() -> Coro<void> {
    const auto fail = [] { throw ValueError("lost"); };
    {
      Future<void> future = GetRunningLoop().RunInExecutor(nullptr, fail);
      while (!future.Done()) co_await Sleep(absl::ZeroDuration());
    }
    co_return;
  };
  runner.Run(main());
  EXPECT_THAT(reports, ElementsAre("ValueError: lost"));
}

TEST(RunInExecutorTest, ClosingTheLoopLeavesARunningJobAlone) {
  ThreadPoolExecutor pool({.max_workers = 1});
  const Gate gate;
  bool finished = false;
  std::optional<Future<int>> future;
  {
    EventLoop loop;
    future = loop.RunInExecutor(&pool, [&] {
      gate.Pass();
      finished = true;
      return 1;
    });
    loop.Close();
  }
  gate.Open();
  pool.Shutdown();
  EXPECT_TRUE(finished);
  EXPECT_FALSE(future->Done());
}

TEST(RunInExecutorTest, OfAnExecutorThatIsShutDownThrows) {
  ThreadPoolExecutor pool;
  pool.Shutdown();
  EventLoop loop;
  EXPECT_EQ(Thrown([&] { loop.RunInExecutor(&pool, [] {}); }),
            "RuntimeError: cannot schedule new futures after shutdown");
}

// A user-defined executor.
class InlineExecutor final : public Executor {
 public:
  void Shutdown(ShutdownOptions) override {}
  int jobs = 0;

 private:
  void Execute(std::unique_ptr<ExecutorJob> job) override {
    ++jobs;
    job->Run();
  }
};

TEST(RunInExecutorTest, TheProgramMayHaveItsOwnExecutor) {
  InlineExecutor executor;
  const auto main = [&]() -> Coro<int> {
    const auto job = [] { return 5; };
    Future<int> future = GetRunningLoop().RunInExecutor(&executor, job);
    EXPECT_FALSE(future.Done());  // Its result arrives through the loop.
    co_return co_await future;
  };
  EXPECT_EQ(clotho::Run(main()), 5);
  EXPECT_EQ(executor.jobs, 1);
}

TEST(RunInExecutorTest, TheResultComesOneHopAfterItWasDelivered) {  // HT-22.
  InlineExecutor executor;
  std::vector<std::uint64_t> iterations;
  const auto main = [&]() -> Coro<void> {
    EventLoop& loop = GetRunningLoop();
    iterations.push_back(CoreOf(loop).iterations());
    const auto job = [] {};
    Future<void> future = loop.RunInExecutor(&executor, job);
    const auto note = [&] { iterations.push_back(CoreOf(loop).iterations()); };
    loop.CallSoon(note);  // With the delivery.
    co_await future;
    iterations.push_back(CoreOf(loop).iterations());
  };
  internal::RunVirtual(main());
  EXPECT_THAT(iterations, ElementsAre(1, 2, 3));
}

// ---- The default executor. ----

TEST(DefaultExecutorTest, CanBeReplaced) {
  const auto main = []() -> Coro<void> {
    EventLoop& loop = GetRunningLoop();
    auto pool = std::make_unique<ThreadPoolExecutor>(
        ThreadPoolOptions{.max_workers = 1});
    ThreadPoolExecutor& its = *pool;
    loop.SetDefaultExecutor(std::move(pool));
    its.Shutdown();
    std::string thrown;
    try {
      co_await ToThread(Add, 1, 2);
    } catch (const RuntimeError& e) {
      thrown = e.what();
    }
    EXPECT_EQ(thrown, "cannot schedule new futures after shutdown");
  };
  clotho::Run(main());
}

TEST(DefaultExecutorTest, AfterItsShutdownThereIsNone) {
  const auto main = []() -> Coro<void> {
    EventLoop& loop = GetRunningLoop();
    co_await loop.ShutdownDefaultExecutor();  // There was none.
    co_await loop.ShutdownDefaultExecutor();
    std::string thrown;
    try {
      co_await ToThread(Add, 1, 2);
    } catch (const RuntimeError& e) {
      thrown = e.what();
    }
    EXPECT_EQ(thrown, "Executor shutdown has been called");
  };
  clotho::Run(main());
}

TEST(DefaultExecutorTest, ShutdownWaitsForItsJobs) {
  bool finished = false;
  const auto main = [&]() -> Coro<void> {
    EventLoop& loop = GetRunningLoop();
    const Gate gate;
    Future<void> future = loop.RunInExecutor(nullptr, [&] {
      gate.Pass();
      finished = true;
    });
    const auto open = [&gate] { gate.Open(); };
    loop.CallLater(absl::ZeroDuration(), open);
    co_await loop.ShutdownDefaultExecutor();
    EXPECT_TRUE(finished);
    co_await future;
  };
  clotho::Run(main());
}

TEST(DefaultExecutorTest, ShutdownGivesUpAfterItsTimeoutAndSaysSo) {
  const Gate gate;
  std::vector<std::string> reports;
  Runner runner;
  runner.GetLoop().SetExceptionHandler(
      [&](EventLoop&, const ExceptionContext& context) {
        reports.push_back(context.message);
      });
  const auto main = [&]() -> Coro<void> {
    EventLoop& loop = GetRunningLoop();
    const auto pass = [&gate] { gate.Pass(); };
    Future<void> future = loop.RunInExecutor(nullptr, pass);
    co_await loop.ShutdownDefaultExecutor(absl::Milliseconds(1));
    gate.Open();
    co_await future;
  };
  runner.Run(main());
  runner.Close();
  EXPECT_THAT(reports, ElementsAre("The executor did not finish joining its "
                                   "threads within 1 ms"));
}

TEST(DefaultExecutorTest, RunWaitsForItAtTheEnd) {
  bool finished = false;
  const Gate gate;
  const auto main = [&]() -> Coro<void> {
    GetRunningLoop().RunInExecutor(nullptr, [&] {
      gate.Pass();
      finished = true;
    });
    co_return;
  };
  std::thread opener([&] { gate.Open(); });
  clotho::Run(main());
  EXPECT_TRUE(finished);
  opener.join();
}

// ---- RunCoroutineThreadsafe. ----

// A loop that runs in its own thread.
class LoopThread {
 public:
  LoopThread() : thread_([this] { loop_.RunForever(); }) {}
  ~LoopThread() {
    if (thread_.joinable()) Stop();
  }
  void Stop() {
    loop_.CallSoonThreadsafe([this] { loop_.Stop(); });
    thread_.join();
  }
  EventLoop& loop() { return loop_; }

 private:
  EventLoop loop_;
  std::thread thread_;
};

Coro<int> Double(int n) {
  co_await Sleep(absl::ZeroDuration());
  co_return n * 2;
}

TEST(RunCoroutineThreadsafeTest, GivesTheResultToAnotherThread) {
  LoopThread there;
  EXPECT_EQ(RunCoroutineThreadsafe(Double(21), there.loop()).Result(), 42);
  const auto fail = []() -> Coro<void> {
    co_await Sleep(absl::ZeroDuration());
    throw ValueError("there");
  };
  EXPECT_EQ(
      Thrown([&] { RunCoroutineThreadsafe(fail(), there.loop()).Result(); }),
      "ValueError: there");
  const auto pointer = []() -> Coro<std::unique_ptr<int>> {
    co_return std::make_unique<int>(1);
  };
  EXPECT_EQ(*RunCoroutineThreadsafe(pointer(), there.loop()).Result(), 1);
}

TEST(RunCoroutineThreadsafeTest, CancellingTheFutureCancelsTheTask) {
  LoopThread there;
  ConcurrentFuture<void> begun;
  ConcurrentFuture<void> cancelled;
  const auto wait = [&]() -> Coro<void> {
    begun.SetResult();
    try {
      co_await Sleep(absl::Hours(1));
    } catch (const CancelledError&) {
      cancelled.SetResult();
      throw;
    }
  };
  const ConcurrentFuture<void> future =
      RunCoroutineThreadsafe(wait(), there.loop());
  begun.Result();
  EXPECT_TRUE(future.Cancel());
  EXPECT_THROW(future.Result(), CancelledError);
  cancelled.Result();
}

TEST(RunCoroutineThreadsafeTest, ATaskThatIsCancelledCancelsTheFuture) {
  LoopThread there;
  const auto give_up = []() -> Coro<void> {
    CurrentTask()->Cancel();
    co_await Sleep(absl::ZeroDuration());
  };
  const ConcurrentFuture<void> future =
      RunCoroutineThreadsafe(give_up(), there.loop());
  EXPECT_THROW(future.Result(), CancelledError);
  EXPECT_TRUE(future.Cancelled());
}

TEST(RunCoroutineThreadsafeTest, AResultThatIsLateDoesNotTouchTheTask) {
  LoopThread there;
  const Gate gate;
  const auto wait = [&]() -> Coro<int> {
    const auto pass = [&gate] { gate.Pass(); };
    co_await ToThread(pass);
    co_return 1;
  };
  const ConcurrentFuture<int> future =
      RunCoroutineThreadsafe(wait(), there.loop());
  EXPECT_THROW(future.Result(absl::Milliseconds(1)), TimeoutError);
  gate.Open();
  EXPECT_EQ(future.Result(), 1);
}

TEST(RunCoroutineThreadsafeTest, OfAClosedLoopThrows) {
  EventLoop loop;
  loop.Close();
  EXPECT_EQ(Thrown([&] { RunCoroutineThreadsafe(Double(1), loop); }),
            "RuntimeError: Event loop is closed");
}

TEST(RunCoroutineThreadsafeTest, ALoopThatClosesCancelsWhatItHasNotFinished) {
  auto there = std::make_unique<LoopThread>();
  ConcurrentFuture<void> begun;
  const auto wait = [&]() -> Coro<void> {
    begun.SetResult();
    co_await Sleep(absl::Hours(1));
  };
  there->loop().SetExceptionHandler(
      [](EventLoop&, const ExceptionContext&) {});  // It is destroyed pending.
  const ConcurrentFuture<void> running =
      RunCoroutineThreadsafe(wait(), there->loop());
  begun.Result();
  there->Stop();
  const ConcurrentFuture<int> waiting =
      RunCoroutineThreadsafe(Double(1), there->loop());
  there.reset();
  EXPECT_THROW(running.Result(), CancelledError);
  EXPECT_THROW(waiting.Result(), CancelledError);
  EXPECT_FALSE(running.Cancel() && !running.Cancelled());
}

TEST(RunCoroutineThreadsafeTest, TakesThreeHops) {  // HT-21.
  internal::JumpingClock clock;
  EventLoop loop({.clock = &clock});
  const auto nothing = []() -> Coro<void> { co_return; };
  const ConcurrentFuture<void> future = RunCoroutineThreadsafe(nothing(), loop);
  for (int i = 1; i <= 2; ++i) {
    loop.Stop();
    loop.RunForever();
    EXPECT_FALSE(future.Done());
  }
  loop.Stop();
  loop.RunForever();
  EXPECT_TRUE(future.Done());
}

TEST(RunCoroutineThreadsafeTest, WorksWithEagerTasks) {
  internal::JumpingClock clock;
  EventLoop loop({.clock = &clock});
  loop.SetTaskFactory(EagerTaskFactory);
  const auto one = []() -> Coro<int> { co_return 1; };
  const ConcurrentFuture<int> future = RunCoroutineThreadsafe(one(), loop);
  for (int i = 1; i <= 2; ++i) {
    loop.Stop();
    loop.RunForever();
  }
  EXPECT_EQ(future.Result(absl::ZeroDuration()), 1);
}

TEST(RunCoroutineThreadsafeTest, ATaskFactoryThatThrowsFailsTheFuture) {
  internal::JumpingClock clock;
  EventLoop loop({.clock = &clock});
  std::vector<std::string> reports;
  loop.SetExceptionHandler([&](EventLoop&, const ExceptionContext& context) {
    if (context.source == ExceptionContext::Source::kNeverAwaited) return;
    reports.push_back(DescribeException(context.exception));
  });
  loop.SetTaskFactory([](EventLoop&, AnyCoro&, const TaskOptions&) -> AnyTask {
    throw ValueError("no tasks today");
  });
  const ConcurrentFuture<int> future = RunCoroutineThreadsafe(Double(1), loop);
  loop.Stop();
  loop.RunForever();
  EXPECT_EQ(Thrown([&] { future.Result(absl::ZeroDuration()); }),
            "ValueError: no tasks today");
  EXPECT_THAT(reports, ElementsAre("ValueError: no tasks today"));
}

TEST(RunCoroutineThreadsafeTest, ManyThreadsMayCall) {
  LoopThread there;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const ConcurrentFuture<int> future =
            RunCoroutineThreadsafe(Double(i), there.loop());
        EXPECT_EQ(future.Result(), 2 * i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// ---- WrapFuture. ----

TEST(WrapFutureTest, GivesWhatTheOtherHas) {
  const auto main = []() -> Coro<void> {
    const ConcurrentFuture<std::string> outside;
    std::thread other([&] { outside.SetResult("from outside"); });
    Future<std::string> future = WrapFuture(outside);
    const std::string text = co_await future;
    EXPECT_EQ(text, "from outside");
    EXPECT_EQ(outside.Result(), "from outside");  // The value is still there.
    other.join();
  };
  clotho::Run(main());
}

TEST(WrapFutureTest, CancellationGoesBothWays) {
  const auto main = []() -> Coro<void> {
    const ConcurrentFuture<int> first;
    const Future<int> wrapped = WrapFuture(first);
    wrapped.Cancel();
    EXPECT_FALSE(first.Cancelled());
    co_await Sleep(absl::ZeroDuration());
    EXPECT_TRUE(first.Cancelled());

    const ConcurrentFuture<int> second;
    const Future<int> other = WrapFuture(second);
    second.Cancel();
    EXPECT_FALSE(other.Done());
    co_await Sleep(absl::ZeroDuration());
    EXPECT_TRUE(other.Cancelled());
  };
  internal::RunVirtual(main());
}

TEST(WrapFutureTest, AResetLoopTakesNoResultThatIsLate) {
  EventLoop loop;
  const auto main = [](const ConcurrentFuture<int>& source) -> Coro<void> {
    const Future<int> wrapped = WrapFuture(source);
    static_cast<void>(wrapped);
    co_return;
  };
  const ConcurrentFuture<int> source;
  loop.RunUntilComplete(main(source));
  loop.Reset();
  EXPECT_GT(source.state().use_count(), 1);
  std::thread([&source] { source.SetResult(1); }).join();
  // Nothing holds the result that the loop would have taken.
  EXPECT_EQ(source.state().use_count(), 1);
}

TEST(WrapFutureTest, NeedsARunningLoop) {
  const ConcurrentFuture<int> outside;
  EXPECT_THROW(WrapFuture(outside), RuntimeError);
}

}  // namespace
}  // namespace clotho
