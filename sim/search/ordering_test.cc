// What may be reordered and what may not: a test for each line of
// docs/ordering.md. Each one runs all executions of a small program, and
// compares the observed orders with those that are meant to be possible.

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/choice.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

auto Give() { return Sleep(absl::ZeroDuration()); }

// A program that logs its events in order.
using Program = std::function<Coro<void>(std::string& log)>;

template <typename... Options>
std::set<std::string> Orders(const Program& program, Options... options) {
  std::set<std::string> orders;
  // Programs are called, not awaited, while the log is in the body's frame.
  const auto body = [&]() -> Coro<void> {
    std::string log;
    co_await program(log);
    orders.insert(log);
  };
  const Report report = Explore(body, options...);
  EXPECT_TRUE(report.passed()) << report;
  EXPECT_TRUE(report.search.exhausted);
  return orders;
}

Coro<void> Write(std::string& log, std::string text) {
  log += text;
  co_return;
}

Coro<void> Join(std::vector<Task<void>> tasks) {
  for (Task<void>& task : tasks) co_await task;
}

// ---- Any-ready ordering: may be reordered. ----

Coro<void> TwoTasks(std::string& log) {
  std::vector<Task<void>> tasks;
  tasks.push_back(CreateTask(Write(log, "a")));
  tasks.push_back(CreateTask(Write(log, "b")));
  co_await Join(std::move(tasks));
}

TEST(AnyReadyMay, RunReadyTasksInAnyOrder) {
  EXPECT_THAT(Orders(TwoTasks, Exhaustive()), UnorderedElementsAre("ab", "ba"));
}

Coro<void> OneEventTwoWaiters(std::string& log) {
  Event event;
  const auto wait = [](Event& e, std::string& out, char name) -> Coro<void> {
    co_await e.Wait();
    out += name;
  };
  Task<void> a = CreateTask(wait(event, log, 'a'));
  Task<void> b = CreateTask(wait(event, log, 'b'));
  co_await Sleep(absl::Seconds(1));
  event.Set();
  co_await a;
  co_await b;
}

TEST(AnyReadyMay, RunThoseThatOneEventWakesInAnyOrder) {
  EXPECT_THAT(Orders(OneEventTwoWaiters, Exhaustive()),
              UnorderedElementsAre("ab", "ba"));
}

Coro<void> ReadyTaskAndTimer(std::string& log) {
  GetRunningLoop().CallLater(absl::Seconds(1), [&log] { log += 't'; });
  std::vector<Task<void>> tasks;
  tasks.push_back(CreateTask(Write(log, "a")));
  co_await Join(std::move(tasks));
  co_await Sleep(absl::Seconds(2));
}

TEST(AnyReadyMay, LetTheNextTimerFireBeforeWhatIsReady) {
  EXPECT_THAT(Orders(ReadyTaskAndTimer, Exhaustive()),
              UnorderedElementsAre("at", "ta"));
}

Coro<void> CallbacksOfTwoTasks(std::string& log) {
  const auto schedule = [](std::string& out, char name) -> Coro<void> {
    Event called;
    GetRunningLoop().CallSoon([&] {
      out += name;
      called.Set();
    });
    co_await called.Wait();
  };
  std::vector<Task<void>> tasks;
  tasks.push_back(CreateTask(schedule(log, 'a')));
  tasks.push_back(CreateTask(schedule(log, 'b')));
  co_await Join(std::move(tasks));
}

TEST(AnyReadyMay, RunCallbacksOfDifferentTasksInAnyOrder) {
  EXPECT_THAT(Orders(CallbacksOfTwoTasks, Exhaustive()),
              UnorderedElementsAre("ab", "ba"));
}

TEST(AnyReadyMay, RunTimersOfOneDeadlineInAnyOrder) {
  const auto program = [](std::string& log) -> Coro<void> {
    EventLoop& loop = GetRunningLoop();
    loop.CallLater(absl::Seconds(1), [&log] { log += 'a'; });
    loop.CallLater(absl::Seconds(1), [&log] { log += 'b'; });
    co_await Sleep(absl::Seconds(2));
  };
  EXPECT_THAT(Orders(program, Exhaustive()), UnorderedElementsAre("ab", "ba"));
}

// ---- Any-ready ordering: is preserved. ----

TEST(AnyReadyKeeps, TheOrderOfCallbacksOfOneTask) {
  const auto program = [](std::string& log) -> Coro<void> {
    Event all;
    for (const char name : {'a', 'b', 'c'}) {
      GetRunningLoop().CallSoon([&log, &all, name] {
        log += name;
        if (log.size() == 3) all.Set();
      });
    }
    co_await all.Wait();
  };
  EXPECT_THAT(Orders(program, Exhaustive()), ElementsAre("abc"));
}

