// The interpreter of random programs.

#include "clotho/properties/runtime/program_runner.h"

#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/properties/runtime/programs.h"
#include "clotho/runtime/runtime.h"

namespace clotho::properties {

using Op = Statement::Op;
using Phase = ProgramObserver::Phase;

// ---- The runtime's primitives. ----

Coro<void> Primitives::AcquireLock(int which) {
  auto guard = co_await locks_[which].Acquire();
  guard.Detach();
}
void Primitives::ReleaseLock(int which) { locks_[which].Release(); }
bool Primitives::LockIsFree(int which) { return !locks_[which].Locked(); }

Coro<void> Primitives::AcquirePermit(int which) {
  auto guard = co_await semaphores_[which].Acquire();
  guard.Detach();
}
void Primitives::ReleasePermit(int which) { semaphores_[which].Release(); }
bool Primitives::NoPermitIsFree(int which) {
  return semaphores_[which].Locked();
}

Coro<void> Primitives::AcquireCondition(int which) {
  auto guard = co_await conditions_[which].Acquire();
  guard.Detach();
}
void Primitives::ReleaseCondition(int which) { conditions_[which].Release(); }
Coro<void> Primitives::WaitForNotification(int which) {
  co_await conditions_[which].Wait();
}
void Primitives::Notify(int which, int count) {
  if (count == 0) {
    conditions_[which].NotifyAll();
  } else {
    conditions_[which].Notify(static_cast<std::size_t>(count));
  }
}
bool Primitives::ConditionIsFree(int which) {
  return !conditions_[which].Locked();
}

Coro<void> Primitives::AwaitEvent(int which) { co_await events_[which].Wait(); }
void Primitives::SetEvent(int which) { events_[which].Set(); }
void Primitives::ClearEvent(int which) { events_[which].Clear(); }

Coro<int> Primitives::AwaitBarrier(int which) {
  const std::size_t position = co_await barriers_[which].Wait();
  co_return static_cast<int>(position);
}
Coro<void> Primitives::ResetBarrier(int which) {
  return barriers_[which].Reset();
}
Coro<void> Primitives::AbortBarrier(int which) {
  return barriers_[which].Abort();
}
int Primitives::WaitingAtBarrier(int which) {
  return static_cast<int>(barriers_[which].NWaiting());
}

Coro<void> Primitives::Put(int which, int item) {
  co_await queues_[which].Put(item);
}
Coro<int> Primitives::Get(int which) {
  co_return co_await queues_[which].Get();
}
Coro<void> Primitives::Join(int which) { co_await queues_[which].Join(); }
void Primitives::TaskDone(int which) { queues_[which].TaskDone(); }
void Primitives::Shutdown(int which, bool immediate) {
  queues_[which].Shutdown(immediate);
}
int Primitives::ItemsIn(int which) {
  return static_cast<int>(queues_[which].Qsize());
}

Future<int> Primitives::FutureAt(int which) { return futures_[which]; }

Coro<void> Primitives::SleepFor(Delay delay) { co_await Sleep(delay); }
bool Primitives::Cancel(const Task<int>& task) { return task.Cancel(); }
void Primitives::AddDoneCallback(const Task<int>& task,
                                 std::function<void()> callback) {
  task.AddDoneCallback(std::move(callback));
}
Coro<int> Primitives::AwaitFor(Coro<int> inner, Delay timeout) {
  co_return co_await WaitFor(std::move(inner), timeout);
}
Coro<int> Primitives::AwaitFor(Future<int> inner, Delay timeout) {
  co_return co_await WaitFor(std::move(inner), timeout);
}
Coro<int> Primitives::AwaitUnderTimeout(Coro<int> inner, Delay timeout) {
  co_return co_await Timeout(timeout, std::move(inner));
}
Coro<int> Primitives::AwaitUnderTimeout(Future<int> inner, Delay timeout) {
  co_return co_await Timeout(timeout, std::move(inner));
}
Coro<int> Primitives::AwaitShielded(Future<int> inner) {
  co_return co_await Shield(std::move(inner));
}
Coro<std::vector<int>> Primitives::AwaitAll(std::vector<Future<int>> futures) {
  co_return co_await Gather(std::move(futures));
}

// ---- Endings. ----

bool Ending::cancelled() const {
  if (exception == nullptr) return false;
  try {
    std::rethrow_exception(exception);
  } catch (const CancelledError&) {
    return true;
  } catch (...) {
    return false;
  }
}

bool Ending::timed_out() const {
  if (exception == nullptr) return false;
  try {
    std::rethrow_exception(exception);
  } catch (const TimeoutError&) {
    return true;
  } catch (...) {
    return false;
  }
}

namespace {

const ContextVar<int>& Setting() {
  static const auto& setting = *new ContextVar<int>("setting", 0);
  return setting;
}

// ---- The interpreter. ----

// Shared by the tasks of one execution. A callback may run after the program
// has ended, so it keeps the world alive.
struct World : std::enable_shared_from_this<World> {
  World(const Program& program, RunOptions options)
      : observers(std::move(options.observers)),
        primitives(options.primitives == nullptr
                       ? std::make_unique<Primitives>()
                       : options.primitives()) {
    main.body = program.main;
  }

