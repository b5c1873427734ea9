// The objects that programs create with `new`, and those created by some
// statements: thin wrappers around the runtime's own objects.

#ifndef CLOTHO_TOOLS_CONFORMANCE_OBJECTS_H_
#define CLOTHO_TOOLS_CONFORMANCE_OBJECTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "clotho/runtime/async_generator.h"
#include "clotho/runtime/barrier.h"
#include "clotho/runtime/condition.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/lock.h"
#include "clotho/runtime/queue.h"
#include "clotho/runtime/semaphore.h"
#include "clotho/runtime/task_group.h"
#include "clotho/runtime/timeout.h"
#include "clotho/tools/conformance/value.h"

namespace clotho::conformance {

// An Object with one member of type `T`.
template <Object::Kind object_kind, typename T>
class Wrapped final : public Object {
 public:
  static constexpr Kind kKind = object_kind;

  template <typename... Args>
  explicit Wrapped(Args&&... args)
      : Object(object_kind), object(std::forward<Args>(args)...) {}

  T object;
};

using LockObject = Wrapped<Object::Kind::kLock, Lock>;
using EventObject = Wrapped<Object::Kind::kEvent, Event>;
using ConditionObject = Wrapped<Object::Kind::kCondition, Condition>;
using BarrierObject = Wrapped<Object::Kind::kBarrier, Barrier>;
using TaskGroupObject = Wrapped<Object::Kind::kTaskGroup, TaskGroup>;
using TimeoutObject = Wrapped<Object::Kind::kTimeout, TimeoutScope>;
using ContextObject = Wrapped<Object::Kind::kContext, Context>;
using ContextVarObject = Wrapped<Object::Kind::kContextVar, ContextVar<Value>>;
using SemaphoreObject =
    Wrapped<Object::Kind::kSemaphore, std::unique_ptr<Semaphore>>;

// Generators are sent Values, and yield them.
using ValueGenerator = AsyncGenerator<Value, Value>;
using GeneratorObject = Wrapped<Object::Kind::kGenerator, ValueGenerator>;

class HandleObject final : public Object {
 public:
  static constexpr Kind kKind = Kind::kHandle;

  explicit HandleObject(Handle scheduled)
      : Object(kKind), handle(std::move(scheduled)) {}
  explicit HandleObject(TimerHandle scheduled)
      : Object(kKind), handle(scheduled), timer(std::move(scheduled)) {}

  Handle handle;
  std::optional<TimerHandle> timer;
};

class TokenObject final : public Object {
 public:
  static constexpr Kind kKind = Kind::kToken;

  TokenObject(const ContextVarObject& of, ContextVar<Value>::Token made)
      : Object(kKind), variable(&of), token(std::move(made)) {}

  const ContextVarObject* variable;
  ContextVar<Value>::Token token;
};

// A queue of any kind.
class QueueObject : public Object {
 public:
  static constexpr Kind kKind = Kind::kQueue;

  explicit QueueObject(bool only_integers)
      : Object(kKind), takes_only_integers(only_integers) {}

  virtual std::int64_t Qsize() const = 0;
  virtual bool Empty() const = 0;
  virtual bool Full() const = 0;
  virtual Coro<Value> Put(Value item) = 0;
  virtual Coro<Value> Get() = 0;
  virtual Coro<Value> Join() = 0;
  virtual void PutNowait(Value item) = 0;
  virtual Value GetNowait() = 0;
  virtual void TaskDone() = 0;
  virtual void Shutdown(bool immediate) = 0;

  const bool takes_only_integers;
};

template <typename Q>
class TypedQueueObject final : public QueueObject {
 public:
  TypedQueueObject(std::size_t maxsize, bool only_integers)
      : QueueObject(only_integers), queue_(maxsize) {}

  std::int64_t Qsize() const override {
    return static_cast<std::int64_t>(queue_.Qsize());
  }
  bool Empty() const override { return queue_.Empty(); }
  bool Full() const override { return queue_.Full(); }
  Coro<Value> Put(Value item) override {
    co_await queue_.Put(std::move(item));
    co_return Value();
  }
  Coro<Value> Get() override { co_return co_await queue_.Get(); }
  Coro<Value> Join() override {
    co_await queue_.Join();
    co_return Value();
  }
  void PutNowait(Value item) override { queue_.PutNowait(std::move(item)); }
  Value GetNowait() override { return queue_.GetNowait(); }
  void TaskDone() override { queue_.TaskDone(); }
  void Shutdown(bool immediate) override { queue_.Shutdown(immediate); }

 private:
  Q queue_;
};

// Orders the integers of a priority queue.
struct IntegerLess {
  bool operator()(const Value& a, const Value& b) const {
    return *a.AsInt() < *b.AsInt();
  }
};

}  // namespace clotho::conformance

#endif  // CLOTHO_TOOLS_CONFORMANCE_OBJECTS_H_
