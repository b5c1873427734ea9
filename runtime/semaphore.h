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

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/shared_string.h"
#include "clotho/runtime/loop_binding.h"
#include "clotho/runtime/primitive.h"

namespace clotho {

class Semaphore {
 public:
  // Holds a permit while it exists. Can be moved. `Release` returns the permit
  // earlier (if a BoundedSemaphore already has all its permits, it is dropped);
  // `Detach` keeps it taken, to be returned with `Semaphore::Release`.
  using Guard = internal::PrimitiveGuard<Semaphore>;

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
  [[nodiscard]] internal::PrimitiveAwaitable<Semaphore> Acquire() {
    return internal::PrimitiveAwaitable<Semaphore>(*this);
  }

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
  friend internal::PrimitiveAwaiter<Semaphore>;
  friend internal::PrimitiveGuard<Semaphore>;
  friend internal::PrimitiveWaiter<Semaphore>;
  // Once woken, it has its permit.
  using Waiter = internal::PrimitiveWaiter<Semaphore>;

  static constexpr const char* kType = "Semaphore";
  void ExplainWait(internal::WaitInfo& info) const { info.what = Describe(); }
  bool TryWait(internal::CoroPromiseBase& parent);
  static Guard EndWait(Semaphore& semaphore, internal::CoroPromiseBase& parent,
                       Waiter* waiter);

  bool IsFull() const { return bound_.has_value() && value_ >= *bound_; }
  void GiveBack() noexcept;
  void AddPermit() noexcept;
  // Hands a permit to the first waiter. Returns false if there is none.
  bool WakeNext() noexcept;

  std::int64_t value_;
  std::optional<std::int64_t> bound_;
  internal::PrimitiveLine<Semaphore> waiters_;
  internal::LoopBinding binding_;
  internal::GuardList<Semaphore> guards_;
  internal::Text name_;
};

// A semaphore that must not be released more often than it was acquired.
class BoundedSemaphore : public Semaphore {
 public:
  explicit BoundedSemaphore(std::int64_t value = 1, std::string_view name = {})
      : Semaphore(value, /*is_bounded=*/true, name) {}
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_SEMAPHORE_H_
