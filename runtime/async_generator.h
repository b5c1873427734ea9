// AsyncGenerator<T>: a coroutine that yields any number of values, and may
// await in between.
//
//   AsyncGenerator<int> Ticks(int count) {
//     for (int i = 0; i < count; ++i) {
//       co_await Sleep(absl::Seconds(1));
//       co_yield i;
//     }
//   }
//
//   auto ticks = Ticks(3);
//   while (auto tick = co_await ticks.Next()) {   // Python's `async for`.
//     Use(*tick);
//   }
//
// It runs inside the task that requests the next value, up to the next
// `co_yield`, without a trip through the loop. `AsyncGenerator<T, Sent>` can be
// sent values: `co_yield` then returns a std::optional<Sent>, which is empty if
// nothing was sent.
//
// A generator that is destroyed while suspended at a `co_yield` is closed by a
// separate task, so that it can clean up (AG-05); `Aclose` closes it in the
// current task. Section AG of the rules.

#ifndef CLOTHO_RUNTIME_ASYNC_GENERATOR_H_
#define CLOTHO_RUNTIME_ASYNC_GENERATOR_H_

#include <coroutine>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/yielding_promise.h"

namespace clotho {

template <typename T, typename Sent = void>
class AsyncGenerator;

namespace internal {

class AsyncGeneratorState;

// The part of the promise that does not depend on the yielded type.
class AsyncGeneratorPromiseBase : public CoroPromiseBase {
 public:
  void return_void() const noexcept {}

 protected:
  AsyncGeneratorPromiseBase() = default;
  ~AsyncGeneratorPromiseBase();

  // Suspends at a `co_yield` and resumes the coroutine that iterates.
  void Yield() noexcept {
    yielded_ = true;
    ReturnToParent();
  }

  ThrownIn thrown_in_;

 private:
  friend class AsyncGeneratorState;

  AsyncGeneratorState* state_ = nullptr;
  bool yielded_ = false;  // False: it has ended.
};

// A generator and its frame. Held by the generator object, and by each of its
// methods while that is being awaited.
class AsyncGeneratorState final : public AsyncGeneratorNode, public Pooled {
 public:
  explicit AsyncGeneratorState(AsyncGeneratorPromiseBase& frame)
      : frame_(&frame) {
    frame.state_ = this;
  }

  void AddRef() noexcept { ++references_; }
  void Release() noexcept {
    if (--references_ == 0) LastIsGone();
  }

  enum class Method {
    kSend,     // The end is an exception, as in Python.
    kIterate,  // The end is nullopt.
    kThrow,
    kClose,
  };

  // Called when a method is awaited. Returns false if there is nothing to do.
  // Throws if the method is not possible now. `exception` is for kThrow.
  bool Begin(Method method, bool sends_value, std::exception_ptr exception);
  // Called when the generator has yielded or ended, after `Begin` returned
  // true. Returns true if there is a value; throws the generator's exception.
  bool End(Method method);

  AsyncGeneratorPromiseBase& frame() const { return *frame_; }
  bool begun() const { return begun_; }
  void FrameIsGone() noexcept { frame_ = nullptr; }

 private:
  bool finished() const { return frame_ == nullptr; }
  void Destroy() noexcept;
  void LastIsGone() noexcept;

  AsyncGeneratorPromiseBase* frame_;  // Null once it has ended.
  std::uint32_t references_ = 0;
  bool begun_ = false;
  bool running_ = false;     // One of its methods is being awaited.
  bool closed_ = false;      // It was closed or has ended.
  bool registered_ = false;  // With the loop that first ran it.
  bool finalized_ = false;
};

// A generator method that is being awaited.
class AsyncGeneratorAwaiterBase : private CoroAwaiterBase {
 public:
  AsyncGeneratorAwaiterBase(CoroPromiseBase& parent,
                            Ref<AsyncGeneratorState> state,
                            AsyncGeneratorState::Method method,
                            std::exception_ptr exception = nullptr)
      : CoroAwaiterBase(parent, nullptr),
        state_(std::move(state)),
        method_(method),
        exception_(std::move(exception)) {}

  void await_suspend(std::coroutine_handle<> handle) noexcept {
    Borrow(state_->frame());
    CoroAwaiterBase::await_suspend(handle);
  }

 protected:
  // Returns true if there is nothing to wait for.
  bool Ready(bool sends_value) {
    has_begun_ = state_->Begin(method_, sends_value, exception_);
    return !has_begun_;
  }
  // Returns true if there is a value.
  bool Finish() {
    if (!has_begun_) return false;
    GiveBack();
    return state_->End(method_);
  }
  AsyncGeneratorState& state() const { return *state_; }

 private:
  Ref<AsyncGeneratorState> state_;
  const AsyncGeneratorState::Method method_;
  std::exception_ptr exception_;
  bool has_begun_ = false;
};

class AsyncGeneratorClose {
 public:
  explicit AsyncGeneratorClose(Ref<AsyncGeneratorState> state)
      : state_(std::move(state)) {}

  class [[nodiscard]] Awaiter : public AsyncGeneratorAwaiterBase {
   public:
    Awaiter(CoroPromiseBase& parent, const AsyncGeneratorClose& close)
        : AsyncGeneratorAwaiterBase(parent, close.state_,
                                    AsyncGeneratorState::Method::kClose) {}
    bool await_ready() { return Ready(/*sends_value=*/false); }
    void await_resume() { Finish(); }
  };

