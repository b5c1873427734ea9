// Generates random programs, and smaller versions of them.

#include "clotho/properties/runtime/programs.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "rapidcheck.h"

namespace clotho::properties {

using Op = Statement::Op;

bool Operand::operator==(const Operand& other) const = default;
bool Statement::operator==(const Statement& other) const = default;
bool Program::operator==(const Program& other) const = default;

namespace {

// ---- What a program consists of. ----

// Calls `visit(block, index)` for every statement, outer ones first. `visit`
// may change the contents of the statement; returning false stops the walk.
template <typename ProgramBlock, typename Visit>
bool Walk(ProgramBlock& block, const Visit& visit) {
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (!visit(block, i)) return false;
    auto& statement = block[i];
    for (auto& operand : statement.operands) {
      if (!Walk(operand.body, visit)) return false;
    }
    if (!Walk(statement.body, visit)) return false;
    if (!Walk(statement.handler, visit)) return false;
  }
  return true;
}

// WaitFor and Timeout run a coroutine in the task that awaits them.
bool RunsInline(Op op) { return op == Op::kWaitFor || op == Op::kTimeout; }

// The numbers of the bodies that are tasks, "main" among them.
std::set<int> TasksOf(const Program& program) {
  std::set<int> tasks = {0};
  Walk(program.main, [&tasks](const Block& block, std::size_t i) {
    if (RunsInline(block[i].op)) return true;
    for (const Operand& operand : block[i].operands) {
      if (operand.kind == Operand::Kind::kBody) tasks.insert(operand.which);
    }
    return true;
  });
  return tasks;
}

// True if it names a task that does not exist.
bool Dangles(const Statement& statement, const std::set<int>& tasks) {
  switch (statement.op) {
    case Op::kCancel:
    case Op::kAwaitTask:
    case Op::kOnDone:
      return !tasks.contains(statement.which);
    default:
      break;
  }
  for (const Operand& operand : statement.operands) {
    if (operand.kind == Operand::Kind::kTask &&
        !tasks.contains(operand.which)) {
      return true;
    }
  }
  return false;
}

// Removes statements that name tasks which no longer exist.
void Prune(Program& program) {
  while (true) {
    const std::set<int> tasks = TasksOf(program);
    const bool clean =
        Walk(program.main, [&tasks](Block& block, std::size_t i) {
          if (!Dangles(block[i], tasks)) return true;
          block.erase(block.begin() + static_cast<std::ptrdiff_t>(i));
          return false;
        });
    if (clean) return;
  }
}

// ---- Random programs. ----

// A program uses only some of these groups, and therefore more of each: a fault
// in locks seldom needs barriers.
enum Group {
  kAlwaysThere,
  kLocks,
  kSemaphores,
  kEvents,
  kConditions,
  kBarriers,
  kQueues,
  kFutures,
  kErrors,
  kAwaits,
  kContexts,
  kCallbacks,
  kDeadlines,
  kShields,
  kGathers,
  kWaits,
  kTaskGroups,
  kCatches,
  kGroups,
};

struct Weighted {
  Op op;
  Group group;
  int weight;
};

constexpr std::array kWeights = std::to_array<Weighted>({
    {Op::kSleep, kAlwaysThere, 10},
    {Op::kSpawn, kAlwaysThere, 10},
    {Op::kCancel, kAlwaysThere, 8},
    {Op::kRaise, kErrors, 3},
    {Op::kAwaitTask, kAwaits, 5},
    {Op::kAwaitFuture, kFutures, 4},
    {Op::kResolveFuture, kFutures, 4},
    {Op::kFailFuture, kFutures, 1},
    {Op::kCancelFuture, kFutures, 1},
    {Op::kLock, kLocks, 12},
    {Op::kPermit, kSemaphores, 10},
    {Op::kSetEvent, kEvents, 4},
    {Op::kClearEvent, kEvents, 2},
    {Op::kAwaitEvent, kEvents, 5},
    {Op::kAwaitCondition, kConditions, 7},
    {Op::kNotify, kConditions, 6},
    {Op::kBarrier, kBarriers, 7},
    {Op::kResetBarrier, kBarriers, 1},
    {Op::kAbortBarrier, kBarriers, 1},
    {Op::kPut, kQueues, 6},
    {Op::kGet, kQueues, 6},
    {Op::kJoin, kQueues, 1},
    {Op::kShutdown, kQueues, 1},
    {Op::kSet, kContexts, 4},
    {Op::kOnDone, kCallbacks, 4},
    {Op::kWaitFor, kDeadlines, 6},
    {Op::kTimeout, kDeadlines, 4},
    {Op::kShield, kShields, 4},
    {Op::kGather, kGathers, 6},
    {Op::kWait, kWaits, 4},
    {Op::kAsCompleted, kWaits, 3},
    {Op::kGroup, kTaskGroups, 6},
    {Op::kCatch, kCatches, 7},
});

class Maker {
 public:
  Maker(rc::Random random, int statements)
      : random_(random), left_(statements) {
    for (int group = 0; group < kGroups; ++group) {
      if (group != kAlwaysThere && !OneIn(3)) continue;
      for (const Weighted& weighted : kWeights) {
        if (weighted.group != group) continue;
        weights_.push_back(weighted);
        weights_sum_ += weighted.weight;
      }
    }
  }

