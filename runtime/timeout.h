// Timeout and WaitFor: stop waiting at a deadline.
//
//   int n = co_await WaitFor(Fetch(), absl::Seconds(2));
//   co_await Timeout(absl::Seconds(2), Fetch());
//   co_await Timeout(absl::Seconds(2), [&](TimeoutScope& scope) -> Coro<void> {
//     co_await Connect();
//     scope.Reschedule(GetRunningLoop().Time() + absl::Seconds(10));
//     co_await Fetch();
//   });
//
// The code under the deadline runs in the awaiting task. If the deadline passes
// first, the task is cancelled, and the resulting CancelledError becomes
// TimeoutError when it reaches the end of that code (section TO of the rules).
// The call returns only after that code has cleaned up; if it returned a value
// after all, the value is the result. A cancellation from outside stays a
// CancelledError, even at the same instant (TO-06).

#ifndef CLOTHO_RUNTIME_TIMEOUT_H_
#define CLOTHO_RUNTIME_TIMEOUT_H_

#include <coroutine>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/done_waiter.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/internal/lifetimes.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/task_base.h"

namespace clotho {

namespace internal {
template <typename Inner>
class TimeoutAwaitable;
}  // namespace internal

// A deadline for part of a task.
class TimeoutScope {
 public:
  // `when` is a time of the loop's clock; nullopt: no deadline.
  explicit TimeoutScope(std::optional<Delay> when) : when_(when) {}
  ~TimeoutScope() { Disarm(); }
  TimeoutScope(const TimeoutScope&) = delete;
  TimeoutScope& operator=(const TimeoutScope&) = delete;

  // Awaits `awaitable` under the deadline. Can be used only once.
  template <Awaitable A>
  [[nodiscard]] auto Run(A awaitable);

  // Changes the deadline; nullopt: none. Throws RuntimeError unless the code
  // under the deadline is running (TO-03).
  void Reschedule(std::optional<Delay> when);

  // The deadline, if there is one.
  std::optional<absl::Duration> When() const;
  // True if the deadline passed first.
  bool Expired() const {
    return state_ == State::kExpiring || state_ == State::kExpired;
  }

  // ---- For awaiters. ----
  void Enter(internal::TaskBase& task);
  // Ends the part under the deadline. Returns true if a CancelledError that
  // leaves it was caused by this timeout and must become TimeoutError.
  bool Exit();

 private:
  enum class State { kCreated, kActive, kExpiring, kExpired, kFinished };

  void Arm();
  void Disarm() {
    if (handle_.has_value()) handle_->Cancel();
    handle_.reset();
  }

  State state_ = State::kCreated;
  std::optional<Delay> when_;
  internal::TaskBase* task_ = nullptr;
  int cancelling_before_ = 0;
  std::optional<Handle> handle_;
};

namespace internal {

// Awaits an awaitable between `Enter` and `Exit` of a scope, in the awaiting
// coroutine's frame.
template <typename Inner>
class [[nodiscard]] TimeoutAwaiterBase {
 public:
  using Result = AwaitResult<Inner>;

  TimeoutAwaiterBase(CoroPromiseBase& parent, Inner&& inner)
      : parent_(parent), inner_(MakeAwaiter(parent, std::move(inner))) {}
  TimeoutAwaiterBase(const TimeoutAwaiterBase&) = delete;

 protected:
  bool Ready(TimeoutScope& scope) {
    scope.Enter(parent_.task());
    return inner_.await_ready();
  }
  void Suspend(std::coroutine_handle<> handle) { inner_.await_suspend(handle); }
  Result Resume(TimeoutScope& scope) {
    bool expired = false;
    try {
      if constexpr (std::is_void_v<Result>) {
        inner_.await_resume();
        scope.Exit();
        return;
      } else {
        decltype(auto) result = inner_.await_resume();
        scope.Exit();
        return static_cast<Result&&>(result);
      }
    } catch (const CancelledError&) {
      expired = scope.Exit();
      if (!expired) throw;
    } catch (...) {
      scope.Exit();
      throw;
    }
    throw TimeoutError();
  }

