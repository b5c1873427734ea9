// Lock: mutual exclusion for tasks, first come first served.
//
//   Lock lock("db");
//   auto guard = co_await lock.Acquire();  // Released when it goes.
//
// A task that finds the lock taken waits in line; a release wakes the first in
// line (LK-01 to LK-04). It orders tasks of one loop, and is not for threads.

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
  // Holds the lock as long as it lives. May be moved.
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

    // Releases it now.
    void Release() noexcept {
      Lock* const lock = lock_;
      Detach();
      if (lock != nullptr) lock->Unlock();
    }

    // Leaves the lock taken: someone will call `Lock::Release`.
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
    Guard** place_ = nullptr;  // Where someone knows this guard by its address.
  };

 private:
  friend class Condition;
  class Waiter;

  class AcquireAwaitable {
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
  // Whoever still waits for it can only be cancelled; a guard has nothing to
  // release any more.
  ~Lock();
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  // `co_await` gives the Guard. If the task is cancelled while it waits, the
  // lock is not taken, and the next in line is woken if that was this one's
  // turn (LK-04). Throws RuntimeError if it would have to wait, and tasks of
  // another loop have waited for this lock before.
  [[nodiscard]] AcquireAwaitable Acquire() { return AcquireAwaitable(*this); }

  bool Locked() const {
    internal::SyncRead(this);
    return locked_;
  }

  // Releases it, for those who detached their guard. Throws RuntimeError if it
  // is not locked (LK-02). The lock is free until the woken task runs, but who
  // asks meanwhile stands behind it.
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

  // A Condition releases the lock for a while: the guard holds nothing until it
  // is given back. `place` keeps its address meanwhile.
  void LendGuard(Guard*& place) noexcept;
  void TakeGuardBack(Guard*& place) noexcept;

  bool locked_ = false;
  Guard* guard_ = nullptr;  // The guard that holds it, if one does.
  internal::IntrusiveList<Waiter, internal::LineNode> waiters_;
  internal::LoopBinding binding_;
  internal::Text name_;
  // For reports: who took it last, and where.
  internal::Ref<internal::FutureBase> holder_;
  std::source_location held_at_;
};

// A task in line.
class Lock::Waiter : public internal::WaiterFuture, public internal::LineNode {
 public:
  Waiter(EventLoop& loop, Lock& lock)
      : internal::WaiterFuture(loop), lock_(&lock) {}
  void Explain(internal::WaitInfo& info) const override;

 private:
  friend class Condition;
  friend class Lock;
  Lock* lock_;  // Null when it is gone.
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
