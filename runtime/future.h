// Future<T>: a result that arrives later.
//
//   Future<int> answer;                 // Pending, on the running loop.
//   answer.SetResult(42);               // Called by the producer.
//   int n = co_await answer;            // Any number of tasks may wait.
//
// Copies refer to the same future, as in Python. It lives as long as any copy
// or any waiter. Section F of the rules applies. An exception that nobody has
// retrieved is reported when the last reference goes away (F-13).

#ifndef CLOTHO_RUNTIME_FUTURE_H_
#define CLOTHO_RUNTIME_FUTURE_H_

#include <concepts>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/runtime/task_base.h"

namespace clotho {

namespace internal {

// The stored value of a finished future.
template <typename T>
Stored<T>& ValueOf(FutureBase& future) {
  return *static_cast<Stored<T>*>(future.value_address());
}

// Reads the value of a future that holds one, on behalf of an awaiter. A value
// that cannot be copied is moved out, and is gone afterwards.
template <typename T>
T ReadValue(FutureBase& future) {
  if constexpr (std::is_reference_v<T>) {
    return ValueOf<T>(future).get();
  } else if constexpr (std::is_copy_constructible_v<T>) {
    return ValueOf<T>(future);
  } else if constexpr (!std::is_void_v<T>) {
    return std::move(ValueOf<T>(future));
  }
}

template <typename T>
class [[nodiscard]] FutureAwaiter {
 public:
  FutureAwaiter(CoroPromiseBase& parent, Ref<FutureBase> future) noexcept
      : parent_(parent), future_(std::move(future)) {}
  FutureAwaiter(const FutureAwaiter&) = delete;

  bool await_ready() const noexcept {
    SyncRead(future_.get());
    return future_->done();
  }
  void await_suspend(std::coroutine_handle<>) {
    parent_.task().WaitOn(parent_, *future_);
  }
  // What it ended with, if that is an exception: for Catch.
  std::exception_ptr TakeError() {
    if (parent_.task().HasInjected()) return nullptr;  // It comes first.
    return future_->OutcomeAsException();
  }
  T await_resume() {
    parent_.task().ThrowInjected();
    future_->ThrowUnlessValue();
    if constexpr (std::is_object_v<T>) {
      // No one else can read it: no need to copy.
      if (future_->IsOnlyReference()) return std::move(ValueOf<T>(*future_));
    }
    return ReadValue<T>(*future_);
  }

 private:
  CoroPromiseBase& parent_;
  Ref<FutureBase> future_;
};

}  // namespace internal

template <typename T>
class Future {
 public:
  using value_type = T;

  // A new pending future on the running loop. Throws RuntimeError if there is
  // no running loop.
  Future() : Future(GetRunningLoop()) {}
  explicit Future(EventLoop& loop)
      : state_(new internal::ValueFuture<T>(
            loop, internal::FutureBase::Storage::kCounted)) {}

  [[nodiscard]] bool Done() const {
    internal::SyncRead(state_.get());
    return state_->done();
  }
  [[nodiscard]] bool Cancelled() const {
    internal::SyncRead(state_.get());
    return state_->state() == internal::FutureBase::State::kCancelled;
  }

  // The value. Throws the stored exception, CancelledError if the future is
  // cancelled, or InvalidStateError while it is pending (F-04). The reference
  // stays valid as long as the future lives.
  [[nodiscard]] std::add_lvalue_reference_t<T> Result() const {
    state_->ThrowUnlessValue();
    if constexpr (std::is_reference_v<T>) {
      return internal::ValueOf<T>(*state_).get();
    } else if constexpr (!std::is_void_v<T>) {
      return internal::ValueOf<T>(*state_);
    }
  }

  // The exception, or null if the future holds a value (F-05). Throws
  // CancelledError if it is cancelled, InvalidStateError while it is pending.
  [[nodiscard]] std::exception_ptr GetException() const {
    return state_->GetException();
  }

