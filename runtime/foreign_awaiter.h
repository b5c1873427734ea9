// Awaiting what is not of this library: a class with `operator co_await`, as a
// member or a free function, or with `await_ready`, `await_suspend` and
// `await_resume`.
//
//   const Reply reply = co_await client.Get("/a");  // An awaitable of Client.
//
// Such an object gets a coroutine_handle that stands for the task. Resuming it
// makes the task ready, and the task goes on in the next iteration of its loop.
// Any thread may resume it, once: another thread reaches the loop as
// `CallSoonThreadsafe` does. A simulation cannot replay what a thread outside
// of it does.
//
// A task cannot be interrupted while it waits for such an object. If it is
// cancelled, it goes on waiting, and CancelledError comes out of the `co_await`
// once the handle is resumed; the result is dropped then. A task that shall go
// on at once awaits `Shield(object)`.
//
// When the loop is closed, the objects are destroyed with the coroutines that
// wait for them, and must not resume the handle any more.

#ifndef CLOTHO_RUNTIME_FOREIGN_AWAITER_H_
#define CLOTHO_RUNTIME_FOREIGN_AWAITER_H_

#include <concepts>
#include <coroutine>
#include <exception>
#include <type_traits>
#include <utility>

#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/ref.h"

namespace clotho::internal {

class CoroPromiseBase;
class ForeignLink;

template <typename A>
concept HasMemberCoAwait =
    requires(A&& a) { std::forward<A>(a).operator co_await(); };
template <typename A>
concept HasFreeCoAwait =
    requires(A&& a) { operator co_await(std::forward<A>(a)); };
template <typename A>
concept HasCoAwait = HasMemberCoAwait<A> || HasFreeCoAwait<A>;

// These are classes because g++ 12 fails to evaluate a negated concept inside
// of another one, for a class that is private in a template.
template <typename A>
struct LacksCoAwait : std::bool_constant<!HasCoAwait<A>> {};

template <typename A>
concept HasAwaiterMembers =
    requires(std::remove_reference_t<A>& a, std::coroutine_handle<> handle) {
      a.await_ready() ? 0 : 0;
      a.await_suspend(handle);
      a.await_resume();
    };

// What the functions of this library return.
template <typename A>
concept HasAwaiter = LacksCoAwait<A>::value &&
                     requires { typename std::remove_cvref_t<A>::Awaiter; };

// A class of the program's that says what to await in its place.
template <typename A>
concept HasAwait = requires(A&& a) { std::forward<A>(a).Await(); };

template <typename A>
struct LacksAwaiterAndAwait
    : std::bool_constant<!HasAwaiter<A> && !HasAwait<A>> {};

// Nobody can resume who awaits a suspend_always.
template <typename A>
concept ForeignAwaitable =
    LacksAwaiterAndAwait<A>::value &&
    (HasCoAwait<A> ||
     (HasAwaiterMembers<A> &&
      !std::same_as<std::remove_cvref_t<A>, std::suspend_always>));

// A task that waits for a coroutine_handle to be resumed.
class ForeignWait {
 public:
  ForeignWait() = default;
  ForeignWait(const ForeignWait&) = delete;
  ForeignWait& operator=(const ForeignWait&) = delete;
  ~ForeignWait();

  // Suspends the task of `parent`. Returns what resumes it.
  std::coroutine_handle<> Begin(CoroPromiseBase& parent);
  // The task shall go on, although nobody has resumed the handle: `error` was
  // thrown, if it is not null.
  void End(std::exception_ptr error = nullptr);

  // When the task goes on: throws the error of `End`.
  void RethrowError();
  // The task was cancelled meanwhile.
  bool IsCancelled() const noexcept;
  void ThrowCancelled();

 private:
  CoroPromiseBase* parent_ = nullptr;  // Null if it has not waited.
  ForeignLink* link_ = nullptr;
  Ref<FutureBase> resumed_;
  std::coroutine_handle<> handle_;
  std::exception_ptr error_;
};

template <typename A>
decltype(auto) GetForeignAwaiter(A&& awaitable) {
  if constexpr (HasMemberCoAwait<A>) {
    return std::forward<A>(awaitable).operator co_await();
  } else if constexpr (HasFreeCoAwait<A>) {
    return operator co_await(std::forward<A>(awaitable));
  } else {
    return std::forward<A>(awaitable);
  }
}

// `A` is a reference to what is awaited, or the type of a value that
// lives here.
template <typename A>
class [[nodiscard]] ForeignAwaiter {
 public:
  template <typename Make>
  ForeignAwaiter(CoroPromiseBase& parent, Make make)
      : parent_(parent),
        awaitable_(make()),
        awaiter_(GetForeignAwaiter(static_cast<A&&>(awaitable_))) {}
  ForeignAwaiter(const ForeignAwaiter&) = delete;
  ForeignAwaiter& operator=(const ForeignAwaiter&) = delete;

  bool await_ready() { return awaiter_.await_ready() ? true : false; }

  void await_suspend(std::coroutine_handle<>) {
    const std::coroutine_handle<> handle = wait_.Begin(parent_);
    using Next = decltype(awaiter_.await_suspend(handle));
    try {
      if constexpr (std::is_void_v<Next>) {
        awaiter_.await_suspend(handle);
      } else if constexpr (std::same_as<Next, bool>) {
        if (!awaiter_.await_suspend(handle)) wait_.End();
      } else {
        awaiter_.await_suspend(handle).resume();
      }
    } catch (...) {
      wait_.End(std::current_exception());
    }
  }

  decltype(auto) await_resume() {
    wait_.RethrowError();
    if (wait_.IsCancelled()) [[unlikely]] {
      try {
        static_cast<void>(awaiter_.await_resume());
      } catch (const CriticalException&) {
        throw;
      } catch (...) {  // The cancellation takes its place.
      }
      wait_.ThrowCancelled();
    }
    return awaiter_.await_resume();
  }

 private:
  CoroPromiseBase& parent_;
  ForeignWait wait_;  // Outlives the object that has its handle.
  A awaitable_;
  decltype(GetForeignAwaiter(std::declval<A>())) awaiter_;
};

template <ForeignAwaitable A>
ForeignAwaiter<A&&> MakeAwaiter(CoroPromiseBase& parent, A&& awaitable) {
  return ForeignAwaiter<A&&>(
      parent, [&]() -> A&& { return std::forward<A>(awaitable); });
}

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_FOREIGN_AWAITER_H_
