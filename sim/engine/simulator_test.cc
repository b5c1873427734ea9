#include "clotho/sim/engine/simulator.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/engine/virtual_clock.h"
#include "clotho/sim/strategies/fifo.h"
#include "clotho/sim/strategies/random.h"
#include "clotho/sim/strategies/replay.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

using Log = std::vector<std::string>;

// Runs all schedules of a program, depth first:
//
//   Everything everything;
//   while (everything.Next()) simulator.Run(body, everything, {});
class Everything final : public Strategy {
 public:
  // Returns false after the last schedule.
  bool Next() {
    if (!started_) return started_ = true;
    while (!path_.empty() && path_.back().choice + 1 == path_.back().size) {
      path_.pop_back();
    }
    if (path_.empty()) return false;
    ++path_.back().choice;
    return true;
  }

  void BeginExecution(Rng&) override { depth_ = 0; }
  std::size_t Choose(const ChoicePoint& point) override {
    if (depth_ == path_.size()) path_.push_back({0, point.size()});
    EXPECT_EQ(path_[depth_].size, point.size()) << "not deterministic";
    return path_[depth_++].choice;
  }

 private:
  struct Node {
    std::size_t choice;
    std::size_t size;
  };
  std::vector<Node> path_;
  std::size_t depth_ = 0;
  bool started_ = false;
};

// Makes the choices of a list, then those of FIFO order, and records the number
// of candidates at each choice.
class Script final : public Strategy {
 public:
  explicit Script(std::vector<std::size_t> choices = {})
      : choices_(std::move(choices)) {}

  void BeginExecution(Rng&) override {
    sizes_.clear();
    timers_.clear();
  }
  std::size_t Choose(const ChoicePoint& point) override {
    const std::size_t index = sizes_.size();
    sizes_.push_back(point.size());
    timers_.push_back(point.has_timer());
    return index < choices_.size() ? choices_[index] : 0;
  }

  const std::vector<std::size_t>& sizes() const { return sizes_; }
  const std::vector<bool>& timers() const { return timers_; }

 private:
  std::vector<std::size_t> choices_;
  std::vector<std::size_t> sizes_;
  std::vector<bool> timers_;
};

using Program = Coro<void> (*)(Log& log);

// Every outcome of a program over all of its schedules: its log as one line.
std::set<std::string> AllOutcomes(Program program) {
  Simulator simulator;
  Everything everything;
  std::set<std::string> outcomes;
  while (everything.Next()) {
    Log log;
    simulator.Run([&] { return program(log); }, everything, {});
    outcomes.insert(absl::StrJoin(log, " "));
  }
  return outcomes;
}

std::string FifoOutcome(Program program) {
  Simulator simulator;
  FifoStrategy fifo;
  Log log;
  simulator.Run([&] { return program(log); }, fifo, {});
  return absl::StrJoin(log, " ");
}

// ---- FIFO order is the order of a loop without a scheduler. ----

// With the iteration and the time.
void Note(Log& log, std::string_view what) {
  EventLoop& loop = GetRunningLoop();
  log.push_back(absl::StrCat(CoreOf(loop).iterations(), " ",
                             absl::FormatDuration(loop.Time()), " ",
                             std::string(what)));
}

Coro<void> NoteTwice(Log& log, std::string name, absl::Duration delay) {
  Note(log, name);
  co_await Sleep(delay);
  Note(log, name + " again");
}

Coro<int> ReturnAfter(Log& log, int value, absl::Duration delay) {
  try {
    co_await Sleep(delay);
  } catch (const CancelledError&) {
    Note(log, absl::StrCat(value, " is cancelled"));
    throw;
  }
  Note(log, absl::StrCat(value, " returns"));
  co_return value;
}

Coro<int> ThrowAfter(Log& log, absl::Duration delay) {
  co_await Sleep(delay);
  Note(log, "throws");
  throw ValueError("bad");
}

