// The model of a random program, and the checks against it.

#include "clotho/properties/runtime/program_checks.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/properties/runtime/program_runner.h"
#include "clotho/properties/runtime/programs.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/hash.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"

namespace clotho::properties {
namespace {

using Op = Statement::Op;
using Kind = Operand::Kind;

std::int64_t Now() { return absl::ToInt64Nanoseconds(GetRunningLoop().Time()); }
std::int64_t Nanoseconds(int ms) { return std::int64_t{ms} * 1'000'000; }

// A statement that a task is executing.
struct Active {
  const Statement* statement;
  std::int64_t begin_ns;
  std::uint64_t order;       // Among all that have started.
  int cancelling;            // Cancelling() at its start.
  int requests;              // Of the task, at its start.
  int uncancels;             // The same.
  std::uint64_t event_sets;  // For kAwaitEvent: how often it was set before.
  // It holds its lock, or its permit.
  bool holds = false;
  // For kAwaitCondition: it waits for a notification.
  bool waits = false;
  // A cancellation was requested while this was the innermost statement; for
  // kAwaitTask, only if the awaited task was done.
  bool requested = false;
  // For kWaitFor and kTimeout: how the coroutine inside has ended.
  bool inner_ended = false;
  Ending inner = {};
};

// The subject of a claim; converted to text only if the claim is false.
struct Who {
  int statement;
  int task;
};
struct Name {
  int task;
};
struct Object {
  const char* kind;
  int which;
};
std::string Text(const Who& who) {
  return absl::StrCat("statement ", who.statement, " of ", TaskName(who.task));
}
std::string Text(const Name& name) { return TaskName(name.task); }
std::string Text(const Object& object) {
  return ObjectName(object.kind, object.which);
}
template <typename T>
const T& Text(const T& part) {
  return part;
}

struct TaskModel {
  std::optional<Task<int>> handle;
  std::vector<Active> stack;  // The outermost first.
  bool started = false;
  bool ended = false;
  Ending ending = {};
  // Accepted calls of Cancel by kCancel, and calls of Uncancel.
  int requests = 0;
  int uncancels = 0;
  bool requested_before_start = false;
  // A requested cancellation must be delivered at the next suspension.
  bool pending = false;
  int setting = 0;
};

struct Callback {
  int statement;
  int setting;
  // The task was not done when it was added.
  bool in_order;
  bool called = false;
};

bool IsOneWait(Op op) {
  switch (op) {
    case Op::kSleep:
    case Op::kAwaitFuture:
    case Op::kAwaitEvent:
    case Op::kBarrier:
    case Op::kPut:
    case Op::kGet:
    case Op::kJoin:
    case Op::kShield:
    case Op::kWait:
    case Op::kAsCompleted:
      return true;
    default:
      return false;
  }
}

// Those that throw CancelledError only if the task was cancelled, not because
// the awaited future was.
bool IsOwnWait(Op op) {
  return IsOneWait(op) && op != Op::kAwaitFuture && op != Op::kShield &&
         op != Op::kAsCompleted;
}

bool IsTimed(Op op) { return op == Op::kWaitFor || op == Op::kTimeout; }

class Checker final : public ProgramChecker {
 public:
  explicit Checker(const Program& program) { NoteAwaited(program.main); }

  std::string AtTheEnd() const override;
  std::string InDeadlock() const override { return stuck_; }
  std::uint64_t Hash() const override { return hash_.Finish(); }

 private:
  void ProgramStarts(Primitives& primitives) override {
    primitives_ = &primitives;
  }
  void TaskIsMade(int maker, int number, const Task<int>& task) override;
  void BodyStarts(int task, int body) override;
  void BodyEnds(int task, int body, const Ending& ending) override;
  void Begins(int task, const Statement& statement) override;
  void Reaches(int task, const Statement& statement, Phase phase) override;
  void Ends(int task, const Statement& statement,
            const Ending& ending) override;
  void IsDestroyed(int task, const Statement& statement) override;
  void Cancels(int task, int target, bool accepted) override;
  void CallbackRuns(const Statement& statement, int target) override;
  void HasEnded(int number, const Task<int>& task) override;
  void AllHaveEnded() override;

  // Fails the execution unless `holds`. The parts form the message.
  template <typename... T>
  void Claim(bool holds, const T&... parts) {
    if (holds || failed_) [[likely]]
      return;
    Fail(absl::StrCat(Text(parts)...));
  }

  void Fail(const std::string& wrong) {
    failed_ = true;
    DropTasks();
    Always(false, wrong);
  }

