// Wait: waits for some or all of several futures.
//
//   std::vector<Task<int>> tasks = ...;
//   auto [done, pending] = co_await Wait(
//       tasks, {.timeout = 5s, .return_when = ReturnWhen::kFirstCompleted});
//
// It cancels nothing, and throws neither TimeoutError nor the exceptions of the
// futures: inspect those that are done. Section W of the rules.

#ifndef CLOTHO_RUNTIME_WAIT_H_
#define CLOTHO_RUNTIME_WAIT_H_

#include <coroutine>
#include <cstddef>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/fixed_array.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/timer_queue.h"

namespace clotho {

enum class ReturnWhen {
  kAllCompleted,
  kFirstCompleted,
  // As soon as one fails, or when all are done. A cancelled future has not
  // failed.
  kFirstException,
};

struct WaitOptions {
  std::optional<Delay> timeout = std::nullopt;  // nullopt: no limit.
  ReturnWhen return_when = ReturnWhen::kAllCompleted;
};
static_assert(std::is_trivially_destructible_v<WaitOptions>);

// The futures that are done and those that are pending when the wait ends, each
// in argument order and without duplicates.
template <FutureLike F>
struct WaitResult {
  std::vector<F> done;
  std::vector<F> pending;
};

namespace internal {

// Is done when enough futures are done, or when the time is up. The awaiter
// holds a reference, and so does everything that may still affect it.
class WaitState final : public WaiterFuture {
 public:
  WaitState(EventLoop& loop, std::vector<Ref<FutureBase>> futures,
            const WaitOptions& options);
  // The awaiter goes away.
  void Leave();
  void Explain(WaitInfo& info) const override;

 private:
  // Waits for one of the futures.
  class Watcher final : public Runnable {
   public:
    Watcher(WaitState& wait, FutureBase& future)
        : Runnable(RunnableKind::kInternal), wait_(wait), future_(future) {}
    void Run() override;
    void Drop() noexcept override { wait_.Release(); }
    Runnable* EventualStep() override;

   private:
    WaitState& wait_;
    FutureBase& future_;  // Held by the wait.
  };

  class End final : public Timer {
   public:
    explicit End(WaitState& wait)
        : Timer(RunnableKind::kInternal), wait_(wait) {}
    void Run() override;
    void Drop() noexcept override { wait_.Release(); }
    Runnable* EventualStep() override {
      return wait_.done() ? nullptr : wait_.FirstEventualStep();
    }

   private:
    WaitState& wait_;
  };

  void FutureIsDone(FutureBase& future);
  void Disarm();

  const std::vector<Ref<FutureBase>> futures_;
  FixedArray<Watcher> watchers_;
  std::size_t missing_;  // How many are not known to be done.
  const ReturnWhen return_when_;
  End end_;
};

class WaitAwaiterBase {
 public:
  WaitAwaiterBase(CoroPromiseBase& parent, const WaitOptions& options)
      : parent_(parent), options_(options) {}
  WaitAwaiterBase(const WaitAwaiterBase&) = delete;
  ~WaitAwaiterBase() {
    if (state_ != nullptr) state_->Leave();
  }
  bool await_ready() const noexcept { return false; }

 protected:
  void Suspend(std::vector<Ref<FutureBase>> futures);
  void Resume();

 private:
  CoroPromiseBase& parent_;
  const WaitOptions options_;
  WaitState* state_ = nullptr;
};

// The elements of a range, which may create them while it is read.
template <std::ranges::input_range Range>
auto ToVector(Range range) {
  using Vector = std::vector<std::ranges::range_value_t<Range>>;
  if constexpr (std::is_same_v<Range, Vector>) {
    return range;
  } else {
    Vector elements;
    for (auto&& element : range) {
      elements.push_back(std::forward<decltype(element)>(element));
    }
    return elements;
  }
}

// For each of them, whether it is among those before it.
std::vector<bool> AreRepeated(const std::vector<const FutureBase*>& futures);

// The elements without duplicates.
template <FutureLike F>
std::vector<F> Distinct(std::vector<F> futures) {
  std::vector<const FutureBase*> states;
  states.reserve(futures.size());
  for (const F& future : futures) states.push_back(future.state().get());
  const std::vector<bool> repeated = AreRepeated(states);
  std::size_t index = 0;
  std::erase_if(futures, [&](const F&) { return repeated[index++]; });
  return futures;
}

template <FutureLike F>
class [[nodiscard, gnu::warn_unused]] WaitAwaitable {
 public:
  WaitAwaitable(std::vector<F> futures, const WaitOptions& options)
      : futures_(std::move(futures)), options_(options) {}

  class [[nodiscard]] Awaiter : public WaitAwaiterBase {
   public:
    Awaiter(CoroPromiseBase& parent, WaitAwaitable&& wait)
        : WaitAwaiterBase(parent, wait.options_),
          futures_(Distinct(std::move(wait.futures_))) {}
    void await_suspend(std::coroutine_handle<>) {
      std::vector<Ref<FutureBase>> states;
      states.reserve(futures_.size());
      for (const F& future : futures_) states.push_back(future.state());
      this->Suspend(std::move(states));
    }
    WaitResult<F> await_resume() {
      this->Resume();
      WaitResult<F> result;
      for (F& future : futures_) {
        auto& part = future.state()->done() ? result.done : result.pending;
        part.push_back(std::move(future));
      }
      return result;
    }

   private:
    std::vector<F> futures_;
  };

 private:
  std::vector<F> futures_;
  WaitOptions options_;
};

}  // namespace internal

// Waits for the futures or tasks of a range. Throws ValueError, when awaited,
// if the range is empty.
template <std::ranges::input_range Range>
  requires FutureLike<std::ranges::range_value_t<Range>>
[[nodiscard]] auto Wait(Range futures, const WaitOptions& options = {}) {
  return internal::WaitAwaitable<std::ranges::range_value_t<Range>>(
      internal::ToVector(std::move(futures)), options);
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_WAIT_H_