Coro<void> Tasks(Log& log) {
  Task<void> a = CreateTask(NoteTwice(log, "a", absl::ZeroDuration()));
  Task<void> b = CreateTask(NoteTwice(log, "b", absl::ZeroDuration()));
  Note(log, "main");
  co_await a;
  Note(log, "after a");
  co_await NoteTwice(log, "inline", absl::ZeroDuration());
  co_await b;
  Note(log, "end");
}

Coro<void> SleepsWithEqualDeadlines(Log& log) {
  Task<void> c = CreateTask(NoteTwice(log, "c", absl::Milliseconds(3)));
  Task<void> a = CreateTask(NoteTwice(log, "a", absl::Milliseconds(2)));
  Task<void> b = CreateTask(NoteTwice(log, "b", absl::Milliseconds(2)));
  co_await Sleep(absl::Milliseconds(2));
  Note(log, "main");
  co_await Sleep(absl::Milliseconds(1));
  Note(log, "main again");
  co_await a;
  co_await b;
  co_await c;
  Note(log, "end");
}

Coro<void> Gathering(Log& log) {
  auto first = Gather(ReturnAfter(log, 1, absl::Milliseconds(2)),
                      ReturnAfter(log, 2, absl::ZeroDuration()));
  const auto results = co_await first;
  Note(log, absl::StrCat(std::get<0>(results), std::get<1>(results)));
  auto second = Gather(kReturnExceptions, ThrowAfter(log, absl::Seconds(1)),
                       ReturnAfter(log, 3, absl::ZeroDuration()));
  const auto outcomes = co_await second;
  Note(log,
       absl::StrCat(std::get<0>(outcomes).ok(), std::get<1>(outcomes).ok()));
  Task<int> survivor = CreateTask(ReturnAfter(log, 4, absl::Seconds(2)));
  auto third = Gather(survivor, ThrowAfter(log, absl::Seconds(1)));
  try {
    co_await third;
  } catch (const ValueError& error) {
    Note(log, error.what());
  }
  co_await survivor;
  Note(log, "end");
}

Coro<void> AwaitShielded(Log& log, Task<int> inner) {
  Future<int> shield = Shield(inner);
  try {
    const int value = co_await shield;
    Note(log, absl::StrCat("shield gave ", value));
  } catch (const CancelledError&) {
    Note(log, "shield is cancelled");
  }
}

Coro<void> Shielding(Log& log) {
  Task<int> inner = CreateTask(ReturnAfter(log, 1, absl::Milliseconds(5)));
  Task<void> stays = CreateTask(AwaitShielded(log, inner));
  Task<void> leaves = CreateTask(AwaitShielded(log, inner));
  co_await Sleep(absl::Milliseconds(1));
  leaves.Cancel();
  co_await leaves;
  Note(log, "one left");
  co_await stays;
  co_await inner;
  Note(log, "end");
}

Coro<void> WaitingFor(Log& log) {
  Coro<int> quick = ReturnAfter(log, 1, absl::Milliseconds(1));
  const int one = co_await WaitFor(std::move(quick), absl::Milliseconds(2));
  Note(log, absl::StrCat("got ", one));
  Coro<int> slow = ReturnAfter(log, 2, absl::Milliseconds(2));
  try {
    co_await WaitFor(std::move(slow), absl::Milliseconds(1));
  } catch (const TimeoutError&) {
    Note(log, "timeout");
  }
  // Both at the same time: the deadline was set first.
  Coro<int> even = ReturnAfter(log, 3, absl::Milliseconds(1));
  try {
    const int value = co_await WaitFor(std::move(even), absl::Milliseconds(1));
    Note(log, absl::StrCat("got ", value));
  } catch (const TimeoutError&) {
    Note(log, "timeout");
  }
}

