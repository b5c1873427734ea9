// Condition: tasks wait, while they do not hold a lock, until one that holds it
// says that something has changed.
//
//   Condition changed;
//   auto guard = co_await changed.Acquire();
//   co_await changed.WaitFor([&] { return !jobs.empty(); });
//
//   auto guard = co_await changed.Acquire();   // Elsewhere.
//   jobs.push_back(job);
//   changed.Notify();
//
// `Wait` releases the lock, and has taken it again when it returns, or throws.
// It may return without a notification (CN-05): look again, or use `WaitFor`.
// Rules CN-01 to CN-05. It is for the tasks of one loop, not for threads.

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
#include "clotho/runtime/internal/list.h"
#include "clotho/runtime/internal/shared_string.h"
#include "clotho/runtime/lock.h"
#include "clotho/runtime/loop_binding.h"
#include "clotho/runtime/task_base.h"

namespace clotho {

class Condition {
 private:
  class Waiter;

  class WaitAwaitable {
   public:
    class [[nodiscard]] Awaiter;
    explicit WaitAwaitable(Condition& condition) : condition_(condition) {}

   private:
    Condition& condition_;
  };

 public:
  // With a lock of its own. `name` is for reports.
  explicit Condition(std::string_view name = {});
  // With a lock that others use, too, and that must outlive it.
  explicit Condition(Lock& lock, std::string_view name = {});
  // Whoever still waits for it can only be cancelled.
  ~Condition();
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  // Takes the lock: `co_await` gives the guard that holds it.
  [[nodiscard]] auto Acquire() { return lock_->Acquire(); }
  bool Locked() const { return lock_->Locked(); }
  // Releases the lock, for those who detached their guard.
  void Release() { lock_->Release(); }

  // Releases the lock, waits until it is notified, and takes the lock again.
  // Gives true. If the task is cancelled meanwhile, it takes the lock all the
  // same before CancelledError comes out, and someone else is notified in its
  // place (CN-02, CN-05). Throws RuntimeError if the lock is not taken,
  // or tasks of another loop have waited for it or for this.
  [[nodiscard]] WaitAwaitable Wait() { return WaitAwaitable(*this); }

  // Waits until `predicate()` holds; does not wait, and needs no lock, if it
  // does (CN-01).
  template <typename Predicate>
  Coro<bool> WaitFor(Predicate predicate) {
    while (!predicate()) co_await Wait();
    co_return true;
  }

  // Wakes up to `count` of those who wait, in the order in which they began to.
  // Each goes on when it gets the lock. Throws RuntimeError if the lock is not
  // taken.
  void Notify(std::size_t count = 1);
  void NotifyAll();

  // For reports: `Condition "changed"`.
  std::string Describe() const;

 private:
  void CheckLocked(const char* what) const;
  void Wake(std::size_t count) noexcept;

  std::optional<Lock> own_lock_;
  Lock* const lock_;
  internal::IntrusiveList<Waiter, internal::LineNode> waiters_;
  internal::LoopBinding binding_;
  // Those that were woken, and wait for the lock.
  internal::IntrusiveList<Waiter, internal::LineNode> woken_;
  internal::Text name_;
};

class Condition::Waiter : public internal::WaiterFuture,
                          public internal::LineNode {
 public:
  Waiter(EventLoop& loop, Condition& condition)
      : internal::WaiterFuture(loop), condition_(&condition) {}
  void Explain(internal::WaitInfo& info) const override;

 private:
  friend class Condition;
  Condition* condition_;  // Null when it is gone.
};

// Waits twice without resuming its coroutine in between: for the notification,
// and then for the lock.
class [[nodiscard]] Condition::WaitAwaitable::Awaiter
    : private internal::WakeHook {
 public:
  Awaiter(internal::CoroPromiseBase& parent, const WaitAwaitable& wait)
      : parent_(parent), lock_(*wait.condition_.lock_), wait_(wait) {}
  Awaiter(const Awaiter&) = delete;
  ~Awaiter();

  bool await_ready();
  void await_suspend(std::coroutine_handle<>);
  bool await_resume();

 private:
  bool OnWake(internal::TaskBase& task) override;
  // Takes the lock, or waits for it again. True if it is taken.
  bool TakeLock(internal::TaskBase& task);

  internal::CoroPromiseBase& parent_;
  Lock& lock_;
  const WaitAwaitable wait_;
  std::optional<Waiter> waiter_;
  std::optional<Lock::Waiter> lock_waiter_;
  Lock::Guard* guard_ = nullptr;  // Which holds the lock before and after.
  std::exception_ptr error_;      // What to throw, with the lock taken.
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_CONDITION_H_
