// Sleep: suspends the current task for a while, or yields once.
//
//   co_await Sleep(absl::Seconds(1));
//   co_await Sleep(absl::ZeroDuration());  // Yields once.
//
// Rules S-01 to S-04. Cancelling the task ends the sleep at once.

#ifndef CLOTHO_RUNTIME_SLEEP_H_
#define CLOTHO_RUNTIME_SLEEP_H_

#include <coroutine>
#include <cstdint>
#include <optional>
#include <utility>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/timer_queue.h"
#include "clotho/runtime/task_base.h"

namespace clotho {

namespace internal {

// A future and the timer that finishes it.
class SleepState final : public WaiterFuture {
 public:
  SleepState(EventLoop& loop, Delay delay);
  ~SleepState() override;
  void Explain(WaitInfo& info) const override;

 private:
  class End final : public Timer {
   public:
    explicit End(SleepState& sleep)
        : Timer(RunnableKind::kInternal), sleep_(sleep) {}
    void Run() override;
    void Drop() noexcept override { sleep_.ended_ = true; }
    Runnable* EventualStep() override;

   private:
    SleepState& sleep_;
  };

  Delay delay_;
  bool ended_ = false;  // The timer has fired, or never will.
  End end_;
};

class [[nodiscard, gnu::warn_unused]] SleepAwaitable {
 public:
  explicit SleepAwaitable(Delay delay) : delay_(delay) {}

  class [[nodiscard]] Awaiter {
   public:
    Awaiter(CoroPromiseBase& parent, const SleepAwaitable& sleep) noexcept
        : parent_(parent), delay_(sleep.delay_) {}
    Awaiter(const Awaiter&) = delete;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) {
      TaskBase& task = parent_.task();
      if (delay_.ns() <= 0) {
        task.Yield(parent_);
        return;
      }
      state_.emplace(*task.loop(), delay_);
      task.WaitOn(parent_, *state_);
    }
    void await_resume() {
      parent_.task().ThrowInjected();
      if (state_.has_value()) state_->ThrowUnlessValue();
    }

   private:
    CoroPromiseBase& parent_;
    Delay delay_;
    std::optional<SleepState> state_;
  };

 private:
  Delay delay_;
};

}  // namespace internal

// Suspends the task for `delay`; if it is zero or less, until the next
// iteration.
[[nodiscard]] inline internal::SleepAwaitable Sleep(Delay delay) {
  return internal::SleepAwaitable(delay);
}

// Sleeps for `delay`, then returns `result`.
template <typename T>
Coro<T> Sleep(Delay delay, T result) {
  co_await Sleep(delay);
  co_return std::move(result);
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_SLEEP_H_
