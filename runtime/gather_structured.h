// GatherStructured: Gather whose children end before it does.
//
//   auto [a, b] = co_await GatherStructured(Fetch("a"), Count());
//   std::vector<int> all = co_await GatherStructured(std::move(coros));
//
// It has the arguments and the results of Gather, but when one child fails, or
// when the caller is cancelled, it cancels the other children and waits until
// they have ended; only then does it throw. So children may refer to variables
// of the caller. With Gather they may not: it throws at once, the siblings run
// on (G-05), and what they refer to is gone. The name says what differs from
// Gather: "structured" as in structured concurrency.
//
// Nothing starts until it is awaited. What it is given belongs to it: it
// cancels futures and tasks, too. Give it `Shield(task)` to keep one running.
//
// The first failure comes out as it is, not in an ExceptionGroup, so a handler
// written for Gather works. Failures that come later, from children that were
// being cancelled, are reported to the exception handler, as all tasks are
// whose exception nobody retrieves (F-13). As with TaskGroup, a failure comes
// before a cancellation of the caller, which is then delivered at the caller's
// next await. A child that somebody else has cancelled has no result: its
// siblings are cancelled, and CancelledError comes out.
//
// With `kReturnExceptions` in front, failures are results, and only cancelling
// the caller cancels the children.

#ifndef CLOTHO_RUNTIME_GATHER_STRUCTURED_H_
#define CLOTHO_RUNTIME_GATHER_STRUCTURED_H_

#include <cstddef>
#include <exception>
#include <optional>
#include <ranges>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/join_scope.h"
#include "clotho/runtime/outcome.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/to_be_awaited.h"

namespace clotho {

namespace internal {

// The scope of a gather: of all results, in the order of the arguments.
template <bool kOutcomes>
class GatherScope : public JoinScope {
 protected:
  explicit GatherScope(const char* name)
      : JoinScope(name, kOutcomes ? StopAt::kNothing : StopAt::kFirstFailure) {}
  ~GatherScope() = default;
};

template <bool kOutcomes, typename... T>
class TupleScope final : public GatherScope<kOutcomes> {
 public:
  TupleScope() : GatherScope<kOutcomes>("GatherStructured") {}

  // All children have a result.
  std::tuple<GatherElement<kOutcomes, T>...> TakeResults() {
    return std::apply(
        [](auto&... elements) {
          return std::tuple<GatherElement<kOutcomes, T>...>{
              *std::move(elements)...};
        },
        elements_);
  }

 private:
  void Keep(std::size_t index, FutureBase& child) override {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      static_cast<void>(((I == index && KeepAt<I, T>(child)) || ...));
    }(std::index_sequence_for<T...>());
  }
  template <std::size_t kIndex, typename U>
  bool KeepAt(FutureBase& child) {
    std::get<kIndex>(elements_).emplace(TakeElementOf<kOutcomes, U>(child));
    return true;
  }

  std::tuple<std::optional<GatherElement<kOutcomes, T>>...> elements_;
};

template <bool kOutcomes, typename T>
class RangeScope final : public GatherScope<kOutcomes> {
 public:
  using Element = GatherElement<kOutcomes, T>;

  explicit RangeScope(const char* name) : GatherScope<kOutcomes>(name) {}

  template <Awaitable A>
  void StartNext(A awaitable, std::source_location location) {
    elements_.emplace_back();
    this->Start(elements_.size() - 1, std::move(awaitable), location);
  }

  // All children have a result.
  std::vector<Element> TakeResults() {
    std::vector<Element> results;
    results.reserve(elements_.size());
    for (std::optional<Element>& element : elements_) {
      results.push_back(*std::move(element));
    }
    return results;
  }

 private:
  void Keep(std::size_t index, FutureBase& child) override {
    elements_[index].emplace(TakeElementOf<kOutcomes, T>(child));
  }

  std::vector<std::optional<Element>> elements_;
};

// Of objects that stand for futures of any types.
template <bool kOutcomes, FutureLike F>
class HandleScope final : public GatherScope<kOutcomes> {
 public:
  using T = std::decay_t<decltype(std::declval<const F&>().Result())>;
  using Element = GatherElement<kOutcomes, T>;

  explicit HandleScope(const std::vector<F>& handles)
      : GatherScope<kOutcomes>("GatherStructured"),
        handles_(handles),
        elements_(handles.size()) {
    for (std::size_t i = 0; i < handles.size(); ++i) {
      try {
        this->Add(i, handles[i].state());
      } catch (...) {
        this->Fail(std::current_exception());
      }
    }
  }

