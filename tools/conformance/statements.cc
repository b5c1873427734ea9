#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/as_completed.h"
#include "clotho/runtime/blocking_sleep.h"
#include "clotho/runtime/delay.h"
#include "clotho/tools/conformance/errors.h"
#include "clotho/tools/conformance/machine.h"

namespace clotho::conformance {
namespace {

std::int64_t NumberOf(const Statement& statement, std::int64_t otherwise) {
  return statement.number.has_value() ? *statement.number->AsInt() : otherwise;
}

bool IsJump(Statement::Op op) {
  return op == Statement::Op::kReturn || op == Statement::Op::kBreak ||
         op == Statement::Op::kContinue;
}

// Whether the end of a round ends the loop.
bool LeavesLoop(Signal signal) {
  return signal == Signal::kBreak || signal == Signal::kReturn;
}

// Awaits a future with any type of value.
template <typename T>
Coro<Value> AwaitTyped(Future<T> future) {
  if constexpr (std::is_void_v<T>) {
    co_await future;
    co_return Value();
  } else {
    co_return ToValue(co_await future);
  }
}

Coro<Value> AwaitFuture(const FutureRef& future) {
  return future.Visit([](const auto& typed) { return AwaitTyped(typed); });
}

// The signal of a loop to the statements around it.
Signal AfterLoop(Signal signal) {
  return signal == Signal::kReturn ? signal : Signal::kNone;
}

}  // namespace

// ---- Statements that neither wait nor contain statements. ----

void Machine::Leaf(const Statement& statement, const InvocationPtr& in) {
  if (statement.op == Statement::Op::kLog) {
    try {
      std::string text = absl::StrCat(*statement.label, " log");
      for (const Value& value : EvaluateAll(statement.args, *in)) {
        absl::StrAppend(&text, " ", Show(value));
      }
      Line(text);
    } catch (const Unbound&) {
      LogSkip(statement);
    }
    return;
  }
  Value value;
  try {
    value = DoLeaf(statement, in);
  } catch (const Unbound&) {
    LogSkip(statement);
    return;
  } catch (const Halt&) {
    throw;
  } catch (...) {
    LogFailure(statement, std::current_exception());
    throw;
  }
  if (statement.as.has_value()) Put(*statement.as, value, *in);
  LogValue(statement, value);
}

Value Machine::DoLeaf(const Statement& statement, const InvocationPtr& in) {
  using Op = Statement::Op;
  switch (statement.op) {
    case Op::kSet:
      return Evaluate(statement.expression, *in);
    case Op::kRaise: {
      const Value value = Evaluate(statement.expression, *in);
      if (value.AsException() == nullptr) throw Unbound();
      std::rethrow_exception(*value.AsException());
    }
    case Op::kReraise:
      if (in->handled == nullptr) throw Unbound();
      std::rethrow_exception(in->handled);
    case Op::kNew:
      return New(statement, in);
    case Op::kLet: {
      if (!statement.awaitables.front().is_future()) throw Unbound();
      const FutureRef future = BuildFuture(statement.awaitables.front(), in);
      if (!future.AsTask().has_value()) {
        NameFuture(future, statement.name.value_or(*statement.as));
      }
      return Value(future);
    }
    case Op::kSpawn:
      return Spawn(statement, in);
    case Op::kDo: {
      const Value object = GetAny(statement.object, *in);
      const std::vector<Value> args = EvaluateAll(statement.args, *in);
      return Call(object, statement.method, args);
    }
    case Op::kAddCallback:
      return AddCallback(statement, *in);
    case Op::kRemoveCallback:
      return RemoveCallback(statement, *in);
    case Op::kCallSoon:
    case Op::kCallLater:
    case Op::kCallAt:
      return Schedule(statement, *in);
    case Op::kBlock: {
      const std::int64_t ticks = EvaluateInt(statement.expression, *in);
      if (ticks < 0) throw Unbound();
      BlockingSleep(Delay::Nanoseconds(ticks));
      return Value();
    }
    default:
      throw Unbound();
  }
}

Value Machine::New(const Statement& statement, const InvocationPtr& in) {
  const std::string& type = statement.type;
  if (type == "Future") {
    const Future<Value> future;
    const FutureRef ref = FutureRef(future);
    plain_futures_.insert(ref.state().get());
    NameFuture(ref, statement.name.value_or(*statement.as));
    return Value(ref);
  }
  if (type == "AsyncGen") {
    const Definition& definition = Find(statement.definition);
    const std::vector<Value> args = EvaluateAll(statement.args, *in);
    return NewObject<GeneratorObject>(
        RunGenerator(definition, NewInvocation(definition, args)));
  }
  if (type == "Lock") return NewObject<LockObject>();
  if (type == "Event") return NewObject<EventObject>();
  if (type == "Condition") {
    if (!statement.lock.has_value()) return NewObject<ConditionObject>();
    return NewObject<ConditionObject>(
        GetObject<LockObject>(*statement.lock, *in).object);
  }
  if (type == "Semaphore") {
    return NewObject<SemaphoreObject>(
        std::make_unique<Semaphore>(NumberOf(statement, 1)));
  }
  if (type == "BoundedSemaphore") {
    return NewObject<SemaphoreObject>(
        std::make_unique<BoundedSemaphore>(NumberOf(statement, 1)));
  }
  if (type == "Barrier") {
    return NewObject<BarrierObject>(NumberOf(statement, 1));
  }
  if (type == "ContextVar") {
    return NewObject<ContextVarObject>(*statement.as,
                                       statement.number.value_or(Value()));
  }
  if (type == "Context") return NewObject<ContextObject>(CopyContext());
  const std::int64_t n = NumberOf(statement, 0);
  const std::size_t maxsize = n > 0 ? static_cast<std::size_t>(n) : 0;
  if (type == "Queue") {
    return NewObject<TypedQueueObject<Queue<Value>>>(maxsize, false);
  }
  if (type == "LifoQueue") {
    return NewObject<TypedQueueObject<LifoQueue<Value>>>(maxsize, false);
  }
  return NewObject<TypedQueueObject<PriorityQueue<Value, IntegerLess>>>(maxsize,
                                                                        true);
}

Value Machine::Spawn(const Statement& statement, const InvocationPtr& in) {
  const AwaitableForm& form = statement.awaitables.front();
  if (!form.is_coroutine()) throw Unbound();
  const std::optional<Context> context = GetContext(statement, *in);
  TaskOptions options;
  if (statement.name.has_value()) options.name = *statement.name;
  if (context.has_value()) options.context = &*context;
  if (statement.group.has_value()) {
    TaskGroup& group = GetObject<TaskGroupObject>(*statement.group, *in).object;
    return Value(
        FutureRef(group.CreateTask(BuildCoroutine(form, in), options)));
  }
  return Value(FutureRef(CreateTask(BuildCoroutine(form, in), options)));
}

Value Machine::AddCallback(const Statement& statement, const Invocation& in) {
  const FutureRef ref = GetFuture(statement.object, in);
  const std::optional<Context> context = GetContext(statement, in);
  const Definition& definition = Find(statement.definition);
  const std::uint64_t id = ref.Visit([&](const auto& future) {
    return future.AddDoneCallback(
        [this, &definition](auto done) {
          const Value argument{FutureRef(done)};
          RunCallback(definition, Args(&argument, 1));
        },
        context);
  });
  callbacks_[{ref.state().get(), definition.name}].push_back(id);
  return Value();
}

Value Machine::RemoveCallback(const Statement& statement,
                              const Invocation& in) {
  const FutureRef ref = GetFuture(statement.object, in);
  std::int64_t removed = 0;
  for (const std::uint64_t id :
       callbacks_[{ref.state().get(), statement.definition}]) {
    removed += ref.Visit(
        [id](const auto& future) { return future.RemoveDoneCallback(id); });
  }
  return Value(removed);
}

Value Machine::Schedule(const Statement& statement, const Invocation& in) {
  std::int64_t time = 0;
  if (statement.op != Statement::Op::kCallSoon) {
    time = EvaluateInt(statement.expression, in);
  }
  const std::optional<Context> context = GetContext(statement, in);
  const Definition& definition = Find(statement.definition);
  auto callback = [this, &definition, args = EvaluateAll(statement.args, in)] {
    RunCallback(definition, args);
  };
  switch (statement.op) {
    case Statement::Op::kCallSoon:
      return NewObject<HandleObject>(
          loop_.CallSoon(std::move(callback), context));
    case Statement::Op::kCallLater:
      return NewObject<HandleObject>(loop_.CallLater(
          Delay::Nanoseconds(time), std::move(callback), context));
    default:
      return NewObject<HandleObject>(
          loop_.CallAt(Delay::Nanoseconds(time), std::move(callback), context));
  }
}

// ---- What callbacks and coroutines have in common. ----

Signal Machine::Jump(const Statement& statement, Invocation& in) {
  if (statement.op == Statement::Op::kReturn) {
    Value value;
    try {
      value = Evaluate(statement.expression, in);
    } catch (const Unbound&) {
      LogSkip(statement);
      return Signal::kNone;
    }
    in.result = value;
    LogValue(statement, value);
    return Signal::kReturn;
  }
  LogValue(statement, Value());
  return statement.op == Statement::Op::kBreak ? Signal::kBreak
                                               : Signal::kContinue;
}

std::optional<bool> Machine::Decide(const Statement& statement,
                                    const Invocation& in) {
  try {
    return Evaluate(statement.expression, in).Truth();
  } catch (const Unbound&) {
    LogSkip(statement);
    return std::nullopt;
  }
}

Items Machine::ItemsOf(const Statement& statement, const Invocation& in) {
  try {
    if (statement.op == Statement::Op::kRepeat) {
      return Items(EvaluateInt(statement.expression, in));
    }
    const Value value = Evaluate(statement.expression, in);
    if (value.AsList() == nullptr) throw Unbound();
    return Items(*value.AsList());
  } catch (const Unbound&) {
    LogSkip(statement);
    return Items(0);
  }
}

const Except* Machine::FindClause(const Statement& statement,
                                  const std::exception_ptr& exception,
                                  Invocation& in) {
  if (halted_) return nullptr;
  for (const Except& clause : statement.excepts) {
    for (const std::string& name : clause.match) {
      if (!IsInstance(exception, name)) continue;
      if (statement.label.has_value()) {
        Line(absl::StrCat(*statement.label, " try caught ",
                          ShowException(exception)));
      }
      if (clause.as.has_value()) Put(*clause.as, Value(exception), in);
      return &clause;
    }
  }
  return nullptr;
}

// ---- In callbacks. ----

void Machine::RunCallback(const Definition& definition, Args args) {
  RunBlock(definition.body, NewInvocation(definition, args));
}

Signal Machine::RunBlock(const Block& block, const InvocationPtr& in) {
  for (const Statement& statement : block) {
    Step();
    Signal signal = Signal::kNone;
    switch (statement.op) {
      case Statement::Op::kIf:
        if (const std::optional<bool> decision = Decide(statement, *in)) {
          signal =
              RunBlock(*decision ? statement.body : statement.otherwise, in);
        }
        break;
      case Statement::Op::kWhile:
      case Statement::Op::kRepeat:
      case Statement::Op::kFor:
        signal = RunLoop(statement, in);
        break;
      case Statement::Op::kTry:
        signal = RunTry(statement, in);
        break;
      default:
        if (IsJump(statement.op)) {
          signal = Jump(statement, *in);
        } else {
          Leaf(statement, in);
        }
    }
    if (signal != Signal::kNone) return signal;
  }
  return Signal::kNone;
}

Signal Machine::RunLoop(const Statement& statement, const InvocationPtr& in) {
  Signal signal = Signal::kNone;
  if (statement.op == Statement::Op::kWhile) {
    while (!LeavesLoop(signal) && Decide(statement, *in).value_or(false)) {
      Step();
      signal = RunBlock(statement.body, in);
    }
    return AfterLoop(signal);
  }
  for (Items items = ItemsOf(statement, *in); !items.empty();) {
    const Value item = items.Next();
    if (statement.as.has_value()) Put(*statement.as, item, *in);
    signal = RunBlock(statement.body, in);
    if (LeavesLoop(signal)) break;
  }
  return AfterLoop(signal);
}

Signal Machine::RunTry(const Statement& statement, const InvocationPtr& in) {
  Signal signal = Signal::kNone;
  std::exception_ptr error;
  try {
    signal = RunBlock(statement.body, in);
  } catch (...) {
    error = std::current_exception();
  }
  try {
    if (error == nullptr) {
      if (signal == Signal::kNone) signal = RunBlock(statement.otherwise, in);
    } else if (const Except* const clause = FindClause(statement, error, *in)) {
      const Handling handling(*in, std::exchange(error, nullptr));
      signal = RunBlock(clause->body, in);
    }
  } catch (...) {
    error = std::current_exception();
  }
  if (statement.has_finally && !halted_) RunBlock(statement.finally, in);
  if (error != nullptr) std::rethrow_exception(error);
  return signal;
}

// ---- In coroutines. ----

Coro<Signal> Machine::AwaitBlock(std::span<const Statement> block,
                                 InvocationPtr in) {
  for (const Statement& statement : block) {
    Step();
    Signal signal = Signal::kNone;
    if (IsJump(statement.op)) {
      signal = Jump(statement, *in);
    } else if (statement.op >= Statement::Op::kIf ||
               statement.op == Statement::Op::kAwait) {
      signal = co_await AwaitStatement(statement, in);
    } else {
      Leaf(statement, in);
    }
    if (signal != Signal::kNone) co_return signal;
  }
  co_return Signal::kNone;
}

Coro<Signal> Machine::AwaitStatement(const Statement& statement,
                                     InvocationPtr in) {
  using Op = Statement::Op;
  switch (statement.op) {
    case Op::kAwait:
      return AwaitAwait(statement, std::move(in));
    case Op::kIf: {
      const std::optional<bool> decision = Decide(statement, *in);
      std::span<const Statement> block;
      if (decision.has_value()) {
        block = *decision ? statement.body : statement.otherwise;
      }
      return AwaitBlock(block, std::move(in));
    }
    case Op::kTry:
      return AwaitTry(statement, std::move(in));
    case Op::kWith:
    case Op::kTimeout:
    case Op::kTaskGroup:
      return AwaitWithin(statement, std::move(in));
    case Op::kAsyncFor:
    case Op::kAsCompleted:
      return AwaitIteration(statement, std::move(in));
    default:
      return AwaitLoop(statement, std::move(in));
  }
}

Coro<Signal> Machine::AwaitAwait(const Statement& statement, InvocationPtr in) {
  std::optional<Built> built;
  try {
    built = Build(statement.awaitables.front(), in);
  } catch (const Unbound&) {
    LogSkip(statement);
    co_return Signal::kNone;
  } catch (...) {
    LogFailure(statement, std::current_exception());
    throw;
  }
  Value value;
  try {
    if (auto* const coro = std::get_if<Coro<Value>>(&*built)) {
      value = co_await std::move(*coro);
    } else if (auto* const future = std::get_if<FutureRef>(&*built)) {
      value = co_await AwaitFuture(*future);
    } else {
      value = co_await std::move(std::get<ViaTask>(*built));
    }
  } catch (...) {
    LogFailure(statement, std::current_exception());
    throw;
  }
  if (statement.as.has_value()) Put(*statement.as, value, *in);
  LogValue(statement, value);
  co_return Signal::kNone;
}

Coro<Signal> Machine::AwaitLoop(const Statement& statement, InvocationPtr in) {
  Signal signal = Signal::kNone;
  if (statement.op == Statement::Op::kWhile) {
    while (!LeavesLoop(signal) && Decide(statement, *in).value_or(false)) {
      Step();
      signal = co_await AwaitBlock(statement.body, in);
    }
    co_return AfterLoop(signal);
  }
  for (Items items = ItemsOf(statement, *in); !items.empty();) {
    const Value item = items.Next();
    if (statement.as.has_value()) Put(*statement.as, item, *in);
    signal = co_await AwaitBlock(statement.body, in);
    if (LeavesLoop(signal)) break;
  }
  co_return AfterLoop(signal);
}

Coro<Signal> Machine::AwaitTry(const Statement& statement, InvocationPtr in) {
  Signal signal = Signal::kNone;
  std::exception_ptr error;
  try {
    signal = co_await AwaitBlock(statement.body, in);
  } catch (...) {
    error = std::current_exception();
  }
  try {
    if (error == nullptr) {
      if (signal == Signal::kNone) {
        signal = co_await AwaitBlock(statement.otherwise, in);
      }
    } else if (const Except* const clause = FindClause(statement, error, *in)) {
      const Handling handling(*in, std::exchange(error, nullptr));
      signal = co_await AwaitBlock(clause->body, in);
    }
  } catch (...) {
    error = std::current_exception();
  }
  if (statement.has_finally && !halted_) {
    co_await AwaitBlock(statement.finally, in);
  }
  if (error != nullptr) std::rethrow_exception(error);
  co_return signal;
}

Coro<Signal> Machine::AwaitWithin(const Statement& statement,
                                  InvocationPtr in) {
  Signal signal = Signal::kNone;
  try {
    if (statement.op == Statement::Op::kTaskGroup) {
      signal = co_await AwaitTaskGroup(statement, in);
    } else if (statement.op == Statement::Op::kTimeout) {
      signal = co_await AwaitTimeout(statement, in);
    } else {
      signal = co_await AwaitWith(statement, in);
    }
  } catch (const Unbound&) {
    LogSkip(statement);
    co_return Signal::kNone;
  } catch (...) {
    LogFailure(statement, std::current_exception());
    throw;
  }
  LogValue(statement, Value());
  co_return signal;
}

Coro<Signal> Machine::AwaitEntered(const Statement& statement, Value entered,
                                   InvocationPtr in) {
  if (statement.as.has_value()) Put(*statement.as, entered, *in);
  if (statement.label.has_value()) {
    Line(absl::StrCat(*statement.label, " ", statement.what,
                      " enter = ", Show(entered)));
  }
  co_return co_await AwaitBlock(statement.body, in);
}

template <typename T>
Coro<Signal> Machine::AwaitHolding(T& lock, const Statement& statement,
                                   InvocationPtr in) {
  // As in Python, the body may release the lock; the end then fails.
  auto guard = co_await lock.Acquire();
  guard.Detach();
  Signal signal = Signal::kNone;
  std::exception_ptr error;
  try {
    signal = co_await AwaitEntered(statement, Value(), in);
  } catch (...) {
    error = std::current_exception();
  }
  if (!halted_) lock.Release();
  if (error != nullptr) std::rethrow_exception(error);
  co_return signal;
}

Coro<Signal> Machine::AwaitWith(const Statement& statement, InvocationPtr in) {
  const Value value = GetAny(statement.object, *in);
  Object* const object = value.AsObject();
  if (object == nullptr) throw Unbound();
  switch (object->kind()) {
    case Object::Kind::kLock: {
      Lock& lock = static_cast<LockObject*>(object)->object;
      co_return co_await AwaitHolding(lock, statement, in);
    }
    case Object::Kind::kCondition: {
      auto& condition = static_cast<ConditionObject*>(object)->object;
      co_return co_await AwaitHolding(condition, statement, in);
    }
    case Object::Kind::kSemaphore: {
      Semaphore& semaphore = *static_cast<SemaphoreObject*>(object)->object;
      co_return co_await AwaitHolding(semaphore, statement, in);
    }
    case Object::Kind::kBarrier: {
      Barrier& barrier = static_cast<BarrierObject*>(object)->object;
      const std::size_t position = co_await barrier.Wait();
      Value entered(static_cast<std::int64_t>(position));
      co_return co_await AwaitEntered(statement, std::move(entered), in);
    }
    default:
      throw Unbound();
  }
}

Coro<Signal> Machine::AwaitTimeout(const Statement& statement,
                                   InvocationPtr in) {
  std::optional<Delay> when = EvaluateDelay(statement.expression, *in);
  if (when.has_value() && !statement.absolute) {
    when = Delay::Nanoseconds(clock_.NowNs() + when->ns());
  }
  const Value object = NewObject<TimeoutObject>(when);
  TimeoutScope& scope = static_cast<TimeoutObject*>(object.AsObject())->object;
  auto body = scope.Run(AwaitEntered(statement, object, in));
  co_return co_await std::move(body);
}

Coro<Signal> Machine::AwaitTaskGroup(const Statement& statement,
                                     InvocationPtr in) {
  const Value object = NewObject<TaskGroupObject>();
  TaskGroup& group = static_cast<TaskGroupObject*>(object.AsObject())->object;
  auto body = group.Run(AwaitEntered(statement, object, in));
  co_return co_await std::move(body);
}

Coro<Signal> Machine::AwaitIteration(const Statement& statement,
                                     InvocationPtr in) {
  std::vector<Built> built;
  std::optional<Delay> timeout;
  try {
    if (statement.op == Statement::Op::kAsyncFor) {
      GetObject<GeneratorObject>(statement.object, *in);
    } else {
      built = BuildAll(statement.awaitables, in);
      timeout = EvaluateDelay(statement.timeout, *in);
    }
  } catch (const Unbound&) {
    LogSkip(statement);
    co_return Signal::kNone;
  }
  Signal signal = Signal::kNone;
  try {
    if (statement.op == Statement::Op::kAsyncFor) {
      signal = co_await IterateGenerator(statement, in);
    } else {
      std::vector<FutureRef> futures = EnsureRefs(std::move(built));
      signal =
          co_await IterateFutures(statement, std::move(futures), timeout, in);
    }
  } catch (...) {
    LogFailure(statement, std::current_exception());
    throw;
  }
  LogValue(statement, Value());
  co_return AfterLoop(signal);
}

Coro<Signal> Machine::IterateGenerator(const Statement& statement,
                                       InvocationPtr in) {
  ValueGenerator& generator =
      GetObject<GeneratorObject>(statement.object, *in).object;
  Signal signal = Signal::kNone;
  while (!LeavesLoop(signal)) {
    std::optional<Value> value = co_await generator.Next();
    if (!value.has_value()) break;
    signal = co_await AwaitRound(statement, *std::move(value), in);
  }
  co_return signal;
}

Coro<Signal> Machine::IterateFutures(const Statement& statement,
                                     std::vector<FutureRef> futures,
                                     std::optional<Delay> timeout,
                                     InvocationPtr in) {
  AsCompletedOptions options;
  options.timeout = timeout;
  auto completed = AsCompleted(std::move(futures), options);
  Signal signal = Signal::kNone;
  if (!statement.plain) {
    while (!LeavesLoop(signal)) {
      const std::optional<FutureRef> future = co_await completed.Next();
      if (!future.has_value()) break;
      Value value(*future);
      signal = co_await AwaitRound(statement, std::move(value), in);
    }
    co_return signal;
  }
  for (auto next : completed) {
    Value value;
    try {
      value = co_await std::move(next);
    } catch (const std::exception&) {
      if (!statement.catch_errors) throw;
      value = Value(std::current_exception());
    }
    signal = co_await AwaitRound(statement, std::move(value), in);
    if (LeavesLoop(signal)) break;
  }
  co_return signal;
}

Coro<Signal> Machine::AwaitRound(const Statement& statement, Value value,
                                 InvocationPtr in) {
  if (statement.as.has_value()) Put(*statement.as, value, *in);
  if (statement.label.has_value()) {
    Line(absl::StrCat(*statement.label, " ", statement.what,
                      " next = ", Show(value)));
  }
  co_return co_await AwaitBlock(statement.body, in);
}

}  // namespace clotho::conformance