  // Calls a function of all observers.
  template <typename... P, typename... A>
  void Tell(void (ProgramObserver::*what)(P...), A&&... arguments) {
    for (const auto& observer : observers)
      (observer.get()->*what)(arguments...);
  }

  const Task<int>* Find(int number) const {
    const auto found = tasks.find(number);
    return found == tasks.end() ? nullptr : &found->second;
  }

  Operand main;  // The program's body, as a task operand.
  std::vector<std::shared_ptr<ProgramObserver>> observers;
  std::unique_ptr<Primitives> primitives;
  std::map<int, Task<int>> tasks;
  // In the order of creation.
  std::vector<Task<int>> all_tasks;
  std::vector<int> numbers;
};

// Tells the observers how a statement ends, or that it is destroyed.
class Telling {
 public:
  Telling(World& world, int task, const Statement& statement)
      : world_(world), task_(task), statement_(statement) {
    world_.Tell(&ProgramObserver::Begins, task_, statement_);
  }
  ~Telling() {
    if (ended_) return;
    world_.Tell(&ProgramObserver::IsDestroyed, task_, statement_);
  }
  Telling(const Telling&) = delete;
  Telling& operator=(const Telling&) = delete;

  void Reaches(Phase phase) {
    world_.Tell(&ProgramObserver::Reaches, task_, statement_, phase);
  }
  void Ends(const Ending& ending) {
    ended_ = true;
    world_.Tell(&ProgramObserver::Ends, task_, statement_, ending);
  }

