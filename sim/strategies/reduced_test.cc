// The exhaustive searches against the truth: 500 small random programs whose
// executions are all enumerated by an independent recursion.

#include "clotho/sim/strategies/reduced.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/choice.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/history.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/run_until_idle.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/strategies/exhaustive.h"
#include "clotho/sim/tracked.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using ::testing::HasSubstr;

auto Give() { return Sleep(absl::ZeroDuration()); }

// ---- Random programs. ----

struct Op {
  enum Kind {
    kAdd,      // Reads a variable, yields, writes it: may lose an update.
    kTouch,    // Reads or writes a variable.
    kLocked,   // The same while holding a lock.
    kSet,      // Sets an event.
    kWait,     // Waits for an event.
    kPut,      // Puts into a queue.
    kGet,      // Gets from a queue.
    kSleep,    // Sleeps for some milliseconds.
    kGive,     // Yields.
    kCancel,   // Cancels another task.
    kIsDone,   // Checks whether another task is done.
    kPermit,   // Holds a semaphore.
    kResolve,  // Resolves a future, if it is pending.
    kFuture,   // Waits for a future.
    kSoon,     // Schedules a callback that writes a variable.
    kChoose,   // The environment decides.
    kCall,     // Begins and ends an operation of a history.
    kTurn,     // Waits for its turn of a Sequencer.
    kKinds,
  };
  Kind kind;
  int which;
};

using Program = std::vector<std::vector<Op>>;  // The tasks' ops.

constexpr int kObjects = 2;

Program RandomProgram(std::uint64_t seed) {
  Rng rng(seed);
  Program program(2 + rng.Uniform(2));
  int left = 5;
  for (auto& ops : program) {
    for (std::uint64_t i = 1 + rng.Uniform(3); i > 0 && left > 0; --i, --left) {
      ops.push_back({static_cast<Op::Kind>(rng.Uniform(Op::kKinds)),
                     static_cast<int>(rng.Uniform(kObjects))});
    }
  }
  return program;
}

// Callers get 0, then 1, and so on. Most histories contradict it, depending on
// the order of events.
struct Numbers {
  using State = int;
  using Operation = int;
  using Result = int;
  static Result Apply(State& state, const Operation& /*operation*/) {
    return state++;
  }
};

// The shared state of the tasks. A callback left behind by kSoon may run after
// the body has returned, so it keeps the world alive.
struct World : std::enable_shared_from_this<World> {
  std::array<Tracked<int>, kObjects> variables{Tracked<int>("x", 0),
                                               Tracked<int>("y", 0)};
  Lock lock;
  std::array<Event, kObjects> events;
  Queue<int> queue{1};
  Semaphore semaphore{1};
  std::array<Future<int>, kObjects> futures;
  std::vector<Task<void>> tasks;
  History<Numbers> history{"numbers"};
  Sequencer turn;
};

// What the tasks saw and how far they got, readable after the execution even if
// it deadlocked.
using Seen = std::vector<std::string>;