  Program Make() {
    Program program;
    // Tasks that start together and want the same thing. Then one of them gets
    // it, and one is cancelled.
    const Op wanted = DrawWait();
    for (int i = Uniform(4); i > 0 && left_ > 0; --i) {
      Statement spawn = MakeStatement(0, Op::kSpawn);
      first_tasks_.push_back(spawn.operands[0].which);
      if (!OneIn(3)) {
        Block& body = spawn.operands[0].body;
        body.insert(body.begin(), MakeStatement(1, wanted));
        body.front().which = 0;
      }
      program.main.push_back(std::move(spawn));
    }
    if (!first_tasks_.empty() && OneIn(2)) {
      program.main.push_back(MakeStatement(0, Op::kSleep));
      program.main.push_back(MakeStatement(0, Giving(wanted)));
      program.main.back().which = 0;
      program.main.push_back(MakeStatement(0, Op::kCancel));
    }
    while (left_ > 0) program.main.push_back(MakeStatement(0, DrawOp(0)));
    NameTasks(program);
    // Most programs would deadlock without a helper.
    if (!OneIn(3)) program.main.insert(program.main.begin(), Helper(program));
    return program;
  }

 private:
  static constexpr int kDepthMax = 4;

  int Uniform(int size) {
    return static_cast<int>(random_.next() % static_cast<std::uint64_t>(size));
  }
  bool OneIn(int size) { return Uniform(size) == 0; }

  static bool HasBlocks(Op op) {
    switch (op) {
      case Op::kSpawn:
      case Op::kLock:
      case Op::kPermit:
      case Op::kWaitFor:
      case Op::kTimeout:
      case Op::kShield:
      case Op::kGather:
      case Op::kWait:
      case Op::kAsCompleted:
      case Op::kGroup:
      case Op::kCatch:
        return true;
      default:
        return false;
    }
  }

  Op DrawOp(int depth) {
    while (true) {
      int drawn = Uniform(weights_sum_);
      for (const Weighted& weighted : weights_) {
        drawn -= weighted.weight;
        if (drawn >= 0) continue;
        if (depth < kDepthMax || !HasBlocks(weighted.op)) return weighted.op;
        break;
      }
    }
  }

  // A wait for something, if the program has it.
  Op DrawWait() {
    for (int i = 0; i < 20; ++i) {
      const Op op = DrawOp(0);
      switch (op) {
        case Op::kAwaitFuture:
        case Op::kLock:
        case Op::kPermit:
        case Op::kAwaitEvent:
        case Op::kAwaitCondition:
        case Op::kPut:
        case Op::kGet:
          return op;
        default:
          break;
      }
    }
    return Op::kSleep;
  }

  // The statement that ends such a wait.
  static Op Giving(Op wait) {
    switch (wait) {
      case Op::kAwaitFuture:
        return Op::kResolveFuture;
      case Op::kAwaitEvent:
        return Op::kSetEvent;
      case Op::kAwaitCondition:
        return Op::kNotify;
      case Op::kPut:
        return Op::kGet;
      case Op::kGet:
        return Op::kPut;
      default:
        return Op::kSleep;  // Locks are released anyway.
    }
  }

