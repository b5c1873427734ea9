#include "clotho/runtime/lock.h"

#include <source_location>

#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/check.h"

namespace clotho {

Lock::~Lock() {
  internal::SyncWrite(this);
  if (!guards_.empty()) guards_.front().Detach();
  waiters_.ForgetPrimitive();
}

void Lock::Take(const internal::TaskBase& task,
                const std::source_location& location) {
  internal::SyncAcquire(this);
  internal::SyncWrite(this);
  CLOTHO_DCHECK(!locked_ && guards_.empty(), "one task holds a lock");
  locked_ = true;
  holder_ = internal::Ref<internal::FutureBase>(
      const_cast<internal::TaskBase*>(&task));
  held_at_ = location;
}

bool Lock::TryAcquire(const internal::TaskBase& task,
                      const std::source_location& location) {
  internal::SyncWrite(this);
  if (locked_ || waiters_.Find([](const Waiter& waiter) {
        return !waiter.cancelled();
      }) != nullptr) {
    return false;
  }
  Take(task, location);
  return true;
}

void Lock::Release() {
  internal::SyncRead(this);
  if (!locked_) throw RuntimeError("Lock is not acquired.");
  if (!guards_.empty()) guards_.front().Detach();
  GiveBack();
}

void Lock::GiveBack() noexcept {
  internal::SyncRelease(this);
  CLOTHO_DCHECK(locked_ && guards_.empty(),
                "a lock is released by what holds it");
  locked_ = false;
  holder_ = nullptr;
  WakeFirst();
}

// Only the first waiter is woken: if it is cancelled, it wakes the next one
// itself (LK-03).
void Lock::WakeFirst() noexcept {
  internal::SyncWrite(this);
  if (!waiters_.empty()) waiters_.front().Wake();
}

void Lock::LendGuard(Guards& lent) noexcept {
  if (guards_.empty()) return;
  Guard& guard = guards_.front();
  guard.Detach();
  lent.PushBack(guard);
}

void Lock::TakeGuardBack(Guards& lent) noexcept {
  if (lent.empty()) return;
  Guard& guard = lent.front();
  guard.Detach();
  CLOTHO_DCHECK(locked_ && guards_.empty(),
                "a lent guard comes back to a lock that nobody else holds");
  guard.primitive_ = this;
  guards_.PushBack(guard);
}

void Lock::ExplainWait(internal::WaitInfo& info) const {
  info.what = Describe();
  if (locked_ && holder_) {
    info.holder = holder_->AsTask();
    info.held_at = held_at_;
  }
}

Lock::Guard Lock::EndWait(Lock& lock, internal::CoroPromiseBase& parent,
                          Waiter* waiter) {
  if (waiter != nullptr) {
    waiter->ThrowIfDestroyed(parent.task());
    try {
      waiter->ThrowUnlessWoken(parent.task());
    } catch (const CancelledError&) {
      internal::SyncRead(&lock);
      if (!lock.locked_) lock.WakeFirst();
      throw;
    }
    lock.Take(parent.task(), parent.await_location());
  }
  return Guard(lock);
}

}  // namespace clotho
