#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "clotho/runtime/task.h"
#include "clotho/tools/conformance/machine.h"

namespace clotho::conformance {
namespace {

// Arguments of the right types, or Unbound.

std::optional<std::string> MessageAt(std::span<const Value> args) {
  if (args.empty() || args[0].is_none()) return std::nullopt;
  if (args[0].AsString() == nullptr) throw Unbound();
  return *args[0].AsString();
}

const std::string& TextAt(std::span<const Value> args) {
  if (args.empty() || args[0].AsString() == nullptr) throw Unbound();
  return *args[0].AsString();
}

std::int64_t IntAt(std::span<const Value> args, std::int64_t otherwise) {
  if (args.empty()) return otherwise;
  if (args[0].AsInt() == nullptr) throw Unbound();
  return *args[0].AsInt();
}

bool BoolAt(std::span<const Value> args, bool otherwise) {
  if (args.empty()) return otherwise;
  if (args[0].AsBool() == nullptr) throw Unbound();
  return *args[0].AsBool();
}

std::optional<Value> QueryTask(const AnyTask& task, std::string_view method) {
  if (method == "cancelling") {
    return Value(static_cast<std::int64_t>(task.Cancelling()));
  }
  if (method == "get_name") return Value(task.GetName());
  return std::nullopt;
}

std::optional<Value> QueryFuture(const FutureRef& future,
                                 std::string_view method) {
  if (method == "done") {
    return Value(future.Done());
  }
  if (method == "cancelled") {
    return Value(future.Cancelled());
  }
  if (const std::optional<AnyTask> task = future.AsTask()) {
    return QueryTask(*task, method);
  }
  return std::nullopt;
}

std::optional<Value> QueryObject(const Object& object,
                                 std::string_view method) {
  using Kind = Object::Kind;
  switch (object.kind()) {
    case Kind::kHandle: {
      const auto& handle = static_cast<const HandleObject&>(object);
      if (method == "cancelled") return Value(handle.handle.Cancelled());
      break;
    }
    case Kind::kLock: {
      const Lock& lock = static_cast<const LockObject&>(object).object;
      if (method == "locked") return Value(lock.Locked());
      break;
    }
    case Kind::kCondition: {
      const auto& condition = static_cast<const ConditionObject&>(object);
      if (method == "locked") return Value(condition.object.Locked());
      break;
    }
    case Kind::kSemaphore: {
      const auto& semaphore = static_cast<const SemaphoreObject&>(object);
      if (method == "locked") return Value(semaphore.object->Locked());
      break;
    }
    case Kind::kEvent: {
      const Event& event = static_cast<const EventObject&>(object).object;
      if (method == "is_set") return Value(event.IsSet());
      break;
    }
    case Kind::kBarrier: {
      const Barrier& barrier = static_cast<const BarrierObject&>(object).object;
      if (method == "parties") {
        return Value(static_cast<std::int64_t>(barrier.Parties()));
      }
      if (method == "n_waiting") {
        return Value(static_cast<std::int64_t>(barrier.NWaiting()));
      }
      if (method == "broken") return Value(barrier.Broken());
      break;
    }
    case Kind::kQueue: {
      const auto& queue = static_cast<const QueueObject&>(object);
      if (method == "qsize") return Value(queue.Qsize());
      if (method == "empty") return Value(queue.Empty());
      if (method == "full") return Value(queue.Full());
      break;
    }
    case Kind::kTimeout: {
      const auto& timeout = static_cast<const TimeoutObject&>(object);
      if (method == "expired") return Value(timeout.object.Expired());
      if (method == "when") {
        const std::optional<absl::Duration> when = timeout.object.When();
        return when.has_value() ? Value(absl::ToInt64Nanoseconds(*when))
                                : Value();
      }
      break;
    }
    case Kind::kContextVar: {
      const auto& variable = static_cast<const ContextVarObject&>(object);
      if (method == "get") return variable.object.Get();
      break;
    }
    case Kind::kTaskGroup:
    case Kind::kToken:
    case Kind::kContext:
    case Kind::kGenerator:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Value> Machine::Query(const Value& value,
                                    std::string_view method) {
  if (const FutureRef* const future = value.AsFuture()) {
    return QueryFuture(*future, method);
  }
  if (const Object* const object = value.AsObject()) {
    return QueryObject(*object, method);
  }
  return std::nullopt;
}

Value Machine::Call(const Value& value, std::string_view method, Args args) {
  if (std::optional<Value> result = Query(value, method)) {
    return *std::move(result);
  }
  if (const FutureRef* const future = value.AsFuture()) {
    return CallFuture(*future, method, args);
  }
  if (Object* const object = value.AsObject()) {
    return CallObject(*object, method, args);
  }
  throw Unbound();
}

Value Machine::CallFuture(const FutureRef& future, std::string_view method,
                          Args args) {
  if (method == "cancel") {
    const std::optional<std::string> message = MessageAt(args);
    return Value(
        future.Visit([&](const auto& f) { return f.Cancel(message); }));
  }
  if (method == "result") return future.Result();
  if (method == "exception") {
    const std::exception_ptr exception =
        future.Visit([](const auto& f) { return f.GetException(); });
    return exception == nullptr ? Value() : Value(exception);
  }
  if (const std::optional<AnyTask> task = future.AsTask()) {
    if (method == "uncancel") {
      return Value(static_cast<std::int64_t>(task->Uncancel()));
    }
    if (method == "set_name") {
      task->SetName(TextAt(args));
      return Value();
    }
    throw Unbound();
  }
  // Only for futures that the program itself created.
  if (!plain_futures_.contains(future.state().get())) throw Unbound();
  const Future<Value> plain(future.state());
  if (method == "set_result") {
    plain.SetResult(args.empty() ? Value() : args[0]);
    return Value();
  }
  if (method == "set_exception") {
    if (args.empty() || args[0].AsException() == nullptr) throw Unbound();
    plain.SetException(*args[0].AsException());
    return Value();
  }
  throw Unbound();
}

Value Machine::CallObject(Object& object, std::string_view method, Args args) {
  using Kind = Object::Kind;
  switch (object.kind()) {
    case Kind::kHandle: {
      auto& handle = static_cast<HandleObject&>(object);
      if (method == "cancel") {
        handle.handle.Cancel();
        return Value();
      }
      if (method == "when" && handle.timer.has_value()) {
        return Value(absl::ToInt64Nanoseconds(handle.timer->When()));
      }
      break;
    }
    case Kind::kLock:
      if (method != "release") break;
      static_cast<LockObject&>(object).object.Release();
      return Value();
    case Kind::kEvent: {
      Event& event = static_cast<EventObject&>(object).object;
      if (method == "set") {
        event.Set();
        return Value();
      }
      if (method == "clear") {
        event.Clear();
        return Value();
      }
      break;
    }
    case Kind::kCondition: {
      clotho::Condition& condition =
          static_cast<ConditionObject&>(object).object;
      if (method == "release") {
        condition.Release();
        return Value();
      }
      if (method == "notify") {
        const std::int64_t count = IntAt(args, 1);
        condition.Notify(count < 0 ? 0 : static_cast<std::size_t>(count));
        return Value();
      }
      if (method == "notify_all") {
        condition.NotifyAll();
        return Value();
      }
      break;
    }
    case Kind::kSemaphore:
      if (method != "release") break;
      static_cast<SemaphoreObject&>(object).object->Release();
      return Value();
    case Kind::kQueue: {
      auto& queue = static_cast<QueueObject&>(object);
      if (method == "put_nowait") {
        const Value item = args.empty() ? Value() : args[0];
        if (queue.takes_only_integers && item.AsInt() == nullptr) {
          throw Unbound();
        }
        queue.PutNowait(item);
        return Value();
      }
      if (method == "get_nowait") return queue.GetNowait();
      if (method == "task_done") {
        queue.TaskDone();
        return Value();
      }
      if (method == "shutdown") {
        queue.Shutdown(BoolAt(args, false));
        return Value();
      }
      break;
    }
    case Kind::kTimeout: {
      if (method != "reschedule" || args.empty()) break;
      std::optional<Delay> when;
      if (!args[0].is_none()) when = Delay::Nanoseconds(IntAt(args, 0));
      static_cast<TimeoutObject&>(object).object.Reschedule(when);
      return Value();
    }
    case Kind::kContextVar: {
      auto& variable = static_cast<ContextVarObject&>(object);
      if (args.empty()) break;
      if (method == "set") {
        return NewObject<TokenObject>(variable, variable.object.Set(args[0]));
      }
      if (method == "reset") {
        Object* const token = args[0].AsObject();
        if (token == nullptr || token->kind() != Kind::kToken ||
            static_cast<TokenObject*>(token)->variable != &variable) {
          break;
        }
        variable.object.Reset(static_cast<TokenObject*>(token)->token);
        return Value();
      }
      break;
    }
    case Kind::kBarrier:
    case Kind::kTaskGroup:
    case Kind::kToken:
    case Kind::kContext:
    case Kind::kGenerator:
      break;
  }
  throw Unbound();
}

}  // namespace clotho::conformance
