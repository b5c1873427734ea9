// Catch: awaits something, and gives what comes out as a value.
//
//   Outcome<int> outcome = co_await Catch(Fetch("a"));
//   if (outcome.ok()) Use(outcome.value());
//   else Log(DescribeException(outcome.exception()));
//
// A failure of a coroutine, a future or a task is not thrown on its way.
//
// Two things are thrown all the same:
//
//   - The CancelledError of the awaiting task itself. It is the task's own if
//     the task was asked to end since it began to await (`Cancelling()` has
//     grown), or if an earlier request was delivered meanwhile.
//   - What leaves the loop: KeyboardInterrupt, SystemExit.
//
// Any other CancelledError is an outcome: an inner task that somebody else has
// cancelled. `exception()` is that CancelledError then, with its message, and
// `cancelled()` is true.

#ifndef CLOTHO_RUNTIME_CATCH_H_
#define CLOTHO_RUNTIME_CATCH_H_

#include <coroutine>
#include <exception>
#include <type_traits>
#include <utility>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/stored.h"
#include "clotho/runtime/outcome.h"
#include "clotho/runtime/task_base.h"

namespace clotho {

namespace internal {

// Tells whether a CancelledError is the awaiting task's own.
class CancellationMark {
 public:
  explicit CancellationMark(const TaskBase& task)
      : task_(task),
        cancelling_(task.cancelling()),
        pending_(task.cancel_is_pending()) {}
  bool IsOwn() const {
    return task_.cancelling() > cancelling_ ||
           (pending_ && !task_.cancel_is_pending());
  }

 private:
  const TaskBase& task_;
  const int cancelling_;
  const bool pending_;  // Asked for, and not delivered yet.
};

template <typename Inner>
class [[nodiscard, gnu::warn_unused]] CatchAwaitable {
 public:
  explicit CatchAwaitable(Inner inner) : inner_(std::move(inner)) {}

  class [[nodiscard]] Awaiter {
   public:
    using Result = AwaitResult<Inner>;

    Awaiter(CoroPromiseBase& parent, CatchAwaitable&& wait)
        : parent_(parent),
          mark_(parent.task()),
          inner_(MakeAwaiter(parent, std::move(wait.inner_))) {}
    Awaiter(const Awaiter&) = delete;

    bool await_ready() {
      try {
        return inner_.await_ready();
      } catch (...) {
        error_ = std::current_exception();
        return true;
      }
    }
    void await_suspend(std::coroutine_handle<> handle) {
      try {
        inner_.await_suspend(handle);
      } catch (...) {
        error_ = std::current_exception();
        parent_.task().Yield(parent_);
      }
    }
    Outcome<Result> await_resume() {
      if constexpr (requires { inner_.TakeError(); }) {
        if (error_ == nullptr) error_ = inner_.TakeError();
      }
      if (error_ == nullptr) {
        try {
          if constexpr (std::is_void_v<Result>) {
            inner_.await_resume();
            return Outcome<Result>(Stored<Result>());
          } else {
            return Outcome<Result>(Stored<Result>(inner_.await_resume()));
          }
        } catch (...) {
          error_ = std::current_exception();
        }
      }
      const ExceptionFamily family = Classify(error_);
      if (family == ExceptionFamily::kCritical ||
          (family == ExceptionFamily::kCancelled && mark_.IsOwn())) {
        std::rethrow_exception(error_);
      }
      return Outcome<Result>(std::move(error_));
    }

   private:
    CoroPromiseBase& parent_;
    const CancellationMark mark_;
    decltype(MakeAwaiter(std::declval<CoroPromiseBase&>(),
                         std::declval<Inner>())) inner_;
    std::exception_ptr error_;
  };

 private:
  Inner inner_;
};

}  // namespace internal

// A coroutine runs inside of the awaiting task, as if it were awaited directly.
template <Awaitable A>
[[nodiscard]] auto Catch(A awaitable) {
  return internal::CatchAwaitable<A>(std::move(awaitable));
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_CATCH_H_