Coro<void> Act(const Op& op, std::size_t me, World& world, Seen& seen) {
  Tracked<int>& variable = world.variables[op.which];
  const int mark = 10 * static_cast<int>(me) + 1;
  const std::size_t other = (me + 1 + op.which) % world.tasks.size();
  switch (op.kind) {
    case Op::kAdd: {
      const int value = variable.Read();
      co_await Give();
      variable.Write() = value + mark;
      break;
    }
    case Op::kTouch:
      if (me % 2 == 0) {
        absl::StrAppend(&seen[me], " read ", variable.Read());
      } else {
        variable.Write() = variable.Read() * 2 + mark;
      }
      break;
    case Op::kLocked: {
      auto guard = co_await world.lock.Acquire();
      const int value = variable.Read();
      co_await Give();
      variable.Write() = value * 2 + mark;
      break;
    }
    case Op::kSet:
      world.events[op.which].Set();
      break;
    case Op::kWait:
      co_await world.events[op.which].Wait();
      break;
    case Op::kPut:
      co_await world.queue.Put(mark);
      break;
    case Op::kGet: {
      const int got = co_await world.queue.Get();
      absl::StrAppend(&seen[me], " got ", got);
      break;
    }
    case Op::kSleep:
      co_await Sleep(absl::Milliseconds(1 + op.which));
      break;
    case Op::kGive:
      co_await Give();
      break;
    case Op::kCancel:
      absl::StrAppend(&seen[me], " cancel ", world.tasks[other].Cancel());
      break;
    case Op::kIsDone:
      absl::StrAppend(&seen[me], " done ", world.tasks[other].Done());
      break;
    case Op::kPermit: {
      auto guard = co_await world.semaphore.Acquire();
      absl::StrAppend(&seen[me], " read ", variable.Read());
      co_await Give();
      break;
    }
    case Op::kResolve:
      if (!world.futures[op.which].Done()) {
        world.futures[op.which].SetResult(mark);
      }
      break;
    case Op::kFuture: {
      const int got = co_await world.futures[op.which];
      absl::StrAppend(&seen[me], " got ", got);
      break;
    }
    case Op::kSoon:
      GetRunningLoop().CallSoon(
          [&variable, mark, alive = world.shared_from_this()] {
            variable.Write() = variable.Read() * 3 + mark;
          });
      break;
    case Op::kChoose:
      if (Choose(2) == 1) variable.Write() = mark;
      break;
    case Op::kCall: {
      auto call = world.history.Begin("client", op.which);
      co_await Give();
      call.End(static_cast<int>(me));
      break;
    }
    case Op::kTurn: {
      Sequencer::Turn turn = co_await world.turn(1 + op.which);
      absl::StrAppend(&seen[me], " turn");
      break;
    }
    case Op::kKinds:
      break;
  }
}

Coro<void> Actor(const std::vector<Op>& ops, std::size_t me, World& world,
                 Seen& seen) {
  try {
    for (const Op& op : ops) {
      co_await Act(op, me, world, seen);
      absl::StrAppend(&seen[me], ".");
    }
  } catch (const CancelledError&) {
    absl::StrAppend(&seen[me], " cancelled");
    throw;
  }
}

Coro<void> RunProgram(const Program& program, Seen& seen, std::string& end) {
  seen.assign(program.size(), "");
  end = "stuck";
  const auto shared = std::make_shared<World>();
  World& world = *shared;
  for (std::size_t i = 0; i < program.size(); ++i) {
    world.tasks.push_back(CreateTask(Actor(program[i], i, world, seen)));
  }
  for (const Task<void>& task : world.tasks) {
    try {
      co_await task;
    } catch (const CancelledError&) {
    }
  }
  end = absl::StrCat(world.variables[0].Read(), " ", world.variables[1].Read(),
                     " ", world.queue.Qsize(), world.lock.Locked(),
                     world.events[0].IsSet(), world.events[1].IsSet(), " at ",
                     absl::ToInt64Nanoseconds(GetRunningLoop().Time()), " ",
                     std::string(VerdictName(world.history.Decide().verdict)));
}

// ---- Three ways to run all of its executions. ----

struct Found {
  std::set<std::string> states;
  std::uint64_t executions = 0;
  std::string scope;
};

constexpr std::uint64_t kExecutionsMax = 20'000;

class Runs {
 public:
  explicit Runs(const Program& program) : program_(program) {}

  void Run(Strategy& strategy, Found& found) {
    const internal::Execution& execution = simulator_.Run(
        [this] { return RunProgram(program_, seen_, end_); }, strategy, {});
    std::string state = end_;
    for (const std::string& seen : seen_) absl::StrAppend(&state, " |", seen);
    if (execution.failure.has_value()) {
      // The states of the other tasks when the body throws are not a final
      // state.
      if (execution.failure->kind == FailureKind::kException) state.clear();
      absl::StrAppend(&state, " FAILS ", execution.failure->signature);
    }
    found.states.insert(state);
    ++found.executions;
  }

 private:
  const Program& program_;
  internal::Simulator simulator_;
  Seen seen_;
  std::string end_;
};

// nullopt if there are too many.
std::optional<Found> Search(const Program& program, Strategy& strategy) {
  Runs runs(program);
  Found found;
  while (!strategy.done()) {
    if (found.executions == kExecutionsMax) return std::nullopt;
    runs.Run(strategy, found);
    strategy.EndExecution();
  }
  found.scope = strategy.scope();
  return found;
}

