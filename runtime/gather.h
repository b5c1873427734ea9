// Gather: awaits several awaitables at once.
//
//   auto [a, b] = co_await Gather(Fetch("a"), Count());    // A tuple.
//   std::vector<int> all = co_await Gather(std::move(coros));  // Of a range.
//
// Coroutines become tasks at once, in argument order. Results have the same
// order, whichever finishes first. The first exception is thrown at once, and
// the other tasks keep running (G-05). Cancelling the future that Gather
// returned cancels all of them (G-06). Section G of the rules.
//
// Warning: because siblings keep running after a failure, a sibling that refers
// to the caller's frame may outlive it. Pass it only what it owns or shares, or
// use a TaskGroup, which waits for all its tasks before it throws.
//
// With `kReturnExceptions` as the first argument, failures are results: each
// result is an Outcome.

#ifndef CLOTHO_RUNTIME_GATHER_H_
#define CLOTHO_RUNTIME_GATHER_H_

#include <cstddef>
#include <exception>
#include <ranges>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/outcome.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/to_be_awaited.h"

namespace clotho {

struct ReturnExceptions {};
inline constexpr ReturnExceptions kReturnExceptions;

namespace internal {

using FutureVector =
    std::vector<Ref<FutureBase>, PoolAllocator<Ref<FutureBase>>>;

class GatherBase : public FutureBase {
 public:
  GatherBase(EventLoop& loop, bool return_exceptions)
      : FutureBase(loop, Storage::kCounted),
        return_exceptions_(return_exceptions) {}

  bool Cancel(const Text& message) final;
  void Explain(WaitInfo& info) const final;

  // Takes the futures, in argument order. Called once, by the creator.
  void Adopt(FutureVector children);

 protected:
  ~GatherBase() override;
  const char* KindName() const override { return "_GatheringFuture"; }
  // All children are done: assembles the results, which counts as retrieval.
  virtual void Collect() = 0;

  FutureBase& child(std::size_t index) { return *children_[index]; }
  std::size_t size() const { return children_.size(); }
  // The value of a child that holds one; moved if nobody else can read it.
  template <typename T>
  Stored<T> ValueAt(std::size_t index) {
    FutureBase& future = child(index);
    future.MarkRetrieved();
    if constexpr (std::is_copy_constructible_v<Stored<T>>) {
      if (!future.IsOnlyReference()) return ValueOf<T>(future);
    }
    return std::move(ValueOf<T>(future));
  }
  // The exception of a child, or null if it holds a value.
  std::exception_ptr ExceptionAt(std::size_t index);
  template <typename T>
  Outcome<T> OutcomeAt(std::size_t index) {
    if (std::exception_ptr exception = ExceptionAt(index)) {
      return Outcome<T>(std::move(exception));
    }
    return Outcome<T>(ValueAt<T>(index));
  }

 private:
  // Waits for one of the futures. Keeps the gather alive until it has run.
  class Watcher final : public Runnable {
   public:
    Watcher(GatherBase& gather, FutureBase& future)
        : Runnable(RunnableKind::kInternal), gather_(gather), future_(future) {}
    void Run() override;
    void Drop() noexcept override { gather_.Release(); }
    Runnable* EventualStep() override;

   private:
    GatherBase& gather_;
    FutureBase& future_;  // Held by the gather.
  };

  void ChildIsDone(FutureBase& future);
  // True if `waiter` is one of `watchers_`.
  bool IsMine(const Runnable& waiter) const;

