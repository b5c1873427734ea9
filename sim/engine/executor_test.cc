// Jobs of executors in a simulation: events, workers and times without threads.

#include "clotho/sim/engine/executor.h"

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/stall.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

// The messages of one program, with their times. Each execution has its own
// log.
class Log {
 public:
  void operator()(const std::string& text) {
    lines_.push_back(
        absl::StrCat(absl::FormatDuration(GetRunningLoop().Time()), " ", text));
  }
  std::vector<std::string>& lines() { return lines_; }

 private:
  std::vector<std::string> lines_;
};

// Runs `body(log)` once, in FIFO order, and returns its log.
template <typename Body, typename... Options>
std::vector<std::string> Trace(Body body, const Options&... options) {
  std::vector<std::string> lines;
  const auto main = [&]() -> Coro<void> {
    Log log;
    co_await body(log);
    lines = log.lines();
  };
  const Report report = Explore(main, Fifo(), options...);
  EXPECT_TRUE(report.passed()) << report.Text();
  return lines;
}

// The different values that `body()` returns in a thousand executions.
template <typename Body, typename... Options>
std::set<std::string> Outcomes(Body body, const Options&... options) {
  std::set<std::string> outcomes;
  const auto main = [&]() -> Coro<void> {
    const std::string outcome = co_await body();
    outcomes.insert(outcome);
  };
  Search search = MakeSearch(Random{.schedules = 1'000}, options...);
  search.check_every = 10;  // All of them can be repeated.
  const Report report = RunSearch(main, search, "");
  EXPECT_TRUE(report.passed()) << report.Text();
  return outcomes;
}

TEST(SimulatedExecutorTest, AJobUsesNoThreadAndNoTime) {
  const auto body = [](Log& log) -> Coro<void> {
    const std::thread::id id = co_await ToThread(std::this_thread::get_id);
    EXPECT_EQ(id, std::this_thread::get_id());
    log("done");
  };
  EXPECT_THAT(Trace(body), ElementsAre("0 done"));
}

TEST(SimulatedExecutorTest, AJobTakesAsLongAsItBlocksAndTheLoopGoesOn) {
  const auto body = [](Log& log) -> Coro<void> {
    const auto job = [] {
      BlockingSleep(absl::Seconds(1));
      Stall(absl::Seconds(2));
      return 7;
    };
    const auto other = [&log]() -> Coro<void> {
      co_await Sleep(absl::Seconds(2));
      log("other");
    };
    const Task<void> task = CreateTask(other());
    const int seven = co_await ToThread(job);
    log(absl::StrCat("main ", seven));
    co_await task;
  };
  EXPECT_THAT(Trace(body), ElementsAre("2s other", "3s main 7"));
}

TEST(SimulatedExecutorTest, TheTestMaySayHowLongJobsTake) {
  const auto body = [](Log& log) -> Coro<void> {
    const auto nothing = [] {};
    co_await ToThread(nothing);
    log("first");
    co_await ToThread(nothing);
    log("second");
  };
  std::vector<std::string> seen;
  const JobDuration jobs{.time = [&](const JobInfo& job) -> Delay {
    if (job.number == 1) seen.clear();  // The execution is run twice.
    seen.push_back(absl::StrCat(job.number, " ", job.blocked.ToString(), " ",
                                job.location.line() != 0));
    return job.number == 1 ? absl::Seconds(5) : -absl::Seconds(5);
  }};
  EXPECT_THAT(Trace(body, jobs), ElementsAre("5s first", "5s second"));
  EXPECT_THAT(seen, ElementsAre("1 0 s 1", "2 0 s 1"));
}

TEST(SimulatedExecutorTest, AWorkerDoesOneJobAtATime) {
  const auto run = [](int workers) {
    return [workers](Log& log) -> Coro<void> {
      ThreadPoolExecutor pool({.max_workers = workers});
      const auto job = [] { BlockingSleep(absl::Seconds(1)); };
      std::vector<Future<void>> futures;
      for (int i = 0; i < 4; ++i) {
        futures.push_back(GetRunningLoop().RunInExecutor(&pool, job));
      }
      for (const Future<void>& future : futures) {
        co_await future;
        log("done");
      }
    };
  };
  EXPECT_THAT(Trace(run(1)),
              ElementsAre("1s done", "2s done", "3s done", "4s done"));
  EXPECT_THAT(Trace(run(2)),
              ElementsAre("1s done", "1s done", "2s done", "2s done"));
  EXPECT_THAT(Trace(run(9)),
              ElementsAre("1s done", "1s done", "1s done", "1s done"));
}

TEST(SimulatedExecutorTest, TheDefaultExecutorHasFiveWorkers) {
  const auto body = [](Log& log) -> Coro<void> {
    const auto job = [] { BlockingSleep(absl::Seconds(1)); };
    std::vector<Future<void>> futures;
    for (int i = 0; i < 6; ++i) {
      futures.push_back(GetRunningLoop().RunInExecutor(nullptr, job));
    }
    for (const Future<void>& future : futures) co_await future;
    log("done");
  };
  EXPECT_THAT(Trace(body), ElementsAre("2s done"));
}

TEST(SimulatedExecutorTest, JobsBeginAndEndInAnyOrder) {
  const auto body = []() -> Coro<std::string> {
    std::string log;
    const auto job = [&log](char name) {
      return [&log, name] { log.push_back(name); };
    };
    EventLoop& loop = GetRunningLoop();
    Future<void> a = loop.RunInExecutor(nullptr, job('a'));
    Future<void> b = loop.RunInExecutor(nullptr, job('b'));
    const auto end = [&log](char name) {
      return [&log, name] { log.push_back(name); };
    };
    a.AddDoneCallback(end('A'));
    b.AddDoneCallback(end('B'));
    while (log.size() < 4) co_await Sleep(absl::Milliseconds(1));
    co_return log;
  };
  // Workers take jobs in the order of submission: a begins first.
  EXPECT_THAT(Outcomes(body), UnorderedElementsAre("abAB", "abBA"));
}

TEST(SimulatedExecutorTest, AJobRacesWithTheLoop) {
  const auto body = []() -> Coro<std::string> {
    std::string log;
    const auto job = [&log] { log.push_back('j'); };
    Future<void> future = GetRunningLoop().RunInExecutor(nullptr, job);
    const auto other = [&log]() -> Coro<void> {
      log.push_back('1');
      co_await Sleep(absl::ZeroDuration());
      log.push_back('2');
    };
    const Task<void> task = CreateTask(other());
    co_await future;
    log.push_back('m');
    co_await task;
    co_return log;
  };
  EXPECT_THAT(Outcomes(body),
              UnorderedElementsAre("j12m", "j1m2", "1j2m", "12jm"));
}

TEST(SimulatedExecutorTest, ADeadlineRacesWithAJobThatEndsJustBefore) {
  const auto body = []() -> Coro<std::string> {
    const auto job = [] { BlockingSleep(absl::Milliseconds(999)); };
    std::string outcome = "in time";
    try {
      co_await WaitFor(ToThread(job), absl::Seconds(1));
    } catch (const TimeoutError&) {
      outcome = "too late";
    }
    co_return outcome;
  };
  EXPECT_THAT(Outcomes(body), UnorderedElementsAre("in time", "too late"));
}

TEST(SimulatedExecutorTest, InAJobNoLoopRunsAndNoContextIsSeen) {
  static const ContextVar<std::string> name("name", "nobody");
  const auto body = [](Log& log) -> Coro<void> {
    name.Set("main");
    const auto look = [] {
      std::string thrown = "nothing";
      try {
        GetRunningLoop();
      } catch (const RuntimeError& e) {
        thrown = "RuntimeError";
      }
      return absl::StrCat(name.Get(), " ", thrown);
    };
    Future<std::string> without = GetRunningLoop().RunInExecutor(nullptr, look);
    const std::string first = co_await without;
    log(first);
    const std::string second = co_await ToThread(look);
    log(second);
  };
  EXPECT_THAT(Trace(body),
              ElementsAre("0 nobody RuntimeError", "0 main RuntimeError"));
}

TEST(SimulatedExecutorTest, AJobTalksToTheLoopAsFromAnotherThread) {
  const auto body = [](Log& log) -> Coro<void> {
    EventLoop& loop = GetRunningLoop();
    const auto task = [&log]() -> Coro<int> {
      log("task");
      co_return 5;
    };
    ConcurrentFuture<int> five;
    std::string thrown;
    const auto job = [&] {
      loop.CallSoonThreadsafe([&log] { log("one"); });
      loop.CallSoonThreadsafe([&log] { log("two"); });
      five = RunCoroutineThreadsafe(task(), loop);
      try {
        five.Result();
      } catch (const RuntimeError& e) {
        thrown = e.what();
      }
    };
    co_await ToThread(job);
    Future<int> result = WrapFuture(five);
    const int n = co_await result;
    log(absl::StrCat(n));
    log(thrown);
  };
  EXPECT_THAT(
      Trace(body),
      ElementsAre("0 one", "0 two", "0 task", "0 5",
                  "0 in a simulation nothing could complete a ConcurrentFuture "
                  "while its thread waits for it: co_await WrapFuture(future) "
                  "instead"));
}

TEST(SimulatedExecutorTest, AJobThatHasNotBegunCanBeCancelled) {
  const auto body = []() -> Coro<std::string> {
    std::string log;
    ThreadPoolExecutor pool({.max_workers = 1});
    const auto job = [&log] {
      log.push_back('j');
      BlockingSleep(absl::Seconds(1));
    };
    const ConcurrentFuture<void> first = pool.Submit(job);
    const ConcurrentFuture<void> second = pool.Submit(job);
    co_await Sleep(absl::ZeroDuration());
    log.append(second.Cancel() ? "c" : "");
    log.append(first.Cancel() ? "C" : "");
    Future<void> end = WrapFuture(pool.Submit([] {}));
    co_await end;
    co_return log;
  };
  // Before it begins.
  EXPECT_THAT(Outcomes(body), UnorderedElementsAre("cC", "jc", "jj"));
}

TEST(SimulatedExecutorTest, WhatAJobThrowsIsTheFutures) {
  const auto body = [](Log& log) -> Coro<void> {
    const auto fail = [] { throw ValueError("in the job"); };
    std::string thrown;
    try {
      co_await ToThread(fail);
    } catch (const ValueError& e) {
      thrown = e.what();
    }
    log(thrown);
  };
  EXPECT_THAT(Trace(body), ElementsAre("0 in the job"));
}

TEST(SimulatedExecutorTest, AClaimThatIsFalseInAJobFailsTheExecution) {
  const auto body = []() -> Coro<void> {
    const auto job = [] {
      BlockingSleep(absl::Seconds(1));
      Always(false, "the job is right");
    };
    co_await ToThread(job);
  };
  const Report report = Explore(body);
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->kind, FailureKind::kAlways);
  EXPECT_EQ(report.failure()->what, "Always \"the job is right\" is false");
  EXPECT_THAT(report.Text(), HasSubstr("begin of the job"));
}

TEST(SimulatedExecutorTest, AReportNamesTheJobsEvents) {
  const auto body = []() -> Coro<void> {
    auto done = std::make_shared<bool>(false);
    const auto job = [done] { *done = true; };
    Future<void> future = GetRunningLoop().RunInExecutor(nullptr, job);
    co_await Sleep(absl::ZeroDuration());
    Always(!*done, "the job is slow");
    co_await future;
  };
  const Report report = Explore(body, Random{.schedules = 100});
  ASSERT_FALSE(report.passed());
  EXPECT_THAT(report.Text(), HasSubstr("ran begin of the job of "));
}

TEST(SimulatedExecutorTest, AnExecutorThatGoesWaitsAndTimePasses) {
  const auto body = [](Log& log) -> Coro<void> {
    int done = 0;
    {
      ThreadPoolExecutor pool({.max_workers = 2});
      for (int i = 0; i < 3; ++i) {
        pool.Submit([&done] {
          BlockingSleep(absl::Seconds(1));
          ++done;
        });
      }
      co_await Sleep(absl::ZeroDuration());
      log(absl::StrCat(done));
    }
    log(absl::StrCat(done));
    // Events that came due meanwhile do no harm.
    co_await Sleep(absl::Seconds(1));
  };
  EXPECT_THAT(Trace(body), ElementsAre("0 0", "2s 3"));
}

TEST(SimulatedExecutorTest, ShutdownNeedNotWaitAndMayCancel) {
  const auto body = [](Log& log) -> Coro<void> {
    ThreadPoolExecutor pool({.max_workers = 1});
    const auto job = [] { BlockingSleep(absl::Seconds(1)); };
    Future<void> first = GetRunningLoop().RunInExecutor(&pool, job);
    const ConcurrentFuture<void> second = pool.Submit(job);
    const ConcurrentFuture<void> third = pool.Submit(job);
    // Lets the worker take the first job.
    co_await Sleep(absl::Milliseconds(1));
    pool.Shutdown({.wait = false});
    EXPECT_FALSE(second.Done());
    pool.Shutdown({.wait = false, .cancel_futures = true});
    EXPECT_TRUE(second.Cancelled());
    EXPECT_TRUE(third.Cancelled());
    std::string thrown;
    try {
      pool.Submit(job);
    } catch (const RuntimeError& e) {
      thrown = e.what();
    }
    EXPECT_EQ(thrown, "cannot schedule new futures after shutdown");
    co_await first;
    log("done");
  };
  EXPECT_THAT(Trace(body), ElementsAre("1s done"));
}

TEST(SimulatedExecutorTest, TheDefaultExecutorCanBeShutDown) {
  const auto body = [](Log& log) -> Coro<void> {
    EventLoop& loop = GetRunningLoop();
    const auto job = [] { BlockingSleep(absl::Seconds(1)); };
    Future<void> future = loop.RunInExecutor(nullptr, job);
    co_await loop.ShutdownDefaultExecutor();
    EXPECT_TRUE(future.Done());
    log("down");
    std::string thrown;
    try {
      co_await ToThread(job);
    } catch (const RuntimeError& e) {
      thrown = e.what();
    }
    EXPECT_EQ(thrown, "Executor shutdown has been called");
  };
  EXPECT_THAT(Trace(body), ElementsAre("1s down"));
}

TEST(SimulatedExecutorTest, AJobMayUseExecutorsOfItsOwn) {
  const auto body = [](Log& log) -> Coro<void> {
    const auto job = [] {
      ThreadPoolExecutor inner({.max_workers = 1});
      inner.Submit([] { BlockingSleep(absl::Seconds(1)); });
      inner.Submit([] { BlockingSleep(absl::Seconds(2)); });
    };  // Waits.
    co_await ToThread(job);
    log("done");
  };
  EXPECT_THAT(Trace(body), ElementsAre("2s done"));
}

TEST(SimulatedExecutorTest, AnExecutorMayOutliveExecutions) {
  ThreadPoolExecutor pool({.max_workers = 1});
  const auto body = [&pool]() -> Coro<std::string> {
    const auto job = [] {
      BlockingSleep(absl::Seconds(1));
      return std::string("job");
    };
    Future<std::string> future = GetRunningLoop().RunInExecutor(&pool, job);
    const std::string text = co_await future;
    co_return absl::StrCat(text, " ",
                           absl::FormatDuration(GetRunningLoop().Time()));
  };
  EXPECT_THAT(Outcomes(body), ElementsAre("job 1s"));
  // Outside a simulation it has threads.
  EXPECT_NE(pool.Submit(std::this_thread::get_id).Result(),
            std::this_thread::get_id());
}

TEST(SimulatedExecutorTest, JobsThatAreLeftAtTheEndAreDropped) {
  auto captured = std::make_shared<int>(1);
  const auto body = [captured](Log& log) -> Coro<void> {
    const auto job = [captured] { BlockingSleep(absl::Seconds(1)); };
    EventLoop& loop = GetRunningLoop();
    for (int i = 0; i < 10; ++i) loop.RunInExecutor(nullptr, job);
    co_await Sleep(absl::Milliseconds(1));
    log("over");
  };
  EXPECT_THAT(Trace(body), ElementsAre("1ms over"));
  EXPECT_EQ(captured.use_count(), 2);  // This one, and the body's.
}

TEST(SimulatedExecutorTest, WhoWaitsForAJobForEverIsNotInADeadlock) {
  // A job whose end is far away is an event that will happen.
  const auto body = [](Log& log) -> Coro<void> {
    const auto job = [] { BlockingSleep(absl::Hours(24 * 365)); };
    co_await ToThread(job);
    log("at last");
  };
  EXPECT_THAT(Trace(body), ElementsAre("8760h at last"));
}

TEST(StallTest, TimePassesAndNobodyElseRuns) {
  const auto body = [](Log& log) -> Coro<void> {
    const auto other = [&log]() -> Coro<void> {
      co_await Sleep(absl::Seconds(1));
      log("other");
    };
    const Task<void> task = CreateTask(other());
    co_await Sleep(absl::ZeroDuration());
    Stall(absl::Seconds(5));
    log("main");
    co_await task;
  };
  EXPECT_THAT(Trace(body), ElementsAre("5s main", "5s other"));
}

// ---- Debug mode. ----

Coro<void> Slow() {
  Stall(absl::Milliseconds(250));
  co_await Sleep(absl::ZeroDuration());
}

TEST(DebugTest, WarnsOnceOfWhatRunsForLongAndFailsNothing) {
  testing::internal::CaptureStderr();
  const Report quiet = Explore(Slow, Random{.schedules = 10});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  testing::internal::CaptureStderr();
  const Report report = Explore(Slow, Random{.schedules = 10}, Debug());
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "clotho: t = 250 ms: Executing task main took 0.250 seconds\n");
  EXPECT_TRUE(report.passed());
  EXPECT_EQ(report.search.steps, quiet.search.steps);
}

