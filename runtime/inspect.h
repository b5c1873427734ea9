// Classifies types and functions at compile time, like asyncio's `iscoroutine`
// and related functions.
//
//   template <typename F>
//   void Spawn(F function) {
//     if constexpr (IsCoroutineFunction<F>) { ... }
//
// Objects (rule KD-01):
//
//                       IsCoroutine  IsGenerator  IsAsyncGenerator  Awaitable
//   Coro                yes                                         yes
//   Generator                        yes
//   AsyncGenerator                                yes
//   Future, Task        (IsFuture; a Task IsTask, too)              yes
//   has `Await()`                                                   yes
//
// A function is classified by its return type: IsCoroutineFunction,
// IsGeneratorFunction, IsAsyncGeneratorFunction, or none of them.
//
// `Awaitable` is in coro.h, `IsFuture` in task.h.

#ifndef CLOTHO_RUNTIME_INSPECT_H_
#define CLOTHO_RUNTIME_INSPECT_H_

#include <functional>
#include <type_traits>
#include <utility>

#include "clotho/runtime/async_generator.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/generator.h"
#include "clotho/runtime/task.h"

namespace clotho {

namespace internal {

template <typename T, template <typename...> typename Template>
inline constexpr bool kIsA = false;
template <typename... T, template <typename...> typename Template>
inline constexpr bool kIsA<Template<T...>, Template> = true;

// The return type of a function called with `Args`, or, without `Args`, of its
// only signature.
struct NoResult;
template <typename F, typename... Args>
struct ResultOf {
  using type = NoResult;
};
template <typename F, typename... Args>
  requires std::is_invocable_v<F, Args...>
struct ResultOf<F, Args...> {
  using type = std::invoke_result_t<F, Args...>;
};
template <typename F>
  requires(!std::is_invocable_v<F>) &&
          requires { std::function(std::declval<std::decay_t<F>>()); }
struct ResultOf<F> {
  using type = typename decltype(std::function(
      std::declval<std::decay_t<F>>()))::result_type;
};

}  // namespace internal

// A Coro: what a coroutine function returns. False for other awaitables.
template <typename T>
concept IsCoroutine = internal::kIsA<std::remove_cvref_t<T>, Coro>;

template <typename T>
concept IsGenerator = internal::kIsA<std::remove_cvref_t<T>, Generator>;

template <typename T>
concept IsAsyncGenerator =
    internal::kIsA<std::remove_cvref_t<T>, AsyncGenerator>;

// A Task, or an AnyTask, whose result type is not known.
template <typename T>
concept IsTask = internal::kIsA<std::remove_cvref_t<T>, Task> ||
                 std::is_same_v<std::remove_cvref_t<T>, AnyTask>;

// A function, or a lambda, that returns a Coro. Pass `Args` if it is overloaded
// or a template. Without `Args`, the only signature is inspected, whatever its
// parameters.
template <typename F, typename... Args>
concept IsCoroutineFunction =
    IsCoroutine<typename internal::ResultOf<F, Args...>::type>;

template <typename F, typename... Args>
concept IsGeneratorFunction =
    IsGenerator<typename internal::ResultOf<F, Args...>::type>;

template <typename F, typename... Args>
concept IsAsyncGeneratorFunction =
    IsAsyncGenerator<typename internal::ResultOf<F, Args...>::type>;

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_INSPECT_H_
