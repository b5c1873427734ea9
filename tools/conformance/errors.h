// The exceptions of the conformance language (section 8.1 of SPEC.md).

#ifndef CLOTHO_TOOLS_CONFORMANCE_ERRORS_H_
#define CLOTHO_TOOLS_CONFORMANCE_ERRORS_H_

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "clotho/runtime/exceptions.h"

namespace clotho::conformance {

class ErrA : public Exception {
 public:
  explicit ErrA(std::optional<std::string> argument)
      : Exception(argument.value_or("")), argument_(std::move(argument)) {}
  const std::optional<std::string>& argument() const { return argument_; }

 private:
  std::optional<std::string> argument_;
};

class ErrB : public ErrA {
 public:
  using ErrA::ErrA;
};

// A new exception of the named class.
std::exception_ptr MakeException(std::string_view class_name,
                                 std::optional<std::string> argument);

// True if `except CLASS` catches it.
bool IsInstance(const std::exception_ptr& exception,
                std::string_view class_name);

// As shown in traces (section 11.2).
std::string ShowException(const std::exception_ptr& exception);

}  // namespace clotho::conformance

#endif  // CLOTHO_TOOLS_CONFORMANCE_ERRORS_H_