 private:
  CoroPromiseBase& parent_;
  decltype(MakeAwaiter(std::declval<CoroPromiseBase&>(),
                       std::declval<Inner>())) inner_;
};

// `co_await scope.Run(inner)`.
template <typename Inner>
class [[nodiscard, gnu::warn_unused]] TimeoutAwaitable {
 public:
  TimeoutAwaitable(TimeoutScope& scope, Inner inner)
      : scope_(scope), inner_(std::move(inner)) {}

  class Awaiter : public TimeoutAwaiterBase<Inner> {
   public:
    Awaiter(CoroPromiseBase& parent, TimeoutAwaitable&& timeout)
        : TimeoutAwaiterBase<Inner>(parent, std::move(timeout.inner_)),
          scope_(timeout.scope_) {}
    bool await_ready() { return this->Ready(scope_); }
    void await_suspend(std::coroutine_handle<> handle) {
      this->Suspend(handle);
    }
    typename Awaiter::Result await_resume() { return this->Resume(scope_); }

   private:
    TimeoutScope& scope_;
  };

 private:
  TimeoutScope& scope_;
  Inner inner_;
};

// Like TimeoutAwaitable, with its own scope. The deadline is absolute, or
// relative to the `co_await`.
template <typename Inner>
class [[nodiscard, gnu::warn_unused]] ScopedTimeoutAwaitable {
 public:
  ScopedTimeoutAwaitable(std::optional<Delay> delay, bool absolute, Inner inner)
      : delay_(delay), absolute_(absolute), inner_(std::move(inner)) {}

  class Awaiter : public TimeoutAwaiterBase<Inner> {
   public:
    Awaiter(CoroPromiseBase& parent, ScopedTimeoutAwaitable&& timeout)
        : TimeoutAwaiterBase<Inner>(parent, std::move(timeout.inner_)),
          scope_(timeout.When(parent)) {}
    bool await_ready() { return this->Ready(scope_); }
    void await_suspend(std::coroutine_handle<> handle) {
      this->Suspend(handle);
    }
    typename Awaiter::Result await_resume() { return this->Resume(scope_); }

   private:
    TimeoutScope scope_;
  };

 private:
  std::optional<Delay> When(CoroPromiseBase& parent) const;

  std::optional<Delay> delay_;
  bool absolute_;
  Inner inner_;
};

// The time `delay` after the loop's current time.
Delay DeadlineOf(EventLoop& loop, Delay delay);

template <typename Inner>
std::optional<Delay> ScopedTimeoutAwaitable<Inner>::When(
    CoroPromiseBase& parent) const {
  if (!delay_.has_value() || absolute_) return delay_;
  return DeadlineOf(*parent.task().loop(), *delay_);
}

template <typename Function>
using ScopedBody = std::invoke_result_t<Function&, TimeoutScope&>;

template <typename Function>
Coro<AwaitResult<ScopedBody<Function>>> TimeoutWithScope(
    std::optional<Delay> delay, bool absolute, Function function) {
  if (delay.has_value() && !absolute) {
    delay = DeadlineOf(GetRunningLoop(), *delay);
  }
  TimeoutScope scope(delay);
  auto body = scope.Run(function(scope));
  co_return co_await std::move(body);
}

// WF-01: the timeout has passed before the start. An awaitable that is done
// returns its result; any other is cancelled and awaited.
template <Awaitable A>
Coro<AwaitResult<A>> WaitForExpired(A awaitable) {
  using Result = AwaitResult<A>;
  auto future = EnsureFuture(std::move(awaitable));
  FutureBase& state = *future.state();
  if (state.done()) {
    state.ThrowUnlessValue();
    co_return ReadValue<Result>(state);
  }
  co_await CancelAndWait(state);
  try {
    state.ThrowUnlessValue();
  } catch (const CancelledError&) {
    throw TimeoutError();
  }
  co_return ReadValue<Result>(state);
}

template <typename Inner>
class [[nodiscard, gnu::warn_unused]] WaitForAwaitable {
 public:
  WaitForAwaitable(Inner inner, std::optional<Delay> timeout)
      : inner_(std::move(inner)), timeout_(timeout) {}