 private:
  Ref<AsyncGeneratorState> state_;
};

template <typename T, typename Sent>
class AsyncGeneratorPromise final
    : public YieldingPromise<T, Sent, AsyncGeneratorPromiseBase> {
 public:
  AsyncGenerator<T, Sent> get_return_object();
};

}  // namespace internal

template <typename T, typename Sent>
class [[nodiscard]] AsyncGenerator {
 public:
  using promise_type = internal::AsyncGeneratorPromise<T, Sent>;
  using value_type = T;

 private:
  using State = internal::AsyncGeneratorState;
  using Send = std::conditional_t<std::is_void_v<Sent>, std::monostate, Sent>;

  // An awaiter for a method that returns a value.
  class ValueAwaiter : public internal::AsyncGeneratorAwaiterBase {
   public:
    bool await_ready() {
      const bool ready = this->Ready(sent_.has_value());
      if (!ready && sent_.has_value()) promise().SetSent(*std::move(sent_));
      return ready;
    }

   protected:
    ValueAwaiter(internal::CoroPromiseBase& parent, internal::Ref<State> state,
                 State::Method method, std::exception_ptr exception,
                 std::optional<Send> sent)
        : AsyncGeneratorAwaiterBase(parent, std::move(state), method,
                                    std::move(exception)),
          sent_(std::move(sent)) {}
    promise_type& promise() const {
      return static_cast<promise_type&>(this->state().frame());
    }

   private:
    std::optional<Send> sent_;
  };

  struct Nexting {
    internal::Ref<State> state;
    std::optional<Send> sent;

    class [[nodiscard]] Awaiter : public ValueAwaiter {
     public:
      Awaiter(internal::CoroPromiseBase& parent, Nexting&& next)
          : ValueAwaiter(parent, std::move(next.state), State::Method::kSend,
                         nullptr, std::move(next.sent)) {}
      T await_resume() {
        this->Finish();
        return this->promise().TakeValue();
      }
    };
  };

  struct NextingOrEnd {
    internal::Ref<State> state;

    class [[nodiscard]] Awaiter : public ValueAwaiter {
     public:
      Awaiter(internal::CoroPromiseBase& parent, NextingOrEnd&& next)
          : ValueAwaiter(parent, std::move(next.state), State::Method::kIterate,
                         nullptr, std::nullopt) {}
      std::optional<T> await_resume() {
        if (!this->Finish()) return std::nullopt;
        return this->promise().TakeValue();
      }
    };
  };

  struct Throwing {
    internal::Ref<State> state;
    std::exception_ptr exception;

    class [[nodiscard]] Awaiter : public ValueAwaiter {
     public:
      Awaiter(internal::CoroPromiseBase& parent, Throwing&& thrown)
          : ValueAwaiter(parent, std::move(thrown.state), State::Method::kThrow,
                         std::move(thrown.exception), std::nullopt) {}
      std::optional<T> await_resume() {
        if (!this->Finish()) return std::nullopt;
        return this->promise().TakeValue();
      }
    };
  };

 public:
  AsyncGenerator(AsyncGenerator&&) noexcept = default;
  AsyncGenerator& operator=(AsyncGenerator&&) noexcept = default;

  // ---- Methods to await. None runs anything before its `co_await`. Only one
  // may be awaited at a time: a second one throws RuntimeError (AG-03). ----

  // The next value, or nullopt at the end.
  [[nodiscard]] auto Next() { return NextingOrEnd{state_}; }

  // The next value. Throws StopAsyncIteration at the end.
  [[nodiscard]] auto Anext() { return Nexting{state_, std::nullopt}; }

  // Like `Anext`; the `co_yield` where the generator is suspended returns
  // `value`. Throws TypeError if the generator has not started, and so is not
  // at a `co_yield`.
  template <typename U>
    requires(!std::is_void_v<Sent> && std::is_constructible_v<Send, U &&>)
  [[nodiscard]] auto Asend(U&& value) {
    return Nexting{state_, std::optional<Send>(std::forward<U>(value))};
  }

  // Throws an exception at the `co_yield` where the generator is suspended, and
  // returns the next value. If the generator has already ended, returns nullopt
  // (AG-01).
  [[nodiscard]] auto Athrow(std::exception_ptr exception) {
    return Throwing{state_, std::move(exception)};
  }
  template <typename E>
    requires(!std::is_convertible_v<E, std::exception_ptr>)
  [[nodiscard]] auto Athrow(E exception) {
    return Athrow(std::make_exception_ptr(std::move(exception)));
  }

  // Throws GeneratorExit at the `co_yield` where the generator is suspended,
  // and waits until it has cleaned up. Throws RuntimeError if it yields again
  // (AG-02).
  [[nodiscard]] auto Aclose() { return internal::AsyncGeneratorClose(state_); }

 private:
  friend promise_type;
  explicit AsyncGenerator(promise_type& promise) : state_(new State(promise)) {}

  internal::Ref<State> state_;
};

namespace internal {

template <typename T, typename Sent>
AsyncGenerator<T, Sent> AsyncGeneratorPromise<T, Sent>::get_return_object() {
  return AsyncGenerator<T, Sent>(*this);
}

}  // namespace internal
}  // namespace clotho

#endif  // CLOTHO_RUNTIME_ASYNC_GENERATOR_H_