  int Delay() { return Uniform(4); }

  Block MakeBlock(int depth, int at_most) {
    Block block;
    for (int i = OneIn(8) ? 0 : 1 + Uniform(at_most); i > 0 && left_ > 0; --i) {
      block.push_back(MakeStatement(depth + 1, DrawOp(depth + 1)));
    }
    return block;
  }

  // The body of a task, or of a coroutine that runs inside one.
  Operand MakeBody(int depth, bool is_inline = false) {
    Operand operand;
    operand.which = next_body_++;
    const auto held = held_;
    if (!is_inline) held_.clear();
    operand.body = MakeBlock(depth, 4);
    held_ = held;
    return operand;
  }
  // Usually a body, otherwise something that exists.
  Operand MakeOperand(int depth, bool may_be_task, bool is_inline = false) {
    Operand operand;
    if (OneIn(5)) {
      operand.kind = Operand::Kind::kFuture;
      operand.which = Which();
      return operand;
    }
    if (may_be_task && OneIn(4)) {
      operand.kind = Operand::Kind::kTask;  // NameTasks says which.
      return operand;
    }
    return MakeBody(depth, is_inline);
  }

  Statement MakeStatement(int depth, Op op) {
    --left_;
    Statement statement{.op = op, .number = next_statement_++};
    statement.which = Which();
    switch (statement.op) {
      case Op::kSleep:
        statement.ms = Delay();
        break;
      case Op::kSpawn:
        statement.operands.push_back(MakeBody(depth));
        break;
      case Op::kLock:
      case Op::kPermit: {
        // Few acquire what they already hold: nothing else would happen then.
        const std::pair<Op, int> key = {op, statement.which};
        const bool is_new = held_.insert(key).second;
        if (!is_new && !OneIn(8)) {
          statement.op = Op::kSleep;
          statement.ms = Delay();
          break;
        }
        statement.body = MakeBlock(depth, 3);
        if (is_new) held_.erase(key);
        break;
      }
      case Op::kNotify:
        statement.count = Uniform(3);
        break;
      case Op::kPut:
      case Op::kGet:
        statement.which = Uniform(kObjects);
        break;
      case Op::kShutdown:
        statement.flag = OneIn(2);
        break;
      case Op::kWaitFor:
      case Op::kTimeout:
        statement.ms = Delay();
        statement.operands.push_back(
            MakeOperand(depth, true, /*is_inline=*/true));
        break;
      case Op::kShield:
        statement.operands.push_back(MakeOperand(depth, true));
        break;
      case Op::kGather:
        statement.flag = OneIn(3);
        MakeOperands(statement, depth);
        break;
      case Op::kWait:
        statement.count = Uniform(3);
        statement.ms = Uniform(5) - 1;
        MakeOperands(statement, depth);
        break;
      case Op::kAsCompleted:
        statement.ms = Uniform(5) - 1;
        MakeOperands(statement, depth);
        break;
      case Op::kGroup:
        for (int i = 1 + Uniform(2); i > 0; --i) {
          statement.operands.push_back(MakeBody(depth));
        }
        statement.body = MakeBlock(depth, 2);
        break;
      case Op::kCatch:
        statement.catches = static_cast<Statement::Catches>(Uniform(3));
        statement.rethrows = OneIn(2);
        statement.uncancels = OneIn(3);
        statement.body = MakeBlock(depth, 3);
        statement.handler = MakeBlock(depth, 2);
        break;
      default:
        break;
    }
    return statement;
  }

  void MakeOperands(Statement& statement, int depth) {
    for (int i = 1 + Uniform(3); i > 0; --i) {
      statement.operands.push_back(MakeOperand(depth, false));
    }
  }