  // An unretrieved exception must not outlive its execution.
  void DropTasks() {
    over_ = true;
    for (auto& [number, model] : tasks_) model.handle.reset();
  }

  // ---- The parts of `Ends`. ----
  void CheckDelivery(TaskModel& model, const Active& active,
                     const Ending& ending, const Who& who);
  void CheckCount(int task, const TaskModel& model, const Active& active,
                  const Who& who);
  void CheckTimed(const Active& active, const TaskModel& model,
                  const Ending& ending, const Who& who);
  void CheckResults(const Active& active, const Ending& ending, const Who& who);
  void ApplyEffects(TaskModel& model, const Active& active,
                    const Ending& ending, const Who& who);
  void CheckTurn(int task, const Active& active);

  // Awaited tasks, which cancellations can reach through their awaiters.
  void NoteAwaited(const Block& block);

  bool IsDone(int task) const {
    if (over_) return true;
    const auto found = tasks_.find(task);
    return found != tasks_.end() && found->second.handle.has_value() &&
           found->second.handle->Done();
  }
  bool HasFailed(int task) const {
    if (!IsDone(task)) return false;
    const Task<int>& handle = *tasks_.at(task).handle;
    return handle.Cancelled() || handle.GetException() != nullptr;
  }
  bool IsDone(const Operand& operand) const {
    if (operand.kind != Kind::kFuture) return IsDone(operand.which);
    return primitives_->FutureAt(operand.which).Done();
  }
  bool HasFailed(const Operand& operand) const {
    if (operand.kind != Kind::kFuture) return HasFailed(operand.which);
    const Future<int> future = primitives_->FutureAt(operand.which);
    return future.Done() &&
           (future.Cancelled() || future.GetException() != nullptr);
  }
  // Its value, or -1.
  int ValueOf(const Operand& operand) const {
    if (!IsDone(operand) || HasFailed(operand)) return -1;
    if (operand.kind != Kind::kFuture) {
      return tasks_.at(operand.which).handle->Result();
    }
    return primitives_->FutureAt(operand.which).Result();
  }
  // One of each kind of operand that is meant twice.
  static std::vector<Operand> Distinct(const Statement& statement);

  // In a deadlock. Empty: no task.
  std::string WhoCouldGoOn() const;
  // Why this task could continue; empty if it could not.
  std::string WhyReady(const TaskModel& model) const;
  std::string WhyReady(const Active& active) const;
  std::string WhatIsLeft() const;

  Primitives* primitives_ = nullptr;
  std::map<int, TaskModel> tasks_;
  std::set<int> awaited_;
  std::set<int> running_bodies_;
  std::map<int, std::vector<Callback>> callbacks_;  // Per task.

  int lock_holder_[kObjects] = {-1, -1};
  int condition_holder_[kObjects] = {-1, -1};
  int permits_taken_[kObjects] = {0, 0};
  bool event_set_[kObjects] = {false, false};
  std::uint64_t event_sets_[kObjects] = {0, 0};
  // Tasks waiting for a notification, and how many of them have one.
  int condition_waiters_[kObjects] = {0, 0};
  int notified_[kObjects] = {0, 0};
  std::deque<int> items_[kObjects];
  int unfinished_[kObjects] = {0, 0};
  bool shut_down_[kObjects] = {false, false};

