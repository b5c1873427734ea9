// Coro<T>: a coroutine that returns a T.
//
//   Coro<int> Add(int a, int b) {
//     co_await Sleep(absl::Seconds(1));
//     co_return a + b;
//   }
//
// Calling `Add(1, 2)` runs nothing (rule CO-01). `co_await Add(1, 2)` runs it
// at once, inside the awaiting task, without a trip through the loop.
// `CreateTask` turns it into a task, which runs by itself. A Coro can be used
// only once. Destroying one that was never awaited is reported.
//
// Inside a coroutine, `co_await` accepts a Coro, a Future, a Task, and whatever
// this library's functions return. A user-defined class can be awaited if it
// has a member function `Await`, which is called at the `co_await` and returns
// another awaitable (asyncio's `__await__`). Awaitables of other libraries work
// too (see foreign_awaiter.h). Parameters live in the coroutine's frame: take
// them by value unless the caller awaits the coroutine immediately.

#ifndef CLOTHO_RUNTIME_CORO_H_
#define CLOTHO_RUNTIME_CORO_H_

#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>

#include "absl/base/attributes.h"
#include "clotho/runtime/foreign_awaiter.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/check.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/internal/lifetimes.h"
#include "clotho/runtime/task_base.h"

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13 && \
    !defined(CLOTHO_ACCEPT_GCC12)
#error \
    "g++ 12 miscompiles coroutines: a capturing lambda or a braced temporary \
inside a co_await expression is destroyed twice. Use GCC 13 or Clang 16 and \
newer, or define CLOTHO_ACCEPT_GCC12 and name such objects on the line before."
#endif

namespace clotho {

template <typename T = void>
class Coro;

namespace internal {
class CoroAwaiterBase;
class CoroPromiseBase;
}  // namespace internal

// What a coroutine can `co_await`.
template <typename A>
concept Awaitable = requires(internal::CoroPromiseBase& parent, A&& awaitable) {
  // Found by its arguments: they are declared later.
  MakeAwaiter(parent, std::forward<A>(awaitable)).await_resume();
};

namespace internal {

// The part of a promise that does not depend on the coroutine's return type.
class CoroPromiseBase : public PooledFrame {
 public:
  std::suspend_always initial_suspend() const noexcept { return {}; }

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> handle) const noexcept {
      handle.promise().ReturnToParent();
    }
    void await_resume() const noexcept {}
  };
  FinalAwaiter final_suspend() const noexcept { return {}; }

  void unhandled_exception() noexcept { error_ = std::current_exception(); }

  // Records where the coroutine awaits, and creates the awaiter in its frame.
  template <typename A>
  decltype(auto) await_transform(
      A&& awaitable,
      std::source_location location = std::source_location::current()) {
    std::construct_at(&await_location_, location);
    if constexpr (Awaitable<A>) {
      return MakeAwaiter(*this, std::forward<A>(awaitable));
    } else {
      static_assert(
          Awaitable<A>,
          "co_await needs a Coro, a Future, a Task, what a function of Clotho "
          "returns, an object with a member function Await(), or a standard "
          "awaitable: one with operator co_await, or with await_ready, "
          "await_suspend and await_resume");
      return std::suspend_never();
    }
  }

  std::coroutine_handle<> handle() noexcept {
    return std::coroutine_handle<CoroPromiseBase>::from_promise(*this);
  }
  TaskBase& task() const noexcept { return *task_; }
  bool started() const noexcept { return task_ != nullptr || closed_; }
  void set_task(TaskBase& task) noexcept {
    CLOTHO_DCHECK(!started(), "a coroutine becomes a task once");
    task_ = &task;
    awaiter_ = nullptr;
  }
  const std::source_location& await_location() const noexcept {
    return await_location_;
  }
  // Marks a coroutine that is deliberately never awaited.
  void MarkClosed() noexcept { closed_ = true; }
  // For a coroutine that has not started: an address in the function when it
  // was called, and the address to which that call returned. The first is in
  // the caller if the compiler inlined the function.
  const void* made_at() const noexcept { return made_at_; }
  const void* returns_to() const noexcept { return returns_to_; }

  std::exception_ptr TakeError() noexcept { return std::move(error_); }
  void RethrowError() {
    if (error_ != nullptr) [[unlikely]] {
      std::rethrow_exception(std::move(error_));
    }
  }

  // The coroutine that awaits this one; null for a task's outermost coroutine.
  inline CoroPromiseBase* parent() const noexcept;