// Follows a list of choices, then FIFO order, and records the alternatives.
class Prefix final : public Strategy {
 public:
  explicit Prefix(const std::vector<std::uint64_t>& prefix) : prefix_(prefix) {}
  void BeginExecution(Rng&) override {}
  std::size_t Choose(const ChoicePoint& point) override {
    return Next(point.size());
  }
  std::uint64_t ChooseValue(const ValueChoice& choice, Rng&) override {
    return Next(choice.size);
  }
  const std::vector<std::uint64_t>& sizes() const { return sizes_; }

 private:
  std::uint64_t Next(std::uint64_t size) {
    sizes_.push_back(size);
    return sizes_.size() <= prefix_.size() ? prefix_[sizes_.size() - 1] : 0;
  }
  const std::vector<std::uint64_t>& prefix_;
  std::vector<std::uint64_t> sizes_;
};

// All executions that begin with `prefix`.
void Enumerate(Runs& runs, const std::vector<std::uint64_t>& prefix,
               Found& found) {
  if (found.executions > kExecutionsMax) return;
  Prefix strategy(prefix);
  runs.Run(strategy, found);
  for (std::size_t at = prefix.size(); at < strategy.sizes().size(); ++at) {
    for (std::uint64_t value = 1; value < strategy.sizes()[at]; ++value) {
      std::vector<std::uint64_t> longer = prefix;
      longer.resize(at, 0);
      longer.push_back(value);
      Enumerate(runs, longer, found);
    }
  }
}

TEST(ReducedTest, FindsWhatEnumerationFindsInRandomPrograms) {
  int programs = 0;
  int reduced_programs = 0;
  std::uint64_t all_executions = 0;
  std::uint64_t reduced_executions = 0;
  for (std::uint64_t seed = 1; programs < 500; ++seed) {
    const Program program = RandomProgram(seed);
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Found truth;
    {
      Runs runs(program);
      Enumerate(runs, {}, truth);
    }
    if (truth.executions > kExecutionsMax) continue;
    ++programs;
    ExhaustiveStrategy exhaustive;
    const std::optional<Found> all = Search(program, exhaustive);
    ASSERT_TRUE(all.has_value());
    ASSERT_EQ(all->states, truth.states);
    ASSERT_EQ(all->executions, truth.executions);
    ReducedStrategy reduced;
    const std::optional<Found> some = Search(program, reduced);
    ASSERT_TRUE(some.has_value());
    ASSERT_EQ(some->states, truth.states) << some->scope;
    all_executions += all->executions;
    reduced_executions += some->executions;
    if (some->scope == "up to the order of independent steps") {
      ++reduced_programs;
      EXPECT_LE(some->executions, all->executions);
    } else {
      EXPECT_LE(some->executions - reduced.repeated(), all->executions);
    }
  }
  EXPECT_GE(reduced_programs, 490);
  EXPECT_LT(reduced_executions, all_executions / 5);
}

// ---- The lost update: each task adds to a counter several times. ----

Coro<void> Updates(int tasks, int times, std::set<int>& results) {
  Tracked<int> count{"count", 0};
  const auto update = [&count, times]() -> Coro<void> {
    for (int i = 0; i < times; ++i) {
      const int seen = count.Read();
      co_await Give();
      count.Write() = seen + 1;
      if (i + 1 < times) co_await Give();
    }
  };
  std::vector<Task<void>> all;
  for (int i = 0; i < tasks; ++i) all.push_back(CreateTask(update()));
  co_await Gather(std::move(all));
  results.insert(count.Read());
}

TEST(ReducedTest, TheLostUpdateInNumbers) {
  struct Case {
    int tasks;
    int times;
    std::uint64_t all;
    std::uint64_t reduced;
  };
  for (const Case& c :
       {Case{2, 1, 6, 4}, Case{2, 2, 70, 34}, Case{2, 3, 924, 328},
        Case{3, 1, 90, 36}, Case{3, 2, 34'650, 7'134}}) {
    SCOPED_TRACE(absl::StrCat(c.tasks, " tasks, ", c.times, " times"));
    std::set<int> of_all;
    std::set<int> of_reduced;
    const Report all = Explore(
        [&] { return Updates(c.tasks, c.times, of_all); }, Exhaustive());
    const Report reduced =
        Explore([&] { return Updates(c.tasks, c.times, of_reduced); },
                Exhaustive{.reduce = true});
    EXPECT_TRUE(all.passed()) << all;
    EXPECT_TRUE(reduced.passed()) << reduced;
    EXPECT_EQ(of_all, of_reduced);
    EXPECT_EQ(all.search.executions, c.all);
    EXPECT_EQ(reduced.search.executions, c.reduced);
    EXPECT_THAT(reduced.Text(),
                HasSubstr("up to the order of independent steps"));
  }
}

