// asyncio's exceptions.
//
// There are two families, as in Python. Types derived from `Exception` (and so
// from `std::exception`) are errors. Types derived only from `BaseException`
// are not: `catch (const std::exception&)` does not catch them. This matters
// most for `CancelledError`, which an error handler must not swallow.
//
//   BaseException        CancelledError, KeyboardInterrupt, SystemExit,
//                        GeneratorExit, BaseExceptionGroup
//   std::exception
//     Exception          TimeoutError, InvalidStateError, ValueError,
//                        TypeError, LookupError, QueueEmpty, QueueFull,
//                        QueueShutDown, StopAsyncIteration, ExceptionGroup
//       RuntimeError     DeadlockError, BrokenBarrierError

#ifndef CLOTHO_RUNTIME_EXCEPTIONS_H_
#define CLOTHO_RUNTIME_EXCEPTIONS_H_

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace clotho {

// The base of exceptions that are not errors. Deliberately not a
// std::exception.
class BaseException {
 public:
  virtual ~BaseException() = default;
  virtual const char* what() const noexcept = 0;
};

// Thrown at the await of a cancelled task. Catch it to clean up, then rethrow
// it. May carry the message passed to `Cancel`.
class CancelledError : public BaseException {
 public:
  CancelledError() = default;
  explicit CancelledError(std::optional<std::string> message)
      : message_(std::move(message)) {}
  CancelledError(std::in_place_t, std::string_view message)
      : message_(std::in_place, message) {}

  const char* what() const noexcept override {
    return message_.has_value() ? message_->c_str() : "";
  }
  const std::optional<std::string>& message() const noexcept {
    return message_;
  }

 private:
  std::optional<std::string> message_;
};

// Propagates out of the loop at once, whatever the loop is running (rules L-27,
// T-05).
class CriticalException : public BaseException {};

class KeyboardInterrupt : public CriticalException {
 public:
  const char* what() const noexcept override { return "KeyboardInterrupt"; }
};

class SystemExit : public CriticalException {
 public:
  explicit SystemExit(int code) : code_(code) {}
  const char* what() const noexcept override { return "SystemExit"; }
  int code() const noexcept { return code_; }

 private:
  int code_;
};

// Thrown into a generator that is being closed, at the `co_yield` where it is
// suspended (rule AG-02). Catch it to clean up, then rethrow it.
class GeneratorExit : public BaseException {
 public:
  const char* what() const noexcept override { return "GeneratorExit"; }
};

// An error with a message, which may be empty.
class Exception : public std::exception {
 public:
  Exception() = default;
  explicit Exception(std::string message) : message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

// A deadline passed (rules TO-05, WF-01).
class TimeoutError : public Exception {
 public:
  using Exception::Exception;
};

// A future does not hold what was requested, or was set twice (F-02, F-04).
class InvalidStateError : public Exception {
 public:
  using Exception::Exception;
};

class ValueError : public Exception {
 public:
  using Exception::Exception;
};

class TypeError : public Exception {
 public:
  using Exception::Exception;
};

// A context variable has no value and no default.
class LookupError : public Exception {
 public:
  using Exception::Exception;
};

class QueueEmpty : public Exception {
 public:
  using Exception::Exception;
};

class QueueFull : public Exception {
 public:
  using Exception::Exception;
};

class QueueShutDown : public Exception {
 public:
  using Exception::Exception;
};

// An asynchronous iteration has ended (rule AG-01).
class StopAsyncIteration : public Exception {
 public:
  using Exception::Exception;
};

// The API was used in a way it does not allow.
class RuntimeError : public Exception {
 public:
  using Exception::Exception;
};

class BrokenBarrierError : public RuntimeError {
 public:
  using RuntimeError::RuntimeError;
};

// The loop would wait forever: nothing is ready, no timer is armed, and its
// clock knows that no outside event can arrive (rule V-06).
class DeadlockError : public RuntimeError {
 public:
  using RuntimeError::RuntimeError;
};

// Several exceptions, at least one of which is not an error (rule TG-05).
class BaseExceptionGroup : public BaseException {
 public:
  // `exceptions` must not be empty.
  BaseExceptionGroup(std::string message,
                     std::vector<std::exception_ptr> exceptions);

  // "unhandled errors in a TaskGroup (2 sub-exceptions)".
  const char* what() const noexcept override { return text_.c_str(); }
  const std::string& message() const noexcept { return message_; }
  const std::vector<std::exception_ptr>& exceptions() const noexcept {
    return exceptions_;
  }

 private:
  std::string message_;
  std::string text_;
  std::vector<std::exception_ptr> exceptions_;
};

// Several errors. As in Python, it can be caught both as an Exception and as a
// BaseExceptionGroup.
class ExceptionGroup : public Exception, public BaseExceptionGroup {
 public:
  using BaseExceptionGroup::BaseExceptionGroup;
  const char* what() const noexcept override {
    return BaseExceptionGroup::what();
  }
};

// Returns an ExceptionGroup if all of `exceptions` are errors, otherwise a
// BaseExceptionGroup. Throws ValueError if `exceptions` is empty.
std::exception_ptr MakeExceptionGroup(
    std::string message, std::vector<std::exception_ptr> exceptions);

// "TimeoutError: after 2 s", or only the class if there is no message. Class
// names have no namespaces.
std::string DescribeException(std::exception_ptr exception);

// The class of `exception`, without namespaces: "TimeoutError".
std::string ExceptionClass(std::exception_ptr exception);

namespace internal {

enum class ExceptionFamily { kError, kCancelled, kCritical };

// True if it is not an error: a BaseException that is not a std::exception.
bool IsBaseOnly(const std::exception_ptr& exception) noexcept;

// Returns the family of `exception`, as far as the loop distinguishes them.
ExceptionFamily Classify(const std::exception_ptr& exception) noexcept;

// What `SetException` of a future was given, an exception or a pointer to one,
// as a pointer. Throws TypeError if it is null.
template <typename E>
std::exception_ptr ToSetException(E exception) {
  if constexpr (std::is_convertible_v<E, std::exception_ptr>) {
    std::exception_ptr pointer = std::move(exception);
    if (pointer == nullptr) {
      throw TypeError("SetException takes an exception, not a null pointer");
    }
    return pointer;
  } else {
    return std::make_exception_ptr(std::move(exception));
  }
}

// Returns "Name" for "ns::(anonymous namespace)::Name".
std::string WithoutNamespaces(std::string_view type_name);

}  // namespace internal
}  // namespace clotho

#endif  // CLOTHO_RUNTIME_EXCEPTIONS_H_