  // All children have a result.
  std::vector<Element> TakeResults() {
    std::vector<Element> results;
    results.reserve(elements_.size());
    for (std::optional<Element>& element : elements_) {
      results.push_back(*std::move(element));
    }
    return results;
  }

 private:
  void Keep(std::size_t index, FutureBase& child) override {
    if constexpr (kOutcomes) {
      if (std::exception_ptr exception = child.OutcomeAsException()) {
        elements_[index].emplace(std::move(exception));
        return;
      }
    }
    elements_[index].emplace(handles_[index].Result());
  }

  const std::vector<F>& handles_;
  std::vector<std::optional<Element>> elements_;
};

template <bool kOutcomes, Awaitable... A>
Coro<std::tuple<GatherElement<kOutcomes, AwaitResult<A>>...>>
RunGatherStructured(std::tuple<ToBeAwaited<A>...> arguments) {
  const std::source_location location = co_await CallerLocation();
  TupleScope<kOutcomes, AwaitResult<A>...> scope;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (scope.Start(I, std::move(std::get<I>(arguments).awaitable), location),
     ...);
  }(std::index_sequence_for<A...>());
  co_await JoinScope::Finish(scope);
  co_return scope.TakeResults();
}

template <bool kOutcomes, std::ranges::input_range Range>
Coro<std::vector<
    GatherElement<kOutcomes, AwaitResult<std::ranges::range_value_t<Range>>>>>
RunGatherStructuredOfRange(RangeToBeAwaited<Range> awaitables) {
  const std::source_location location = co_await CallerLocation();
  RangeScope<kOutcomes, AwaitResult<std::ranges::range_value_t<Range>>> scope(
      "GatherStructured");
  try {
    for (auto&& element : awaitables.range) {
      scope.StartNext(
          TakeElement<Range>(std::forward<decltype(element)>(element)),
          location);
    }
  } catch (...) {
    scope.Fail(std::current_exception());
  }
  co_await JoinScope::Finish(scope);
  co_return scope.TakeResults();
}

template <bool kOutcomes, FutureLike F>
Coro<std::vector<typename HandleScope<kOutcomes, F>::Element>>
RunGatherStructuredOfHandles(std::vector<F> handles) {
  HandleScope<kOutcomes, F> scope(handles);
  co_await JoinScope::Finish(scope);
  co_return scope.TakeResults();
}

}  // namespace internal

// The tasks know where this was awaited.
template <Awaitable... A>
[[nodiscard]] auto GatherStructured(A... awaitables) {
  return internal::RunGatherStructured<false, A...>(
      std::tuple<internal::ToBeAwaited<A>...>(
          internal::ToBeAwaited<A>(std::move(awaitables))...));
}
template <Awaitable... A>
[[nodiscard]] auto GatherStructured(ReturnExceptions, A... awaitables) {
  return internal::RunGatherStructured<true, A...>(
      std::tuple<internal::ToBeAwaited<A>...>(
          internal::ToBeAwaited<A>(std::move(awaitables))...));
}

template <std::ranges::input_range Range>
  requires Awaitable<std::ranges::range_value_t<Range>>
[[nodiscard]] auto GatherStructured(Range awaitables) {
  return internal::RunGatherStructuredOfRange<false>(
      internal::RangeToBeAwaited<Range>(std::move(awaitables)));
}
template <std::ranges::input_range Range>
  requires Awaitable<std::ranges::range_value_t<Range>>
[[nodiscard]] auto GatherStructured(ReturnExceptions, Range awaitables) {
  return internal::RunGatherStructuredOfRange<true>(
      internal::RangeToBeAwaited<Range>(std::move(awaitables)));
}

// Of objects that stand for futures of several types (FutureLike).
template <FutureLike F>
  requires(!IsFuture<F>)
[[nodiscard]] auto GatherStructured(std::vector<F> handles) {
  return internal::RunGatherStructuredOfHandles<false>(std::move(handles));
}
template <FutureLike F>
  requires(!IsFuture<F>)
[[nodiscard]] auto GatherStructured(ReturnExceptions, std::vector<F> handles) {
  return internal::RunGatherStructuredOfHandles<true>(std::move(handles));
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_GATHER_STRUCTURED_H_
