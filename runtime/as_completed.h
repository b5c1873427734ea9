// AsCompleted: delivers results one by one, in the order of completion.
//
//   for (auto next : AsCompleted(std::move(coros))) {
//     int n = co_await std::move(next);  // The next result, or its exception.
//   }
//
//   auto completed = AsCompleted(tasks, {.timeout = 5s});
//   while (auto task = co_await completed.Next()) {   // The tasks themselves.
//     ...
//   }
//
// Coroutines become tasks at once, even if nobody iterates. When the time is
// up, TimeoutError is thrown once for each future that is not done; nothing is
// cancelled. Section AC of the rules.

#ifndef CLOTHO_RUNTIME_AS_COMPLETED_H_
#define CLOTHO_RUNTIME_AS_COMPLETED_H_

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/fixed_array.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/timer_queue.h"
#include "clotho/runtime/queue.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/wait.h"

namespace clotho {

struct AsCompletedOptions {
  // For all futures together. nullopt: no limit.
  std::optional<Delay> timeout = std::nullopt;
};
static_assert(std::is_trivially_destructible_v<AsCompletedOptions>);

namespace internal {

// The state of one iteration. It is held by the iteration, by the tasks that
// wait for the next result, and by everything that may still add a result.
class AsCompletedState : public Pooled {
 public:
  // An index into the futures, or kTimedOut.
  using Index = std::ptrdiff_t;
  static constexpr Index kTimedOut = -1;

  AsCompletedState(const std::vector<Ref<FutureBase>>& futures,
                   const AsCompletedOptions& options);
  AsCompletedState(const AsCompletedState&) = delete;

  void AddRef() noexcept { ++references_; }
  void Release() noexcept {
    if (--references_ == 0) delete this;
  }

  bool exhausted() const { return left_ == 0; }
  // Reserves the next result for a caller.
  void Claim() { --left_; }
  auto Get() { return completed_.Get(); }

 protected:
  virtual ~AsCompletedState() = default;

 private:
  // Completed futures, in the order of completion.
  class CompletedQueue final : public Queue<Index> {
   public:
    explicit CompletedQueue(const AsCompletedState& state) : state_(state) {}

   private:
    void ExplainWait(WaitInfo& info) const override;
    const AsCompletedState& state_;
  };

  class Watcher final : public Runnable {
   public:
    Watcher(AsCompletedState& state, Ref<FutureBase> future)
        : Runnable(RunnableKind::kInternal),
          state_(state),
          future_(std::move(future)) {}
    void Run() override;
    void Drop() noexcept override { state_.Release(); }
    Runnable* EventualStep() override {
      return state_.timed_out_ ? nullptr : state_.completed_.NextGetter();
    }
    const Ref<FutureBase>& future() const { return future_; }

   private:
    AsCompletedState& state_;
    Ref<FutureBase> future_;
  };

  class End final : public Timer {
   public:
    explicit End(AsCompletedState& state)
        : Timer(RunnableKind::kInternal), state_(state) {}
    void Run() override;
    void Drop() noexcept override { state_.Release(); }
    Runnable* EventualStep() override { return state_.completed_.NextGetter(); }

   private:
    AsCompletedState& state_;
  };

  void FutureIsDone(Index index);
  void TimeIsUp();

  std::uint32_t references_ = 0;
  bool timed_out_ = false;
  std::size_t missing_;  // Futures not yet in the queue.
  std::size_t left_;     // Rounds that nobody has begun.
  CompletedQueue completed_;
  FixedArray<Watcher> watchers_;
  End end_;
};

template <FutureLike F>
class TypedAsCompletedState final : public AsCompletedState {
 public:
  TypedAsCompletedState(std::vector<F> futures,
                        const std::vector<Ref<FutureBase>>& states,
                        const AsCompletedOptions& options)
      : AsCompletedState(states, options), futures_(std::move(futures)) {}

  // The future at `index`. Throws TimeoutError if `index` is kTimedOut.
  const F& At(Index index) const {
    if (index == kTimedOut) throw TimeoutError();
    return futures_[static_cast<std::size_t>(index)];
  }

 private:
  const std::vector<F> futures_;
};

// The result of a completed future.
template <FutureLike F>
auto ReadResult(const F& future) {
  if constexpr (IsFuture<F>) {
    future.state()->ThrowUnlessValue();
    return ReadValue<typename F::value_type>(*future.state());
  } else {
    return future.Result();
  }
}

}  // namespace internal

// An iteration over futures in the order of completion. Copies share its state.
template <FutureLike F>
class AsCompletedIterator {
 private:
  using State = internal::TypedAsCompletedState<F>;
  using Getter =
      decltype(MakeAwaiter(std::declval<internal::CoroPromiseBase&>(),
                           std::declval<internal::AsCompletedState&>().Get()));

