#include "clotho/runtime/semaphore.h"

#include <coroutine>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/check.h"
#include "clotho/runtime/internal/sync.h"

namespace clotho {

Semaphore::Semaphore(std::int64_t value, bool is_bounded, std::string_view name)
    : value_(value),
      name_(name.empty() ? internal::Text() : internal::MakeText(name)) {
  if (value < 0) throw ValueError("Semaphore initial value must be >= 0");
  if (is_bounded) bound_ = value;
  internal::SyncMake(this);
}

Semaphore::~Semaphore() {
  internal::SyncWrite(this);
  waiters_.ForEach([](Waiter& waiter) { waiter.semaphore_ = nullptr; });
  guards_.ForEach([](Guard& guard) { guard.Detach(); });
}

std::string Semaphore::Describe() const {
  const char* const type =
      bound_.has_value() ? "BoundedSemaphore" : "Semaphore";
  if (!name_) return type;
  return absl::StrCat(type, " \"", std::string(name_->view()), "\"");
}

void Semaphore::Guard::Release() noexcept {
  Semaphore* const semaphore = semaphore_;
  Detach();
  if (semaphore != nullptr) internal::SyncWrite(semaphore);
  if (semaphore != nullptr && !semaphore->IsFull()) semaphore->AddPermit();
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

void Semaphore::Waiter::Explain(internal::WaitInfo& info) const {
  info.what = semaphore_ == nullptr ? "Semaphore that was destroyed"
                                    : semaphore_->Describe();
}

bool Semaphore::AcquireAwaitable::Awaiter::await_ready() {
  internal::SyncWrite(&semaphore_);
  if (semaphore_.Locked()) {
    semaphore_.binding_.Bind(*parent_.task().loop(), semaphore_);
    return false;
  }
  CLOTHO_DCHECK(semaphore_.value_ > 0,
                "only a permit that exists is handed out");
  --semaphore_.value_;
  internal::SyncAcquire(&semaphore_);
  return true;
}

void Semaphore::AcquireAwaitable::Awaiter::await_suspend(
    std::coroutine_handle<>) {
  waiter_.emplace(*parent_.task().loop(), semaphore_);
  semaphore_.waiters_.PushBack(*waiter_);
  parent_.task().WaitOn(parent_, *waiter_);
}

Semaphore::Guard Semaphore::AcquireAwaitable::Awaiter::await_resume() {
  if (!waiter_.has_value()) return Guard(semaphore_);
  static_cast<internal::LineNode&>(*waiter_).Unlink();
  if (waiter_->semaphore_ == nullptr) {
    parent_.task().ThrowInjected();
    waiter_->ThrowUnlessValue();
    throw RuntimeError(
        "the Semaphore was destroyed while a task waited for it");
  }
  internal::SyncWrite(&semaphore_);
  // Permits may have arrived that could not be handed to a waiter: SM-02.
  struct WakeOthers {
    Semaphore& semaphore;
    ~WakeOthers() {
      while (semaphore.value_ > 0 && semaphore.WakeNext()) {
      }
    }
  } wake_others{semaphore_};
  try {
    parent_.task().ThrowInjected();
    waiter_->ThrowUnlessValue();
  } catch (const CancelledError&) {
    if (waiter_->done() && !waiter_->cancelled()) ++semaphore_.value_;
    throw;
  }
  return Guard(semaphore_);
}

}  // namespace clotho
