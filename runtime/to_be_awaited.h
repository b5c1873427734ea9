// ToBeAwaited: an argument that a coroutine of the library is going to await.
//
// If that coroutine never runs, it is reported itself, as never awaited or as
// cancelled before it began. Its arguments are closed, and not reported too.

#ifndef CLOTHO_RUNTIME_TO_BE_AWAITED_H_
#define CLOTHO_RUNTIME_TO_BE_AWAITED_H_

#include <ranges>
#include <type_traits>
#include <utility>

#include "clotho/runtime/coro.h"

namespace clotho::internal {

template <Awaitable A>
struct ToBeAwaited {
  explicit ToBeAwaited(A a) : awaitable(std::move(a)) {}
  ToBeAwaited(ToBeAwaited&&) = default;
  ~ToBeAwaited() {
    if constexpr (requires { awaitable.Close(); }) awaitable.Close();
  }
  A awaitable;
};

// A range of them, or of what they are made from. What a view refers to belongs
// to the caller, who is told if it is not awaited.
template <std::ranges::input_range Range>
struct RangeToBeAwaited {
  explicit RangeToBeAwaited(Range r) : range(std::move(r)) {}
  RangeToBeAwaited(RangeToBeAwaited&&) = default;
  ~RangeToBeAwaited() {
    if constexpr (!std::ranges::view<Range> &&
                  requires { (*std::ranges::begin(range)).Close(); }) {
      for (auto& awaitable : range) awaitable.Close();
    }
  }
  Range range;
};

// An element of a range that the library was given by value: moved out of the
// range, or copied from a view if it can be.
template <typename Range, typename Element>
std::ranges::range_value_t<Range> TakeElement(Element&& element) {
  using Value = std::ranges::range_value_t<Range>;
  if constexpr (std::is_lvalue_reference_v<Element> &&
                std::ranges::view<Range> &&
                std::is_copy_constructible_v<Value>) {
    return Value(element);
  } else {
    return Value(std::move(element));
  }
}

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_TO_BE_AWAITED_H_
