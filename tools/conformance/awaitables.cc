#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "clotho/runtime/gather.h"
#include "clotho/runtime/shield.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/timeout.h"
#include "clotho/runtime/wait.h"
#include "clotho/tools/conformance/machine.h"

namespace clotho::conformance {
namespace {

// The coroutines of section 6. Nothing runs before they are awaited.

Coro<Value> DoSleep(std::int64_t ticks, Value result) {
  co_return co_await Sleep(Delay::Nanoseconds(ticks), std::move(result));
}

template <Awaitable A>
Coro<Value> DoWaitFor(A awaitable, std::optional<Delay> timeout) {
  auto wait = WaitFor(std::move(awaitable), timeout);
  co_return ToValue(co_await std::move(wait));
}

// A future without a value is a task created by the loop.
Coro<Value> DoWaitFor(Future<void> future, std::optional<Delay> timeout) {
  auto wait = WaitFor(std::move(future), timeout);
  co_await std::move(wait);
  co_return Value();
}

Value ToList(const std::vector<FutureRef>& futures) {
  List list;
  for (const FutureRef& future : futures) list.push_back(Value(future));
  return Value(std::move(list));
}

Coro<Value> DoWait(std::vector<FutureRef> futures, WaitOptions options) {
  auto wait = Wait(std::move(futures), options);
  const WaitResult<FutureRef> result = co_await std::move(wait);
  List both{ToList(result.done), ToList(result.pending)};
  co_return Value(std::move(both));
}

template <typename T>
Coro<Value> DoAcquire(T& lock) {
  auto guard = co_await lock.Acquire();
  guard.Detach();
  co_return Value(true);
}

Coro<Value> DoEventWait(Event& event) {
  const bool result = co_await event.Wait();
  co_return Value(result);
}

Coro<Value> DoConditionWait(Condition& condition) {
  const bool result = co_await condition.Wait();
  co_return Value(result);
}

template <typename Predicate>
Coro<Value> DoConditionWaitFor(Condition& condition, Predicate predicate) {
  auto wait = condition.WaitFor(std::move(predicate));
  const bool result = co_await std::move(wait);
  co_return Value(result);
}

Coro<Value> DoBarrierWait(Barrier& barrier) {
  const std::size_t position = co_await barrier.Wait();
  co_return Value(static_cast<std::int64_t>(position));
}

Coro<Value> DoBarrierReset(Barrier& barrier) {
  co_await barrier.Reset();
  co_return Value();
}

Coro<Value> DoBarrierAbort(Barrier& barrier) {
  co_await barrier.Abort();
  co_return Value();
}

Coro<Value> DoAnext(ValueGenerator& generator) {
  co_return co_await generator.Anext();
}

Coro<Value> DoAsend(ValueGenerator& generator, Value value) {
  co_return co_await generator.Asend(std::move(value));
}

Coro<Value> DoAthrow(ValueGenerator& generator, std::exception_ptr exception) {
  std::optional<Value> value = co_await generator.Athrow(std::move(exception));
  co_return std::move(value).value_or(Value());
}

Coro<Value> DoAclose(ValueGenerator& generator) {
  co_await generator.Aclose();
  co_return Value();
}

FutureRef EnsureRef(Built built) {
  return std::visit(
      [](auto&& awaitable) {
        using A = std::remove_cvref_t<decltype(awaitable)>;
        if constexpr (std::is_same_v<A, FutureRef>) {
          return awaitable;
        } else {
          return FutureRef(EnsureFuture(std::move(awaitable)));
        }
      },
      std::move(built));
}

}  // namespace

Coro<Value> Machine::RunFunction(const Definition& definition,
                                 InvocationPtr in) {
  co_await AwaitBlock(definition.body, in);
  co_return in->result;
}

std::vector<FutureRef> Machine::EnsureRefs(std::vector<Built> built) {
  std::vector<FutureRef> futures;
  futures.reserve(built.size());
  for (Built& awaitable : built) {
    futures.push_back(EnsureRef(std::move(awaitable)));
  }
  return futures;
}

Built Machine::Build(const AwaitableForm& form, const InvocationPtr& in) {
  if (form.is_future()) return BuildFuture(form, in);
  if (form.is_coroutine()) return BuildCoroutine(form, in);
  if (!form.awaitables.front().is_coroutine()) throw Unbound();
  return ViaTask(BuildCoroutine(form.awaitables.front(), in));
}

std::vector<Built> Machine::BuildAll(const std::vector<AwaitableForm>& forms,
                                     const InvocationPtr& in) {
  std::vector<Built> built;
  built.reserve(forms.size());
  for (const AwaitableForm& form : forms) built.push_back(Build(form, in));
  return built;
}

FutureRef Machine::BuildFuture(const AwaitableForm& form,
                               const InvocationPtr& in) {
  if (form.op == AwaitableForm::Op::kVar) return GetFuture(form.name, *in);
  if (form.op == AwaitableForm::Op::kGather) {
    std::vector<FutureRef> futures = EnsureRefs(BuildAll(form.awaitables, in));
    if (form.return_exceptions) {
      return FutureRef(Gather(kReturnExceptions, std::move(futures)));
    }
    return FutureRef(Gather(std::move(futures)));
  }
  return std::visit(
      [](auto&& awaitable) {
        using A = std::remove_cvref_t<decltype(awaitable)>;
        if constexpr (std::is_same_v<A, FutureRef>) {
          return awaitable.Visit(
              [](const auto& future) { return FutureRef(Shield(future)); });
        } else {
          return FutureRef(Shield(std::move(awaitable)));
        }
      },
      Build(form.awaitables.front(), in));
}

Coro<Value> Machine::BuildCoroutine(const AwaitableForm& form,
                                    const InvocationPtr& in) {
  using Op = AwaitableForm::Op;
  switch (form.op) {
    case Op::kCall: {
      const Definition& definition = Find(form.name);
      const std::vector<Value> args = EvaluateAll(form.operands, *in);
      return RunFunction(definition, NewInvocation(definition, args));
    }
    case Op::kSleep: {
      const std::int64_t ticks = EvaluateInt(form.operands[0], *in);
      Value result;
      if (form.operands.size() > 1) result = Evaluate(form.operands[1], *in);
      return DoSleep(ticks, std::move(result));
    }
    case Op::kWaitFor: {
      Built built = Build(form.awaitables.front(), in);
      const std::optional<Delay> timeout = EvaluateDelay(form.operands[0], *in);
      return std::visit(
          [&](auto&& awaitable) {
            using A = std::remove_cvref_t<decltype(awaitable)>;
            if constexpr (std::is_same_v<A, FutureRef>) {
              return awaitable.Visit([&](const auto& future) {
                return DoWaitFor(future, timeout);
              });
            } else {
              return DoWaitFor(std::move(awaitable), timeout);
            }
          },
          std::move(built));
    }
    case Op::kWait: {
      std::vector<Built> built = BuildAll(form.awaitables, in);
      std::vector<FutureRef> futures;
      for (const Built& awaitable : built) {
        const auto* const future = std::get_if<FutureRef>(&awaitable);
        if (future == nullptr) throw Unbound();
        futures.push_back(*future);
      }
      WaitOptions options;
      options.timeout = EvaluateDelay(form.operands[0], *in);
      switch (form.mode) {
        case AwaitableForm::Mode::kAllCompleted:
          break;
        case AwaitableForm::Mode::kFirstCompleted:
          options.return_when = ReturnWhen::kFirstCompleted;
          break;
        case AwaitableForm::Mode::kFirstException:
          options.return_when = ReturnWhen::kFirstException;
      }
      return DoWait(std::move(futures), options);
    }
    case Op::kAcquire: {
      const Value value = GetAny(form.name, *in);
      Object* const object = value.AsObject();
      if (object == nullptr) throw Unbound();
      switch (object->kind()) {
        case Object::Kind::kLock:
          return DoAcquire(static_cast<LockObject*>(object)->object);
        case Object::Kind::kCondition:
          return DoAcquire(static_cast<ConditionObject*>(object)->object);
        case Object::Kind::kSemaphore:
          return DoAcquire(*static_cast<SemaphoreObject*>(object)->object);
        default:
          throw Unbound();
      }
    }
    case Op::kEventWait:
      return DoEventWait(GetObject<EventObject>(form.name, *in).object);
    case Op::kConditionWait:
      return DoConditionWait(GetObject<ConditionObject>(form.name, *in).object);
    case Op::kConditionWaitFor: {
      clotho::Condition& condition =
          GetObject<ConditionObject>(form.name, *in).object;
      // Returns true if it cannot be evaluated.
      auto predicate = [this, &form, in] {
        try {
          return Evaluate(form.operands[0], *in).Truth();
        } catch (const Unbound&) {
          return true;
        }
      };
      return DoConditionWaitFor(condition, std::move(predicate));
    }
    case Op::kBarrierWait:
      return DoBarrierWait(GetObject<BarrierObject>(form.name, *in).object);
    case Op::kBarrierReset:
      return DoBarrierReset(GetObject<BarrierObject>(form.name, *in).object);
    case Op::kBarrierAbort:
      return DoBarrierAbort(GetObject<BarrierObject>(form.name, *in).object);
    case Op::kGet:
      return GetObject<QueueObject>(form.name, *in).Get();
    case Op::kPut: {
      auto& queue = GetObject<QueueObject>(form.name, *in);
      Value item = Evaluate(form.operands[0], *in);
      if (queue.takes_only_integers && item.AsInt() == nullptr) throw Unbound();
      return queue.Put(std::move(item));
    }
    case Op::kJoin:
      return GetObject<QueueObject>(form.name, *in).Join();
    case Op::kAnext:
      return DoAnext(GetObject<GeneratorObject>(form.name, *in).object);
    case Op::kAsend: {
      auto& generator = GetObject<GeneratorObject>(form.name, *in).object;
      Value value = Evaluate(form.operands[0], *in);
      // `anext` sends null.
      if (value.is_none()) return DoAnext(generator);
      return DoAsend(generator, std::move(value));
    }
    case Op::kAthrow: {
      auto& generator = GetObject<GeneratorObject>(form.name, *in).object;
      const Value value = Evaluate(form.operands[0], *in);
      if (value.AsException() == nullptr) throw Unbound();
      return DoAthrow(generator, *value.AsException());
    }
    case Op::kAclose:
      return DoAclose(GetObject<GeneratorObject>(form.name, *in).object);
    case Op::kVar:
    case Op::kGather:
    case Op::kShield:
    case Op::kViaTask:
      break;
  }
  throw Unbound();
}

}  // namespace clotho::conformance