Coro<void> NestedTimeouts(Log& log) {
  Coro<int> sleeper = ReturnAfter(log, 1, absl::Seconds(9));
  auto inner = Timeout(absl::Seconds(2), std::move(sleeper));
  try {
    co_await Timeout(absl::Seconds(1), std::move(inner));
  } catch (const TimeoutError&) {
    Note(log, "outer");
  }
  Coro<int> other = ReturnAfter(log, 2, absl::Seconds(9));
  auto first = Timeout(absl::Seconds(1), std::move(other));
  try {
    co_await Timeout(absl::Seconds(2), std::move(first));
  } catch (const TimeoutError&) {
    Note(log, "inner");
  }
  Coro<int> late = ReturnAfter(log, 3, absl::ZeroDuration());
  try {
    co_await Timeout(absl::ZeroDuration(), std::move(late));
  } catch (const TimeoutError&) {
    Note(log, "at once");
  }
}

Coro<void> HoldLock(Log& log, Lock& lock, std::string name) {
  Lock::Guard guard = co_await lock.Acquire();
  Note(log, name + " has it");
  co_await Sleep(absl::Milliseconds(1));
  Note(log, name + " leaves");
}

Coro<void> Locks(Log& log) {
  Lock lock("door");
  Task<void> a = CreateTask(HoldLock(log, lock, "a"));
  Task<void> b = CreateTask(HoldLock(log, lock, "b"));
  Task<void> c = CreateTask(HoldLock(log, lock, "c"));
  co_await Sleep(absl::ZeroDuration());
  b.Cancel();
  co_await a;
  Note(log, "after a");
  co_await HoldLock(log, lock, "main");
  co_await c;
  try {
    co_await b;
  } catch (const CancelledError&) {
    Note(log, "b is cancelled");
  }
}

Coro<void> Produce(Log& log, Queue<int>& queue, int first) {
  for (int i = first; i < first + 3; ++i) {
    co_await queue.Put(i);
    Note(log, absl::StrCat("put ", i));
  }
}

Coro<void> Consume(Log& log, Queue<int>& queue, std::string name) {
  while (true) {
    const int item = co_await queue.Get();
    Note(log, absl::StrCat(name, " got ", item));
    co_await Sleep(absl::Milliseconds(item % 2));
    queue.TaskDone();
  }
}

Coro<void> Queues(Log& log) {
  Queue<int> queue(2);
  Task<void> a = CreateTask(Consume(log, queue, "a"));
  Task<void> b = CreateTask(Consume(log, queue, "b"));
  auto producers = Gather(Produce(log, queue, 10), Produce(log, queue, 20));
  co_await producers;
  Note(log, "all put");
  co_await queue.Join();
  Note(log, "all done");
  a.Cancel();
  b.Cancel();
  auto rest = Gather(kReturnExceptions, a, b);
  co_await rest;
  Note(log, "end");
}

Coro<void> AwaitEvent(Log& log, Event& event, std::string name) {
  co_await event.Wait();
  Note(log, name);
}

Coro<void> Events(Log& log) {
  Event event("start");
  Task<void> a = CreateTask(AwaitEvent(log, event, "a"));
  Task<void> b = CreateTask(AwaitEvent(log, event, "b"));
  co_await Sleep(absl::Milliseconds(1));
  event.Set();
  event.Clear();
  Task<void> c = CreateTask(AwaitEvent(log, event, "c"));
  Note(log, "set and cleared");
  co_await a;
  co_await b;
  event.Set();
  co_await c;
  Note(log, "end");
}

Coro<void> Callbacks(Log& log) {
  EventLoop& loop = GetRunningLoop();
  Future<void> end;
  loop.CallSoon([&log] { Note(log, "soon 1"); });
  loop.CallLater(absl::Milliseconds(2), [&log, &loop, end] {
    Note(log, "2 ms");
    loop.CallSoon([&log, end] {
      Note(log, "soon after 2 ms");
      end.SetResult();
    });
  });
  loop.CallLater(absl::ZeroDuration(), [&log, &loop] {
    Note(log, "0 ms");
    loop.CallSoon([&log] { Note(log, "soon after 0 ms"); });
    loop.CallLater(absl::Milliseconds(2), [&log] { Note(log, "nested"); });
  });
  TimerHandle never =
      loop.CallLater(absl::Milliseconds(1), [&log] { Note(log, "never"); });
  loop.CallSoon([&log, never]() mutable {
    Note(log, "soon 2");
    never.Cancel();
  });
  co_await end;
  Note(log, "end");
  co_await Sleep(absl::Milliseconds(1));
}