  FutureVector children_;
  // One for each distinct future that was pending; allocated for all children.
  Watcher* watchers_ = nullptr;
  std::size_t watched_ = 0;
  std::size_t distinct_ = 0;
  std::size_t finished_ = 0;
  bool return_exceptions_;
  bool cancel_requested_ = false;
  bool in_cancel_ = false;
};

// The loop for a gather of `children`: theirs, or the running loop if empty.
EventLoop& LoopOfGather(const FutureVector& children);

// The future for an argument. A task created for it belongs to the gather.
template <Awaitable A>
Ref<FutureBase> ChildOf(A awaitable, std::source_location location) {
  if constexpr (IsFuture<A>) {
    return awaitable.state();
  } else {
    auto task = CreateTask(std::move(awaitable), TaskOptions{}, location);
    task.base().set_belongs_to_library();
    return task.state();
  }
}

template <bool kOutcomes, typename T>
using GatherElement = std::conditional_t<kOutcomes, Outcome<T>, Stored<T>>;

// A gather of arguments of different types.
template <bool kOutcomes, typename... T>
class TupleGather final
    : public ValueFuture<std::tuple<GatherElement<kOutcomes, T>...>,
                         GatherBase> {
 public:
  explicit TupleGather(EventLoop& loop)
      : TupleGather::ValueFuture(loop, kOutcomes) {}

 private:
  void Collect() override {
    [this]<std::size_t... I>(std::index_sequence<I...>) {
      // Braces evaluate from left to right.
      this->SetValue(std::tuple<GatherElement<kOutcomes, T>...>{
          this->template Element<T>(I)...});
    }(std::index_sequence_for<T...>());
  }
  template <typename U>
  GatherElement<kOutcomes, U> Element(std::size_t index) {
    if constexpr (kOutcomes) {
      return this->template OutcomeAt<U>(index);
    } else {
      return this->template ValueAt<U>(index);
    }
  }
};

// A gather of a range of awaitables of one type.
template <bool kOutcomes, typename T>
class RangeGather final
    : public ValueFuture<std::vector<GatherElement<kOutcomes, T>>, GatherBase> {
 public:
  explicit RangeGather(EventLoop& loop)
      : RangeGather::ValueFuture(loop, kOutcomes) {}

 private:
  void Collect() override {
    std::vector<GatherElement<kOutcomes, T>> results;
    results.reserve(this->size());
    for (std::size_t i = 0; i < this->size(); ++i) {
      if constexpr (kOutcomes) {
        results.push_back(this->template OutcomeAt<T>(i));
      } else {
        results.push_back(this->template ValueAt<T>(i));
      }
    }
    this->SetValue(std::move(results));
  }
};

// A gather of a range of objects that stand for futures of any types.
template <bool kOutcomes, FutureLike F>
class HandleGather final
    : public ValueFuture<
          std::vector<GatherElement<
              kOutcomes,
              std::decay_t<decltype(std::declval<const F&>().Result())>>>,
          GatherBase> {
 public:
  using T = std::decay_t<decltype(std::declval<const F&>().Result())>;

  explicit HandleGather(EventLoop& loop, std::vector<F> handles)
      : HandleGather::ValueFuture(loop, kOutcomes),
        handles_(std::move(handles)) {}

 private:
  void Collect() override {
    std::vector<GatherElement<kOutcomes, T>> results;
    results.reserve(handles_.size());
    for (std::size_t i = 0; i < handles_.size(); ++i) {
      if constexpr (kOutcomes) {
        if (std::exception_ptr exception = this->ExceptionAt(i)) {
          results.push_back(Outcome<T>(std::move(exception)));
          continue;
        }
        results.push_back(Outcome<T>(handles_[i].Result()));
      } else {
        results.push_back(handles_[i].Result());
      }
    }
    this->SetValue(std::move(results));
  }

  std::vector<F> handles_;
};

template <typename Gather>
auto MakeGather(FutureVector children) {
  Ref<Gather> gather(new Gather(LoopOfGather(children)));
  gather->Adopt(std::move(children));
  return gather;
}

// Waits for futures of any types and discards their outcomes. Always succeeds.
Future<void> GatherForgotten(EventLoop& loop, FutureVector futures);

template <bool kOutcomes, Awaitable... A>
auto GatherTuple([[maybe_unused]] std::source_location location,
                 A... awaitables) {
  FutureVector children;
  children.reserve(sizeof...(A));
  (children.push_back(ChildOf(std::move(awaitables), location)), ...);
  using State = TupleGather<kOutcomes, AwaitResult<A>...>;
  return Future<std::tuple<GatherElement<kOutcomes, AwaitResult<A>>...>>(
      Ref<FutureBase>(MakeGather<State>(std::move(children)).get()));
}

template <bool kOutcomes, std::ranges::input_range Range>
auto GatherRange(std::source_location location, Range awaitables) {
  using A = std::ranges::range_value_t<Range>;
  using T = AwaitResult<A>;
  FutureVector children;
  if constexpr (std::ranges::sized_range<Range>) {
    children.reserve(std::ranges::size(awaitables));
  }
  for (auto&& awaitable : awaitables) {
    children.push_back(ChildOf(
        TakeElement<Range>(std::forward<decltype(awaitable)>(awaitable)),
        location));
  }
  using State = RangeGather<kOutcomes, T>;
  return Future<std::vector<GatherElement<kOutcomes, T>>>(
      Ref<FutureBase>(MakeGather<State>(std::move(children)).get()));
}

template <bool kOutcomes, FutureLike F>
auto GatherHandles(std::vector<F> handles) {
  using State = HandleGather<kOutcomes, F>;
  FutureVector children;
  children.reserve(handles.size());
  for (const F& handle : handles) children.push_back(handle.state());
  Ref<State> gather(new State(LoopOfGather(children), std::move(handles)));
  gather->Adopt(std::move(children));
  return Future<std::vector<GatherElement<kOutcomes, typename State::T>>>(
      Ref<FutureBase>(gather.get()));
}

}  // namespace internal

// With up to four arguments, the tasks record where `Gather` was called. With
// more they do not, since a defaulted parameter cannot follow a parameter pack.
template <Awaitable A>
[[nodiscard]] auto Gather(
    A a, std::source_location location = std::source_location::current()) {
  return internal::GatherTuple<false>(location, std::move(a));
}
template <Awaitable A, Awaitable B>
[[nodiscard]] auto Gather(
    A a, B b, std::source_location location = std::source_location::current()) {
  return internal::GatherTuple<false>(location, std::move(a), std::move(b));
}
template <Awaitable A, Awaitable B, Awaitable C>
[[nodiscard]] auto Gather(
    A a, B b, C c,
    std::source_location location = std::source_location::current()) {
  return internal::GatherTuple<false>(location, std::move(a), std::move(b),
                                      std::move(c));
}
template <Awaitable A, Awaitable B, Awaitable C, Awaitable D>
[[nodiscard]] auto Gather(
    A a, B b, C c, D d,
    std::source_location location = std::source_location::current()) {
  return internal::GatherTuple<false>(location, std::move(a), std::move(b),
                                      std::move(c), std::move(d));
}
template <Awaitable... A>
  requires(sizeof...(A) == 0 || sizeof...(A) > 4)
[[nodiscard]] auto Gather(A... awaitables) {
  return internal::GatherTuple<false>(std::source_location(),
                                      std::move(awaitables)...);
}

template <Awaitable A>
[[nodiscard]] auto Gather(
    ReturnExceptions, A a,
    std::source_location location = std::source_location::current()) {
  return internal::GatherTuple<true>(location, std::move(a));
}
template <Awaitable A, Awaitable B>
[[nodiscard]] auto Gather(
    ReturnExceptions, A a, B b,
    std::source_location location = std::source_location::current()) {
  return internal::GatherTuple<true>(location, std::move(a), std::move(b));
}
template <Awaitable A, Awaitable B, Awaitable C>
[[nodiscard]] auto Gather(
    ReturnExceptions, A a, B b, C c,
    std::source_location location = std::source_location::current()) {
  return internal::GatherTuple<true>(location, std::move(a), std::move(b),
                                     std::move(c));
}
template <Awaitable A, Awaitable B, Awaitable C, Awaitable D>
[[nodiscard]] auto Gather(
    ReturnExceptions, A a, B b, C c, D d,
    std::source_location location = std::source_location::current()) {
  return internal::GatherTuple<true>(location, std::move(a), std::move(b),
                                     std::move(c), std::move(d));
}
template <Awaitable... A>
  requires(sizeof...(A) == 0 || sizeof...(A) > 4)
[[nodiscard]] auto Gather(ReturnExceptions, A... awaitables) {
  return internal::GatherTuple<true>(std::source_location(),
                                     std::move(awaitables)...);
}

template <std::ranges::input_range Range>
  requires Awaitable<std::ranges::range_value_t<Range>>
[[nodiscard]] auto Gather(
    Range awaitables,
    std::source_location location = std::source_location::current()) {
  return internal::GatherRange<false>(location, std::move(awaitables));
}

template <std::ranges::input_range Range>
  requires Awaitable<std::ranges::range_value_t<Range>>
[[nodiscard]] auto Gather(
    ReturnExceptions, Range awaitables,
    std::source_location location = std::source_location::current()) {
  return internal::GatherRange<true>(location, std::move(awaitables));
}

// Gathers objects that stand for futures of several types (FutureLike).
template <FutureLike F>
  requires(!IsFuture<F>)
[[nodiscard]] auto Gather(std::vector<F> handles) {
  return internal::GatherHandles<false>(std::move(handles));
}

template <FutureLike F>
  requires(!IsFuture<F>)
[[nodiscard]] auto Gather(ReturnExceptions, std::vector<F> handles) {
  return internal::GatherHandles<true>(std::move(handles));
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_GATHER_H_
