// Condition: lets tasks release a lock and wait until another task, holding the
// lock, notifies them of a change.
//
//   Condition changed;
//   auto guard = co_await changed.Acquire();
//   co_await changed.WaitFor([&] { return !jobs.empty(); });
//
//   auto guard = co_await changed.Acquire();   // Elsewhere.
//   jobs.push_back(job);
//   changed.Notify();
//
// `Wait` releases the lock, and holds it again when it returns or throws. It
// may return without a notification (CN-05): check the state again, or use
// `WaitFor`. Rules CN-01 to CN-05. For the tasks of one loop, not for threads.

#ifndef CLOTHO_RUNTIME_CONDITION_H_
#define CLOTHO_RUNTIME_CONDITION_H_

#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/shared_string.h"
#include "clotho/runtime/lock.h"
#include "clotho/runtime/loop_binding.h"
#include "clotho/runtime/primitive.h"
#include "clotho/runtime/task_base.h"

namespace clotho {

class Condition {
 private:
  class WaitAwaiter;
  using WaitAwaitable = internal::PrimitiveAwaitable<Condition, WaitAwaiter>;

 public:
  // With its own lock. `name` is for reports.
  explicit Condition(std::string_view name = {});
  // With a lock that may have other users and must outlive the condition.
  explicit Condition(Lock& lock, std::string_view name = {});
  // Tasks still waiting for the condition can only be cancelled.
  ~Condition();
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  // Takes the lock: `co_await` returns the guard that holds it.
  [[nodiscard]] auto Acquire() { return lock_->Acquire(); }
  bool Locked() const { return lock_->Locked(); }
  // Releases a lock whose guard was detached.
  void Release() { lock_->Release(); }

  // Releases the lock, waits for a notification, and takes the lock again.
  // Returns true. If the task is cancelled meanwhile, it still takes the lock
  // before it throws CancelledError, and another waiter is notified instead
  // (CN-02, CN-05). Throws RuntimeError if the lock is not taken, or if tasks
  // of another loop have waited for the lock or the condition.
  [[nodiscard]] WaitAwaitable Wait() { return WaitAwaitable(*this); }

  // Waits until `predicate()` holds. If it already holds, does not wait and
  // needs no lock (CN-01).
  template <typename Predicate>
  Coro<bool> WaitFor(Predicate predicate) {
    while (!predicate()) co_await Wait();
    co_return true;
  }

  // Wakes up to `count` waiters, in the order in which they began to wait. Each
  // continues once it gets the lock. Throws RuntimeError if the lock is not
  // taken.
  void Notify(std::size_t count = 1);
  void NotifyAll();

  // For reports: `Condition "changed"`.
  std::string Describe() const {
    return internal::DescribePrimitive(kType, name_);
  }

 private:
  friend internal::PrimitiveWaiter<Condition>;
  using Waiter = internal::PrimitiveWaiter<Condition>;

  static constexpr const char* kType = "Condition";
  void ExplainWait(internal::WaitInfo& info) const { info.what = Describe(); }

  void CheckLocked(const char* what) const;
  void Wake(std::size_t count) noexcept;

  std::optional<Lock> own_lock_;
  Lock* const lock_;
  internal::PrimitiveLine<Condition> waiters_;
  internal::LoopBinding binding_;
  // Waiters that were woken and now wait for the lock.
  internal::PrimitiveLine<Condition> woken_;
  internal::Text name_;
};

// Waits twice without resuming its coroutine in between: first for the
// notification, then for the lock.
class [[nodiscard]] Condition::WaitAwaiter : private internal::WakeHook {
 public:
  WaitAwaiter(internal::CoroPromiseBase& parent, const WaitAwaitable& wait)
      : parent_(parent),
        condition_(wait.primitive()),
        lock_(*condition_.lock_) {}
  WaitAwaiter(const WaitAwaiter&) = delete;

  bool await_ready();
  void await_suspend(std::coroutine_handle<>);
  bool await_resume();

 private:
  bool OnWake(internal::TaskBase& task) override;
  // Takes the lock, or waits for it again. Returns true if the lock was taken.
  bool TakeLock(internal::TaskBase& task);

  internal::CoroPromiseBase& parent_;
  Condition& condition_;
  Lock& lock_;
  std::optional<Waiter> waiter_;
  std::optional<Lock::Waiter> lock_waiter_;
  Lock::Guards guards_;  // The guard that held the lock, until it is taken.
  std::exception_ptr error_;  // Thrown once the lock is taken.
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_CONDITION_H_
