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
std::exception_ptr EndOf(internal::TaskBase& task,
                         internal::WaiterFuture& waiter) {
  try {
    task.ThrowInjected();
    waiter.ThrowUnlessValue();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

internal::Text MakeName(std::string_view name) {
  return name.empty() ? internal::Text() : internal::MakeText(name);
}

}  // namespace

Condition::Condition(std::string_view name)
    : own_lock_(std::in_place, name),
      lock_(&*own_lock_),
      name_(MakeName(name)) {
  internal::SyncMake(this);
}

Condition::Condition(Lock& lock, std::string_view name)
    : lock_(&lock), name_(MakeName(name)) {
  internal::SyncMake(this);
}

Condition::~Condition() {
  internal::SyncWrite(this);
  for (const auto* const line : {&waiters_, &woken_}) {
    line->ForEach([](Waiter& waiter) { waiter.condition_ = nullptr; });
  }
}

std::string Condition::Describe() const {
  if (!name_) return "Condition";
  return absl::StrCat("Condition \"", std::string(name_->view()), "\"");
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

void Condition::Waiter::Explain(internal::WaitInfo& info) const {
  info.what = condition_ == nullptr ? "Condition that was destroyed"
                                    : condition_->Describe();
}

Condition::WaitAwaitable::Awaiter::~Awaiter() {
  if (guard_ != nullptr) guard_->Detach();
}

bool Condition::WaitAwaitable::Awaiter::await_ready() {
  Condition& condition = wait_.condition_;
  condition.CheckLocked("wait");
  const EventLoop& loop = *parent_.task().loop();
  condition.binding_.Bind(loop, condition);
  lock_.binding_.Bind(loop, lock_);  // It may have to wait for the lock, too.
  return false;
}

void Condition::WaitAwaitable::Awaiter::await_suspend(std::coroutine_handle<>) {
  internal::SyncWrite(&wait_.condition_);
  waiter_.emplace(*parent_.task().loop(), wait_.condition_);
  lock_.LendGuard(guard_);
  lock_.Unlock();
  wait_.condition_.waiters_.PushBack(*waiter_);
  parent_.task().WaitOn(parent_, *waiter_, this);
}

bool Condition::WaitAwaitable::Awaiter::OnWake(internal::TaskBase& task) {
  if (!lock_waiter_.has_value()) {  // A notification, or a cancellation.
    if (waiter_->condition_ == nullptr) return true;
    internal::SyncWrite(waiter_->condition_);
    static_cast<internal::LineNode&>(*waiter_).Unlink();
    error_ = EndOf(task, *waiter_);
    waiter_->condition_->woken_.PushBack(*waiter_);
    return TakeLock(task);
  }
  if (lock_waiter_->lock_ == nullptr) return true;
  static_cast<internal::LineNode&>(*lock_waiter_).Unlink();
  if (std::exception_ptr error = EndOf(task, *lock_waiter_)) {
    error_ = std::move(error);  // The last one counts (CN-02).
    internal::SyncRead(&lock_);
    if (!lock_.locked_) lock_.WakeFirst();
    return TakeLock(task);
  }
  lock_.Take(task, parent_.await_location());
  return true;
}

bool Condition::WaitAwaitable::Awaiter::TakeLock(internal::TaskBase& task) {
  if (lock_.TryAcquire(task, parent_.await_location())) return true;
  lock_waiter_.emplace(*task.loop(), lock_);
  lock_.waiters_.PushBack(*lock_waiter_);
  task.WaitOn(parent_, *lock_waiter_, this);
  return false;
}

bool Condition::WaitAwaitable::Awaiter::await_resume() {
  const bool lock_is_gone =
      lock_waiter_.has_value() && lock_waiter_->lock_ == nullptr;
  if (lock_is_gone || (waiter_->condition_ == nullptr &&
                       !lock_waiter_.has_value() && error_ == nullptr)) {
    internal::WaiterFuture& waited_for =
        lock_is_gone ? static_cast<internal::WaiterFuture&>(*lock_waiter_)
                     : *waiter_;
    if (std::exception_ptr error = EndOf(parent_.task(), waited_for)) {
      std::rethrow_exception(error);
    }
    throw RuntimeError(
        "the Condition was destroyed while a task waited for it");
  }
  lock_.TakeGuardBack(guard_);
  if (error_ != nullptr) {
    // A notification that arrived meanwhile goes to another waiter (CN-05).
    if (waiter_->condition_ != nullptr) waiter_->condition_->Wake(1);
    std::rethrow_exception(error_);
  }
  return true;
}

}  // namespace clotho
