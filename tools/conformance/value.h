// The values of the conformance language (section 4 of SPEC.md).

#ifndef CLOTHO_TOOLS_CONFORMANCE_VALUE_H_
#define CLOTHO_TOOLS_CONFORMANCE_VALUE_H_

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "clotho/runtime/future.h"
#include "clotho/runtime/outcome.h"
#include "clotho/runtime/task.h"

namespace clotho::conformance {

class Value;
using List = std::vector<Value>;

// A future or a task. Those created by `gather` hold lists, and some of the
// loop's own tasks hold nothing.
class FutureRef {
 public:
  using Outcomes = std::vector<Outcome<Value>>;

  FutureRef(const Future<Value>& future);     // NOLINT: converts.
  FutureRef(const Future<List>& future);      // NOLINT
  FutureRef(const Future<Outcomes>& future);  // NOLINT
  FutureRef(const Future<void>& future);      // NOLINT

  // Calls `function` with the underlying Future<T>.
  template <typename Function>
  auto Visit(Function function) const;

  // These make it FutureLike.
  const internal::Ref<internal::FutureBase>& state() const { return state_; }
  Value Result() const;

  bool Done() const;
  bool Cancelled() const;
  // The underlying task, if it is one.
  std::optional<AnyTask> AsTask() const;

  bool operator==(const FutureRef& other) const {
    return state_ == other.state_;
  }

 private:
  enum class Type { kValue, kList, kOutcomes, kNothing };

  Type type_;
  internal::Ref<internal::FutureBase> state_;
};

// An object that a program creates with `new`, or another object that is not a
// future.
class Object {
 public:
  enum class Kind {
    kHandle,
    kLock,
    kEvent,
    kCondition,
    kSemaphore,
    kBarrier,
    kQueue,
    kTaskGroup,
    kTimeout,
    kContextVar,
    kToken,
    kContext,
    kGenerator,
  };

  explicit Object(Kind kind) : kind_(kind) {}
  virtual ~Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  Kind kind() const { return kind_; }

 private:
  const Kind kind_;
};

class Value {
 public:
  Value() = default;  // None.
  explicit Value(bool value) : value_(value) {}
  explicit Value(std::int64_t value) : value_(value) {}
  explicit Value(std::string value) : value_(std::move(value)) {}
  explicit Value(List list)
      : value_(std::make_shared<const List>(std::move(list))) {}
  explicit Value(std::exception_ptr exception) : value_(std::move(exception)) {}
  explicit Value(FutureRef future) : value_(std::move(future)) {}
  explicit Value(std::shared_ptr<Object> object) : value_(std::move(object)) {}
  template <typename T>
  explicit Value(T*) = delete;  // It would convert to bool.

  bool is_none() const { return value_.index() == 0; }
  // These return null for values of other types.
  const bool* AsBool() const { return std::get_if<bool>(&value_); }
  const std::int64_t* AsInt() const {
    return std::get_if<std::int64_t>(&value_);
  }
  const std::string* AsString() const {
    return std::get_if<std::string>(&value_);
  }
  const List* AsList() const {
    const auto* const list = std::get_if<std::shared_ptr<const List>>(&value_);
    return list == nullptr ? nullptr : list->get();
  }
  const std::exception_ptr* AsException() const {
    return std::get_if<std::exception_ptr>(&value_);
  }
  const FutureRef* AsFuture() const { return std::get_if<FutureRef>(&value_); }
  Object* AsObject() const {
    const auto* const object = std::get_if<std::shared_ptr<Object>>(&value_);
    return object == nullptr ? nullptr : object->get();
  }
  const std::shared_ptr<Object>& shared_object() const {
    return std::get<std::shared_ptr<Object>>(value_);
  }

  // Its value as a condition.
  bool Truth() const;
  // The operator `eq`.
  bool IsSame(const Value& other) const { return value_ == other.value_; }

 private:
  std::variant<std::monostate, bool, std::int64_t, std::string,
               std::shared_ptr<const List>, std::exception_ptr, FutureRef,
               std::shared_ptr<Object>>
      value_;
};

template <typename Function>
auto FutureRef::Visit(Function function) const {
  switch (type_) {
    case Type::kValue:
      return function(Future<Value>(state_));
    case Type::kList:
      return function(Future<List>(state_));
    case Type::kOutcomes:
      return function(Future<Outcomes>(state_));
    case Type::kNothing:
      break;
  }
  return function(Future<void>(state_));
}

// Converts the result of an awaitable: the language has one value type, the
// runtime has many.
inline Value ToValue(Value value) { return value; }
inline Value ToValue(List list) { return Value(std::move(list)); }
Value ToValue(FutureRef::Outcomes outcomes);

}  // namespace clotho::conformance

#endif  // CLOTHO_TOOLS_CONFORMANCE_VALUE_H_
