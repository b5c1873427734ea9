#include "clotho/runtime/lock.h"

#include <coroutine>
#include <source_location>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/check.h"

namespace clotho {

Lock::~Lock() {
  internal::SyncWrite(this);
  if (guard_ != nullptr) guard_->Detach();
  waiters_.ForEach([](Waiter& waiter) { waiter.lock_ = nullptr; });
}

std::string Lock::Describe() const {
  if (!name_) return "Lock";
  return absl::StrCat("Lock \"", std::string(name_->view()), "\"");
}

void Lock::Take(const internal::TaskBase& task,
                const std::source_location& location) {
  internal::SyncAcquire(this);
  internal::SyncWrite(this);
  CLOTHO_DCHECK(!locked_ && guard_ == nullptr, "one task holds a lock");
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
  if (guard_ != nullptr) guard_->Detach();
  Unlock();
}

void Lock::Unlock() noexcept {
  internal::SyncRelease(this);
  CLOTHO_DCHECK(locked_ && guard_ == nullptr,
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

void Lock::LendGuard(Guard*& place) noexcept {
  place = std::exchange(guard_, nullptr);
  if (place == nullptr) return;
  place->lock_ = nullptr;
  place->place_ = &place;
}

void Lock::TakeGuardBack(Guard*& place) noexcept {
  if (place == nullptr) return;
  CLOTHO_DCHECK(locked_ && guard_ == nullptr && place->lock_ == nullptr,
                "a lent guard comes back to a lock that nobody else holds");
  guard_ = std::exchange(place, nullptr);
  guard_->lock_ = this;
  guard_->place_ = &guard_;
}

void Lock::Waiter::Explain(internal::WaitInfo& info) const {
  if (lock_ == nullptr) {
    info.what = "Lock that was destroyed";
    return;
  }
  info.what = lock_->Describe();
  if (lock_->locked_ && lock_->holder_) {
    info.holder = lock_->holder_->AsTask();
    info.held_at = lock_->held_at_;
  }
}

bool Lock::AcquireAwaitable::Awaiter::await_ready() {
  if (lock_.TryAcquire(parent_.task(), parent_.await_location())) return true;
  lock_.binding_.Bind(*parent_.task().loop(), lock_);
  return false;
}

void Lock::AcquireAwaitable::Awaiter::await_suspend(std::coroutine_handle<>) {
  waiter_.emplace(*parent_.task().loop(), lock_);
  lock_.waiters_.PushBack(*waiter_);
  parent_.task().WaitOn(parent_, *waiter_);
}

Lock::Guard Lock::AcquireAwaitable::Awaiter::await_resume() {
  if (waiter_.has_value()) {
    static_cast<internal::LineNode&>(*waiter_).Unlink();
    try {
      parent_.task().ThrowInjected();
      waiter_->ThrowUnlessValue();
    } catch (const CancelledError&) {
      if (waiter_->lock_ != nullptr) {
        internal::SyncRead(&lock_);
        if (!lock_.locked_) lock_.WakeFirst();
      }
      throw;
    }
    if (waiter_->lock_ == nullptr) {
      throw RuntimeError("the Lock was destroyed while a task waited for it");
    }
    lock_.Take(parent_.task(), parent_.await_location());
  }
  return Guard(lock_);
}

}  // namespace clotho