 private:
  World& world_;
  const int task_;
  const Statement& statement_;
  bool ended_ = false;
};

Coro<void> RunBlock(World& world, int task, const Block& block);

// The body of a task, or of a coroutine that runs inside one.
Coro<int> RunBody(World& world, int task, const Operand& operand) {
  world.Tell(&ProgramObserver::BodyStarts, task, operand.which);
  try {
    co_await RunBlock(world, task, operand.body);
  } catch (...) {
    world.Tell(&ProgramObserver::BodyEnds, task, operand.which,
               Ending{.exception = std::current_exception()});
    throw;
  }
  world.Tell(&ProgramObserver::BodyEnds, task, operand.which, Ending{});
  co_return operand.which;
}

Task<int> MakeTask(World& world, int maker, const Operand& operand,
                   TaskGroup* group = nullptr) {
  const int number = operand.which;
  const std::string name = TaskName(number);
  Coro<int> coro = RunBody(world, number, operand);
  const TaskOptions options = {.name = name};
  Task<int> task = group == nullptr
                       ? CreateTask(std::move(coro), options)
                       : group->CreateTask(std::move(coro), options);
  world.tasks.emplace(number, task);
  world.all_tasks.push_back(task);
  world.numbers.push_back(number);
  world.Tell(&ProgramObserver::TaskIsMade, maker, number, task);
  return task;
}

// nullopt for a task that was not created.
std::optional<Future<int>> FutureOf(World& world, int task,
                                    const Operand& operand) {
  switch (operand.kind) {
    case Operand::Kind::kBody:
      return MakeTask(world, task, operand);
    case Operand::Kind::kFuture:
      return world.primitives->FutureAt(operand.which);
    case Operand::Kind::kTask:
      break;
  }
  const Task<int>* const found = world.Find(operand.which);
  if (found == nullptr) return std::nullopt;
  return *found;
}

std::vector<Future<int>> FuturesOf(World& world, int task,
                                   const Statement& statement) {
  std::vector<Future<int>> futures;
  for (const Operand& operand : statement.operands) {
    futures.push_back(*FutureOf(world, task, operand));
  }
  return futures;
}

std::runtime_error ErrorOf(const Statement& statement) {
  return std::runtime_error(absl::StrCat("error ", statement.number));
}

// kWaitFor and kTimeout.
Coro<void> RunTimed(World& world, int task, const Statement& statement,
                    Ending& ending) {
  Primitives& primitives = *world.primitives;
  const Operand& operand = statement.operands[0];
  const Delay delay = absl::Milliseconds(statement.ms);
  const bool is_timeout = statement.op == Op::kTimeout;
  int value = 0;
  if (operand.kind == Operand::Kind::kBody) {
    Coro<int> inner = RunBody(world, task, operand);
    if (is_timeout) {
      value = co_await primitives.AwaitUnderTimeout(std::move(inner), delay);
    } else {
      value = co_await primitives.AwaitFor(std::move(inner), delay);
    }
  } else {
    std::optional<Future<int>> inner = FutureOf(world, task, operand);
    if (!inner.has_value()) co_return;
    if (is_timeout) {
      value = co_await primitives.AwaitUnderTimeout(*std::move(inner), delay);
    } else {
      value = co_await primitives.AwaitFor(*std::move(inner), delay);
    }
  }
  ending.values = {value};
}

// kWait.
Coro<void> RunWait(World& world, int task, const Statement& statement,
                   Ending& ending) {
  const std::vector<Future<int>> futures = FuturesOf(world, task, statement);
  WaitOptions options;
  if (statement.ms >= 0) options.timeout = absl::Milliseconds(statement.ms);
  options.return_when = static_cast<ReturnWhen>(statement.count);
  const auto result = co_await Wait(futures, options);
  ending.values = {static_cast<int>(result.done.size()),
                   static_cast<int>(result.pending.size())};
}

// kAsCompleted.
Coro<void> RunAsCompleted(World& world, int task, const Statement& statement,
                          Ending& ending) {
  const std::vector<Future<int>> futures = FuturesOf(world, task, statement);
  AsCompletedOptions options;
  if (statement.ms >= 0) options.timeout = absl::Milliseconds(statement.ms);
  for (auto next : AsCompleted(futures, options)) {
    const int value = co_await std::move(next);
    ending.values.push_back(value);
  }
}

// kGather.
Coro<void> RunGather(World& world, int task, const Statement& statement,
                     Ending& ending) {
  std::vector<Future<int>> futures = FuturesOf(world, task, statement);
  if (!statement.flag) {
    ending.values = co_await world.primitives->AwaitAll(std::move(futures));
    co_return;
  }
  std::vector<Outcome<int>> outcomes =
      co_await Gather(kReturnExceptions, std::move(futures));
  for (Outcome<int>& outcome : outcomes) {
    ending.values.push_back(outcome.ok() ? outcome.value() : -1);
  }
}

// kGroup.
Coro<void> RunGroup(World& world, int task, const Statement& statement) {
  TaskGroup group;
  auto body = group.Run([&]() -> Coro<void> {
    for (const Operand& operand : statement.operands) {
      MakeTask(world, task, operand, &group);
    }
    co_await RunBlock(world, task, statement.body);
  });
  co_await std::move(body);
}

// kLock, kPermit, kAwaitCondition and kNotify: acquires something, and releases
// it on every path.
Coro<void> RunHolding(World& world, int task, const Statement& statement,
                      Telling& telling) {
  Primitives& primitives = *world.primitives;
  const int which = statement.which;
  std::exception_ptr error;
  switch (statement.op) {
    case Op::kLock:
      co_await primitives.AcquireLock(which);
      break;
    case Op::kPermit:
      co_await primitives.AcquirePermit(which);
      break;
    default:
      co_await primitives.AcquireCondition(which);
      break;
  }
  telling.Reaches(Phase::kHolds);
  try {
    switch (statement.op) {
      case Op::kAwaitCondition:
        telling.Reaches(Phase::kWaits);
        co_await primitives.WaitForNotification(which);
        telling.Reaches(Phase::kHoldsAgain);
        break;
      case Op::kNotify:
        primitives.Notify(which, statement.count);
        break;
      default:
        co_await RunBlock(world, task, statement.body);
        break;
    }
  } catch (...) {
    error = std::current_exception();
  }
  telling.Reaches(Phase::kLetsGo);
  switch (statement.op) {
    case Op::kLock:
      primitives.ReleaseLock(which);
      break;
    case Op::kPermit:
      primitives.ReleasePermit(which);
      break;
    default:
      primitives.ReleaseCondition(which);
      break;
  }
  if (error != nullptr) std::rethrow_exception(error);
}

// kCatch.
Coro<void> RunCatch(World& world, int task, const Statement& statement,
                    Telling& telling) {
  using Catches = Statement::Catches;
  std::exception_ptr error;
  const auto caught = [&] {
    error = std::current_exception();
    if (statement.uncancels) CurrentTask()->Uncancel();
    telling.Reaches(Phase::kCaught);
  };
  try {
    co_await RunBlock(world, task, statement.body);
  } catch (const CancelledError&) {
    if (statement.catches == Catches::kErrors) throw;
    caught();
  } catch (const std::exception&) {
    if (statement.catches == Catches::kCancelled) throw;
    caught();
  } catch (...) {
    if (statement.catches != Catches::kAll) throw;
    caught();
  }
  if (error == nullptr) co_return;
  co_await RunBlock(world, task, statement.handler);
  if (statement.rethrows) std::rethrow_exception(error);
}

Coro<void> RunOp(World& world, int task, const Statement& statement,
                 Telling& telling, Ending& ending) {
  Primitives& primitives = *world.primitives;
  const int which = statement.which;
  switch (statement.op) {
    case Op::kSleep:
      co_await primitives.SleepFor(absl::Milliseconds(statement.ms));
      break;
    case Op::kRaise:
      throw ErrorOf(statement);
    case Op::kCancel:
      if (const Task<int>* const target = world.Find(which)) {
        const bool accepted = primitives.Cancel(*target);
        world.Tell(&ProgramObserver::Cancels, task, which, accepted);
        ending.values = {accepted ? 1 : 0};
      }
      break;
    case Op::kSpawn:
      MakeTask(world, task, statement.operands[0]);
      break;
    case Op::kAwaitTask:
      if (const Task<int>* const target = world.Find(which)) {
        const int value = co_await *target;
        ending.values = {value};
      }
      break;
    case Op::kAwaitFuture: {
      const int value = co_await primitives.FutureAt(which);
      ending.values = {value};
      break;
    }
    case Op::kResolveFuture:
      if (const Future<int> future = primitives.FutureAt(which);
          !future.Done()) {
        future.SetResult(statement.number);
      }
      break;
    case Op::kFailFuture:
      if (const Future<int> future = primitives.FutureAt(which);
          !future.Done()) {
        future.SetException(ErrorOf(statement));
      }
      break;
    case Op::kCancelFuture:
      primitives.FutureAt(which).Cancel();
      break;
    case Op::kLock:
    case Op::kPermit:
    case Op::kAwaitCondition:
    case Op::kNotify:
      co_await RunHolding(world, task, statement, telling);
      break;
    case Op::kSetEvent:
      primitives.SetEvent(which);
      break;
    case Op::kClearEvent:
      primitives.ClearEvent(which);
      break;
    case Op::kAwaitEvent:
      co_await primitives.AwaitEvent(which);
      break;
    case Op::kBarrier: {
      const int value = co_await primitives.AwaitBarrier(which);
      ending.values = {value};
      break;
    }
    case Op::kResetBarrier:
      co_await primitives.ResetBarrier(which);
      break;
    case Op::kAbortBarrier:
      co_await primitives.AbortBarrier(which);
      break;
    case Op::kPut:
      co_await primitives.Put(which, statement.number);
      break;
    case Op::kGet: {
      const int value = co_await primitives.Get(which);
      primitives.TaskDone(which);
      ending.values = {value};
      break;
    }
    case Op::kJoin:
      co_await primitives.Join(which);
      break;
    case Op::kShutdown:
      primitives.Shutdown(which, statement.flag);
      break;
    case Op::kSet:
      Setting().Set(statement.number);
      ending.values = {CurrentSetting()};
      break;
    case Op::kOnDone:
      if (const Task<int>* const target = world.Find(which)) {
        primitives.AddDoneCallback(
            *target, [self = world.shared_from_this(), &statement, which] {
              self->Tell(&ProgramObserver::CallbackRuns, statement, which);
            });
        ending.values = {which};
      }
      break;
    case Op::kWaitFor:
    case Op::kTimeout:
      co_await RunTimed(world, task, statement, ending);
      break;
    case Op::kShield: {
      std::optional<Future<int>> inner =
          FutureOf(world, task, statement.operands[0]);
      if (!inner.has_value()) break;
      const int value = co_await primitives.AwaitShielded(*std::move(inner));
      ending.values = {value};
      break;
    }
    case Op::kGather:
      co_await RunGather(world, task, statement, ending);
      break;
    case Op::kWait:
      co_await RunWait(world, task, statement, ending);
      break;
    case Op::kAsCompleted:
      co_await RunAsCompleted(world, task, statement, ending);
      break;
    case Op::kGroup:
      co_await RunGroup(world, task, statement);
      break;
    case Op::kCatch:
      co_await RunCatch(world, task, statement, telling);
      break;
  }
}

Coro<void> RunStatement(World& world, int task, const Statement& statement) {
  Telling telling(world, task, statement);
  Ending ending;
  try {
    co_await RunOp(world, task, statement, telling, ending);
  } catch (...) {
    ending.exception = std::current_exception();
    telling.Ends(ending);
    throw;
  }
  telling.Ends(ending);
}

Coro<void> RunBlock(World& world, int task, const Block& block) {
  for (const Statement& statement : block) {
    co_await RunStatement(world, task, statement);
  }
}

}  // namespace

int CurrentSetting() { return Setting().Get(); }

Coro<void> RunProgram(const Program& program, RunOptions options) {
  const auto world = std::make_shared<World>(program, std::move(options));
  world->Tell(&ProgramObserver::ProgramStarts, *world->primitives);
  MakeTask(*world, 0, world->main);
  // More tasks may be created while it waits.
  for (std::size_t i = 0; i < world->all_tasks.size(); ++i) {
    const std::vector<Task<int>> next = {world->all_tasks[i]};
    co_await Wait(next);
    // Retrieves it.
    if (!next[0].Cancelled()) static_cast<void>(next[0].GetException());
    world->Tell(&ProgramObserver::HasEnded, world->numbers[i], next[0]);
  }
  for (int i = 0; i < kObjects; ++i) {
    const Future<int> future = world->primitives->FutureAt(i);
    if (future.Done() && !future.Cancelled()) {
      static_cast<void>(future.GetException());
    }
  }
  world->Tell(&ProgramObserver::AllHaveEnded);
}

}  // namespace clotho::properties
