// YieldingPromise: the values that pass between a generator and those who
// iterate it.

#ifndef CLOTHO_RUNTIME_INTERNAL_YIELDING_PROMISE_H_
#define CLOTHO_RUNTIME_INTERNAL_YIELDING_PROMISE_H_

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace clotho::internal {

// An exception that a generator throws at the `co_yield` where it is suspended.
class ThrownIn {
 public:
  void Set(std::exception_ptr exception) noexcept {
    exception_ = std::move(exception);
  }
  // Called on resumption: throws it, if there is one.
  void Throw() {
    if (exception_ != nullptr) [[unlikely]] {
      std::rethrow_exception(std::exchange(exception_, nullptr));
    }
  }

 private:
  std::exception_ptr exception_;
};

// A promise that yields T and is sent `Sent`. `Base` is the part of the promise
// that does not depend on these types. It has, at least protected:
//   thrown_in_    A ThrownIn.
//   void Yield()  Called when the generator is suspended at a `co_yield`.
template <typename T, typename Sent, typename Base>
class YieldingPromise : public Base {
 public:
  static_assert(alignof(T) <= 16,
                "what a generator yields may need 16 bytes of alignment at "
                "most: yield a pointer to it");

  class [[nodiscard]] YieldAwaiter {
   public:
    explicit YieldAwaiter(YieldingPromise& promise) : promise_(promise) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) noexcept { promise_.Yield(); }
    auto await_resume() {
      promise_.thrown_in_.Throw();
      if constexpr (!std::is_void_v<Sent>) {
        return std::exchange(promise_.sent_, std::nullopt);
      }
    }

   private:
    YieldingPromise& promise_;
  };

  YieldAwaiter yield_value(T value) {
    value_.emplace(std::move(value));
    return YieldAwaiter(*this);
  }

  T& value() { return *value_; }
  T TakeValue() {
    T value = *std::move(value_);
    value_.reset();
    return value;
  }
  template <typename U>
  void SetSent(U&& value) {
    sent_.emplace(std::forward<U>(value));
  }

 protected:
  YieldingPromise() = default;
  ~YieldingPromise() = default;

 private:
  using Send = std::conditional_t<std::is_void_v<Sent>, std::monostate, Sent>;

  std::optional<T> value_;
  std::optional<Send> sent_;
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_YIELDING_PROMISE_H_