  // Takes the next completed future.
  class AwaiterBase {
   public:
    AwaiterBase(internal::CoroPromiseBase& parent, internal::Ref<State> state)
        : state_(std::move(state)),
          getter_(MakeAwaiter(parent, state_->Get())) {}
    AwaiterBase(const AwaiterBase&) = delete;
    bool await_ready() { return getter_.await_ready(); }
    void await_suspend(std::coroutine_handle<> handle) {
      getter_.await_suspend(handle);
    }

   protected:
    const F& Take() { return state_->At(getter_.await_resume()); }

   private:
    internal::Ref<State> state_;
    Getter getter_;
  };

  class [[nodiscard, gnu::warn_unused]] NextAwaitable {
   public:
    class [[nodiscard]] Awaiter {
     public:
      Awaiter(internal::CoroPromiseBase& parent, const NextAwaitable& next) {
        if (next.state_->exhausted()) return;
        next.state_->Claim();
        taker_.emplace(parent, next.state_);
      }
      bool await_ready() {
        return !taker_.has_value() || taker_->await_ready();
      }
      void await_suspend(std::coroutine_handle<> handle) {
        taker_->await_suspend(handle);
      }
      std::optional<F> await_resume() {
        if (!taker_.has_value()) return std::nullopt;
        return taker_->Take();
      }

     private:
      struct Taker : AwaiterBase {
        using AwaiterBase::AwaiterBase;
        using AwaiterBase::Take;
      };
      std::optional<Taker> taker_;
    };
    explicit NextAwaitable(internal::Ref<State> state)
        : state_(std::move(state)) {}

   private:
    internal::Ref<State> state_;
  };

 public:
  // An awaitable for one result: that of the next future to complete.
  class Round {
   public:
    class [[nodiscard]] Awaiter : public AwaiterBase {
     public:
      Awaiter(internal::CoroPromiseBase& parent, const Round& round)
          : AwaiterBase(parent, round.state_) {}
      auto await_resume() { return internal::ReadResult(this->Take()); }
    };

   private:
    friend class AsCompletedIterator;
    explicit Round(internal::Ref<State> state) : state_(std::move(state)) {}
    internal::Ref<State> state_;
  };

  class Iterator {
   public:
    using value_type = Round;
    using difference_type = std::ptrdiff_t;

    // Each call begins a round.
    Round operator*() const {
      state_->Claim();
      return Round(state_);
    }
    Iterator& operator++() { return *this; }
    void operator++(int) {}
    bool operator==(std::default_sentinel_t) const {
      return state_->exhausted();
    }

   private:
    friend class AsCompletedIterator;
    explicit Iterator(internal::Ref<State> state) : state_(std::move(state)) {}
    internal::Ref<State> state_;
  };

  Iterator begin() const { return Iterator(state_); }
  std::default_sentinel_t end() const { return {}; }

  // `co_await` returns the next completed future, or nullopt after the last.
  // Throws TimeoutError when the time is up.
  [[nodiscard]] NextAwaitable Next() const { return NextAwaitable(state_); }

  // For AsCompleted.
  explicit AsCompletedIterator(internal::Ref<State> state)
      : state_(std::move(state)) {}

 private:
  internal::Ref<State> state_;
};

namespace internal {

template <FutureLike F>
AsCompletedIterator<F> MakeAsCompleted(std::vector<F> futures,
                                       const AsCompletedOptions& options) {
  futures = Distinct(std::move(futures));
  std::vector<Ref<FutureBase>> states;
  states.reserve(futures.size());
  for (const F& future : futures) states.push_back(future.state());
  using State = TypedAsCompletedState<F>;
  return AsCompletedIterator<F>(
      Ref<State>(new State(std::move(futures), states, options)));
}

}  // namespace internal

// Iterates over a range of futures or tasks.
template <std::ranges::input_range Range>
  requires FutureLike<std::ranges::range_value_t<Range>>
[[nodiscard]] auto AsCompleted(Range futures,
                               const AsCompletedOptions& options = {}) {
  return internal::MakeAsCompleted(internal::ToVector(std::move(futures)),
                                   options);
}

// Iterates over a range of coroutines or other awaitables, each of which
// becomes a task.
template <std::ranges::input_range Range>
  requires(Awaitable<std::ranges::range_value_t<Range>> &&
           !FutureLike<std::ranges::range_value_t<Range>>)
[[nodiscard]] auto AsCompleted(
    Range awaitables, const AsCompletedOptions& options = {},
    std::source_location location = std::source_location::current()) {
  std::vector<Task<AwaitResult<std::ranges::range_value_t<Range>>>> tasks;
  for (auto&& awaitable : awaitables) {
    tasks.push_back(CreateTask(std::move(awaitable), TaskOptions{}, location));
  }
  return internal::MakeAsCompleted(std::move(tasks), options);
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_AS_COMPLETED_H_