  class [[nodiscard]] Awaiter {
   public:
    using Result = AwaitResult<Inner>;

    Awaiter(CoroPromiseBase& parent, WaitForAwaitable&& wait) {
      if (wait.timeout_.has_value() && wait.timeout_->ns() <= 0) {
        expired_.emplace(parent, WaitForExpired(std::move(wait.inner_)).Take());
      } else {
        timed_.emplace(parent, ScopedTimeoutAwaitable<Inner>(
                                   wait.timeout_, /*absolute=*/false,
                                   std::move(wait.inner_)));
      }
    }
    Awaiter(const Awaiter&) = delete;

    bool await_ready() {
      return timed_.has_value() ? timed_->await_ready()
                                : expired_->await_ready();
    }
    void await_suspend(std::coroutine_handle<> handle) {
      if (timed_.has_value()) {
        timed_->await_suspend(handle);
      } else {
        expired_->await_suspend(handle);
      }
    }
    Result await_resume() {
      if (timed_.has_value()) return timed_->await_resume();
      return expired_->await_resume();
    }

   private:
    std::optional<typename ScopedTimeoutAwaitable<Inner>::Awaiter> timed_;
    std::optional<CoroAwaiter<Result>> expired_;
  };

 private:
  Inner inner_;
  std::optional<Delay> timeout_;
};

}  // namespace internal

template <Awaitable A>
auto TimeoutScope::Run(A awaitable) {
  return internal::TimeoutAwaitable<A>(*this, std::move(awaitable));
}

// Awaits `awaitable` for at most `timeout`; nullopt: no limit. Throws
// TimeoutError, after `awaitable` has ended. With a timeout of zero or less, a
// coroutine is not started at all (WF-01); an awaitable that is already done
// returns its result.
template <Awaitable A>
[[nodiscard]] auto WaitFor(A awaitable, std::optional<Delay> timeout) {
  return internal::WaitForAwaitable<A>(std::move(awaitable), timeout);
}

// Awaits `awaitable` for at most `delay` from the `co_await`; nullopt: no
// limit. Throws TimeoutError. Even with a delay of zero or less, `awaitable`
// runs up to its first suspension (TO-09).
template <Awaitable A>
[[nodiscard]] auto Timeout(std::optional<Delay> delay, A awaitable) {
  return internal::ScopedTimeoutAwaitable<A>(delay, /*absolute=*/false,
                                             std::move(awaitable));
}

// Like `Timeout`, but until a time of the loop's clock.
template <Awaitable A>
[[nodiscard]] auto TimeoutAt(std::optional<Delay> when, A awaitable) {
  return internal::ScopedTimeoutAwaitable<A>(when, /*absolute=*/true,
                                             std::move(awaitable));
}

// Like `Timeout`, for a coroutine lambda that takes the scope, so that it can
// move its deadline.
template <typename Function>
  requires Awaitable<internal::ScopedBody<Function>>
[[nodiscard]] CLOTHO_CORO_WRAPPER auto Timeout(std::optional<Delay> delay,
                                               Function function) {
  return internal::TimeoutWithScope(delay, /*absolute=*/false,
                                    std::move(function));
}
template <typename Function>
  requires Awaitable<internal::ScopedBody<Function>>
[[nodiscard]] CLOTHO_CORO_WRAPPER auto TimeoutAt(std::optional<Delay> when,
                                                 Function function) {
  return internal::TimeoutWithScope(when, /*absolute=*/true,
                                    std::move(function));
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_TIMEOUT_H_
