// What a search of threads finds, and what its report says.

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cassert>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/claims.h"
#include "clotho/sim/choice.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/threads.h"
#include "clotho/sim/threads/run_threads.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using internal::ThreadsBody;
using std::chrono::milliseconds;

// A counter whose Add reads and writes in two locked sections.
struct Counter {
  std::mutex mutex;
  int value = 0;

  void Add() {
    int seen;
    {
      const std::lock_guard lock(mutex);
      seen = value;
    }
    const std::lock_guard lock(mutex);
    value = seen + 1;
  }
};

void LoseUpdate() {
  Counter counter;
  std::thread a([&] { counter.Add(); });
  std::thread b([&] { counter.Add(); });
  a.join();
  b.join();
  Always(counter.value == 2, "no update is lost");
}

std::string KindOf(const Report& report) {
  return report.passed() ? "passed" : std::string(report.KindName());
}

std::size_t DeviationsOf(const Report& report) {
  const auto* const deviations =
      std::get_if<Deviations>(&report.replay.schedule);
  return deviations == nullptr ? 999 : deviations->size();
}

TEST(ThreadEngine, FindsALostUpdateAndShrinksIt) {
  const Report report = Explore(ThreadsBody(&LoseUpdate), Fuzz());
  ASSERT_EQ(KindOf(report), "always") << report.Text();
  EXPECT_EQ(DeviationsOf(report), 1u) << report.Text();
  const std::string text = report.Text();
  EXPECT_TRUE(absl::StrContains(text, "main.1")) << text;
  EXPECT_TRUE(absl::StrContains(text, "locks mutex 1")) << text;
  EXPECT_TRUE(absl::StrContains(text, "sim/threads/thread_engine_test.cc"))
      << text;
  // What asyncio would do says nothing here.
  EXPECT_FALSE(absl::StrContains(text, "asyncio")) << text;
}

TEST(ThreadEngine, AFailureIsReplayed) {
  const Report found = Explore(ThreadsBody(&LoseUpdate), Fuzz());
  ASSERT_EQ(KindOf(found), "always");
  const auto again =
      Replay(ThreadsBody(&LoseUpdate), FormatReplay(found.replay));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(KindOf(*again), "always");
  EXPECT_EQ(again->trace_hash, found.trace_hash);
}

