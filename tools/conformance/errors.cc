#include "clotho/tools/conformance/errors.h"

#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/exceptions.h"

namespace clotho::conformance {
namespace {

// Python's BaseException can be raised directly; the runtime's cannot be
// thrown.
namespace python {
class BaseException : public clotho::BaseException {
 public:
  const char* what() const noexcept override { return ""; }
};
}  // namespace python

using Argument = std::optional<std::string>;

// One class: how to create and how to recognize an instance.
struct Class {
  std::function<std::exception_ptr(Argument)> make;
  std::function<bool(const std::exception_ptr&)> matches;
};

template <typename E>
bool Matches(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const E&) {
    return true;
  } catch (...) {
    return false;
  }
}

template <typename E>
Class Plain() {
  return {.make = [](const Argument&) { return std::make_exception_ptr(E()); },
          .matches = &Matches<E>};
}

template <typename E>
Class WithArgument() {
  return {.make =
              [](Argument argument) {
                return std::make_exception_ptr(E(std::move(argument)));
              },
          .matches = &Matches<E>};
}

template <typename E>
Class Group() {
  return {.make = nullptr, .matches = &Matches<E>};
}

const Class& Find(std::string_view name) {
  static const auto* const classes =
      new std::map<std::string, Class, std::less<>>{
          {"BaseException",
           {.make =
                [](const Argument&) {
                  return std::make_exception_ptr(python::BaseException());
                },
            .matches = [](const std::exception_ptr&) { return true; }}},
          {"Exception",
           {.make = Plain<Exception>().make,
            .matches = &Matches<std::exception>}},
          {"ErrA", WithArgument<ErrA>()},
          {"ErrB", WithArgument<ErrB>()},
          {"CancelledError", WithArgument<CancelledError>()},
          {"TimeoutError", Plain<TimeoutError>()},
          {"RuntimeError", Plain<RuntimeError>()},
          {"ValueError", Plain<ValueError>()},
          {"TypeError", Plain<TypeError>()},
          {"InvalidStateError", Plain<InvalidStateError>()},
          {"QueueEmpty", Plain<QueueEmpty>()},
          {"QueueFull", Plain<QueueFull>()},
          {"QueueShutDown", Plain<QueueShutDown>()},
          {"BrokenBarrierError", Plain<BrokenBarrierError>()},
          {"StopAsyncIteration", Plain<StopAsyncIteration>()},
          {"GeneratorExit", Plain<GeneratorExit>()},
          {"ExceptionGroup", Group<ExceptionGroup>()},
          {"BaseExceptionGroup", Group<BaseExceptionGroup>()},
      };
  const auto found = classes->find(name);
  if (found == classes->end()) {
    throw std::invalid_argument(absl::StrCat("there is no exception class \"",
                                             std::string(name),
                                             "\" in the language"));
  }
  return found->second;
}

std::string Show(std::string name, const Argument& argument) {
  if (argument.has_value()) absl::StrAppend(&name, "(", *argument, ")");
  return name;
}

}  // namespace

std::exception_ptr MakeException(std::string_view class_name,
                                 std::optional<std::string> argument) {
  return Find(class_name).make(std::move(argument));
}

bool IsInstance(const std::exception_ptr& exception,
                std::string_view class_name) {
  return Find(class_name).matches(exception);
}

std::string ShowException(const std::exception_ptr& exception) {
  std::string name = ExceptionClass(exception);
  try {
    std::rethrow_exception(exception);
  } catch (const ErrA& error) {
    return Show(std::move(name), error.argument());
  } catch (const CancelledError& error) {
    return Show(std::move(name), error.message());
  } catch (const BaseExceptionGroup& group) {
    const char* separator = "[";
    for (const std::exception_ptr& member : group.exceptions()) {
      absl::StrAppend(&name, separator, ShowException(member));
      separator = ",";
    }
    absl::StrAppend(&name, "]");
  } catch (...) {
  }
  return name;
}

}  // namespace clotho::conformance
