// ConcurrentFuture<T>: a result that comes from another thread.
//
//   ConcurrentFuture<int> answer = pool.Submit([] { return 6 * 7; });
//   int n = answer.Result();               // Blocks the thread until then.
//   int m = co_await WrapFuture(answer);   // Only the task waits.
//
// Python's concurrent.futures.Future. It belongs to no loop: any thread may use
// it, and its callbacks run in the thread that completes it. Copies refer to
// the same future. A coroutine must not block its thread: it awaits
// `WrapFuture` instead (see threads.h).

#ifndef CLOTHO_RUNTIME_CONCURRENT_FUTURE_H_
#define CLOTHO_RUNTIME_CONCURRENT_FUTURE_H_

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/stored.h"

namespace clotho {

namespace internal {

// The part of the state that does not depend on the value type.
class ConcurrentState {
 public:
  ConcurrentState() = default;
  ConcurrentState(const ConcurrentState&) = delete;
  ConcurrentState& operator=(const ConcurrentState&) = delete;

  bool done() const;
  bool running() const;
  bool cancelled() const;

  bool Cancel();
  bool SetRunningOrNotifyCancel();
  void SetException(std::exception_ptr exception);
  void AddDoneCallback(absl::AnyInvocable<void()> callback);

  // Returns when the future is done. Throws TimeoutError if the timeout passes
  // first.
  void Wait(std::optional<Delay> timeout) const;
  // Waits likewise, then returns the exception, or null. Throws CancelledError
  // if the future was cancelled.
  std::exception_ptr GetException(std::optional<Delay> timeout) const;

 protected:
  ~ConcurrentState() = default;

  // Changes the state with `change`, then calls the callbacks. Throws
  // InvalidStateError if the future is done.
  template <typename Change>
  void Finish(Change change) {
    std::unique_lock<std::mutex> lock(mutex_);
    CheckNotDone();
    change();
    Finish(State::kFinished, std::move(lock));
  }

 private:
  enum class State { kPending, kRunning, kCancelled, kFinished };

  bool IsDone() const {
    return state_ == State::kCancelled || state_ == State::kFinished;
  }
  void CheckNotDone() const;
  void Finish(State state, std::unique_lock<std::mutex> lock);

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  State state_ = State::kPending;
  std::exception_ptr exception_;
  std::vector<absl::AnyInvocable<void()>> callbacks_;
};

template <typename T>
class TypedConcurrentState final : public ConcurrentState {
 public:
  template <typename... Args>
  void SetValue(Args&&... args) {
    Finish([&] { value_.emplace(std::forward<Args>(args)...); });
  }
  // Requires a value. It no longer changes.
  Stored<T>& value() { return *value_; }

 private:
  std::optional<Stored<T>> value_;
};

}  // namespace internal

template <typename T>
class ConcurrentFuture {
 public:
  using value_type = T;

  // A new pending future.
  ConcurrentFuture()
      : state_(std::make_shared<internal::TypedConcurrentState<T>>()) {}

  [[nodiscard]] bool Done() const { return state_->done(); }
  [[nodiscard]] bool Cancelled() const { return state_->cancelled(); }
  // Work on it has started: it can no longer be cancelled.
  bool Running() const { return state_->running(); }

  // Cancels the future if work on it has not started. Returns false if it is
  // too late.
  bool Cancel() const { return state_->Cancel(); }

  // The value; blocks the calling thread until it is available. Throws the
  // stored exception, CancelledError if the future was cancelled, or
  // TimeoutError if it is not done after `timeout`. A value that cannot be
  // copied is moved out.
  //
  // In a simulation, nothing could complete the future while its only thread
  // waits: throws RuntimeError if the future is not done.
  T Result(std::optional<Delay> timeout = std::nullopt) const {
    if (const std::exception_ptr error = state_->GetException(timeout)) {
      std::rethrow_exception(error);
    }
    if constexpr (std::is_reference_v<T>) {
      return state_->value().get();
    } else if constexpr (std::is_copy_constructible_v<T>) {
      return state_->value();
    } else if constexpr (!std::is_void_v<T>) {
      return std::move(state_->value());
    }
  }

  // The exception, or null if the future holds a value. Waits and throws like
  // `Result`.
  std::exception_ptr GetException(
      std::optional<Delay> timeout = std::nullopt) const {
    return state_->GetException(timeout);
  }

  // Calls `callback(future)` or `callback()` when the future is done, in the
  // thread that completes or cancels it; immediately if it is already done.
  // Exceptions of the callback are written to standard error.
  template <typename Callback>
  void AddDoneCallback(Callback callback) const {
    if constexpr (std::is_invocable_v<Callback&, ConcurrentFuture>) {
      state_->AddDoneCallback([callback = std::move(callback),
                               self = *this]() mutable { callback(self); });
    } else {
      state_->AddDoneCallback(std::move(callback));
    }
  }

  // ---- For the producer. ----

  // Starts the work. Returns false if the future was cancelled and there is
  // nothing to do. Throws InvalidStateError if it is running or done.
  bool SetRunningOrNotifyCancel() const {
    return state_->SetRunningOrNotifyCancel();
  }

  // Completes the future. Throws InvalidStateError if it is done.
  template <typename... U>
    requires std::is_constructible_v<internal::Stored<T>, U&&...>
  void SetResult(U&&... value) const {
    state_->SetValue(std::forward<U>(value)...);
  }
  template <typename E = std::exception_ptr>
  void SetException(E exception) const {
    state_->SetException(internal::ToSetException(std::move(exception)));
  }

  // True if both refer to the same future.
  bool operator==(const ConcurrentFuture&) const = default;

  // For the runtime.
  explicit ConcurrentFuture(
      std::shared_ptr<internal::TypedConcurrentState<T>> state)
      : state_(std::move(state)) {}
  const std::shared_ptr<internal::TypedConcurrentState<T>>& state() const {
    return state_;
  }

 private:
  std::shared_ptr<internal::TypedConcurrentState<T>> state_;
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_CONCURRENT_FUTURE_H_