  // A task that ends most of the existing waits after a while.
  Statement Helper(const Program& program) {
    std::set<std::pair<Op, int>> ends;
    Walk(program.main, [&ends](const Block& block, std::size_t i) {
      const int which = block[i].which;
      switch (block[i].op) {
        case Op::kAwaitEvent:
          ends.insert({Op::kSetEvent, which});
          break;
        case Op::kAwaitCondition:
          ends.insert({Op::kNotify, which});
          break;
        case Op::kBarrier:
          ends.insert({Op::kAbortBarrier, which});
          break;
        case Op::kPut:
        case Op::kGet:
        case Op::kJoin:
          ends.insert({Op::kShutdown, which});
          break;
        case Op::kAwaitFuture:
          ends.insert({Op::kResolveFuture, which});
          break;
        default:
          break;
      }
      for (const Operand& operand : block[i].operands) {
        if (operand.kind == Operand::Kind::kFuture) {
          ends.insert({Op::kResolveFuture, operand.which});
        }
      }
      return true;
    });
    Statement spawn{.op = Op::kSpawn, .number = next_statement_++};
    Operand& body = spawn.operands.emplace_back();
    body.which = next_body_++;
    body.body.push_back(
        {.op = Op::kSleep, .number = next_statement_++, .ms = 4 + Delay()});
    for (const auto& [op, which] : ends) {
      // A shutdown drops the items: otherwise a Join would wait forever.
      body.body.push_back({.op = op,
                           .number = next_statement_++,
                           .which = which,
                           .flag = op == Op::kShutdown});
    }
    return spawn;
  }

  // Assigns task operands once all tasks are known.
  void NameTasks(Program& program) {
    const std::set<int> tasks = TasksOf(program);
    NameTasksIn(program.main, 0, {tasks.begin(), tasks.end()});
    Prune(program);
  }
  void NameTasksIn(Block& block, int body, const std::vector<int>& tasks) {
    // Draws a task later in the tree; if there is none, an unused number.
    const auto draw_later = [&]() -> int {
      const auto first = std::upper_bound(tasks.begin(), tasks.end(), body);
      const auto count = static_cast<int>(tasks.end() - first);
      return count == 0 ? -1 : *(first + Uniform(count));
    };
    for (Statement& statement : block) {
      switch (statement.op) {
        case Op::kCancel:
        case Op::kOnDone:
          statement.which = first_tasks_.empty() || OneIn(2)
                                ? Draw(tasks)
                                : Draw(first_tasks_);
          break;
        case Op::kAwaitTask:
          statement.which = draw_later();
          break;
        default:
          break;
      }
      for (Operand& operand : statement.operands) {
        if (operand.kind == Operand::Kind::kTask) operand.which = draw_later();
        NameTasksIn(operand.body,
                    operand.kind == Operand::Kind::kBody ? operand.which : body,
                    tasks);
      }
      NameTasksIn(statement.body, body, tasks);
      NameTasksIn(statement.handler, body, tasks);
    }
  }

  int Draw(const std::vector<int>& numbers) {
    return numbers[static_cast<std::size_t>(
        Uniform(static_cast<int>(numbers.size())))];
  }
  // One of the two, the first more often, so that tasks meet.
  int Which() { return OneIn(4) ? 1 : 0; }

