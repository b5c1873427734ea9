#include "clotho/sim/search/fork_run.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/crash_handler.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/strategies/replay.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// ---- Child processes. ----

TEST(ChildTest, SaysWhatItReturns) {
  for (const std::string& text :
       {std::string(), std::string("a\0b", 3), std::string(1'000'000, 'x')}) {
    const ChildEnd end = RunInChild([&] { return text; });
    EXPECT_EQ(end.said, text);
    EXPECT_FALSE(end.crash.has_value());
    EXPECT_EQ(end.other, "");
  }
}

TEST(ChildTest, WhatItChangesIsItsOwn) {
  int changed = 0;
  RunInChild([&]() -> std::string {
    changed = 1;
    return "";
  });
  EXPECT_EQ(changed, 0);
}

TEST(ChildTest, WhatItWritesIsKeptApart) {
  std::printf("of the parent\n");
  const ChildEnd end = RunInChild([]() -> std::string {
    std::printf("to standard output\n");
    std::fprintf(stderr, "to standard error\n");
    return "";
  });
  EXPECT_THAT(end.output, HasSubstr("to standard output\n"));
  EXPECT_THAT(end.output, HasSubstr("to standard error\n"));
  EXPECT_THAT(end.output, Not(HasSubstr("of the parent")));
}

TEST(ChildTest, ADeathOutsideOfAnExecutionIsNamed) {
  const ChildEnd killed = RunInChild([]() -> std::string {
    raise(SIGKILL);
    return "never";
  });
  EXPECT_FALSE(killed.said.has_value());
  EXPECT_FALSE(killed.crash.has_value());
  EXPECT_EQ(killed.other, "signal 9");
  const ChildEnd left = RunInChild([]() -> std::string { _exit(3); });
  EXPECT_EQ(left.other, "exit code 3");
}

TEST(ChildTest, IsStoppedAtTheDeadline) {
  const ChildEnd end = RunInChild(
      []() -> std::string {
        while (true) pause();
      },
      std::chrono::steady_clock::now());
  EXPECT_FALSE(end.said.has_value());
  EXPECT_EQ(end.other, "it took too long");
}

// ---- Crashes. ----

// Runs a body in FIFO order, except for one deviation.
ChildEnd RunBody(const Body& body) {
  return RunInChild([&]() -> std::string {
    Simulator simulator;
    const Deviations deviations = {{2, 1}};
    ReplayStrategy strategy(deviations);
    simulator.Run(body, strategy, {.strategy = 0, .program = 77});
    return "";
  });
}

Coro<void> Wait() { co_await clotho::Sleep(absl::Milliseconds(1)); }

// Two tasks, so that there is a choice; the body ends with `end`.
template <typename End>
Coro<void> Then(End end) {
  Task<void> a = CreateTask(Wait(), {.name = "a"});
  Task<void> b = CreateTask(Wait(), {.name = "b"});
  co_await a;
  co_await b;
  end();
}

TEST(DeathTest, TellsWhatTheExecutionWasDoing) {
  const ChildEnd end = RunBody([] { return Then([] { std::abort(); }); });
  ASSERT_TRUE(end.crash.has_value()) << end.other << end.output;
  EXPECT_EQ(end.crash->signal, SIGABRT);
  EXPECT_FALSE(end.crash->by_exit);
  EXPECT_THAT(end.crash->deviations, ElementsAre(Deviation{2, 1}));
  EXPECT_EQ(end.crash->program_seed, 77);
  EXPECT_EQ(end.crash->task, "main");
  EXPECT_EQ(end.crash->time_ns, 1'000'000);
  EXPECT_EQ(end.crash->step, 6);
  EXPECT_FALSE(end.crash->after_last_step);
  EXPECT_EQ(CrashText(*end.crash), "Signal 6 (SIGABRT)");
}

TEST(DeathTest, ExitIsACrash) {
  const ChildEnd end = RunBody([] { return Then([] { std::exit(0); }); });
  ASSERT_TRUE(end.crash.has_value()) << end.other;
  EXPECT_TRUE(end.crash->by_exit);
  EXPECT_EQ(CrashText(*end.crash), "The program called exit()");
}

TEST(DeathTest, AnAutomaticNameIsToldToo) {
  const ChildEnd end = RunBody([] {
    return []() -> Coro<void> {
      const auto die = []() -> Coro<void> {
        std::abort();
        co_return;
      };
      Task<void> task = CreateTask(die());
      co_await task;
    }();
  });
  ASSERT_TRUE(end.crash.has_value()) << end.other;
  EXPECT_THAT(end.crash->task, testing::MatchesRegex("Task-[0-9]+"));
}

