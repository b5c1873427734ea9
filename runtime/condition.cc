#include "clotho/runtime/condition.h"

#include <coroutine>
#include <cstddef>
#include <exception>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/sync.h"

namespace clotho {
namespace {

// The exception that ended a wait, or null.
template <typename Waiter>
std::exception_ptr EndOf(internal::TaskBase& task, Waiter& waiter) {
  try {
    waiter.ThrowUnlessWoken(task);
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

}  // namespace

Condition::Condition(std::string_view name)
    : own_lock_(std::in_place, name),
      lock_(&*own_lock_),
      name_(internal::MakeName(name)) {
  internal::SyncMake(this);
}

Condition::Condition(Lock& lock, std::string_view name)
    : lock_(&lock), name_(internal::MakeName(name)) {
  internal::SyncMake(this);
}

Condition::~Condition() {
  internal::SyncWrite(this);
  waiters_.ForgetPrimitive();
  woken_.ForgetPrimitive();
}

void Condition::CheckLocked(const char* what) const {
  if (!Locked()) {
    throw RuntimeError(absl::StrCat("cannot ", what, " on un-acquired lock"));
  }
}

void Condition::Notify(std::size_t count) {
  CheckLocked("notify");
  Wake(count);
}

void Condition::NotifyAll() {
  CheckLocked("notify");
  Wake(std::numeric_limits<std::size_t>::max());
}

void Condition::Wake(std::size_t count) noexcept {
  internal::SyncWrite(this);
  waiters_.ForEach([&count](Waiter& waiter) {
    if (count > 0 && waiter.Wake()) --count;
  });
}

bool Condition::WaitAwaiter::await_ready() {
  condition_.CheckLocked("wait");
  const EventLoop& loop = *parent_.task().loop();
  condition_.binding_.Bind(loop, condition_);
  lock_.binding_.Bind(loop, lock_);  // It may have to wait for the lock, too.
  return false;
}

void Condition::WaitAwaiter::await_suspend(std::coroutine_handle<>) {
  internal::SyncWrite(&condition_);
  waiter_.emplace(*parent_.task().loop(), condition_);
  lock_.LendGuard(guards_);
  lock_.GiveBack();
  condition_.waiters_.PushBack(*waiter_);
  parent_.task().WaitOn(parent_, *waiter_, this);
}

bool Condition::WaitAwaiter::OnWake(internal::TaskBase& task) {
  if (!lock_waiter_.has_value()) {  // A notification, or a cancellation.
    if (waiter_->primitive() == nullptr) return true;
    internal::SyncWrite(&condition_);
    waiter_->LeaveLine();
    error_ = EndOf(task, *waiter_);
    condition_.woken_.PushBack(*waiter_);
    return TakeLock(task);
  }
  if (lock_waiter_->primitive() == nullptr) return true;
  lock_waiter_->LeaveLine();
  if (std::exception_ptr error = EndOf(task, *lock_waiter_)) {
    error_ = std::move(error);  // The last one counts (CN-02).
    internal::SyncRead(&lock_);
    if (!lock_.locked_) lock_.WakeFirst();
    return TakeLock(task);
  }
  lock_.Take(task, parent_.await_location());
  return true;
}

bool Condition::WaitAwaiter::TakeLock(internal::TaskBase& task) {
  if (lock_.TryAcquire(task, parent_.await_location())) return true;
  lock_waiter_.emplace(*task.loop(), lock_);
  lock_.waiters_.PushBack(*lock_waiter_);
  task.WaitOn(parent_, *lock_waiter_, this);
  return false;
}

bool Condition::WaitAwaiter::await_resume() {
  const bool lock_is_gone =
      lock_waiter_.has_value() && lock_waiter_->primitive() == nullptr;
  if (lock_is_gone || (waiter_->primitive() == nullptr &&
                       !lock_waiter_.has_value() && error_ == nullptr)) {
    if (lock_is_gone) {
      lock_waiter_->ThrowUnlessWoken(parent_.task());
    } else {
      waiter_->ThrowUnlessWoken(parent_.task());
    }
    internal::ThrowDestroyed(kType);
  }
  lock_.TakeGuardBack(guards_);
  if (error_ != nullptr) {
    // A notification that arrived meanwhile goes to another waiter (CN-05).
    if (waiter_->primitive() != nullptr) condition_.Wake(1);
    std::rethrow_exception(error_);
  }
  return true;
}

}  // namespace clotho