  // Detaches this coroutine's frame from the coroutine that awaits it, and
  // returns the latter.
  inline CoroPromiseBase* CutOff() noexcept;

 protected:
  CoroPromiseBase() noexcept {}
  ~CoroPromiseBase() = default;

  // Resumes the coroutine that awaits this one, in the same step.
  inline void ReturnToParent() noexcept;

  // Always inlined into the coroutine's function, so that the addresses are the
  // same in every build.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void NoteCall() noexcept {
#if defined(__x86_64__)
    asm volatile("lea 0(%%rip), %0" : "=r"(made_at_));
#elif defined(__aarch64__)
    asm volatile("adr %0, ." : "=r"(made_at_));
#endif
    returns_to_ = __builtin_return_address(0);
  }

 private:
  friend class CoroAwaiterBase;

  TaskBase* task_ = nullptr;  // Set when it starts.
  union {
    CoroAwaiterBase* awaiter_ = nullptr;  // In the frame of its awaiter.
    const void* made_at_;                 // Until it starts.
  };
  union {
    const void* returns_to_ = nullptr;  // Until it first awaits.
    std::source_location await_location_;
  };
  std::exception_ptr error_;
  bool closed_ = false;
};

// Owns the frame of a coroutine that is being awaited.
class CoroAwaiterBase {
 public:
  CoroAwaiterBase(CoroPromiseBase& parent, CoroPromiseBase* child) noexcept
      : parent_(&parent), child_(child) {}
  ~CoroAwaiterBase() {
    if (child_ != nullptr) child_->handle().destroy();
  }
  CoroAwaiterBase(const CoroAwaiterBase&) = delete;
  CoroAwaiterBase& operator=(const CoroAwaiterBase&) = delete;

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<>) noexcept {
    CLOTHO_DCHECK(child_ != nullptr && parent_->task_ != nullptr,
                  "a coroutine is awaited by one that runs");
    child_->task_ = parent_->task_;
    child_->awaiter_ = this;
    parent_->task_->ContinueWith(child_->handle());
  }

 protected:
  CoroPromiseBase& parent() const noexcept { return *parent_; }
  CoroPromiseBase* child() const noexcept { return child_; }
  // Awaits a coroutine that something else owns; `GiveBack` ends that.
  void Borrow(CoroPromiseBase& child) noexcept {
    CLOTHO_DCHECK(child_ == nullptr, "an awaiter awaits one coroutine");
    child_ = &child;
  }
  void GiveBack() noexcept {
    CLOTHO_DCHECK(child_ != nullptr && child_->awaiter_ == this,
                  "an awaiter gives back what it borrowed");
    child_->awaiter_ = nullptr;
    child_ = nullptr;
  }

 private:
  friend class CoroPromiseBase;
  CoroPromiseBase* parent_;
  CoroPromiseBase* child_;
};

CoroPromiseBase* CoroPromiseBase::parent() const noexcept {
  return awaiter_ == nullptr ? nullptr : awaiter_->parent_;
}

CoroPromiseBase* CoroPromiseBase::CutOff() noexcept {
  if (awaiter_ == nullptr) return nullptr;
  CLOTHO_DCHECK(awaiter_->child_ == this, "a coroutine has one awaiter");
  awaiter_->child_ = nullptr;
  return awaiter_->parent_;
}

void CoroPromiseBase::ReturnToParent() noexcept {
  if (awaiter_ != nullptr) {
    CLOTHO_DCHECK(awaiter_->child_ == this, "a coroutine has one awaiter");
    task_->ContinueWith(awaiter_->parent_->handle());
  } else {
    task_->RootIsDone();
  }
}

