// Outcome<T>: a value or an exception, as a value.
//
// `Gather(kReturnExceptions, ...)` returns one for each awaitable. It allows
// inspecting a failure without a throw, which costs about a microsecond per
// frame.

#ifndef CLOTHO_RUNTIME_OUTCOME_H_
#define CLOTHO_RUNTIME_OUTCOME_H_

#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/stored.h"

namespace clotho {

template <typename T>
class Outcome {
 public:
  using Value = internal::Stored<T>;
  // Of a reference: that reference.
  using ConstReference =
      std::conditional_t<std::is_void_v<T>, void,
                         std::add_lvalue_reference_t<std::add_const_t<T>>>;

  explicit Outcome(Value value) : value_(std::move(value)) {}
  explicit Outcome(std::exception_ptr exception)
      : value_(std::move(exception)) {}

  bool ok() const { return value_.index() == 0; }

  // The value. Throws the exception if there is no value.
  std::add_lvalue_reference_t<T> value() {
    if (!ok()) std::rethrow_exception(std::get<1>(value_));
    if constexpr (!std::is_void_v<T>) return std::get<0>(value_);
  }
  ConstReference value() const {
    if (!ok()) std::rethrow_exception(std::get<1>(value_));
    if constexpr (!std::is_void_v<T>) return std::get<0>(value_);
  }

  // The exception, or null if there is a value.
  std::exception_ptr exception() const {
    return ok() ? nullptr : std::get<1>(value_);
  }
  // The exception is a CancelledError.
  bool cancelled() const {
    return !ok() && internal::Classify(std::get<1>(value_)) ==
                        internal::ExceptionFamily::kCancelled;
  }

 private:
  std::variant<Value, std::exception_ptr> value_;
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_OUTCOME_H_