TEST(DebugTest, ChangesNoExecution) {
  const auto body = []() -> Coro<void> {
    std::string log;
    const auto append = [&log](char name) -> Coro<void> {
      for (int i = 0; i < 3; ++i) {
        log.push_back(name);
        co_await Sleep(absl::ZeroDuration());
      }
    };
    auto both = Gather(append('a'), append('b'));
    co_await both;
    Always(log != "aabbab", "never that one");
  };
  const Report without = Explore(body, Random());
  const Report with = Explore(body, Random(), Debug());
  ASSERT_FALSE(without.passed());
  ASSERT_FALSE(with.passed());
  EXPECT_EQ(with.search.executions, without.search.executions);
  EXPECT_EQ(with.trace_hash, without.trace_hash);
}

TEST(DebugTest, AJobThatUsesTheLoopAsIfItWereItsOwnIsFound) {
  // Not only in debug mode: a simulation can always check this.
  const auto body = [](Log& log) -> Coro<void> {
    EventLoop& loop = GetRunningLoop();
    const auto job = [&loop] { loop.CallSoon([] {}); };
    std::string thrown;
    try {
      co_await ToThread(job);
    } catch (const RuntimeError& e) {
      thrown = e.what();
    }
    log(thrown.substr(0, 25));
  };
  EXPECT_THAT(Trace(body), ElementsAre("0 Non-thread-safe operation"));
}

TEST(StallTest, OutsideOfASimulationItIsAnError) {
  std::string thrown;
  try {
    Stall(absl::Seconds(1));
  } catch (const RuntimeError& e) {
    thrown = e.what();
  }
  EXPECT_THAT(thrown, HasSubstr("BlockingSleep() stops a thread anywhere"));
}

}  // namespace
}  // namespace clotho::sim