Coro<void> CleanUp(Log& log) {
  try {
    co_await Sleep(absl::Hours(1));
  } catch (const CancelledError&) {
    Note(log, "cancelled");
  }
  co_await Sleep(absl::Milliseconds(1));
  Note(log, "cleaned up");
}

Coro<void> Cancellation(Log& log) {
  Task<void> stubborn = CreateTask(CleanUp(log));
  Task<void> unstarted = CreateTask(CleanUp(log));
  unstarted.Cancel();
  co_await Sleep(absl::Milliseconds(1));
  stubborn.Cancel("enough");
  Note(log, "asked");
  co_await stubborn;
  try {
    co_await unstarted;
  } catch (const CancelledError&) {
    Note(log, "never began");
  }
  Task<void> self = CreateTask(CleanUp(log));
  auto both = Gather(self, Sleep(absl::Hours(2)));
  GetRunningLoop().CallLater(absl::Seconds(1), [both] { both.Cancel(); });
  try {
    co_await both;
  } catch (const CancelledError&) {
    Note(log, "gather is cancelled");
  }
  co_await self;
}

Coro<void> DoneCallbacks(Log& log) {
  Future<int> future;
  future.AddDoneCallback([&log] { Note(log, "first"); });
  future.AddDoneCallback([&log](Future<int> done) {
    Note(log, absl::StrCat("second ", done.Result()));
    done.AddDoneCallback([&log] { Note(log, "third"); });
  });
  future.SetResult(7);
  Note(log, "set");
  const int value = co_await future;
  Note(log, absl::StrCat("no wait for ", value));
  co_await Sleep(absl::ZeroDuration());
  co_await Sleep(absl::ZeroDuration());
  Note(log, "end");
}

class FifoOrderTest
    : public testing::TestWithParam<std::pair<const char*, Program>> {};