  std::uint64_t begun_ = 0;
  bool failed_ = false;
  // All tasks have ended, or will never run again.
  bool over_ = false;
  std::string stuck_;
  sim::StreamHash hash_;
};

void Checker::NoteAwaited(const Block& block) {
  for (const Statement& statement : block) {
    if (statement.op == Op::kAwaitTask) awaited_.insert(statement.which);
    for (const Operand& operand : statement.operands) {
      const bool passes_on = IsTimed(statement.op) ||
                             statement.op == Op::kGather ||
                             statement.op == Op::kGroup;
      if (operand.kind != Kind::kFuture && passes_on) {
        awaited_.insert(operand.which);
      }
      NoteAwaited(operand.body);
    }
    NoteAwaited(statement.body);
    NoteAwaited(statement.handler);
  }
}

void Checker::TaskIsMade(int maker, int number, const Task<int>& task) {
  if (over_) return;
  TaskModel& model = tasks_[number];
  model.handle = task;
  // "main" is created by the loop's own code, as 0.
  if (maker != number) model.setting = tasks_[maker].setting;
}

void Checker::BodyStarts(int task, int body) {
  if (over_) return;
  TaskModel& model = tasks_[task];
  running_bodies_.insert(body);
  if (task != body) return;
  model.started = true;
  Claim(!model.requested_before_start, Name{task},
        " was cancelled before its first step, and runs (T-12)");
}

void Checker::BodyEnds(int task, int body, const Ending& ending) {
  if (over_) return;
  TaskModel& model = tasks_[task];
  running_bodies_.erase(body);
  if (task != body) {
    // The enclosing statement.
    model.stack.back().inner_ended = true;
    model.stack.back().inner = ending;
    return;
  }
  model.ended = true;
  model.ending = ending;
  if (model.uncancels == 0) {
    const int cancelling = model.handle->Cancelling();
    Claim(cancelling >= model.requests &&
              (awaited_.contains(task) || cancelling == model.requests),
          Name{task}, " ends with Cancelling() ", cancelling, " after ",
          model.requests, " requests (T-14)");
  }
}

void Checker::Begins(int task, const Statement& statement) {
  if (over_) return;
  TaskModel& model = tasks_[task];
  const std::optional<AnyTask> current = CurrentTask();
  Claim(current.has_value() && *current == AnyTask(*model.handle),
        "the current task is not ", Name{task}, " (T-20)");
  Claim(CurrentSetting() == model.setting, Name{task}, " sees setting ",
        CurrentSetting(), " in place of its own ", model.setting, " (CX-02)");
  model.stack.push_back({
      .statement = &statement,
      .begin_ns = Now(),
      .order = ++begun_,
      .cancelling = model.handle->Cancelling(),
      .requests = model.requests,
      .uncancels = model.uncancels,
      .event_sets = event_sets_[statement.which % kObjects],
  });
}

// The first to request a lock or a permit gets it first. Tasks that are being
// cancelled have lost their turn.
void Checker::CheckTurn(int task, const Active& active) {
  const Statement& statement = *active.statement;
  if (statement.op != Op::kLock && statement.op != Op::kPermit) return;
  for (const auto& [number, other] : tasks_) {
    if (number == task || other.stack.empty() || other.ended) continue;
    const Active& waiting = other.stack.back();
    if (waiting.statement->op != statement.op ||
        waiting.statement->which != statement.which || waiting.holds ||
        waiting.order > active.order) {
      continue;
    }
    Claim(other.handle->Cancelling() > waiting.cancelling || other.pending,
          Name{task}, " has overtaken ", Name{number}, " at ",
          Object{statement.op == Op::kLock ? "lock" : "semaphore",
                 statement.which},
          " (LK-02, SM-03)");
  }
}

void Checker::Reaches(int task, const Statement& statement, Phase phase) {
  if (over_) return;
  TaskModel& model = tasks_[task];
  Active& active = model.stack.back();
  const int which = statement.which;
  const bool is_permit = statement.op == Op::kPermit;
  int& holder = statement.op == Op::kLock ? lock_holder_[which]
                                          : condition_holder_[which];
  const auto take = [&](const char* rule) {
    Claim(model.handle->Cancelling() == active.cancelling, Name{task},
          " was cancelled while it waited, and goes on (", rule, ")");
    if (is_permit) {
      ++permits_taken_[which];
      Claim(permits_taken_[which] <= kPermits[which], permits_taken_[which],
            " tasks have a permit of ", Object{"semaphore", which},
            ", which has ", kPermits[which], " (SM-02)");
      return;
    }
    Claim(holder == -1, Name{task}, " and ", Name{holder}, " hold ",
          Object{statement.op == Op::kLock ? "lock" : "condition", which},
          " (LK-01)");
    holder = task;
  };
  switch (phase) {
    case Phase::kHolds:
      CheckTurn(task, active);
      active.holds = true;
      take("LK-04, SM-02");
      break;
    case Phase::kWaits:
      active.waits = true;
      holder = -1;
      ++condition_waiters_[which];
      break;
    case Phase::kHoldsAgain:
      active.waits = false;
      --condition_waiters_[which];
      if (notified_[which] > 0) --notified_[which];
      take("CN-02");
      break;
    case Phase::kLetsGo:
      if (active.waits) {
        // The wait has thrown: its notification, if any, now belongs to another
        // task.
        active.waits = false;
        --condition_waiters_[which];
        notified_[which] =
            std::min(notified_[which], condition_waiters_[which]);
        Claim(holder == -1, Name{task}, " leaves its wait without ",
              Object{"condition", which}, ", which ", Name{holder},
              " holds (CN-02)");
      }
      if (statement.op == Op::kNotify) {
        const int waiting = condition_waiters_[which];
        notified_[which] =
            statement.count == 0
                ? waiting
                : std::min(waiting, notified_[which] + statement.count);
      }
      active.holds = false;
      if (is_permit) {
        --permits_taken_[which];
      } else {
        holder = -1;
      }
      break;
    case Phase::kCaught:
      if (!statement.uncancels) break;
      ++model.uncancels;
      if (model.handle->Cancelling() == 0) model.pending = false;  // T-15.
      break;
  }
}

void Checker::Cancels(int task, int target, bool accepted) {
  if (over_) return;
  TaskModel& model = tasks_[target];
  Claim(accepted != model.handle->Done(), "Cancel of ", Name{target}, " gives ",
        accepted ? "true" : "false", ", but it is ",
        model.handle->Done() ? "" : "not ", "done (T-10)");
  if (!accepted) return;
  ++model.requests;
  if (!model.started) {
    model.requested_before_start = true;
    return;
  }
  if (task == target) {
    model.pending = true;
    return;
  }
  Active& waiting = model.stack.back();
  waiting.requested = waiting.statement->op == Op::kAwaitTask
                          ? IsDone(waiting.statement->which)
                          : true;
}

// Cancellations are thrown by the task's current or next wait.
void Checker::CheckDelivery(TaskModel& model, const Active& active,
                            const Ending& ending, const Who& who) {
  const Op op = active.statement->op;
  const bool cancelled = ending.cancelled();
  const bool grew = model.handle->Cancelling() > active.cancelling;
  if (IsOneWait(op)) {
    Claim(!grew || cancelled, who,
          " was cancelled while it waited, and did not notice (T-12)");
  }
  if (IsOwnWait(op)) {
    Claim(!cancelled || model.handle->Cancelling() > 0, who,
          " is cancelled, and nobody has asked for it (T-15)");
  }
  switch (op) {
    case Op::kSleep:
      Claim(!model.pending || ending.exception != nullptr, who,
            " was to be cancelled at its next suspension, and went on (T-12)");
      break;
    case Op::kAwaitTask:
      Claim(!active.requested || cancelled, who,
            " was cancelled with the awaited task done, and went on (T-12)");
      break;
    case Op::kGather:
      Claim(!grew || ending.exception != nullptr, who,
            " was cancelled, and gives results (G-07)");
      Claim(!grew || !active.statement->flag || cancelled, who,
            " was cancelled, and throws something else (G-07)");
      break;
    case Op::kGroup:
      Claim(
          !active.requested || ending.exception != nullptr, who,
          " was cancelled while it waited for its tasks, and went on (TG-07)");
      // An ExceptionGroup postpones the cancellation (TG-05).
      if (active.requested && !cancelled) model.pending = true;
      break;
    default:
      break;
  }
  if (cancelled) model.pending = false;
  // The awaited future may have received it instead of the task, or a deadline
  // may count it as an earlier one (TO-05).
  const bool passes_on =
      op == Op::kAwaitTask || op == Op::kGather ||
      (IsTimed(op) && active.statement->operands[0].kind != Kind::kBody);
  if (passes_on) model.pending = false;
  // If a program called Uncancel for a deadline's request, the deadline takes
  // back another request instead (T-15).
  if (model.uncancels > 0 && model.handle->Cancelling() == 0) {
    model.pending = false;
  }
}

// Requests made inside WaitFor, Timeout and TaskGroup are taken back.
void Checker::CheckCount(int task, const TaskModel& model, const Active& active,
                         const Who& who) {
  if (model.uncancels != active.uncancels) return;
  const int grown = model.handle->Cancelling() - active.cancelling;
  const int requests = model.requests - active.requests;
  Claim(grown >= requests, who, ": Cancelling() has grown by ", grown,
        " after ", requests, " requests (T-14)");
  if (awaited_.contains(task)) return;
  // Enclosing statements may have requested it, and not taken it back yet.
  int around = 0;
  for (const Active& outer : model.stack) {
    if (outer.statement->op == Op::kGroup || IsTimed(outer.statement->op)) {
      ++around;
    }
  }
  Claim(grown <= requests + around, who, ": Cancelling() has grown by ", grown,
        " after ", requests, " requests (TO-05, TG-08)");
}

// WaitFor and Timeout.
void Checker::CheckTimed(const Active& active, const TaskModel& model,
                         const Ending& ending, const Who& who) {
  const Statement& statement = *active.statement;
  const Operand& operand = statement.operands[0];
  const bool timed_out = ending.timed_out();
  const bool cancelled = ending.cancelled();
  const bool grew = model.handle->Cancelling() > active.cancelling;
  const bool never_started = statement.op == Op::kWaitFor && statement.ms == 0;
  const bool in_time = Now() < active.begin_ns + Nanoseconds(statement.ms);
  switch (operand.kind) {
    case Kind::kBody: {
      Claim(!running_bodies_.contains(operand.which), who,
            " returns before what it waits for has ended (WF-03)");
      if (!active.inner_ended) {
        Claim(never_started && (timed_out || cancelled), who,
              " ends, and what it waits for has not run (WF-01)");
        break;
      }
      const Ending& inner = active.inner;
      if (inner.exception == nullptr) {
        Claim(ending.values == std::vector<int>{operand.which}, who,
              " does not give the value that it got (WF-03)");
      } else if (!inner.cancelled()) {
        Claim(ending.exception != nullptr && timed_out == inner.timed_out() &&
                  !cancelled,
              who, " does not throw what it got (WF-03)");
      } else {
        Claim(timed_out || cancelled, who,
              " hides a CancelledError (WF-03, TO-05)");
        Claim(!timed_out || !in_time, who, " is early (L-03)");
        const bool asked = model.requests > active.requests &&
                           model.uncancels == active.uncancels;
        Claim(!asked || cancelled, who,
              " makes a TimeoutError of a cancellation (TO-06)");
      }
      break;
    }
    case Kind::kFuture:
      Claim(IsDone(operand), who, " returns before its future is done (WF-03)");
      Claim(!grew || cancelled, who, " hides a cancellation (TO-06)");
      Claim(!timed_out || !in_time, who, " is early (L-03)");
      break;
    case Kind::kTask:
      if (ending.values.empty() && ending.exception == nullptr) break;
      Claim(IsDone(operand) || (never_started && cancelled), who,
            " returns before its task has ended (WF-03)");
      Claim(!timed_out || !in_time ||
                (HasFailed(operand) &&
                 !tasks_.at(operand.which).handle->Cancelled()),
            who, " is early (L-03)");
      break;
  }
}

std::vector<Operand> Checker::Distinct(const Statement& statement) {
  std::vector<Operand> distinct;
  for (const Operand& operand : statement.operands) {
    const bool again = std::any_of(
        distinct.begin(), distinct.end(), [&operand](const Operand& other) {
          return other.kind == operand.kind && other.which == operand.which;
        });
    if (!again) distinct.push_back(operand);
  }
  return distinct;
}

// The result consists of the results of the parts.
void Checker::CheckResults(const Active& active, const Ending& ending,
                           const Who& who) {
  const Statement& statement = *active.statement;
  const bool ends_well = ending.exception == nullptr;
  const bool in_time = Now() < active.begin_ns + Nanoseconds(statement.ms);
  switch (statement.op) {
    case Op::kSleep:
      Claim(!ends_well || !in_time, who, " is early (S-03)");
      break;
    case Op::kAwaitTask:
      if (ending.values.empty()) break;
      Claim(IsDone(statement.which) && !HasFailed(statement.which) &&
                ending.values[0] == statement.which,
            who, " gives ", ending.values[0], " (F-04)");
      break;
    case Op::kAwaitFuture: {
      Operand future;
      future.kind = Kind::kFuture;
      future.which = statement.which;
      Claim(!ends_well || ending.values[0] == ValueOf(future), who,
            " gives what its future does not have (F-04)");
      break;
    }
    case Op::kShield:
      if (ending.values.empty()) break;
      Claim(ending.values[0] == ValueOf(statement.operands[0]), who, " gives ",
            ending.values[0], " (SH-02)");
      break;
    case Op::kGather: {
      if (!ends_well) break;
      std::vector<int> expected;
      for (const Operand& operand : statement.operands) {
        Claim(IsDone(operand), who, " returns before all have ended (G-04)");
        expected.push_back(ValueOf(operand));
        Claim(statement.flag || expected.back() != -1, who,
              " hides a failure (G-04)");
      }
      Claim(ending.values == expected, who,
            ": the results are not in the order of the arguments (G-04)");
      break;
    }
    case Op::kWait: {
      if (!ends_well) break;
      const std::vector<Operand> distinct = Distinct(statement);
      const auto done = static_cast<int>(std::count_if(
          distinct.begin(), distinct.end(),
          [this](const Operand& operand) { return IsDone(operand); }));
      const int pending = static_cast<int>(distinct.size()) - done;
      Claim(ending.values == std::vector<int>({done, pending}), who,
            ": who is done is not what it says (W-03)");
      if (pending == 0 || (statement.ms >= 0 && !in_time)) break;
      const bool failed = std::any_of(
          distinct.begin(), distinct.end(),
          [this](const Operand& operand) { return HasFailed(operand); });
      switch (static_cast<ReturnWhen>(statement.count)) {
        case ReturnWhen::kAllCompleted:
          Claim(false, who, " returns before all are done (W-02)");
          break;
        case ReturnWhen::kFirstCompleted:
          Claim(done > 0, who, " returns before one is done (W-02)");
          break;
        case ReturnWhen::kFirstException:
          Claim(failed, who, " returns before one has failed (W-02)");
          break;
      }
      break;
    }
    case Op::kAsCompleted: {
      if (!ends_well) break;
      std::vector<int> expected;
      for (const Operand& operand : Distinct(statement)) {
        expected.push_back(ValueOf(operand));
      }
      std::vector<int> values = ending.values;
      std::sort(values.begin(), values.end());
      std::sort(expected.begin(), expected.end());
      Claim(values == expected, who, " gives other results (AC-03)");
      break;
    }
    case Op::kGroup:
      for (const Operand& operand : statement.operands) {
        Claim(IsDone(operand), Name{operand.which}, " outlives its ", who,
              " (TG-05)");
        Claim(!ends_well || !HasFailed(operand) ||
                  tasks_.at(operand.which).handle->Cancelled(),
              who, " hides a failure (TG-05)");
      }
      break;
    default:
      break;
  }
}

// What the statement has changed, and whether it was allowed to.
void Checker::ApplyEffects(TaskModel& model, const Active& active,
                           const Ending& ending, const Who& who) {
  if (ending.exception != nullptr) return;
  const Statement& statement = *active.statement;
  const int which = statement.which;
  switch (statement.op) {
    case Op::kSetEvent:
      event_set_[which] = true;
      ++event_sets_[which];
      break;
    case Op::kClearEvent:
      event_set_[which] = false;
      break;
    case Op::kAwaitEvent:
      Claim(event_set_[which] || event_sets_[which] > active.event_sets, who,
            " returns, and nobody has set it (EV-01)");
      break;
    case Op::kBarrier:
      Claim(ending.values[0] >= 0 && ending.values[0] < kParties[which], who,
            " gives position ", ending.values[0], " (BR-01)");
      break;
    case Op::kPut:
      items_[which].push_back(statement.number);
      ++unfinished_[which];
      Claim(kQueueSizes[which] == 0 ||
                static_cast<int>(items_[which].size()) <= kQueueSizes[which],
            Object{"queue", which}, " holds more than it may (Q-02)");
      break;
    case Op::kGet:
      Claim(!items_[which].empty() && items_[which].front() == ending.values[0],
            who, " gives ", ending.values[0],
            ", which was not the next item (Q-01)");
      if (!items_[which].empty()) items_[which].pop_front();
      --unfinished_[which];
      break;
    case Op::kShutdown:
      shut_down_[which] = true;
      if (!statement.flag) break;
      unfinished_[which] -= static_cast<int>(items_[which].size());
      items_[which].clear();
      break;
    case Op::kSet:
      model.setting = statement.number;
      break;
    case Op::kOnDone:
      if (ending.values.empty()) break;
      callbacks_[which].push_back({.statement = statement.number,
                                   .setting = model.setting,
                                   .in_order = !IsDone(which)});
      break;
    default:
      break;
  }
}

void Checker::Ends(int task, const Statement& statement, const Ending& ending) {
  if (over_) return;
  TaskModel& model = tasks_[task];
  const Active active = std::move(model.stack.back());
  model.stack.pop_back();
  const Who who = {statement.number, task};
  hash_.Add(static_cast<std::uint64_t>(statement.number));
  hash_.Add(static_cast<std::uint64_t>(Now()));
  hash_.Add(static_cast<std::uint64_t>(ending.exception == nullptr));
  for (const int value : ending.values) {
    hash_.Add(static_cast<std::uint64_t>(value));
  }
  CheckDelivery(model, active, ending, who);
  CheckCount(task, model, active, who);
  if (IsTimed(statement.op)) CheckTimed(active, model, ending, who);
  CheckResults(active, ending, who);
  ApplyEffects(model, active, ending, who);
}

void Checker::CallbackRuns(const Statement& statement, int target) {
  if (failed_) return;
  Claim(IsDone(target), "a done callback of ", Name{target},
        " runs before that is done (F-07)");
  bool earlier_wait = false;
  for (Callback& callback : callbacks_[target]) {
    if (callback.statement != statement.number) {
      earlier_wait = earlier_wait || (callback.in_order && !callback.called);
      continue;
    }
    Claim(!callback.called, "the done callback of statement ", statement.number,
          " runs twice (F-07)");
    Claim(!callback.in_order || !earlier_wait,
          "the done callback of statement ", statement.number,
          " runs before one that was added earlier (F-07)");
    Claim(CurrentSetting() == callback.setting,
          "the done callback of statement ", statement.number,
          " runs in another context (CX-03)");
    callback.called = true;
    return;
  }
  Claim(false, "a done callback runs that nobody has added");
}

void Checker::HasEnded(int number, const Task<int>& task) {
  if (over_) return;
  TaskModel& model = tasks_[number];
  const Name name = {number};
  if (!model.ended) {
    Claim(task.Cancelled(), name, " has ended without running (T-03)");
    Claim(!model.started, name, " has ended before its body");
    return;
  }
  const Ending& ending = model.ending;
  if (ending.exception != nullptr) {
    Claim(task.Cancelled() == ending.cancelled(), name,
          " does not end as its body does (T-05)");
    return;
  }
  // Only a request during its last step cancels it.
  if (model.pending) {
    Claim(task.Cancelled(), name, " has lost a cancellation (T-05)");
  } else if (task.Cancelling() == 0) {
    Claim(!task.Cancelled() && task.Result() == number, name,
          " does not give what its body gives (T-05)");
  }
}

std::string Checker::WhatIsLeft() const {
  for (int i = 0; i < kObjects; ++i) {
    if (lock_holder_[i] != -1 || !primitives_->LockIsFree(i)) {
      return absl::StrCat(ObjectName("lock", i), " is not free");
    }
    if (permits_taken_[i] != 0 || primitives_->NoPermitIsFree(i)) {
      return absl::StrCat(ObjectName("semaphore", i), " has lost a permit");
    }
    if (condition_holder_[i] != -1 || !primitives_->ConditionIsFree(i)) {
      return absl::StrCat(ObjectName("condition", i), " is not free");
    }
    if (primitives_->WaitingAtBarrier(i) != 0) {
      return absl::StrCat("somebody waits at ", ObjectName("barrier", i));
    }
    if (primitives_->ItemsIn(i) != static_cast<int>(items_[i].size())) {
      return absl::StrCat(ObjectName("queue", i), " has ",
                          primitives_->ItemsIn(i), " items in place of ",
                          items_[i].size());
    }
  }
  if (!running_bodies_.empty()) {
    return absl::StrCat("body ", *running_bodies_.begin(), " still runs");
  }
  for (const auto& [number, model] : tasks_) {
    if (!model.stack.empty() || !model.handle->Done()) {
      return absl::StrCat(TaskName(number), " has not ended");
    }
  }
  return "";
}

void Checker::AllHaveEnded() {
  const std::string left = WhatIsLeft();
  Claim(left.empty(), "all have ended, but ", left);
  DropTasks();
}

std::string Checker::AtTheEnd() const {
  for (const auto& [task, callbacks] : callbacks_) {
    for (const Callback& callback : callbacks) {
      if (callback.called) continue;
      return absl::StrCat("the done callback of statement ", callback.statement,
                          " was never called (F-07)");
    }
  }
  return "";
}

// ---- Deadlocks. ----

// The first task destroyed while waiting: nothing was ready, no timer was
// armed, and nothing has changed since.
void Checker::IsDestroyed(int, const Statement&) {
  if (over_) return;
  stuck_ = WhoCouldGoOn();
  DropTasks();
}

std::string Checker::WhoCouldGoOn() const {
  for (const auto& [number, model] : tasks_) {
    if (!model.handle.has_value() || model.handle->Done()) continue;
    const std::string why = WhyReady(model);
    if (why.empty()) continue;
    return absl::StrCat("a deadlock in which ", TaskName(number),
                        " could go on: ", why);
  }
  for (const auto& [task, callbacks] : callbacks_) {
    for (const Callback& callback : callbacks) {
      if (callback.called || !IsDone(task)) continue;
      return absl::StrCat("a deadlock, and the done callback of statement ",
                          callback.statement, " was never called");
    }
  }
  return "";
}

std::string Checker::WhyReady(const TaskModel& model) const {
  if (!model.started) return "it has not started";
  if (model.ended) return "its body has ended";
  if (model.stack.empty()) return "it waits for nothing";
  return WhyReady(model.stack.back());
}

std::string Checker::WhyReady(const Active& active) const {
  const Statement& statement = *active.statement;
  const int which = statement.which;
  const std::string at = absl::StrCat("statement ", statement.number, ", ");
  const auto because = [&at](bool ready, const char* why) {
    return ready ? absl::StrCat(at, why) : std::string();
  };
  const auto is_done = [this](const Operand& o) { return IsDone(o); };
  const auto has_failed = [this](const Operand& o) { return HasFailed(o); };
  const auto& operands = statement.operands;
  const bool all_done = std::all_of(operands.begin(), operands.end(), is_done);
  const bool any_done = std::any_of(operands.begin(), operands.end(), is_done);
  const bool any_failed =
      std::any_of(operands.begin(), operands.end(), has_failed);
  switch (statement.op) {
    case Op::kSleep:
      return because(true, "a sleep that never ends");
    case Op::kAwaitTask:
      return because(IsDone(which), "its task is done");
    case Op::kAwaitFuture:
      return because(primitives_->FutureAt(which).Done(), "its future is done");
    case Op::kLock:
      return because(lock_holder_[which] == -1, "the lock is free");
    case Op::kPermit:
      return because(permits_taken_[which] < kPermits[which],
                     "a permit is free");
    case Op::kNotify:
      return because(condition_holder_[which] == -1, "the condition is free");
    case Op::kAwaitCondition:
      if (!active.waits) {
        return because(condition_holder_[which] == -1, "the condition is free");
      }
      return because(condition_holder_[which] == -1 && notified_[which] > 0,
                     "a notification is lost");
    case Op::kAwaitEvent:
      return because(event_set_[which], "the event is set");
    case Op::kBarrier:
      return because(primitives_->WaitingAtBarrier(which) >= kParties[which],
                     "all have come");
    case Op::kPut:
      return because(
          shut_down_[which] || kQueueSizes[which] == 0 ||
              static_cast<int>(items_[which].size()) < kQueueSizes[which],
          "there is room");
    case Op::kGet:
      return because(shut_down_[which] || !items_[which].empty(),
                     "there is an item");
    case Op::kJoin:
      return because(unfinished_[which] == 0, "all items are done");
    case Op::kWaitFor:
    case Op::kTimeout:
      if (operands[0].kind == Kind::kBody) {
        return because(true, "it waits for nothing");
      }
      return because(all_done, "what it waits for is done");
    case Op::kShield:
      return because(all_done, "what it waits for is done");
    case Op::kGather:
      return because(all_done || (any_failed && !statement.flag),
                     "what it waits for is done");
    case Op::kWait:
      if (statement.ms >= 0) return because(true, "its timeout");
      return because(
          all_done ||
              (any_done && statement.count ==
                               static_cast<int>(ReturnWhen::kFirstCompleted)),
          "what it waits for is done");
    case Op::kAsCompleted:
      return because(all_done || statement.ms >= 0, "all are done");
    case Op::kGroup:
      return because(all_done, "its tasks are done");
    case Op::kResetBarrier:
    case Op::kAbortBarrier:
      return "";  // They wait for the barrier's internal lock.
    default:
      return because(true, "it does not wait");
  }
}

}  // namespace

std::shared_ptr<ProgramChecker> MakeProgramChecker(const Program& program) {
  return std::make_shared<Checker>(program);
}

ProgramVerdict CheckProgram(
    const Program& program, sim::Search search,
    const std::function<std::unique_ptr<Primitives>()>& primitives) {
  ProgramVerdict verdict;
  std::shared_ptr<ProgramChecker> checker;  // For the current execution.
  sim::StreamHash hash;
  // Only a successful execution is followed by another.
  const auto finish = [&] {
    if (checker == nullptr) return;
    hash.Add(checker->Hash());
    if (verdict.wrong.empty()) verdict.wrong = checker->AtTheEnd();
  };
  search.shrink_runs_max = 0;
  const sim::Report report = sim::RunSearch(
      [&] {
        finish();
        checker = MakeProgramChecker(program);
        return RunProgram(program,
                          {.observers = {checker}, .primitives = primitives});
      },
      search, "");
  verdict.executions = report.search.executions;
  verdict.steps = report.search.steps;
  if (report.passed()) {
    finish();
  } else if (report.failure()->kind == sim::FailureKind::kDeadlock) {
    verdict.deadlock = true;
    verdict.wrong = checker->InDeadlock();
  } else if (report.verdict() != sim::Report::Verdict::kIncomplete) {
    verdict.wrong = report.Text();
  }
  verdict.hash = hash.Finish();
  return verdict;
}

}  // namespace clotho::properties
