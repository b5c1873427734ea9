#include "clotho/runtime/event.h"

#include <coroutine>
#include <string>

#include "absl/strings/str_cat.h"

namespace clotho {

Event::~Event() {
  internal::SyncWrite(this);
  waiters_.ForEach([](Waiter& waiter) { waiter.event_ = nullptr; });
}

std::string Event::Describe() const {
  if (!name_) return "Event";
  return absl::StrCat("Event \"", std::string(name_->view()), "\"");
}

void Event::Set() {
  internal::SyncRelease(this);
  if (set_) return;
  set_ = true;
  waiters_.ForEach([](Waiter& waiter) { waiter.Wake(); });
}

bool Event::WaitAwaitable::Awaiter::await_ready() {
  internal::SyncRead(&event_);
  if (event_.set_) {
    internal::SyncAcquire(&event_);
    return true;
  }
  event_.binding_.Bind(*parent_.task().loop(), event_);
  return false;
}

void Event::WaitAwaitable::Awaiter::await_suspend(std::coroutine_handle<>) {
  waiter_.emplace(*parent_.task().loop(), event_);
  event_.waiters_.PushBack(*waiter_);
  parent_.task().WaitOn(parent_, *waiter_);
}

bool Event::WaitAwaitable::Awaiter::await_resume() {
  if (waiter_.has_value()) {
    static_cast<internal::LineNode&>(*waiter_).Unlink();
    parent_.task().ThrowInjected();
    waiter_->ThrowUnlessValue();
  }
  return true;
}

}  // namespace clotho
