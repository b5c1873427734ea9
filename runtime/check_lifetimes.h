// Makes Clang 18 and newer report coroutines that outlive a temporary:
//
//   clang++ -include clotho/runtime/check_lifetimes.h ...
//
//   Coro<int> c = Length(std::string("x"));        // error: [-Wdangling]
//   Coro<int> c = [k]() -> Coro<int> { ... }();    // error: [-Wdangling]
//
// The section "Lifetimes" of docs/asyncio.md lists what is found and what is
// not. With this header, a function that returns a Coro and is not a coroutine
// must say so:
//
//   CLOTHO_CORO_WRAPPER Coro<int> Twice(int n) { return Multiply(n, 2); }
//   auto twice = [](int n) CLOTHO_CORO_WRAPPER { return Multiply(n, 2); };
//
// Clang demands that of every function, and an omission is an error that no
// flag turns off, even inside std::function<Coro<int>()>, std::invoke,
// std::views::transform and the methods of gmock. That is why the check is not
// always on, and why this header comes before all others: it marks the
// functions of the standard library and Abseil that return what a callable
// returns. Objects compiled with and without it can be linked.

#ifndef CLOTHO_RUNTIME_CHECK_LIFETIMES_H_
#define CLOTHO_RUNTIME_CHECK_LIFETIMES_H_

#define CLOTHO_CHECK_LIFETIMES 1

#include "clotho/runtime/internal/lifetimes.h"

#if defined(__clang__) && defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::coro_wrapper)
#pragma clang attribute push([[clang::coro_wrapper]], apply_to = function)
#endif
#endif

#include <algorithm>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"

#if defined(__clang__) && defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::coro_wrapper)
#pragma clang attribute pop
#endif
#endif

#endif  // CLOTHO_RUNTIME_CHECK_LIFETIMES_H_
