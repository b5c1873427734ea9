// Generator<T>: a function that yields any number of values, one per request.
//
//   Generator<int> Count(int n) {
//     for (int i = 0; i < n; ++i) co_yield i;
//   }
//
//   for (int i : Count(3)) Use(i);
//
//   auto count = Count(3);
//   while (auto i = count.Next()) Use(*i);
//
// It runs on request, up to the next `co_yield`, on the caller's stack. It
// cannot await (use AsyncGenerator for that), and needs no loop. `Generator<T,
// Sent>` can be sent values: `co_yield` then returns a std::optional<Sent>,
// which is empty if nothing was sent.
//
// The rules are those of Python's generators, except that the end is nullopt
// instead of an exception. A generator that is destroyed while suspended at a
// `co_yield` is closed: GeneratorExit is thrown there.

#ifndef CLOTHO_RUNTIME_GENERATOR_H_
#define CLOTHO_RUNTIME_GENERATOR_H_

#include <coroutine>
#include <cstddef>
#include <exception>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>

#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/internal/yielding_promise.h"

namespace clotho {

template <typename T, typename Sent = void>
class Generator;

namespace internal {

// The part of a generator's promise that does not depend on the yielded type.
class GeneratorPromiseBase : public PooledFrame {
 public:
  std::suspend_always initial_suspend() const noexcept { return {}; }
  std::suspend_always final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { error_ = std::current_exception(); }
  void return_void() const noexcept {}

  template <typename A>
  std::suspend_never await_transform(A&&) {
    static_assert(sizeof(A) == 0,
                  "a Generator cannot await: make it an AsyncGenerator");
    return {};
  }

  std::coroutine_handle<> handle() noexcept {
    return std::coroutine_handle<GeneratorPromiseBase>::from_promise(*this);
  }

 protected:
  GeneratorPromiseBase() = default;
  ~GeneratorPromiseBase() = default;

  void Yield() const noexcept {}

  ThrownIn thrown_in_;

 private:
  friend class GeneratorBase;

  std::exception_ptr error_;  // Thrown by the generator.
  bool begun_ = false;
  bool running_ = false;
};

// Owns the frame of a generator until the generator ends.
class GeneratorBase {
 public:
  GeneratorBase(GeneratorBase&& other) noexcept
      : promise_(std::exchange(other.promise_, nullptr)) {}
  // Closes the one it had before.
  GeneratorBase& operator=(GeneratorBase&& other) noexcept {
    const GeneratorBase old(
        std::exchange(promise_, std::exchange(other.promise_, nullptr)));
    return *this;
  }

  // Throws GeneratorExit at the `co_yield` where the generator is suspended, so
  // that it can clean up; it must then end. Any other exception it throws
  // propagates. A generator that has not started never runs. Has no effect
  // after the end. Throws RuntimeError if the generator yields again,
  // ValueError while it is running.
  void Close();

 protected:
  explicit GeneratorBase(GeneratorPromiseBase* promise) noexcept
      : promise_(promise) {}
  // Closes the generator. An exception it throws is reported to the running
  // loop.
  ~GeneratorBase() {
    if (promise_ != nullptr) Drop();
  }

  // Throws if the generator cannot be resumed now. Returns false if it has
  // ended.
  bool MayContinue(bool sends_value) const;
  // Resumes up to the next `co_yield`. Returns false at the end; throws what
  // the generator throws.
  bool Continue();
  // Resumes it with an exception instead.
  bool ContinueWith(std::exception_ptr exception);

  // Null once the generator has ended.
  GeneratorPromiseBase* promise() const { return promise_; }

 private:
  void Destroy() noexcept;
  void Drop() noexcept;

  GeneratorPromiseBase* promise_;
};

template <typename T, typename Sent>
class GeneratorPromise final
    : public YieldingPromise<T, Sent, GeneratorPromiseBase> {
 public:
  static_assert(std::is_object_v<T>,
                "a generator yields objects: yield a pointer instead of a "
                "reference");

  Generator<T, Sent> get_return_object() noexcept;
};

}  // namespace internal

template <typename T, typename Sent>
class [[nodiscard]] Generator : public internal::GeneratorBase {
 public:
  using promise_type = internal::GeneratorPromise<T, Sent>;
  using value_type = T;

  // The next value, or nullopt at the end. An exception of the generator
  // propagates and ends it. Throws ValueError if the generator is already
  // running: it cannot resume itself.
  std::optional<T> Next() {
    if (!MayContinue(/*sends_value=*/false)) return std::nullopt;
    return ValueIf(Continue());
  }

  // Like `Next`; the `co_yield` where the generator is suspended returns
  // `value`. Throws TypeError if the generator has not started, and so is not
  // at a `co_yield`.
  template <typename U>
    requires(!std::is_void_v<Sent> &&
             std::is_constructible_v<std::optional<Sent>, U &&>)
  std::optional<T> Send(U&& value) {
    if (!MayContinue(/*sends_value=*/true)) return std::nullopt;
    promise().SetSent(std::forward<U>(value));
    return ValueIf(Continue());
  }

  // Throws an exception at the `co_yield` where the generator is suspended.
  // Returns the next value, or nullopt if the generator ends. If it has not
  // started or has already ended, the exception propagates at once.
  std::optional<T> Throw(std::exception_ptr exception) {
    return ValueIf(ContinueWith(std::move(exception)));
  }
  template <typename E>
    requires(!std::is_convertible_v<E, std::exception_ptr>)
  std::optional<T> Throw(E exception) {
    return Throw(std::make_exception_ptr(std::move(exception)));
  }

  // The position of a loop over the remaining values. Valid until the generator
  // is resumed by other means.
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(Generator& generator) : generator_(&generator) {
      ++*this;
    }
    T& operator*() const { return generator_->promise().value(); }
    T* operator->() const { return &**this; }
    Iterator& operator++() {
      if (!generator_->MayContinue(/*sends_value=*/false) ||
          !generator_->Continue()) {
        generator_ = nullptr;
      }
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& iterator, std::default_sentinel_t) {
      return iterator.generator_ == nullptr;
    }

   private:
    Generator* generator_;  // Null at the end.
  };

  // Requests the first value. The range can be traversed only once.
  Iterator begin() { return Iterator(*this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  friend promise_type;
  explicit Generator(promise_type* promise) noexcept : GeneratorBase(promise) {}

  promise_type& promise() const {
    return static_cast<promise_type&>(*GeneratorBase::promise());
  }
  std::optional<T> ValueIf(bool yielded) {
    if (!yielded) return std::nullopt;
    return promise().TakeValue();
  }
};

namespace internal {

template <typename T, typename Sent>
Generator<T, Sent> GeneratorPromise<T, Sent>::get_return_object() noexcept {
  return Generator<T, Sent>(this);
}

}  // namespace internal
}  // namespace clotho

#endif  // CLOTHO_RUNTIME_GENERATOR_H_