// For a task that is pending when the execution ends: it is destroyed
// afterwards.
TEST(DeathTest, AfterTheLastStepIsNotInIt) {
  const ChildEnd end = RunBody([] {
    return []() -> Coro<void> {
      struct Dies {
        ~Dies() { std::abort(); }
      };
      const auto hold = []() -> Coro<void> {
        Dies dies;
        co_await clotho::Sleep(absl::Hours(1));
      };
      CreateTask(hold(), {.name = "holds", .background = true});
      co_await clotho::Sleep(absl::Milliseconds(1));
    }();
  });
  ASSERT_TRUE(end.crash.has_value()) << end.other;
  EXPECT_TRUE(end.crash->after_last_step);
}

// The stack that overflowed is not the one that reports.
__attribute__((noinline)) int Sum(volatile int* values, int depth) {
  volatile int more[256] = {depth};
  if (depth < 0) return *values;
  return Sum(more, depth + 1) + more[0];
}

TEST(DeathTest, OfAStackOverflow) {
  const ChildEnd end = RunBody([] {
    return Then([] {
      volatile int none = 0;
      none = Sum(&none, 1);
    });
  });
  ASSERT_TRUE(end.crash.has_value()) << end.other << end.output;
  EXPECT_EQ(end.crash->task, "main");
}

TEST(DeathTest, PartOfOneIsNone) {
  EXPECT_FALSE(ReadCrash("").has_value());
  EXPECT_FALSE(ReadCrash("D").has_value());
  EXPECT_FALSE(ReadCrash(std::string(1'000, '\xff')).has_value());
}

// ---- Searches. ----

// Crashes if b has run before a.
Coro<void> DiesIfReordered() {
  std::string log;
  const auto note = [&log](char name) -> Coro<void> {
    log.push_back(name);
    co_return;
  };
  Task<void> a = CreateTask(note('a'), {.name = "a"});
  Task<void> b = CreateTask(note('b'), {.name = "b"});
  Task<void> c = CreateTask(note('c'), {.name = "c"});
  co_await a;
  co_await b;
  co_await c;
  if (log.find('b') < log.find('a')) std::abort();
}

TEST(IsolateTest, ADeathIsShrunkAndReported) {
  const Report report =
      Explore(DiesIfReordered, Random{.schedules = 100}, Isolate());
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->kind, FailureKind::kCrash);
  EXPECT_EQ(report.failure()->what, "Signal 6 (SIGABRT)");
  EXPECT_EQ(report.failure()->task, "main");
  EXPECT_TRUE(report.shrinking.minimal);
  EXPECT_EQ(FormatReplay(report.replay), "c1/0/2:1");
  EXPECT_THAT(report.Text(), HasSubstr("step 2  ran b (its first step)"));
}

TEST(IsolateTest, AnythingElseIsFoundAsItIsWithoutIt) {
  const auto passes = [] { return Then([] {}); };
  const auto fails = [] { return Then([] { Always(false, "it ends"); }); };
  for (const Body& body : {Body(passes), Body(fails)}) {
    EXPECT_EQ(Explore(body, Random{.schedules = 50}, Isolate()).Text(),
              Explore(body, Random{.schedules = 50}).Text());
  }
}

TEST(IsolateTest, AReplayIsNotShrunk) {
  const auto report = Replay(DiesIfReordered, "c1/0/2:1,3:1", Isolate());
  ASSERT_TRUE(report.ok());
  ASSERT_FALSE(report->passed());
  EXPECT_EQ(report->failure()->what, "Signal 6 (SIGABRT)");
  EXPECT_EQ(FormatReplay(report->replay), "c1/0/2:1,3:1");
}

TEST(IsolateTest, ADeathThatDoesNotComeBackIsNotDeterministic) {
  const std::string path = absl::StrCat(testing::TempDir(), "/once-", getpid());
  std::remove(path.c_str());
  const auto once = [&path]() -> Coro<void> {
    co_await clotho::Sleep(absl::Milliseconds(1));
    // Child processes share only external state.
    if (std::FILE* const file = std::fopen(path.c_str(), "r")) {
      std::fclose(file);
      co_return;
    }
    std::fclose(std::fopen(path.c_str(), "w"));
    std::abort();
  };
  const Report report = Explore(once, Random{.schedules = 10}, Isolate());
  std::remove(path.c_str());
  EXPECT_EQ(report.verdict(), Report::Verdict::kNondeterministic);
  EXPECT_THAT(report.failure()->what,
              HasSubstr("Not deterministic: Signal 6 (SIGABRT) in a run of "
                        "fifo\nanother run"));
}

TEST(IsolateTest, ADeathWithoutLastWordsIsAFailureAllTheSame) {
  const auto body = []() -> Coro<void> {
    co_await clotho::Sleep(absl::Milliseconds(1));
    raise(SIGKILL);
  };
  const Report report = Explore(body, Random{.schedules = 10}, Isolate());
  ASSERT_FALSE(report.passed());
  EXPECT_THAT(report.failure()->what, HasSubstr("ended: signal 9"));
}

}  // namespace
}  // namespace clotho::sim::internal