  rc::Random random_;
  int left_;
  std::vector<Weighted> weights_;
  int weights_sum_ = 0;
  // The tasks that "main" creates first.
  std::vector<int> first_tasks_;
  // The locks and permits held where a statement is being generated.
  std::set<std::pair<Op, int>> held_;
  int next_body_ = 1;
  int next_statement_ = 1;
};

// ---- Smaller programs. ----

// The blocks in a statement, concatenated, can replace it.
Block Contents(const Statement& statement) {
  Block contents;
  const auto append = [&contents](const Block& block) {
    contents.insert(contents.end(), block.begin(), block.end());
  };
  append(statement.body);
  for (const Operand& operand : statement.operands) append(operand.body);
  append(statement.handler);
  return contents;
}

// Simpler versions of the statement that keep some of its contents.
std::vector<Statement> SimplerStatements(const Statement& statement) {
  std::vector<Statement> simpler;
  const auto add = [&](const std::function<void(Statement&)>& simplify) {
    Statement copy = statement;
    simplify(copy);
    if (copy != statement) simpler.push_back(std::move(copy));
  };
  if (statement.operands.size() > 1) {
    for (std::size_t i = 0; i < statement.operands.size(); ++i) {
      add([i](Statement& s) {
        s.operands.erase(s.operands.begin() + static_cast<std::ptrdiff_t>(i));
      });
    }
  }
  // Creating a task is simpler than also waiting for it.
  if (statement.op != Op::kSpawn && !RunsInline(statement.op)) {
    for (const Operand& operand : statement.operands) {
      if (operand.kind != Operand::Kind::kBody) continue;
      simpler.push_back({.op = Op::kSpawn,
                         .number = statement.number,
                         .operands = {operand}});
    }
  }
  // For kCancel and kOnDone that is "main", which always exists.
  if (statement.op != Op::kAwaitTask) add([](Statement& s) { s.which = 0; });
  if (statement.ms > 0) {
    add([](Statement& s) { s.ms = 0; });
    add([](Statement& s) { s.ms -= 1; });
  }
  if (statement.ms < 0) add([](Statement& s) { s.ms = 0; });
  if (statement.op == Op::kWait) add([](Statement& s) { s.count = 0; });
  if (statement.count > 1) add([](Statement& s) { s.count = 1; });
  add([](Statement& s) { s.flag = false; });
  add([](Statement& s) { s.uncancels = false; });
  add([](Statement& s) { s.rethrows = false; });
  for (std::size_t i = 0; i < statement.operands.size(); ++i) {
    if (statement.operands[i].kind == Operand::Kind::kBody) continue;
    add([i](Statement& s) {
      s.operands[i].kind = Operand::Kind::kFuture;
      s.operands[i].which = 0;
    });
  }
  return simpler;
}

}  // namespace

std::size_t Size(const Program& program) {
  std::size_t size = 0;
  Walk(program.main, [&size](const Block&, std::size_t) {
    ++size;
    return true;
  });
  return size;
}

std::string TaskName(int number) {
  return number == 0 ? "main" : absl::StrCat("worker_", number);
}

std::string ObjectName(const std::string& kind, int which) {
  return kind + (which == 0 ? "_a" : "_b");
}

Program RandomProgram(rc::Random random, int statements) {
  return Maker(random, statements).Make();
}

std::vector<Program> SmallerPrograms(const Program& program) {
  std::vector<Program> smaller;
  // Replaces the `place`-th statement by `replacement`.
  const auto replace = [&](std::size_t place, const Block& replacement) {
    Program copy = program;
    std::size_t at = 0;
    Walk(copy.main, [&](Block& block, std::size_t i) {
      if (at++ != place) return true;
      const auto where = block.begin() + static_cast<std::ptrdiff_t>(i);
      block.insert(block.erase(where), replacement.begin(), replacement.end());
      return false;
    });
    Prune(copy);
    smaller.push_back(std::move(copy));
  };
  std::vector<const Statement*> statements;
  Walk(program.main, [&](const Block& block, std::size_t i) {
    statements.push_back(&block[i]);
    return true;
  });
  // The largest reductions come first.
  for (std::size_t i = 0; i < statements.size(); ++i) replace(i, {});
  for (std::size_t i = 0; i < statements.size(); ++i) {
    Block contents = Contents(*statements[i]);
    if (!contents.empty()) replace(i, contents);
  }
  for (std::size_t i = 0; i < statements.size(); ++i) {
    for (Statement& simpler : SimplerStatements(*statements[i])) {
      replace(i, {simpler});
    }
  }
  return smaller;
}

std::ostream& operator<<(std::ostream& out, const Program& program) {
  return out << ToCpp(program);
}

}  // namespace clotho::properties

namespace rc {

Gen<clotho::properties::Program>
Arbitrary<clotho::properties::Program>::arbitrary() {
  using clotho::properties::Program;
  return [](const Random& random, int size) {
    Random first = random;
    const Random second = first.split();
    const int statements = 2 + size / 4 + static_cast<int>(first.next() % 4);
    return shrinkable::shrinkRecur(
        clotho::properties::RandomProgram(second, statements),
        [](const Program& program) {
          return seq::fromContainer(
              clotho::properties::SmallerPrograms(program));
        });
  };
}

}  // namespace rc
