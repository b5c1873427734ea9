// The exceptions of asyncio.
//
// Two families, as in Python. What derives from `Exception` (and so from
// `std::exception`) is an error. What derives from `BaseException` alone is
// not: a `catch (const std::exception&)` lets it pass, above all
// `CancelledError`, which a handler for errors must not swallow.
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
#include <utility>
#include <vector>

namespace clotho {

// What is thrown but is no error. Not a std::exception, on purpose.
class BaseException {
 public:
  virtual ~BaseException() = default;
  virtual const char* what() const noexcept = 0;
};

// Thrown at the await of a task that is cancelled. Catch it to clean up, and
// rethrow it. May carry the message that was given to `Cancel`.
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

// Leaves the loop at once, out of whatever it runs (rules L-27, T-05).
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

// Thrown into a generator that is closed, at the `co_yield` where it is
// suspended (rule AG-02). Catch it to clean up, and rethrow it.
class GeneratorExit : public BaseException {
 public:
  const char* what() const noexcept override { return "GeneratorExit"; }
};

// An error with a message, perhaps empty.
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

// A future was asked for what it does not have, or set twice (F-02, F-04).
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

// An asynchronous iteration has come to its end (rule AG-01).
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

// The loop would wait for ever: nothing is ready, no timer is set, and its
// clock knows that nothing can come from outside (rule V-06).
class DeadlockError : public RuntimeError {
 public:
  using RuntimeError::RuntimeError;
};

// Several exceptions at once, of which some are no errors (rule TG-05).
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

// Several errors at once. It is caught as the error that it is, and as a
// BaseExceptionGroup, too, as in Python.
class ExceptionGroup : public Exception, public BaseExceptionGroup {
 public:
  using BaseExceptionGroup::BaseExceptionGroup;
  const char* what() const noexcept override {
    return BaseExceptionGroup::what();
  }
};

// An ExceptionGroup if all of `exceptions` are errors, else a
// BaseExceptionGroup. Throws ValueError if there are none.
std::exception_ptr MakeExceptionGroup(
    std::string message, std::vector<std::exception_ptr> exceptions);

// "TimeoutError: after 2 s", or the class alone if there is no message. Class
// names are given without namespaces.
std::string DescribeException(std::exception_ptr exception);

// The class of `exception`, without namespaces: "TimeoutError".
std::string ExceptionClass(std::exception_ptr exception);

namespace internal {

enum class ExceptionFamily { kError, kCancelled, kCritical };

// It is no error: a BaseException that is not a std::exception.
bool IsBaseOnly(const std::exception_ptr& exception) noexcept;

// Which of the families the loop tells apart `exception` belongs to.
ExceptionFamily Classify(const std::exception_ptr& exception) noexcept;

// "Name" of "ns::(anonymous namespace)::Name".
std::string WithoutNamespaces(std::string_view type_name);

}  // namespace internal
}  // namespace clotho

#endif  // CLOTHO_RUNTIME_EXCEPTIONS_H_