TEST(ReducedTest, OfTasksThatShareNothingOnlyTheOrderOfTheirEndsIsLeft) {
  const auto body = []() -> Coro<void> {
    const auto work = [](std::string_view name) -> Coro<void> {
      Tracked<int> own{name, 0};
      for (int i = 0; i < 4; ++i) {
        own.Write() += 1;
        co_await Give();
      }
    };
    std::vector<Task<void>> all;
    for (const char* const name : {"a", "b"}) {
      all.push_back(CreateTask(work(name)));
    }
    co_await Gather(std::move(all));  // Gather counts those that have ended.
  };
  EXPECT_EQ(Explore(body, Exhaustive()).search.executions, 252);
  const Report report = Explore(body, Exhaustive{.reduce = true});
  EXPECT_EQ(report.search.executions, 2) << report;
}

TEST(ReducedTest, WhatItDoesNotKnowMakesItRunAll) {
  std::set<int> ends;
  const auto body = [&ends]() -> Coro<void> {
    Tracked<int> x{"x", 0};
    const auto add = [&x](int what) -> Coro<void> {
      x.Write() = 2 * x.Read() + what;
      co_return;
    };
    Task<void> a = CreateTask(add(1));
    Task<void> b = CreateTask(add(2));
    co_await Shield(a);
    co_await b;
    ends.insert(x.Read());
  };
  const Report all = Explore(body, Exhaustive());
  const Report report = Explore(body, Exhaustive{.reduce = true});
  EXPECT_TRUE(report.passed()) << report;
  EXPECT_EQ(report.search.distinct_executions, all.search.executions);
  EXPECT_THAT(ends, ::testing::ElementsAre(4, 5));
  EXPECT_THAT(report.Text(),
              HasSubstr("(not reduced: the program uses Shield)"));
}

TEST(ReducedTest, WhoPollsIsNotChosenForEver) {
  const auto body = []() -> Coro<void> {
    struct State {
      Tracked<bool> come{"come", false};
    } state;
    const auto come = [](State& s) -> Coro<void> {
      s.come = true;
      co_return;
    };
    const auto poll = [](State& s) -> Coro<void> {
      while (!s.come) co_await Give();
    };
    Task<void> poller = CreateTask(poll(state));
    Task<void> comer = CreateTask(come(state));
    co_await poller;
    co_await comer;
  };
  const Report report =
      Explore(body, Exhaustive{.reduce = true}, Limits{.steps_max = 5'000});
  EXPECT_TRUE(report.passed()) << report;
  EXPECT_TRUE(report.search.exhausted);
  EXPECT_THAT(report.Text(),
              HasSubstr("choices (not reduced: the program uses a polling "
                        "loop that may never end)"));
}

TEST(ReducedTest, ABoundIsRefused) {
  int runs = 0;
  const auto body = [&runs]() -> Coro<void> {
    ++runs;
    co_return;
  };
  const Report report =
      Explore(body, Exhaustive{.deviations_max = 2, .reduce = true});
  EXPECT_EQ(report.verdict(), Report::Verdict::kMisused);
  EXPECT_THAT(report.Text(), HasSubstr(".deviations_max"));
  EXPECT_EQ(runs, 0);
}

TEST(ReducedTest, FindsAFailureThatItCanReplay) {
  const auto body = []() -> Coro<void> {
    Tracked<int> x{"x", 0};
    const auto add = [&x]() -> Coro<void> {
      const int seen = x.Read();
      co_await Give();
      x.Write() = seen + 1;
    };
    Task<void> a = CreateTask(add());
    Task<void> b = CreateTask(add());
    co_await a;
    co_await b;
    Always(x.Read() == 2, "no update is lost");
  };
  const Report report = Explore(body, Exhaustive{.reduce = true});
  ASSERT_FALSE(report.passed());
  EXPECT_NE(report.verdict(), Report::Verdict::kNondeterministic);
  EXPECT_TRUE(report.shrinking.minimal);
}

}  // namespace
}  // namespace clotho::sim