  // Finishes the future with a value. Throws InvalidStateError if it is done
  // (F-02), and RuntimeError if it belongs to a task (T-08): as in Python, a
  // task is a future, and what a Future refers to is known only at run time.
  template <typename... U>
    requires std::is_constructible_v<internal::Stored<T>, U&&...>
  void SetResult(U&&... value) const {
    CheckNotTask("SetResult");
    static_cast<internal::ValueFuture<T>&>(*state_).SetValue(
        std::forward<U>(value)...);
  }

  // Finishes the future with an exception: an object or a std::exception_ptr.
  template <typename E = std::exception_ptr>
  void SetException(E exception) const {
    CheckNotTask("SetException");
    state_->SetException(internal::ToSetException(std::move(exception)));
  }

  // Cancels the future. Returns false if it was done. Its awaiters see
  // CancelledError with the message (F-03). For tasks, see Task.
  bool Cancel(std::optional<std::string_view> message = std::nullopt) const {
    return state_->Cancel(internal::MakeText(message));
  }

  // Calls `callback(future)` or `callback()` as a separate item of the loop
  // once the future is done. Runs in `context` if given, otherwise in a copy of
  // the current context (F-08). Returns an id for RemoveDoneCallback.
  template <typename Callback>
  std::uint64_t AddDoneCallback(
      Callback callback, std::optional<Context> context = std::nullopt) const {
    return state_->AddDoneCallback(new TypedCallback<Callback>(
        context.has_value() ? internal::SlotOf(*context)
                            : internal::CopyCurrentContext(),
        std::move(callback)));
  }

  // Removes a callback that has not been scheduled. Returns the number removed,
  // 0 or 1 (F-09).
  int RemoveDoneCallback(std::uint64_t callback) const {
    return state_->RemoveDoneCallback(callback);
  }

  // The future's loop. Throws RuntimeError if the loop is gone.
  EventLoop& GetLoop() const { return state_->LiveLoop(); }

  // True if both refer to the same future.
  bool operator==(const Future& other) const = default;

  // For the runtime and for tools.
  const internal::Ref<internal::FutureBase>& state() const& { return state_; }
  internal::Ref<internal::FutureBase> state() && { return std::move(state_); }
  explicit Future(internal::Ref<internal::FutureBase> state)
      : state_(std::move(state)) {}

 private:
  template <typename Callback>
  class TypedCallback final : public internal::DoneCallback {
   public:
    TypedCallback(internal::ContextSlot context, Callback callback)
        : DoneCallback(std::move(context)), callback_(std::move(callback)) {}

   private:
    void Call(internal::FutureBase& future) override {
      if constexpr (std::is_invocable_v<Callback&, Future<T>>) {
        callback_(Future<T>(internal::Ref<internal::FutureBase>(&future)));
      } else {
        callback_();
      }
    }
    Callback callback_;
  };

  void CheckNotTask(const char* operation) const {
    if (state_->AsTask() != nullptr) {
      throw RuntimeError(std::string("Task does not support ") + operation +
                         ": how its coroutine ends is its result");
    }
  }

  internal::Ref<internal::FutureBase> state_;
};

namespace internal {

template <typename T>
FutureAwaiter<T> MakeAwaiter(CoroPromiseBase& parent, const Future<T>& future) {
  return FutureAwaiter<T>(parent, future.state());
}
template <typename T>
FutureAwaiter<T> MakeAwaiter(CoroPromiseBase& parent, Future<T>&& future) {
  return FutureAwaiter<T>(parent, std::move(future).state());
}

}  // namespace internal

// A future, a task, or a user-defined class that stands for one: it has
// `state()` and `Result()`, as they do. Allows lists of futures of several
// types.
template <typename F>
concept FutureLike = requires(const F& future) {
  {
    future.state()
  } -> std::convertible_to<const internal::Ref<internal::FutureBase>&>;
  future.Result();
};

template <typename T>
Future<T> EventLoop::CreateFuture() {
  return Future<T>(*this);
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_FUTURE_H_
