// Semaphore: limits how many tasks run a section at the same time.
//
//   Semaphore connections(3);
//   auto guard = co_await connections.Acquire();  // Released with the guard.
//
// A task that finds no free permit queues up. A release hands its permit to the
// first waiter before that task runs. Later callers queue behind existing
// waiters, even if permits are free (SM-01 to SM-03).
//
//   Semaphore         may be released more often than acquired.
//   BoundedSemaphore  must not (SM-04).
//
// For the tasks of one loop, not for threads.

#ifndef CLOTHO_RUNTIME_SEMAPHORE_H_
#define CLOTHO_RUNTIME_SEMAPHORE_H_

#include <coroutine>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/list.h"
#include "clotho/runtime/internal/shared_string.h"
#include "clotho/runtime/loop_binding.h"

namespace clotho {

class Semaphore {
 private:
  class GuardNode : public internal::ListNode {};
  class Waiter;

  class [[nodiscard, gnu::warn_unused]] AcquireAwaitable {
   public:
    class [[nodiscard]] Awaiter;
    explicit AcquireAwaitable(Semaphore& semaphore) : semaphore_(semaphore) {}

   private:
    Semaphore& semaphore_;
  };

 public:
  // Holds a permit while it exists. Can be moved.
  class [[nodiscard]] Guard : private GuardNode {
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

    // Returns the permit now. (If a BoundedSemaphore already has all its
    // permits, the permit is dropped.)
    void Release() noexcept;

    // Keeps the permit taken: it must be returned with `Semaphore::Release`.
    void Detach() noexcept {
      Unlink();
      semaphore_ = nullptr;
    }

   private:
    friend class Semaphore;
    friend class internal::IntrusiveList<Guard, GuardNode>;
    explicit Guard(Semaphore& semaphore) noexcept : semaphore_(&semaphore) {
      semaphore.guards_.PushBack(*this);
    }
    void MoveFrom(Guard& other) noexcept {
      semaphore_ = other.semaphore_;
      other.Detach();
      if (semaphore_ != nullptr) semaphore_->guards_.PushBack(*this);
    }
    Semaphore* semaphore_ = nullptr;  // Null while it holds nothing.
  };

  // `value` is the number of permits; throws ValueError if it is negative.
  // `name` is for reports.
  explicit Semaphore(std::int64_t value = 1, std::string_view name = {})
      : Semaphore(value, /*is_bounded=*/false, name) {}
  // Tasks still waiting for a permit can only be cancelled; guards have nothing
  // to return any more.
  ~Semaphore();
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  // Takes a permit: `co_await` returns the Guard. Throws RuntimeError if it
  // would have to wait and tasks of another loop have waited before.
  [[nodiscard]] AcquireAwaitable Acquire() { return AcquireAwaitable(*this); }

  // True if a caller would have to wait now.
  bool Locked() const;

  // Returns a permit, or adds one. Throws ValueError if the semaphore is
  // bounded and has all its permits.
  void Release();

  // For reports: `Semaphore "connections"`.
  std::string Describe() const;

 protected:
  Semaphore(std::int64_t value, bool is_bounded, std::string_view name);

 private:
  bool IsFull() const { return bound_.has_value() && value_ >= *bound_; }
  void AddPermit() noexcept;
  // Hands a permit to the first waiter. Returns false if there is none.
  bool WakeNext() noexcept;

  std::int64_t value_;
  std::optional<std::int64_t> bound_;
  internal::IntrusiveList<Waiter, internal::LineNode> waiters_;
  internal::LoopBinding binding_;
  internal::IntrusiveList<Guard, GuardNode> guards_;
  internal::Text name_;
};

// A semaphore that must not be released more often than it was acquired.
class BoundedSemaphore : public Semaphore {
 public:
  explicit BoundedSemaphore(std::int64_t value = 1, std::string_view name = {})
      : Semaphore(value, /*is_bounded=*/true, name) {}
};

// A waiting task. Once woken, it has its permit.
class Semaphore::Waiter : public internal::WaiterFuture,
                          public internal::LineNode {
 public:
  Waiter(EventLoop& loop, Semaphore& semaphore)
      : internal::WaiterFuture(loop), semaphore_(&semaphore) {}
  void Explain(internal::WaitInfo& info) const override;

 private:
  friend class Semaphore;
  Semaphore* semaphore_;  // Null once the semaphore is gone.
};

class [[nodiscard]] Semaphore::AcquireAwaitable::Awaiter {
 public:
  Awaiter(internal::CoroPromiseBase& parent, const AcquireAwaitable& acquire)
      : parent_(parent), semaphore_(acquire.semaphore_) {}
  Awaiter(const Awaiter&) = delete;

  bool await_ready();
  void await_suspend(std::coroutine_handle<>);
  Guard await_resume();

 private:
  internal::CoroPromiseBase& parent_;
  Semaphore& semaphore_;
  std::optional<Waiter> waiter_;
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_SEMAPHORE_H_
