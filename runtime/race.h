// Race: awaits several things, and takes the first that is done.
//
//   auto [index, page] = co_await Race(Fetch("a"), Fetch("b"));
//   auto [index, value] = co_await Race(Fetch("a"), Count());
//   if (index == 0) Use(std::get<0>(value));   // A variant: types differ.
//
// The first to be done wins, whichever way it ends: if it has failed, its
// exception comes out, as it does from `asyncio.wait(..., FIRST_COMPLETED)`
// followed by `await` of what is done. (StaggeredRace takes the first that
// succeeds.) Of several that are done already, the first argument wins.
//
// The others are cancelled, and Race waits until they have ended, as
// GatherStructured does; their results are dropped. A failure of one that was
// being cancelled is reported to the exception handler. If the winner was
// cancelled by somebody else, CancelledError comes out, unless another one
// fails on its way out. A cancellation of the caller drops the result.

#ifndef CLOTHO_RUNTIME_RACE_H_
#define CLOTHO_RUNTIME_RACE_H_

#include <cstddef>
#include <exception>
#include <optional>
#include <ranges>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/stored.h"
#include "clotho/runtime/join_scope.h"
#include "clotho/runtime/to_be_awaited.h"

namespace clotho {

template <typename Value>
struct RaceResult {
  std::size_t index;  // Which argument has won.
  Value value;
};

namespace internal {

template <typename... T>
using FirstOf = std::tuple_element_t<0, std::tuple<T...>>;

// A T if all are that, else a variant with an alternative for each argument, in
// their order.
template <typename... T>
using RaceValue =
    std::conditional_t<(std::is_same_v<FirstOf<T...>, T> && ...),
                       Stored<FirstOf<T...>>, std::variant<Stored<T>...>>;

template <typename Value>
class RaceScopeBase : public JoinScope {
 public:
  RaceResult<Value> TakeResult() { return *std::move(result_); }

 protected:
  RaceScopeBase() : JoinScope("Race", StopAt::kFirstDone) {}
  ~RaceScopeBase() = default;

  std::optional<RaceResult<Value>> result_;
};

template <typename... T>
class RaceScope final : public RaceScopeBase<RaceValue<T...>> {
 private:
  using Value = RaceValue<T...>;

  void Keep(std::size_t index, FutureBase& child) override {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      static_cast<void>(((I == index && KeepAt<I, T>(child)) || ...));
    }(std::index_sequence_for<T...>());
  }
  template <std::size_t kIndex, typename U>
  bool KeepAt(FutureBase& child) {
    if constexpr ((std::is_same_v<U, T> && ...)) {
      this->result_.emplace(RaceResult<Value>{kIndex, TakeValueOf<U>(child)});
    } else {
      this->result_.emplace(RaceResult<Value>{
          kIndex, Value(std::in_place_index<kIndex>, TakeValueOf<U>(child))});
    }
    return true;
  }
};

template <typename T>
class RangeRaceScope final : public RaceScopeBase<Stored<T>> {
 private:
  void Keep(std::size_t index, FutureBase& child) override {
    this->result_.emplace(RaceResult<Stored<T>>{index, TakeValueOf<T>(child)});
  }
};

template <Awaitable... A>
Coro<RaceResult<RaceValue<AwaitResult<A>...>>> RunRace(
    std::tuple<ToBeAwaited<A>...> arguments) {
  const std::source_location location = co_await CallerLocation();
  RaceScope<AwaitResult<A>...> scope;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (scope.Start(I, std::move(std::get<I>(arguments).awaitable), location),
     ...);
  }(std::index_sequence_for<A...>());
  co_await JoinScope::Finish(scope);
  co_return scope.TakeResult();
}

template <std::ranges::input_range Range>
Coro<RaceResult<Stored<AwaitResult<std::ranges::range_value_t<Range>>>>>
RunRaceOfRange(RangeToBeAwaited<Range> awaitables) {
  const std::source_location location = co_await CallerLocation();
  RangeRaceScope<AwaitResult<std::ranges::range_value_t<Range>>> scope;
  std::size_t count = 0;
  try {
    for (auto&& element : awaitables.range) {
      scope.Start(count++,
                  TakeElement<Range>(std::forward<decltype(element)>(element)),
                  location);
    }
    if (count == 0) throw ValueError("Race of nothing would never end");
  } catch (...) {
    scope.Fail(std::current_exception());
  }
  co_await JoinScope::Finish(scope);
  co_return scope.TakeResult();
}

}  // namespace internal

// Nothing starts until it is awaited.
template <Awaitable... A>
  requires(sizeof...(A) > 0)
[[nodiscard]] auto Race(A... awaitables) {
  return internal::RunRace<A...>(std::tuple<internal::ToBeAwaited<A>...>(
      internal::ToBeAwaited<A>(std::move(awaitables))...));
}

// Of a range. Throws ValueError, when it is awaited, if that is empty.
template <std::ranges::input_range Range>
  requires Awaitable<std::ranges::range_value_t<Range>>
[[nodiscard]] auto Race(Range awaitables) {
  return internal::RunRaceOfRange(
      internal::RangeToBeAwaited<Range>(std::move(awaitables)));
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_RACE_H_
