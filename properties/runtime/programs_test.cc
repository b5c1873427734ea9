// Random programs: what the generator creates, how it shrinks, and that every
// run ends.

#include "clotho/properties/runtime/programs.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "clotho/properties/runtime/program_runner.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {
namespace {

using Op = Statement::Op;

struct Ops : ProgramObserver {
  void Begins(int, const Statement& statement) override {
    ops.insert(statement.op);
  }
  std::set<Op> ops;
};

// The first failure in five random executions.
sim::Report RunSome(const Program& program, const RunOptions& options = {}) {
  sim::Search search = sim::MakeSearch(sim::Random{.schedules = 5});
  search.shrink_runs_max = 0;
  return sim::RunSearch([&] { return RunProgram(program, options); }, search,
                        "");
}

TEST(ProgramsTest, AllStatementsOccurAndAllProgramsEnd) {
  constexpr int kPrograms = 300;
  const auto ops = std::make_shared<Ops>();
  int deadlocks = 0;
  for (std::uint64_t seed = 0; seed < kPrograms; ++seed) {
    const Program program = RandomProgram(rc::Random(seed), 20);
    const sim::Report report = RunSome(program, {.observers = {ops}});
    if (report.passed()) continue;
    ++deadlocks;
    ASSERT_EQ(report.failure()->kind, sim::FailureKind::kDeadlock)
        << "seed " << seed << "\n"
        << report;
  }
  EXPECT_EQ(ops->ops.size(), static_cast<std::size_t>(Statement::kOps));
  // Neither common nor very rare.
  EXPECT_GT(deadlocks, kPrograms / 20);
  EXPECT_LT(deadlocks, kPrograms / 2);
}

TEST(ProgramsTest, ASeedMakesTheSameProgramEverywhere) {
  const Program program = RandomProgram(rc::Random(7), 20);
  EXPECT_EQ(program, RandomProgram(rc::Random(7), 20));
  EXPECT_NE(program, RandomProgram(rc::Random(8), 20));
}

TEST(ProgramsTest, SmallerProgramsAreSmallerAndRun) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Program program = RandomProgram(rc::Random(seed), 10);
    const std::vector<Program> smaller = SmallerPrograms(program);
    // At least, each statement can be left out.
    EXPECT_GE(smaller.size(), Size(program));
    for (const Program& candidate : smaller) {
      EXPECT_LE(Size(candidate), Size(program));
      EXPECT_NE(candidate, program);
      const sim::Report report = RunSome(candidate);
      if (report.passed()) continue;
      ASSERT_EQ(report.failure()->kind, sim::FailureKind::kDeadlock) << report;
    }
  }
}

// Shrinking while keeping a statement of this kind must end with that statement
// and what it depends on.
Program ShrunkTo(Op op) {
  Program program;
  const auto has_op = [op](const Program& candidate) {
    const auto ops = std::make_shared<Ops>();
    RunSome(candidate, {.observers = {ops}});
    return ops->ops.contains(op);
  };
  for (std::uint64_t seed = 0; !has_op(program); ++seed) {
    program = RandomProgram(rc::Random(seed), 20);
  }
  bool shrunk = true;
  while (shrunk) {
    shrunk = false;
    for (const Program& candidate : SmallerPrograms(program)) {
      if (!has_op(candidate)) continue;
      program = candidate;
      shrunk = true;
      break;
    }
  }
  return program;
}

TEST(ProgramsTest, ShrinkingLeavesWhatMatters) {
  for (int op = 0; op < Statement::kOps; ++op) {
    const Program program = ShrunkTo(static_cast<Op>(op));
    // The statement, and for kAwaitTask the task.
    const std::size_t least = op == static_cast<int>(Op::kAwaitTask) ? 2 : 1;
    EXPECT_EQ(Size(program), least) << program;
  }
}

TEST(ProgramsTest, APrintedProgramIsOneThatAPersonCouldHaveWritten) {
  Statement acquire{.op = Op::kLock, .number = 1};
  acquire.body.push_back({.op = Op::kSleep, .number = 2, .ms = 3});
  Statement wait{.op = Op::kWaitFor, .number = 3, .ms = 1};
  Operand& inner = wait.operands.emplace_back();
  inner.which = 2;
  inner.body.push_back({.op = Op::kGet, .number = 4});
  Statement spawn{.op = Op::kSpawn, .number = 5};
  Operand& worker = spawn.operands.emplace_back();
  worker.which = 1;
  worker.body = {acquire, wait};
  Program program;
  program.main = {spawn, {.op = Op::kCancel, .number = 6, .which = 1}};
  EXPECT_EQ(ToCpp(program), R"(struct Program {
  Lock lock_a{"lock_a"};
  Queue<int> queue_a{1, "queue_a"};
  std::optional<Task<int>> main;
  std::optional<Task<int>> worker_1;
  std::vector<Task<int>> tasks;  // All of them.

  Task<int> Start(std::optional<Task<int>>& place,
                  std::string_view name, Coro<int> coro) {
    place = CreateTask(std::move(coro), {.name = name});
    tasks.push_back(*place);
    return *place;
  }

  Coro<void> Run() {
    Start(main, "main", Main());
    // Each with any outcome.
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      const std::vector<Task<int>> next = {tasks[i]};
      co_await Wait(next);
      if (!next[0].Cancelled()) static_cast<void>(next[0].GetException());
    }
  }

  Coro<int> Main() {
    Start(worker_1, "worker_1", Worker1());
    if (worker_1.has_value()) worker_1->Cancel();
    co_return 0;
  }

  Coro<int> Worker1() {
    {
      auto guard_1 = co_await lock_a.Acquire();
      co_await Sleep(absl::Milliseconds(3));
    }
    co_await WaitFor(Worker2(), absl::Milliseconds(1));
    co_return 1;
  }

  Coro<int> Worker2() {
    co_await queue_a.Get();
    queue_a.TaskDone();
    co_return 2;
  }
};
)");
}

}  // namespace
}  // namespace clotho::properties
