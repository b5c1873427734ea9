#include "clotho/runtime/semaphore.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/check.h"
#include "clotho/runtime/internal/sync.h"

namespace clotho {

Semaphore::Semaphore(std::int64_t value, bool is_bounded, std::string_view name)
    : value_(value), name_(internal::MakeName(name)) {
  if (value < 0) throw ValueError("Semaphore initial value must be >= 0");
  if (is_bounded) bound_ = value;
  internal::SyncMake(this);
}

Semaphore::~Semaphore() {
  internal::SyncWrite(this);
  waiters_.ForgetPrimitive();
  guards_.ForEach([](Guard& guard) { guard.Detach(); });
}

std::string Semaphore::Describe() const {
  return internal::DescribePrimitive(
      bound_.has_value() ? "BoundedSemaphore" : kType, name_);
}

void Semaphore::GiveBack() noexcept {
  internal::SyncWrite(this);
  if (!IsFull()) AddPermit();
}

bool Semaphore::Locked() const {
  internal::SyncRead(this);
  return value_ == 0 || waiters_.Find([](const Waiter& waiter) {
    return !waiter.cancelled();
  }) != nullptr;
}

void Semaphore::Release() {
  internal::SyncWrite(this);
  if (IsFull()) throw ValueError("BoundedSemaphore released too many times");
  AddPermit();
}

void Semaphore::AddPermit() noexcept {
  internal::SyncRelease(this);
  ++value_;
  WakeNext();
}

bool Semaphore::WakeNext() noexcept {
  internal::SyncWrite(this);
  Waiter* const next =
      waiters_.Find([](const Waiter& waiter) { return !waiter.done(); });
  if (next == nullptr) return false;
  CLOTHO_DCHECK(value_ > 0, "only a permit that exists is handed out");
  --value_;
  next->Wake();
  return true;
}

bool Semaphore::TryWait(internal::CoroPromiseBase&) {
  internal::SyncWrite(this);
  if (Locked()) return false;
  CLOTHO_DCHECK(value_ > 0, "only a permit that exists is handed out");
  --value_;
  internal::SyncAcquire(this);
  return true;
}

Semaphore::Guard Semaphore::EndWait(Semaphore& semaphore,
                                    internal::CoroPromiseBase& parent,
                                    Waiter* waiter) {
  if (waiter == nullptr) return Guard(semaphore);
  waiter->ThrowIfDestroyed(parent.task());
  internal::SyncWrite(&semaphore);
  // Permits may have arrived that could not be handed to a waiter: SM-02.
  struct WakeOthers {
    Semaphore& semaphore;
    ~WakeOthers() {
      while (semaphore.value_ > 0 && semaphore.WakeNext()) {
      }
    }
  } wake_others{semaphore};
  try {
    waiter->ThrowUnlessWoken(parent.task());
  } catch (const CancelledError&) {
    if (waiter->done() && !waiter->cancelled()) ++semaphore.value_;
    throw;
  }
  return Guard(semaphore);
}

}  // namespace clotho
