// Lock: mutual exclusion for tasks, in FIFO order.
//
//   Lock lock("db");
//   auto guard = co_await lock.Acquire();  // Released with the guard.
//
// A task that finds the lock taken queues up; a release wakes the first waiter
// (LK-01 to LK-04). For the tasks of one loop, not for threads.

#ifndef CLOTHO_RUNTIME_LOCK_H_
#define CLOTHO_RUNTIME_LOCK_H_

#include <coroutine>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/list.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/shared_string.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/runtime/loop_binding.h"
#include "clotho/runtime/task_base.h"

namespace clotho {

class Lock {
 public:
  // Holds the lock while it exists. Can be moved.
  class [[nodiscard]] Guard {
   public:
    Guard(Guard&& other) noexcept { MoveFrom(other); }
    Guard& operator=(Guard&& other) noexcept {
      if (this != &other) {
        Release();
        MoveFrom(other);
      }
      return *this;
    }
    ~Guard() { Release(); }

    // Releases the lock now.
    void Release() noexcept {
      Lock* const lock = lock_;
      Detach();
      if (lock != nullptr) lock->Unlock();
    }

    // Leaves the lock taken: it must be released with `Lock::Release`.
    void Detach() noexcept {
      lock_ = nullptr;
      if (place_ != nullptr) *std::exchange(place_, nullptr) = nullptr;
    }

   private:
    friend class Lock;
    explicit Guard(Lock& lock) noexcept : lock_(&lock), place_(&lock.guard_) {
      *place_ = this;
    }
    void MoveFrom(Guard& other) noexcept {
      lock_ = std::exchange(other.lock_, nullptr);
      place_ = std::exchange(other.place_, nullptr);
      if (place_ != nullptr) *place_ = this;
    }
    Lock* lock_ = nullptr;     // Null while it holds nothing.
    Guard** place_ = nullptr;  // Where this guard's address is stored.
  };

 private:
  friend class Condition;
  class Waiter;

  class [[nodiscard, gnu::warn_unused]] AcquireAwaitable {
   public:
    class [[nodiscard]] Awaiter;
    explicit AcquireAwaitable(Lock& lock) : lock_(lock) {}

   private:
    Lock& lock_;
  };

 public:
  // `name` is for reports.
  explicit Lock(std::string_view name = {}) : name_(MakeName(name)) {
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
  [[nodiscard]] AcquireAwaitable Acquire() { return AcquireAwaitable(*this); }

  bool Locked() const {
    internal::SyncRead(this);
    return locked_;
  }

  // Releases a lock whose guard was detached. Throws RuntimeError if the lock
  // is not taken (LK-02). The lock stays free until the woken task runs, but
  // later callers queue behind that task.
  void Release();

  // For reports: `Lock "db"`.
  std::string Describe() const;

 private:
  static internal::Text MakeName(std::string_view name) {
    return name.empty() ? internal::Text() : internal::MakeText(name);
  }
  bool TryAcquire(const internal::TaskBase& task,
                  const std::source_location& location);
  void Take(const internal::TaskBase& task,
            const std::source_location& location);
  void Unlock() noexcept;
  void WakeFirst() noexcept;

  // Used by Condition to release the lock for a while: the guard holds nothing
  // until it is given back. `place` keeps its address meanwhile.
  void LendGuard(Guard*& place) noexcept;
  void TakeGuardBack(Guard*& place) noexcept;

  bool locked_ = false;
  Guard* guard_ = nullptr;  // The guard that holds it, if one does.
  internal::IntrusiveList<Waiter, internal::LineNode> waiters_;
  internal::LoopBinding binding_;
  internal::Text name_;
  // For reports: the last task that took it, and where.
  internal::Ref<internal::FutureBase> holder_;
  std::source_location held_at_;
};

// A waiting task.
class Lock::Waiter : public internal::WaiterFuture, public internal::LineNode {
 public:
  Waiter(EventLoop& loop, Lock& lock)
      : internal::WaiterFuture(loop), lock_(&lock) {}
  void Explain(internal::WaitInfo& info) const override;

 private:
  friend class Condition;
  friend class Lock;
  Lock* lock_;  // Null once the lock is gone.
};

class [[nodiscard]] Lock::AcquireAwaitable::Awaiter {
 public:
  Awaiter(internal::CoroPromiseBase& parent, const AcquireAwaitable& acquire)
      : parent_(parent), lock_(acquire.lock_) {}
  Awaiter(const Awaiter&) = delete;

  bool await_ready();
  void await_suspend(std::coroutine_handle<>);
  Guard await_resume();

 private:
  internal::CoroPromiseBase& parent_;
  Lock& lock_;
  std::optional<Waiter> waiter_;
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_LOCK_H_