TEST(AnyReadyKeeps, TheOrderOfDoneCallbacks) {
  const auto program = [](std::string& log) -> Coro<void> {
    Future<int> future = GetRunningLoop().CreateFuture<int>();
    Event all;
    for (const char name : {'a', 'b', 'c'}) {
      future.AddDoneCallback([&log, &all, name](Future<int>) {
        log += name;
        if (log.size() == 3) all.Set();
      });
    }
    future.SetResult(1);
    co_await all.Wait();
  };
  EXPECT_THAT(Orders(program, Exhaustive()), ElementsAre("abc"));
}

TEST(AnyReadyKeeps, TheOrderOfDeadlines) {
  const auto program = [](std::string& log) -> Coro<void> {
    EventLoop& loop = GetRunningLoop();
    loop.CallLater(absl::Seconds(2), [&log] { log += 'b'; });
    loop.CallLater(absl::Seconds(1), [&log] { log += 'a'; });
    loop.CallLater(absl::Seconds(3), [&log] { log += 'c'; });
    for (int i = 0; i < 3; ++i) co_await Give();
    co_await Sleep(absl::Seconds(4));
  };
  EXPECT_THAT(Orders(program, Exhaustive()), ElementsAre("abc"));
}

TEST(AnyReadyKeeps, TimersFromFiringEarly) {
  const auto program = [](std::string& log) -> Coro<void> {
    EventLoop& loop = GetRunningLoop();
    const absl::Duration start = loop.Time();
    const auto sleep = [](std::string& out, absl::Duration begin,
                          int seconds) -> Coro<void> {
      co_await Sleep(absl::Seconds(seconds));
      Always(GetRunningLoop().Time() - begin >= absl::Seconds(seconds),
             "a sleep is never short");
      out += '.';
    };
    std::vector<Task<void>> tasks;
    tasks.push_back(CreateTask(sleep(log, start, 2)));
    tasks.push_back(CreateTask(sleep(log, start, 1)));
    co_await Give();
    co_await Join(std::move(tasks));
  };
  EXPECT_THAT(Orders(program, Exhaustive()), ElementsAre(".."));
}

TEST(AnyReadyKeeps, StepsWhole) {
  const auto program = [](std::string& log) -> Coro<void> {
    const auto two = [](std::string& out, char name) -> Coro<void> {
      out += name;
      out += name;
      co_await Give();
      out += name;
    };
    std::vector<Task<void>> tasks;
    tasks.push_back(CreateTask(two(log, 'a')));
    tasks.push_back(CreateTask(two(log, 'b')));
    co_await Join(std::move(tasks));
  };
  EXPECT_THAT(Orders(program, Exhaustive()),
              UnorderedElementsAre("aabbab", "aabbba", "aaabbb", "bbaaab",
                                   "bbaaba", "bbbaaa"));
}

TEST(AnyReadyKeeps, TheLineBeforeALock) {
  const auto program = [](std::string& log) -> Coro<void> {
    Lock lock;
    Event both;
    const auto use = [](Lock& l, Event& e, std::string& out,
                        char name) -> Coro<void> {
      out += name;  // It arrives at the line.
      if (out.size() == 2) e.Set();
      auto guard = co_await l.Acquire();
      out += static_cast<char>(name - 'a' + 'A');
      co_await Give();
    };
    auto guard = co_await lock.Acquire();
    std::vector<Task<void>> tasks;
    tasks.push_back(CreateTask(use(lock, both, log, 'a')));
    tasks.push_back(CreateTask(use(lock, both, log, 'b')));
    co_await both.Wait();
    guard.Release();
    co_await Join(std::move(tasks));
  };
  EXPECT_THAT(Orders(program, Exhaustive()),
              UnorderedElementsAre("abAB", "baBA"));
}

TEST(AnyReadyKeeps, TheLineBeforeAQueue) {
  const auto program = [](std::string& log) -> Coro<void> {
    Queue<int> queue;
    Event both;
    const auto take = [](Queue<int>& q, Event& e, std::string& out,
                         char name) -> Coro<void> {
      out += name;
      if (out.size() == 2) e.Set();
      const int item = co_await q.Get();
      out += static_cast<char>('0' + item);
    };
    std::vector<Task<void>> tasks;
    tasks.push_back(CreateTask(take(queue, both, log, 'a')));
    tasks.push_back(CreateTask(take(queue, both, log, 'b')));
    co_await both.Wait();
    queue.PutNowait(1);
    co_await Sleep(absl::Seconds(1));
    queue.PutNowait(2);
    co_await Join(std::move(tasks));
  };
  // The first to arrive gets item 1; both "ab" and "ba" are possible.
  for (const std::string& order : Orders(program, Exhaustive())) {
    EXPECT_EQ(order.substr(2), "12") << order;
  }
}