TEST_P(FifoOrderTest, IsThatOfALoopWithoutAScheduler) {
  const Program program = GetParam().second;
  Log bare;
  VirtualClock clock;
  EventLoop loop({.clock = &clock});
  loop.RunUntilComplete(program(bare));

  Log simulated;
  Simulator simulator;
  FifoStrategy fifo;
  const Execution& execution =
      simulator.Run([&] { return program(simulated); }, fifo, {});

  EXPECT_THAT(bare, Not(IsEmpty()));
  EXPECT_EQ(simulated, bare);
  EXPECT_FALSE(execution.failure.has_value()) << execution.failure->what;
  EXPECT_THAT(execution.deviations, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Programs, FifoOrderTest,
    testing::Values(
        std::pair("Tasks", &Tasks),
        std::pair("SleepsWithEqualDeadlines", &SleepsWithEqualDeadlines),
        std::pair("Gathering", &Gathering), std::pair("Shielding", &Shielding),
        std::pair("WaitingFor", &WaitingFor),
        std::pair("NestedTimeouts", &NestedTimeouts),
        std::pair("Locks", &Locks), std::pair("Queues", &Queues),
        std::pair("Events", &Events), std::pair("Callbacks", &Callbacks),
        std::pair("Cancellation", &Cancellation),
        std::pair("DoneCallbacks", &DoneCallbacks)),
    [](const auto& info) { return std::string(info.param.first); });

// ---- What is a choice, and what is not. ----

Coro<void> AddTwice(int& counter) {
  for (int i = 0; i < 2; ++i) {
    const int before = counter;
    co_await Sleep(absl::ZeroDuration());
    counter = before + 1;
  }
}

TEST(CandidatesTest, ARaceOfThreeTasksWithThreeStepsEachHas1680Schedules) {
  Simulator simulator;
  Everything everything;
  std::set<int> totals;
  int executions = 0;
  std::set<std::uint64_t> traces;
  while (everything.Next()) {
    int total = 0;
    const auto body = [&total]() -> Coro<void> {
      const auto race = [](int& counter) -> Coro<void> {
        auto tasks =
            Gather(AddTwice(counter), AddTwice(counter), AddTwice(counter));
        co_await tasks;
      };
      return race(total);
    };
    const Execution& execution = simulator.Run(body, everything, {});
    EXPECT_FALSE(execution.failure.has_value());
    traces.insert(execution.trace_hash);
    totals.insert(total);
    ++executions;
  }
  EXPECT_EQ(executions, 1680);  // 9! / (3! 3! 3!).
  EXPECT_EQ(traces.size(), 1680);
  EXPECT_THAT(totals, UnorderedElementsAre(2, 3, 4, 5, 6));
}

Coro<void> CallTwice(Log& log, std::string name) {
  EventLoop& loop = GetRunningLoop();
  loop.CallSoon([&log, name] { log.push_back(name + "1"); });
  loop.CallSoon([&log, name] { log.push_back(name + "2"); });
  co_return;
}

TEST(CandidatesTest, CallbacksOfOneTaskKeepTheirOrderThoseOfTwoMaySwap) {
  const auto outcomes = AllOutcomes([](Log& log) -> Coro<void> {
    Task<void> a = CreateTask(CallTwice(log, "a"));
    Task<void> b = CreateTask(CallTwice(log, "b"));
    co_await a;
    co_await b;
  });
  EXPECT_THAT(outcomes, UnorderedElementsAre("a1 a2 b1 b2", "a1 b1 a2 b2",
                                             "a1 b1 b2 a2", "b1 a1 a2 b2",
                                             "b1 a1 b2 a2", "b1 b2 a1 a2"));
}

TEST(CandidatesTest, DoneCallbacksOfOneFutureKeepTheirOrder) {
  const auto outcomes = AllOutcomes([](Log& log) -> Coro<void> {
    Future<void> future;
    future.AddDoneCallback([&log] { log.push_back("1"); });
    future.AddDoneCallback([&log] { log.push_back("2"); });
    future.AddDoneCallback([&log] { log.push_back("3"); });
    future.SetResult();
    co_await Sleep(absl::Milliseconds(1));
  });
  EXPECT_THAT(outcomes, ElementsAre("1 2 3"));
}

TEST(CandidatesTest, ACancelledCallbackIsNone) {
  Simulator simulator;
  Script script;
  simulator.Run(
      [] {
        const auto body = []() -> Coro<void> {
          Handle handle = GetRunningLoop().CallSoon([] {});
          handle.Cancel();
          co_await Sleep(absl::ZeroDuration());
        };
        return body();
      },
      script, {});
  EXPECT_THAT(script.sizes(), IsEmpty());
}

TEST(CandidatesTest, WhatRunsAloneIsNoChoice) {
  Simulator simulator;
  Script script;
  const Execution& execution = simulator.Run(
      [] {
        const auto body = []() -> Coro<void> {
          for (int i = 0; i < 10; ++i) co_await Sleep(absl::Milliseconds(1));
          Task<void> child = CreateTask(Sleep(absl::Milliseconds(1)));
          co_await child;
        };
        return body();
      },
      script, {});
  EXPECT_THAT(script.sizes(), IsEmpty());
  EXPECT_EQ(execution.choice_points, 0);
  EXPECT_EQ(execution.steps, 14);  // main: 12; the child: 2.
  EXPECT_EQ(execution.time_ns, 11'000'000);
}

TEST(CandidatesTest, TheNextTimerIsOneWhileTasksAreReady) {
  Simulator simulator;
  Script script;
  simulator.Run(
      [] {
        const auto body = []() -> Coro<void> {
          Task<void> sleeper = CreateTask(Sleep(absl::Milliseconds(1)));
          for (int i = 0; i < 3; ++i) co_await Sleep(absl::ZeroDuration());
          co_await sleeper;
        };
        return body();
      },
      script, {});
  // main's first step runs alone; then main and the sleeper; then main, or the
  // timer that the sleeper has set.
  EXPECT_THAT(script.sizes(), ElementsAre(2, 2, 2, 2));
  EXPECT_THAT(script.timers(), ElementsAre(false, true, true, true));
}

// The answer is available before the deadline; but until the waiter runs, the
// deadline may pass.
Coro<void> AnswerAgainstDeadline(Log& log) {
  Future<int> answer;
  GetRunningLoop().CallLater(absl::Milliseconds(5),
                             [answer] { answer.SetResult(1); });
  try {
    const int value = co_await WaitFor(answer, absl::Milliseconds(10));
    log.push_back(absl::StrCat("got ", value));
  } catch (const TimeoutError&) {
    log.push_back(answer.Done() ? "timeout, though it was there" : "timeout");
  }
}

TEST(CandidatesTest, ADeadlineCanFallBetweenACompletionAndItsWaiter) {
  EXPECT_EQ(FifoOutcome(&AnswerAgainstDeadline), "got 1");
  EXPECT_THAT(AllOutcomes(&AnswerAgainstDeadline),
              UnorderedElementsAre("got 1", "timeout, though it was there"));
}

Coro<int> GiveOne() {
  co_await Sleep(absl::Milliseconds(5));
  co_return 1;
}

// The same with two hops: a task's end, then the task that awaits it.
Coro<void> TaskAgainstDeadline(Log& log) {
  Task<int> task = CreateTask(GiveOne());
  try {
    const int value = co_await WaitFor(task, absl::Milliseconds(10));
    log.push_back(absl::StrCat("got ", value));
  } catch (const TimeoutError&) {
    log.push_back(task.Cancelled() ? "timeout"
                                   : "timeout, though it was there");
  }
}

TEST(CandidatesTest, ADeadlineCanFallBetweenEachOfTheHopsOfACompletion) {
  EXPECT_EQ(FifoOutcome(&TaskAgainstDeadline), "got 1");
  EXPECT_THAT(
      AllOutcomes(&TaskAgainstDeadline),
      UnorderedElementsAre("got 1", "timeout", "timeout, though it was there"));
}

TEST(CandidatesTest, TimersFireInTheOrderOfTheirDeadlines) {
  const auto outcomes = AllOutcomes([](Log& log) -> Coro<void> {
    EventLoop& loop = GetRunningLoop();
    Future<void> end;
    loop.CallLater(absl::Milliseconds(3), [&log, end] {
      log.push_back("3");
      end.SetResult();
    });
    loop.CallLater(absl::Milliseconds(1), [&log] { log.push_back("1"); });
    loop.CallLater(absl::Milliseconds(2), [&log] { log.push_back("2"); });
    for (int i = 0; i < 3; ++i) co_await Sleep(absl::ZeroDuration());
    log.push_back("main");
    co_await end;
  });
  EXPECT_THAT(outcomes, UnorderedElementsAre("main 1 2 3", "1 main 2 3",
                                             "1 2 main 3", "1 2 3 main"));
}

TEST(CandidatesTest, TimersThatAreDueTogetherKeepTheOrderOfTheirDeadlines) {
  const auto outcomes = AllOutcomes([](Log& log) -> Coro<void> {
    EventLoop& loop = GetRunningLoop();
    loop.CallLater(absl::Milliseconds(2), [&log] { log.push_back("2"); });
    loop.CallLater(absl::Milliseconds(1), [&log] { log.push_back("1"); });
    // A computation that takes longer than both.
    Simulator::Current()->clock().Block(5'000'000);
    co_await Sleep(absl::Milliseconds(9));
  });
  EXPECT_THAT(outcomes, ElementsAre("1 2"));
}

TEST(CandidatesTest, ATimerThatFiresEarlyMovesTheClockToItsDeadline) {
  const auto outcomes = AllOutcomes([](Log& log) -> Coro<void> {
    Task<void> sleeper = CreateTask(Sleep(absl::Milliseconds(7)));
    co_await Sleep(absl::ZeroDuration());
    log.push_back(absl::FormatDuration(GetRunningLoop().Time()));
    co_await sleeper;
    log.push_back(absl::FormatDuration(GetRunningLoop().Time()));
  });
  EXPECT_THAT(outcomes, UnorderedElementsAre("0 7ms", "7ms 7ms"));
}

Coro<void> NoteName(Log& log, std::string name, int steps) {
  for (int i = 0; i < steps; ++i) co_await Sleep(absl::ZeroDuration());
  log.push_back(name);
}

// When its last child ends, only bookkeeping precedes main. "older" has been
// ready longer.
Coro<void> GatherAgainstOlder(Log& log) {
  auto both = Gather(NoteName(log, "child", 0));
  Task<void> older = CreateTask(NoteName(log, "older", 0));
  co_await both;
  log.push_back("main");
  co_await older;
}

TEST(CandidatesTest, ATaskBehindAGatherMayRunBeforeAnOlderReadyTask) {
  EXPECT_EQ(FifoOutcome(&GatherAgainstOlder), "child older main");
  EXPECT_THAT(AllOutcomes(&GatherAgainstOlder),
              UnorderedElementsAre("child older main", "child main older",
                                   "older child main"));
}

Coro<void> ShieldAgainstOlder(Log& log) {
  Task<void> child = CreateTask(NoteName(log, "child", 0));
  Task<void> older = CreateTask(NoteName(log, "older", 0));
  Future<void> shield = Shield(child);
  co_await shield;
  log.push_back("main");
  co_await older;
}

TEST(CandidatesTest, ATaskBehindAShieldMayRunBeforeAnOlderReadyTask) {
  EXPECT_EQ(FifoOutcome(&ShieldAgainstOlder), "child older main");
  EXPECT_THAT(AllOutcomes(&ShieldAgainstOlder),
              UnorderedElementsAre("child older main", "child main older",
                                   "older child main"));
}

// main waits for a gather around a shield.
Coro<void> NestedAgainstOlder(Log& log) {
  auto inner = Gather(NoteName(log, "child", 0));
  auto outer = Shield(inner);
  Task<void> older = CreateTask(NoteName(log, "older", 0));
  co_await outer;
  log.push_back("main");
  co_await older;
}

TEST(CandidatesTest, ATaskBehindNestedBookkeepingMayRunBeforeAnOlderReadyTask) {
  EXPECT_EQ(FifoOutcome(&NestedAgainstOlder), "child older main");
  EXPECT_THAT(AllOutcomes(&NestedAgainstOlder),
              UnorderedElementsAre("child older main", "child main older",
                                   "older child main"));
}

TEST(CandidatesTest, SleepersWithEqualDeadlinesMayWakeInAnyOrder) {
  const auto outcomes = AllOutcomes([](Log& log) -> Coro<void> {
    const auto sleep = [](Log& names, std::string name) -> Coro<void> {
      co_await Sleep(absl::Milliseconds(1));
      names.push_back(name);
    };
    Task<void> a = CreateTask(sleep(log, "a"));
    Task<void> b = CreateTask(sleep(log, "b"));
    co_await a;
    co_await b;
  });
  EXPECT_THAT(outcomes, UnorderedElementsAre("a b", "b a"));
}

TEST(CandidatesTest, EqualNumbersAreEqualTasks) {
  // Starves the second task that is made after main.
  class StarveOne final : public Strategy {
   public:
    void BeginExecution(Rng&) override {}
    std::size_t Choose(const ChoicePoint& point) override {
      for (std::size_t i = 0; i < point.size(); ++i) {
        if (!point[i].is_timer() && point[i].chain() != 3) return i;
      }
      return 0;
    }
  };
  Simulator simulator;
  StarveOne starve_one;
  Log log;
  const auto body = [](Log& names) -> Coro<void> {
    Task<void> a = CreateTask(NoteName(names, "a", 5));
    Task<void> b = CreateTask(NoteName(names, "b", 0));
    Task<void> c = CreateTask(NoteName(names, "c", 5));
    co_await a;
    co_await c;
    co_await b;
  };
  simulator.Run([&] { return body(log); }, starve_one, {});
  EXPECT_THAT(log, ElementsAre("a", "c", "b"));
}

// ---- What is recorded. ----

Coro<void> Mixed(Log& log) {
  auto race = Gather(NoteName(log, "a", 3), NoteName(log, "b", 2),
                     NoteTwice(log, "c", absl::Milliseconds(1)));
  co_await race;
  co_await WaitingFor(log);
  co_await Queues(log);
}

TEST(RecordingTest, TheDeviationsOfARandomExecutionBringItBack) {
  Simulator simulator;
  RandomStrategy random;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Log first_log;
    const Execution first =
        simulator.Run([&] { return Mixed(first_log); }, random, {seed, 0});
    Log second_log;
    ReplayStrategy replay(first.deviations);
    const Execution& second =
        simulator.Run([&] { return Mixed(second_log); }, replay, {});
    EXPECT_EQ(second_log, first_log);
    EXPECT_EQ(second.deviations, first.deviations);
    EXPECT_EQ(second.trace_hash, first.trace_hash);
    EXPECT_EQ(second.check, first.check);
    EXPECT_EQ(replay.FinalDivergence(), std::nullopt);
  }
}

