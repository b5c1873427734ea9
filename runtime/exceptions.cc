#include "clotho/runtime/exceptions.h"

#include <cxxabi.h>

#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace clotho {
namespace internal {

ExceptionFamily Classify(const std::exception_ptr& exception) noexcept {
#if defined(__GLIBCXX__)
  // The most common exception of a cancelled task is recognized without
  // rethrowing it.
  if (*exception.__cxa_exception_type() == typeid(CancelledError)) {
    return ExceptionFamily::kCancelled;
  }
#endif
  try {
    std::rethrow_exception(exception);
  } catch (const CancelledError&) {
    return ExceptionFamily::kCancelled;
  } catch (const CriticalException&) {
    return ExceptionFamily::kCritical;
  } catch (...) {
    return ExceptionFamily::kError;
  }
}

bool IsBaseOnly(const std::exception_ptr& exception) noexcept {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception&) {
    return false;
  } catch (const BaseException&) {
    return true;
  } catch (...) {
    return false;
  }
}

std::string WithoutNamespaces(std::string_view type_name) {
  // Only qualifiers outside template arguments are removed.
  int depth = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i < type_name.size(); ++i) {
    const char c = type_name[i];
    if (c == '<' || c == '(') ++depth;
    if (c == '>' || c == ')') --depth;
    if (depth == 0 && c == ':' && i + 1 < type_name.size() &&
        type_name[i + 1] == ':') {
      start = i + 2;
      ++i;
    }
  }
  return std::string(type_name.substr(start));
}

}  // namespace internal

namespace {

std::string CurrentExceptionClass() {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "unknown exception";
  int status = 0;
  char* const demangled =
      abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
  std::string name = internal::WithoutNamespaces(
      status == 0 ? std::string_view(demangled) : type->name());
  std::free(demangled);
  return name;
}

// The class and message of `exception`.
std::pair<std::string, std::string> Look(const std::exception_ptr& exception) {
  if (exception == nullptr) return {"no exception", ""};
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    return {CurrentExceptionClass(), e.what()};
  } catch (const BaseException& e) {
    return {CurrentExceptionClass(), e.what()};
  } catch (const std::string& text) {
    return {"string", text};
  } catch (const char* text) {
    return {"const char*", text == nullptr ? "null" : text};
  } catch (int number) {
    return {CurrentExceptionClass(), absl::StrCat(number)};
  } catch (...) {
    return {CurrentExceptionClass(), ""};
  }
}

}  // namespace

BaseExceptionGroup::BaseExceptionGroup(
    std::string message, std::vector<std::exception_ptr> exceptions)
    : message_(std::move(message)),
      text_(absl::StrCat(message_, " (", exceptions.size(), " sub-exception",
                         exceptions.size() == 1 ? ")" : "s)")),
      exceptions_(std::move(exceptions)) {
  if (exceptions_.empty()) {
    throw ValueError("an exception group needs at least one exception");
  }
}

std::exception_ptr MakeExceptionGroup(
    std::string message, std::vector<std::exception_ptr> exceptions) {
  for (const std::exception_ptr& exception : exceptions) {
    if (internal::IsBaseOnly(exception)) {
      return std::make_exception_ptr(
          BaseExceptionGroup(std::move(message), std::move(exceptions)));
    }
  }
  return std::make_exception_ptr(
      ExceptionGroup(std::move(message), std::move(exceptions)));
}

std::string DescribeException(std::exception_ptr exception) {
  const auto [type, text] = Look(exception);
  // The message of a critical exception is its class name.
  if (text.empty() || text == type) return type;
  return absl::StrCat(type, ": ", text);
}

std::string ExceptionClass(std::exception_ptr exception) {
  return Look(exception).first;
}

}  // namespace clotho