TEST(AnyReadyKeeps, TheRuntimesOwnBookkeepingOutOfSight) {
  // Gather's counting is not a step that can be chosen: otherwise two tasks
  // with one step would have six executions.
  const auto program = [](std::string& log) -> Coro<void> {
    co_await Gather(Write(log, "a"), Write(log, "b"));
    log += '.';
  };
  const auto body = [&]() -> Coro<void> {
    std::string log;
    co_await program(log);
  };
  EXPECT_EQ(Explore(body, Exhaustive()).search.executions, 2);
}

TEST(AnyReadyKeeps, TimeStillOnceTheBodyHasReturned) {
  bool fired = false;
  const auto body = [&]() -> Coro<void> {
    GetRunningLoop().CallLater(absl::Seconds(1), [&fired] { fired = true; });
    co_return;
  };
  EXPECT_TRUE(Explore(body, Exhaustive()).passed());
  EXPECT_FALSE(fired);
}

// ---- FIFO ordering. ----

TEST(FifoKeeps, TheOrderOfReadyTasks) {
  EXPECT_THAT(Orders(TwoTasks, Exhaustive(), FifoOnly()), ElementsAre("ab"));
  EXPECT_THAT(Orders(OneEventTwoWaiters, Exhaustive(), FifoOnly()),
              ElementsAre("ab"));
  EXPECT_THAT(Orders(CallbacksOfTwoTasks, Exhaustive(), FifoOnly()),
              ElementsAre("ab"));
}

TEST(FifoKeeps, TimersBehindWhatIsReady) {
  // The task is ready when the timer becomes due, and runs first.
  EXPECT_THAT(Orders(ReadyTaskAndTimer, Exhaustive(), FifoOnly()),
              ElementsAre("at"));
}

TEST(FifoMay, LetATimerComeAheadOfWhatTheReadyOnesSchedule) {
  const auto program = [](std::string& log) -> Coro<void> {
    GetRunningLoop().CallLater(absl::Seconds(1), [&log] { log += 't'; });
    log += '1';
    co_await Give();
    log += '2';
    co_await Give();
    log += '3';
    co_await Sleep(absl::Seconds(2));
  };
  EXPECT_THAT(Orders(program, Exhaustive(), FifoOnly()),
              UnorderedElementsAre("12t3", "123t"));
}

TEST(FifoMay, LetSeveralTimersBecomeDueAtOnce) {
  const auto program = [](std::string& log) -> Coro<void> {
    EventLoop& loop = GetRunningLoop();
    loop.CallLater(absl::Seconds(1), [&log] { log += 'a'; });
    loop.CallLater(absl::Seconds(2), [&log] { log += 'b'; });
    co_await Give();
    co_await Give();
    log += '.';
    co_await Sleep(absl::Seconds(3));
  };
  EXPECT_THAT(Orders(program, Exhaustive(), FifoOnly()),
              UnorderedElementsAre("ab.", "a.b", ".ab"));
}

// ---- The label. ----

// A completion that takes two iterations to reach its waiter, and a timeout.
Coro<void> TimeoutAgainstCompletion() {
  Future<int> answer = GetRunningLoop().CreateFuture<int>();
  GetRunningLoop().CallLater(absl::Seconds(1),
                             [answer]() mutable { answer.SetResult(1); });
  bool timed_out = false;
  try {
    co_await WaitFor(answer, absl::Seconds(1) + absl::Nanoseconds(1));
  } catch (const TimeoutError&) {
    timed_out = true;
  }
  Always(!timed_out, "an answer after one second is in time");
}

TEST(ReachabilityTest, SaysWhatPlainAsyncioCanDo) {
  const Report report = Explore(TimeoutAgainstCompletion, Fuzz());
  ASSERT_FALSE(report.passed());
  ASSERT_TRUE(report.found.reachability.has_value());
  EXPECT_TRUE(report.found.reachability->reachable);
  // The schedule that it names is in FIFO ordering.
  const std::string& fifo = report.found.reachability->replay;
  EXPECT_THAT(
      report.Text(),
      testing::HasSubstr("reachable under asyncio today, with " + fifo));
  const auto again = Replay(TimeoutAgainstCompletion, fifo);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_NE(again->verdict(), Report::Verdict::kDiverged) << *again;
  EXPECT_EQ(again->failure()->signature, report.failure()->signature);
}