TEST(ThreadEngine, EveryStrategyFindsIt) {
  for (const char* const name :
       {"random", "role_random", "pct", "pos", "urw", "surw", "delay_bounded",
        "guided", "exhaustive"}) {
    Search search;
    internal::UseStrategy(search, name, /*schedules=*/5'000, /*seed=*/1);
    search.shrink_runs_max = 0;
    const Report report = RunSearch(ThreadsBody(&LoseUpdate), search, name);
    EXPECT_EQ(KindOf(report), "always") << name << "\n" << report.Text();
  }
}

// Nobody knows what the steps of threads touch.
TEST(ThreadEngine, ReductionIsGivenUp) {
  const Report report =
      Explore(ThreadsBody(&LoseUpdate), Exhaustive{.reduce = true});
  EXPECT_EQ(KindOf(report), "always") << report.Text();
}

TEST(ThreadEngine, ExhaustiveSearchEnds) {
  const Report report = Explore(ThreadsBody([] {
                                  std::mutex mutex;
                                  int value = 0;
                                  std::thread other([&] {
                                    const std::lock_guard lock(mutex);
                                    ++value;
                                  });
                                  {
                                    const std::lock_guard lock(mutex);
                                    ++value;
                                  }
                                  other.join();
                                  Always(value == 2, "both were counted");
                                }),
                                Exhaustive());
  EXPECT_TRUE(report.passed()) << report.Text();
  EXPECT_TRUE(report.search.exhausted);
  EXPECT_GT(report.search.executions, 3u);
}

TEST(ThreadEngine, FifoOrderRunsAThreadUntilItWaits) {
  std::vector<std::string> order;
  const Report report = Explore(ThreadsBody([&order] {
                                  order.clear();
                                  std::mutex mutex;
                                  const auto say = [&](const char* name) {
                                    for (int i = 0; i < 2; ++i) {
                                      const std::lock_guard lock(mutex);
                                      order.push_back(name);
                                    }
                                  };
                                  std::thread a(say, "a");
                                  std::thread b(say, "b");
                                  say("main");
                                  a.join();
                                  b.join();
                                }),
                                Fifo());
  EXPECT_TRUE(report.passed());
  EXPECT_EQ(order,
            (std::vector<std::string>{"main", "main", "a", "a", "b", "b"}));
}

TEST(ThreadEngine, ADeadlockNamesWhoHoldsWhat) {
  const Report report = Explore(ThreadsBody([] {
                                  std::mutex a;
                                  std::mutex b;
                                  std::thread other([&] {
                                    const std::lock_guard first(a);
                                    const std::lock_guard second(b);
                                  });
                                  {
                                    const std::lock_guard first(b);
                                    const std::lock_guard second(a);
                                  }
                                  other.join();
                                }),
                                Fuzz());
  ASSERT_EQ(KindOf(report), "deadlock") << report.Text();
  ASSERT_EQ(report.trace.cycle.size(), 2u) << report.Text();
  const std::string text = report.Text();
  EXPECT_TRUE(absl::StrContains(text, "held by")) << text;
  // Where each of them waits.
  EXPECT_TRUE(absl::StrContains(
      text, "main.1  TestBody::lambda sim/threads/thread_engine_test.cc:"))
      << text;
}

TEST(ThreadEngine, ALostWakeUpIsADeadlockWithoutACycle) {
  const Report report =
      Explore(ThreadsBody([] {
                std::mutex mutex;
                std::condition_variable changed;
                std::thread other([&] { changed.notify_one(); });
                {
                  std::unique_lock lock(mutex);
                  changed.wait(lock);  // Without a predicate.
                }
                other.join();
              }),
              Fuzz());
  ASSERT_EQ(KindOf(report), "deadlock") << report.Text();
  EXPECT_TRUE(report.trace.cycle.empty());
  const std::string text = report.Text();
  EXPECT_TRUE(absl::StrContains(text, "wakes nobody at condvar 1")) << text;
}

TEST(ThreadEngine, LockingAMutexTwiceIsADeadlock) {
  const Report report = Explore(ThreadsBody([] {
                                  std::mutex mutex;
                                  mutex.lock();
                                  mutex.lock();
                                }),
                                Fifo());
  EXPECT_EQ(KindOf(report), "deadlock") << report.Text();
}

// The limit passes while the work is done, but nobody was kept waiting for
// longer than the jitter.
void TimeOutAtTheLastMoment(milliseconds work) {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  std::thread worker([&] {
    std::this_thread::sleep_for(work);
    const std::lock_guard lock(mutex);
    done = true;
    changed.notify_all();
  });
  bool in_time;
  {
    std::unique_lock lock(mutex);
    in_time = changed.wait_for(lock, milliseconds(100), [&] { return done; });
  }
  worker.join();
  Always(in_time, "the work is done in time");
}

TEST(ThreadEngine, ADeadlineMayPassWithinTheJitter) {
  const auto search = [](milliseconds work, absl::Duration jitter) {
    return KindOf(Explore(ThreadsBody([work] { TimeOutAtTheLastMoment(work); }),
                          Fuzz(), Jitter{.most = jitter}));
  };
  EXPECT_EQ(search(milliseconds(95), absl::Milliseconds(10)), "always");
  EXPECT_EQ(search(milliseconds(80), absl::Milliseconds(10)), "passed");
  EXPECT_EQ(search(milliseconds(80), absl::Milliseconds(30)), "always");
  EXPECT_EQ(search(milliseconds(95), absl::ZeroDuration()), "passed");
}

TEST(ThreadEngine, ANegativeJitterIsMisuse) {
  const Report report = Explore(ThreadsBody([] {}), Fuzz(),
                                Jitter{.most = absl::Milliseconds(-1)});
  EXPECT_EQ(report.verdict(), Report::Verdict::kMisused);
}

// What `function` fails with, in FIFO order.
Report RunOnce(void (*function)()) {
  return Explore(ThreadsBody(function), Fifo());
}

TEST(ThreadEngine, AnExceptionOutOfTheBody) {
  const Report report = RunOnce([] { throw std::runtime_error("no disk"); });
  ASSERT_EQ(KindOf(report), "exception");
  EXPECT_TRUE(absl::StrContains(report.failure()->what, "no disk"));
}

TEST(ThreadEngine, AnExceptionOutOfAThread) {
  const Report report = RunOnce([] {
    std::thread other([] { throw std::runtime_error("no disk"); });
    other.join();
  });
  ASSERT_EQ(KindOf(report), "exception");
  EXPECT_TRUE(absl::StrContains(report.failure()->what, "no disk"));
  EXPECT_TRUE(absl::StrContains(report.failure()->what, "left thread main.1"))
      << report.failure()->what;
}

TEST(ThreadEngine, AThreadThatWasNeitherJoinedNorDetached) {
  const Report report = RunOnce([] { std::thread other([] {}); });
  ASSERT_EQ(KindOf(report), "exception");
  EXPECT_TRUE(absl::StrContains(report.failure()->what, "std::terminate()"));
}

TEST(ThreadEngine, AThreadThatOutlivesTheBody) {
  const Report report = RunOnce([] {
    pthread_t thread;
    pthread_create(
        &thread, nullptr,
        [](void*) -> void* {
          sleep(1);
          return nullptr;
        },
        nullptr);
  });
  ASSERT_EQ(KindOf(report), "leaked task") << report.Text();
  EXPECT_TRUE(absl::StrContains(report.failure()->what, "main.1"));
}

TEST(ThreadEngine, UnlockingWhatIsNotHeld) {
  const Report report = RunOnce([] {
    std::mutex mutex;
    mutex.lock();
    std::thread other([&] { mutex.unlock(); });
    other.join();
  });
  ASSERT_EQ(KindOf(report), "misuse") << report.Text();
  EXPECT_TRUE(absl::StrContains(report.failure()->what,
                                "main.1 unlocks mutex 1, which it has not"));
}

TEST(ThreadEngine, DestroyingWhatIsHeld) {
  const Report report = RunOnce([] {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    pthread_mutex_destroy(&mutex);
  });
  EXPECT_EQ(KindOf(report), "misuse") << report.Text();
}

TEST(ThreadEngine, WaitingWithoutTheMutex) {
  const Report report = RunOnce([] {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    pthread_cond_wait(&condition, &mutex);
  });
  EXPECT_EQ(KindOf(report), "misuse") << report.Text();
}

TEST(ThreadEngine, WhatIsNotSimulatedIsNamed) {
  const Report report = RunOnce([] { pthread_cancel(pthread_self()); });
  ASSERT_EQ(KindOf(report), "misuse");
  EXPECT_TRUE(absl::StrContains(report.failure()->what, "pthread_cancel"));
}

TEST(ThreadEngine, EndsOfTheProcessEndTheExecution) {
  const Report aborted = RunOnce([] { std::abort(); });
  ASSERT_EQ(KindOf(aborted), "exception");
  EXPECT_TRUE(absl::StrContains(aborted.failure()->what, "abort()"));
  const Report asserted =
      RunOnce([] { __assert_fail("1 == 2", "some/file.cc", 12, "void F()"); });
  ASSERT_EQ(KindOf(asserted), "exception");
  EXPECT_EQ(asserted.failure()->line, 12u);
}

TEST(ThreadEngine, ALoopThatOnlyGivesWayIsALivelock) {
  const Report report = RunOnce([] {
    while (true) std::this_thread::yield();
  });
  EXPECT_EQ(KindOf(report), "livelock") << report.Text();
}

TEST(ThreadEngine, SleepingForeverExceedsTheVirtualTime) {
  const Report report = RunOnce([] {
    while (true) std::this_thread::sleep_for(std::chrono::hours(1'000));
  });
  EXPECT_EQ(KindOf(report), "virtual time") << report.Text();
}

TEST(ThreadEngine, ACrashIsShrunkInChildProcesses) {
  const Report report = Explore(ThreadsBody([] {
                                  Counter counter;
                                  const auto add = [&] { counter.Add(); };
                                  std::thread a(add);
                                  std::thread b(add);
                                  std::thread c([&] {
                                    a.join();
                                    b.join();
                                    if (counter.value != 2) raise(SIGSEGV);
                                  });
                                  c.join();
                                }),
                                Fuzz(), Isolate());
  ASSERT_EQ(KindOf(report), "crash") << report.Text();
  EXPECT_EQ(report.failure()->task, "main.3");
  EXPECT_LE(DeviationsOf(report), 3u) << report.Text();
}

TEST(ThreadEngine, ThreadsHaveNames) {
  const Report report = RunOnce([] {
    std::thread other([] {
      pthread_setname_np(pthread_self(), "writer");
      std::this_thread::yield();
      Always(false, "the writer succeeds");
    });
    other.join();
  });
  EXPECT_EQ(report.failure()->task, "writer");
}

TEST(ThreadEngine, TheEnvironmentDecides) {
  const Report report = Explore(
      ThreadsBody([] {
        std::thread other([] { Always(Choose(3) != 2, "it is not two"); });
        other.join();
      }),
      Fuzz());
  EXPECT_EQ(KindOf(report), "always");
  EXPECT_EQ(DeviationsOf(report), 1u);
}

TEST(ThreadEngine, ExecutionsAreTheSameInEverySearch) {
  const auto hash = [] {
    Search search;
    internal::UseStrategy(search, "random", /*schedules=*/1, /*seed=*/7);
    search.trace_passes = true;
    return RunSearch(ThreadsBody([] {
                       Counter counter;
                       std::thread a([&] { counter.Add(); });
                       std::thread b([&] { counter.Add(); });
                       std::this_thread::sleep_for(milliseconds(3));
                       a.join();
                       b.join();
                     }),
                     search, "same")
        .trace_hash;
  };
  const std::uint64_t first = hash();
  EXPECT_NE(first, 0u);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(hash(), first);
}

// ---- In GoogleTest ----

CLOTHO_THREADS_TEST(ThreadsTest, ExpectationsInEveryThread,
                    Fuzz{.schedules = 100}) {
  std::thread other([] { EXPECT_EQ(1 + 1, 2); });
  ASSERT_NO_FATAL_FAILURE(other.join());
}

class FixtureTest : public testing::Test {
 protected:
  FixtureTest() : made_in_(std::this_thread::get_id()) { ++alive; }
  ~FixtureTest() override { --alive; }
  void SetUp() override {
    worker_ = std::thread([this] { counter_.Add(); });
  }
  void TearDown() override {
    worker_.join();
    EXPECT_EQ(counter_.value, 1);
  }

  static inline int alive = 0;
  std::thread::id made_in_;
  Counter counter_;
  std::thread worker_;
};

CLOTHO_THREADS_TEST_F(FixtureTest, IsMadeForEachExecution,
                      Fuzz{.schedules = 100}) {
  EXPECT_EQ(made_in_, std::this_thread::get_id());
  EXPECT_EQ(alive, 2);  // GoogleTest's own is the other.
}

// Real threads work in the same program, also after simulated ones that failed.
TEST(RealThreads, WorkBesideSimulatedOnes) {
  for (int i = 0; i < 3; ++i) {
    std::mutex mutex;
    std::condition_variable changed;
    int value = 0;
    std::thread other([&] {
      std::this_thread::sleep_for(milliseconds(2));
      const std::lock_guard lock(mutex);
      value = 1;
      changed.notify_one();
    });
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return value == 1; });
    }
    other.join();
    EXPECT_EQ(KindOf(Explore(ThreadsBody(&LoseUpdate), Fuzz())), "always");
  }
}

}  // namespace
}  // namespace clotho::sim
