// GatherWindowed: GatherStructured of a range, a few at a time.
//
//   std::vector<Page> pages = co_await GatherWindowed(urls, Fetch, 4);
//   std::vector<Page> pages =
//       co_await GatherWindowed(urls | std::views::transform(Fetch), 4);
//
// At most so many run at a time; as soon as one has ended, the next one starts.
// The results are in the order of the range. What failures and cancellation do
// is written in gather_structured.h; what has not started by then never does.
//
// The range is read as it is needed: the function is called, and the element of
// a transform view is made, when there is room for it. A range that is given by
// value, and the function, live until the end, so coroutines may refer to the
// elements, and the function may be a coroutine lambda that captures.

#ifndef CLOTHO_RUNTIME_GATHER_WINDOWED_H_
#define CLOTHO_RUNTIME_GATHER_WINDOWED_H_

#include <cstddef>
#include <exception>
#include <functional>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/gather_structured.h"
#include "clotho/runtime/join_scope.h"
#include "clotho/runtime/outcome.h"
#include "clotho/runtime/to_be_awaited.h"

namespace clotho {

namespace internal {

// In place of a function: the elements are awaitables.
template <typename Range>
struct TakeAwaitable {
  template <typename Element>
  std::ranges::range_value_t<Range> operator()(Element&& element) const {
    return TakeElement<Range>(std::forward<Element>(element));
  }
};

// What `function` makes of an element of `Range`.
template <typename Range, typename Function>
using WindowedAwaitable = std::remove_cvref_t<
    std::invoke_result_t<Function&, std::ranges::range_reference_t<Range>>>;

template <bool kOutcomes, typename Range, typename Function>
Coro<std::vector<
    GatherElement<kOutcomes, AwaitResult<WindowedAwaitable<Range, Function>>>>>
RunGatherWindowed(RangeToBeAwaited<Range> elements, Function function,
                  std::size_t limit) {
  if (limit == 0) {
    throw ValueError("GatherWindowed of at most 0 at a time would never end");
  }
  const std::source_location location = co_await CallerLocation();
  RangeScope<kOutcomes, AwaitResult<WindowedAwaitable<Range, Function>>> scope(
      "GatherWindowed");
  try {
    auto at = std::ranges::begin(elements.range);
    const auto end = std::ranges::end(elements.range);
    for (; at != end; ++at) {
      co_await scope.AtMost(limit - 1);
      if (scope.stopped()) break;
      scope.StartNext(
          WindowedAwaitable<Range, Function>(std::invoke(function, *at)),
          location);
    }
  } catch (...) {
    scope.Fail(std::current_exception());
  }
  co_await JoinScope::Finish(scope);
  co_return scope.TakeResults();
}

}  // namespace internal

// Awaits the elements of a range, at most `limit` at a time. Throws ValueError,
// when it is awaited, if `limit` is 0.
template <std::ranges::input_range Range>
  requires Awaitable<std::ranges::range_value_t<Range>>
[[nodiscard]] auto GatherWindowed(Range awaitables, std::size_t limit) {
  return internal::RunGatherWindowed<false>(
      internal::RangeToBeAwaited<Range>(std::move(awaitables)),
      internal::TakeAwaitable<Range>(), limit);
}
template <std::ranges::input_range Range>
  requires Awaitable<std::ranges::range_value_t<Range>>
[[nodiscard]] auto GatherWindowed(ReturnExceptions, Range awaitables,
                                  std::size_t limit) {
  return internal::RunGatherWindowed<true>(
      internal::RangeToBeAwaited<Range>(std::move(awaitables)),
      internal::TakeAwaitable<Range>(), limit);
}

// Awaits `function(element)` for the elements of a range.
template <std::ranges::input_range Range, typename Function>
  requires Awaitable<internal::WindowedAwaitable<Range, Function>>
[[nodiscard]] auto GatherWindowed(Range elements, Function function,
                                  std::size_t limit) {
  return internal::RunGatherWindowed<false>(
      internal::RangeToBeAwaited<Range>(std::move(elements)),
      std::move(function), limit);
}
template <std::ranges::input_range Range, typename Function>
  requires Awaitable<internal::WindowedAwaitable<Range, Function>>
[[nodiscard]] auto GatherWindowed(ReturnExceptions, Range elements,
                                  Function function, std::size_t limit) {
  return internal::RunGatherWindowed<true>(
      internal::RangeToBeAwaited<Range>(std::move(elements)),
      std::move(function), limit);
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_GATHER_WINDOWED_H_