// What only the environment decides can happen in either ordering, and a search
// in FIFO ordering reports no deviation that it cannot make.
TEST(ReachabilityTest, AScheduleOfTheEnvironmentAloneIsReachable) {
  const auto body = []() -> Coro<void> {
    Task<void> task = CreateTask(Sleep(absl::ZeroDuration()));
    co_await Sleep(absl::Milliseconds(1));
    Always(Choose(400) != 7, "not 7");
    co_await task;
  };
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    for (const bool fifo_only : {false, true}) {
      Search search = MakeSearch(Fuzz{.schedules = 100'000, .seed = seed});
      search.fifo_only = fifo_only;
      const Report report = RunSearch(body, search, "test");
      ASSERT_FALSE(report.passed());
      EXPECT_TRUE(report.found.reachability->reachable);
      EXPECT_EQ(report.found.reachability->replay, "");
      const auto& schedule = std::get<Deviations>(report.replay.schedule);
      ASSERT_EQ(schedule.size(), 1u);
      EXPECT_EQ(schedule[0].choice, 7u);
      const auto again = Replay(body, FormatReplay(report.replay));
      ASSERT_TRUE(again.ok()) << again.status();
      EXPECT_EQ(again->failure()->signature, report.failure()->signature);
    }
  }
}

// A schedule in FIFO ordering may be shorter than what was found.
TEST(ReachabilityTest, TheShortestKnownScheduleIsTheOneReported) {
  const Report report =
      Explore(TimeoutAgainstCompletion, Fuzz{.schedules = 10'000});
  ASSERT_FALSE(report.passed());
  const auto& schedule = std::get<Deviations>(report.replay.schedule);
  EXPECT_EQ(schedule.size(), 1u);
}

// How much was tried is said.
TEST(ReachabilityTest, SaysHowManyExecutionsWereTried) {
  const auto body = []() -> Coro<void> {
    std::string log;
    const std::uint64_t choice = Choose(3);
    co_await TwoTasks(log);
    Always(log == "ab" || choice == 3, "a comes first");
  };
  const Report report = Explore(body, Fuzz());
  ASSERT_FALSE(report.passed());
  EXPECT_FALSE(report.found.reachability->reachable);
  EXPECT_EQ(report.found.reachability->tried, 3);
  EXPECT_TRUE(report.found.reachability->exhausted);
}

TEST(ReachabilityTest, SaysWhatItCannot) {
  const auto body = []() -> Coro<void> {
    std::string log;
    co_await TwoTasks(log);
    Always(log == "ab", "a comes first");
  };
  const Report report = Explore(body, Fuzz());
  ASSERT_FALSE(report.passed());
  ASSERT_TRUE(report.found.reachability.has_value());
  EXPECT_FALSE(report.found.reachability->reachable);
  EXPECT_EQ(report.found.reachability->tried, 1);
  EXPECT_TRUE(report.found.reachability->exhausted);
  EXPECT_THAT(report.Text(),
              testing::HasSubstr(
                  "\n          needs a reordering that asyncio does not do "
                  "today\n"));
}

// The iteration in which a deadline passes has only bookkeeping to do: it wakes
// the sleeper, which takes a step in the next one. A timer that becomes due at
// the beginning of the first iteration differs from one that becomes due at the
// beginning of the second.
TEST(ReachabilityTest, AStrictExecutionIsReplayedFromItsDeviations) {
  std::set<std::string> logs;
  const auto body = [&logs]() -> Coro<void> {
    std::string log;
    const auto sleeper = [&log](char name, int ms) -> Coro<void> {
      for (int i = 0; i < 2; ++i) {
        co_await Sleep(absl::Milliseconds(ms));
        log += name;
        co_await Sleep(absl::ZeroDuration());
        log += name;
      }
    };
    Coro<void> a = sleeper('a', 1);
    Coro<void> b = sleeper('b', 2);
    Coro<void> c = sleeper('c', 3);
    co_await Gather(std::move(a), std::move(b), std::move(c));
    logs.insert(log);
  };
  Search search = MakeSearch(Random{.schedules = 2'000}, FifoOnly());
  search.check_every = 1;
  const Report report = RunSearch(body, search, "test");
  EXPECT_TRUE(report.passed()) << report;
  EXPECT_GT(logs.size(), 20);
}

TEST(ReachabilityTest, AStrictSearchFindsAndShrinksInStrictOrdering) {
  const Report report = Explore(TimeoutAgainstCompletion, Fuzz(), FifoOnly());
  ASSERT_FALSE(report.passed());
  EXPECT_TRUE(report.shrinking.minimal);
  const std::string replay = FormatReplay(report.replay);
  EXPECT_THAT(replay, testing::HasSubstr(":d"));
  ASSERT_TRUE(report.found.reachability.has_value());
  EXPECT_TRUE(report.found.reachability->reachable);
  EXPECT_EQ(report.found.reachability->replay, "");
}

}  // namespace
}  // namespace clotho::sim