TEST(RecordingTest, AnObserverChangesNothing) {
  class Watcher final : public Observer {
   public:
    void Step(const ChoicePoint& point, std::size_t) override {
      steps_ = point.step();
    }
    void Failed(const Failure&) override {}
    void End(EventLoop&) override {}
    std::uint64_t steps() const { return steps_; }

   private:
    std::uint64_t steps_ = 0;
  };
  Simulator simulator;
  RandomStrategy random;
  Log unseen;
  const Execution first =
      simulator.Run([&] { return Mixed(unseen); }, random, {7, 0});
  Log seen;
  Watcher watcher;
  const Execution& second =
      simulator.Run([&] { return Mixed(seen); }, random, {7, 0}, &watcher);
  EXPECT_EQ(seen, unseen);
  EXPECT_EQ(second.trace_hash, first.trace_hash);
  EXPECT_EQ(watcher.steps(), first.steps);
}

TEST(RecordingTest, DifferentSeedsFindDifferentExecutions) {
  Simulator simulator;
  RandomStrategy random;
  std::set<std::uint64_t> traces;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Log log;
    traces.insert(simulator.Run([&] { return Mixed(log); }, random, {seed, 0})
                      .trace_hash);
  }
  EXPECT_GT(traces.size(), 95);
}

TEST(SimulatorTest, OnlyARunningOneIsCurrent) {
  EXPECT_EQ(Simulator::Current(), nullptr);
  Simulator simulator;
  FifoStrategy fifo;
  Simulator* seen = nullptr;
  simulator.Run(
      [&seen] {
        seen = Simulator::Current();
        const auto body = []() -> Coro<void> { co_return; };
        return body();
      },
      fifo, {});
  EXPECT_EQ(seen, &simulator);
  EXPECT_EQ(Simulator::Current(), nullptr);
}

TEST(SimulatorTest, EveryExecutionBeginsAnew) {
  Simulator simulator;
  FifoStrategy fifo;
  Log first;
  simulator.Run([&] { return Queues(first); }, fifo, {});
  simulator.Run(
      [] {
        const auto fails = []() -> Coro<void> {
          CreateTask(Sleep(absl::Hours(1)));
          co_await Sleep(absl::Seconds(1));
          throw ValueError("half way");
        };
        return fails();
      },
      fifo, {});
  Log again;
  simulator.Run([&] { return Queues(again); }, fifo, {});
  EXPECT_EQ(again, first);
}

}  // namespace
}  // namespace clotho::sim::internal
