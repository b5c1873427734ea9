// Lock: mutual exclusion for tasks, in FIFO order.
//
//   Lock lock("db");
//   auto guard = co_await lock.Acquire();  // Released with the guard.
//
// A task that finds the lock taken queues up; a release wakes the first waiter
// (LK-01 to LK-04). For the tasks of one loop, not for threads.

#ifndef CLOTHO_RUNTIME_LOCK_H_
#define CLOTHO_RUNTIME_LOCK_H_

#include <source_location>
#include <string>
#include <string_view>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/shared_string.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/runtime/loop_binding.h"
#include "clotho/runtime/primitive.h"
#include "clotho/runtime/task_base.h"

namespace clotho {

class Lock {
 public:
  // Holds the lock while it exists. Can be moved. `Release` releases the lock
  // earlier; `Detach` leaves it taken, to be released with `Lock::Release`.
  using Guard = internal::PrimitiveGuard<Lock>;

  // `name` is for reports.
  explicit Lock(std::string_view name = {}) : name_(internal::MakeName(name)) {
    internal::SyncMake(this);
  }
  // Tasks still waiting for the lock can only be cancelled; guards have nothing
  // to release any more.
  ~Lock();
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  // `co_await` returns the Guard. If the task is cancelled while it waits, it
  // does not take the lock, and wakes the next waiter if it had been woken
  // itself (LK-04). Throws RuntimeError if it would have to wait and tasks of
  // another loop have waited for this lock before.
  [[nodiscard]] internal::PrimitiveAwaitable<Lock> Acquire() {
    return internal::PrimitiveAwaitable<Lock>(*this);
  }

  bool Locked() const {
    internal::SyncRead(this);
    return locked_;
  }

  // Releases a lock whose guard was detached. Throws RuntimeError if the lock
  // is not taken (LK-02). The lock stays free until the woken task runs, but
  // later callers queue behind that task.
  void Release();

  // For reports: `Lock "db"`.
  std::string Describe() const {
    return internal::DescribePrimitive(kType, name_);
  }

 private:
  friend class Condition;
  friend internal::PrimitiveAwaiter<Lock>;
  friend internal::PrimitiveGuard<Lock>;
  friend internal::PrimitiveWaiter<Lock>;
  using Guards = internal::GuardList<Lock>;
  using Waiter = internal::PrimitiveWaiter<Lock>;

  static constexpr const char* kType = "Lock";
  void ExplainWait(internal::WaitInfo& info) const;
  bool TryWait(internal::CoroPromiseBase& parent) {
    return TryAcquire(parent.task(), parent.await_location());
  }
  static Guard EndWait(Lock& lock, internal::CoroPromiseBase& parent,
                       Waiter* waiter);

  bool TryAcquire(const internal::TaskBase& task,
                  const std::source_location& location);
  void Take(const internal::TaskBase& task,
            const std::source_location& location);
  void GiveBack() noexcept;
  void WakeFirst() noexcept;

  // Used by Condition to release the lock for a while: the guard, if there is
  // one, holds nothing until it is given back. `lent` refers to it meanwhile.
  void LendGuard(Guards& lent) noexcept;
  void TakeGuardBack(Guards& lent) noexcept;

  bool locked_ = false;
  Guards guards_;  // The guard that holds it, if one does.
  internal::PrimitiveLine<Lock> waiters_;
  internal::LoopBinding binding_;
  internal::Text name_;
  // For reports: the last task that took it, and where.
  internal::Ref<internal::FutureBase> holder_;
  std::source_location held_at_;
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_LOCK_H_
