// The attributes with which Clang reports coroutines that outlive what they
// refer to. Empty unless runtime/check_lifetimes.h is included first, which
// says why; and for compilers that do not know them.

#ifndef CLOTHO_RUNTIME_INTERNAL_LIFETIMES_H_
#define CLOTHO_RUNTIME_INTERNAL_LIFETIMES_H_

// Whatever the arguments of a function refer to must live as long as the Coro
// that it returns.
#define CLOTHO_CORO_ATTRIBUTES
// A function that returns a Coro and is not a coroutine itself. Stands before
// the function's type, or after the parameters of a lambda.
#define CLOTHO_CORO_WRAPPER

#if defined(CLOTHO_CHECK_LIFETIMES) && defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::coro_return_type) &&   \
    __has_cpp_attribute(clang::coro_lifetimebound) && \
    __has_cpp_attribute(clang::coro_wrapper)
#undef CLOTHO_CORO_ATTRIBUTES
#define CLOTHO_CORO_ATTRIBUTES \
  [[clang::coro_return_type]] [[clang::coro_lifetimebound]]
#undef CLOTHO_CORO_WRAPPER
// C++20 has no place for [[...]] on the function of a lambda.
#define CLOTHO_CORO_WRAPPER __attribute__((coro_wrapper))
#endif
#endif

#endif  // CLOTHO_RUNTIME_INTERNAL_LIFETIMES_H_