template <typename T>
class CoroPromise final : public CoroPromiseBase {
 public:
  static_assert(alignof(Stored<T>) <= 16,
                "a coroutine's result may need 16 bytes of alignment at most: "
                "return a pointer to it");
  CoroPromise() noexcept {}
  ~CoroPromise() {
    if (has_value_) std::destroy_at(&value_);
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE inline Coro<T> get_return_object() noexcept;

  template <typename U = T>
    requires std::is_constructible_v<Stored<T>, U&&>
  void return_value(U&& value) noexcept(
      std::is_nothrow_constructible_v<Stored<T>, U&&>) {
    std::construct_at(&value_, std::forward<U>(value));
    has_value_ = true;
  }
  Stored<T>&& value() noexcept { return std::move(value_); }

 private:
  bool has_value_ = false;  // In the tail padding of the base class.
  union {
    Stored<T> value_;
  };
};

template <>
class CoroPromise<void> final : public CoroPromiseBase {
 public:
  ABSL_ATTRIBUTE_ALWAYS_INLINE inline Coro<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  std::monostate value() const noexcept { return {}; }
};

template <typename T>
class [[nodiscard]] CoroAwaiter : public CoroAwaiterBase {
 public:
  CoroAwaiter(CoroPromiseBase& parent, CoroPromise<T>* child) noexcept
      : CoroAwaiterBase(parent, child) {}
  // What it ended with, if that is an exception: for Catch.
  std::exception_ptr TakeError() noexcept { return child()->TakeError(); }
  T await_resume() {
    child()->RethrowError();
    if constexpr (!std::is_void_v<T>) {
      return static_cast<T>(static_cast<CoroPromise<T>*>(child())->value());
    }
  }
};

// Reports an await of a Coro that was already awaited, moved from or closed.
[[noreturn]] void ThrowReused();

// Reports to the running loop that a coroutine was destroyed without having
// been awaited.
void ReportNeverAwaited(CoroPromiseBase& promise) noexcept;

}  // namespace internal

template <typename T>
class [[nodiscard]] CLOTHO_CORO_ATTRIBUTES Coro {
 public:
  using promise_type = internal::CoroPromise<T>;
  using value_type = T;

  Coro(Coro&& other) noexcept
      : promise_(std::exchange(other.promise_, nullptr)) {}
  // Destroys the one it had before, and reports that if it was never awaited.
  Coro& operator=(Coro&& other) noexcept {
    const Coro old(
        std::exchange(promise_, std::exchange(other.promise_, nullptr)));
    return *this;
  }
  // Reports the coroutine if it was never awaited.
  ~Coro() {
    if (promise_ == nullptr) return;
    if (!promise_->started()) internal::ReportNeverAwaited(*promise_);
    promise_->handle().destroy();
  }

  // Discards the coroutine deliberately: it never runs, and nothing is reported
  // (CO-02).
  void Close() {
    if (promise_ == nullptr) return;
    promise_->MarkClosed();
    std::exchange(promise_, nullptr)->handle().destroy();
  }

  // For the runtime: releases the frame to the caller, who then owns it. Throws
  // RuntimeError if the coroutine was used before (CO-02).
  promise_type* Take() {
    if (promise_ == nullptr) {
      internal::ThrowReused();
    }
    return std::exchange(promise_, nullptr);
  }

 private:
  friend promise_type;
  explicit Coro(promise_type* promise) noexcept : promise_(promise) {}

  promise_type* promise_;
};

namespace internal {

template <typename T>
Coro<T> CoroPromise<T>::get_return_object() noexcept {
  NoteCall();
  return Coro<T>(this);
}
Coro<void> CoroPromise<void>::get_return_object() noexcept {
  NoteCall();
  return Coro<void>(this);
}

template <typename T>
CoroAwaiter<T> MakeAwaiter(CoroPromiseBase& parent, Coro<T>&& coro) {
  return CoroAwaiter<T>(parent, coro.Take());
}
template <typename T>
CoroAwaiter<T> MakeAwaiter(CoroPromiseBase&, Coro<T>&) {
  static_assert(sizeof(T) == 0,
                "a Coro is awaited once: write co_await std::move(coro)");
}

// For the library's own awaitables, which name their awaiter.
template <HasAwaiter A>
typename std::remove_cvref_t<A>::Awaiter MakeAwaiter(CoroPromiseBase& parent,
                                                     A&& awaitable) {
  return typename std::remove_cvref_t<A>::Awaiter(parent,
                                                  std::forward<A>(awaitable));
}

// For a user-defined class: awaits what its `Await` returns. Found by
// argument-dependent lookup, since futures are declared later.
template <HasAwait A>
auto MakeAwaiter(CoroPromiseBase& parent, A&& awaitable) {
  using Next = decltype(std::forward<A>(awaitable).Await());
  if constexpr (ForeignAwaitable<Next>) {
    return ForeignAwaiter<Next>(
        parent, [&]() -> Next { return std::forward<A>(awaitable).Await(); });
  } else {
    static_assert(Awaitable<Next>,
                  "Await() must return something that can be awaited");
    return MakeAwaiter(parent, std::forward<A>(awaitable).Await());
  }
}

}  // namespace internal

// The type of the `co_await` expression.
template <Awaitable A>
using AwaitResult =
    decltype(MakeAwaiter(std::declval<internal::CoroPromiseBase&>(),
                         std::declval<A>())
                 .await_resume());

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_CORO_H_
