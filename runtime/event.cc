#include "clotho/runtime/event.h"

namespace clotho {

Event::~Event() {
  internal::SyncWrite(this);
  waiters_.ForgetPrimitive();
}

void Event::Set() {
  internal::SyncRelease(this);
  if (set_) return;
  set_ = true;
  waiters_.ForEach([](Waiter& waiter) { waiter.Wake(); });
}

bool Event::TryWait(internal::CoroPromiseBase&) {
  internal::SyncRead(this);
  if (!set_) return false;
  internal::SyncAcquire(this);
  return true;
}

bool Event::EndWait(Event&, internal::CoroPromiseBase& parent, Waiter* waiter) {
  if (waiter != nullptr) waiter->ThrowUnlessWoken(parent.task());
  return true;
}

}  // namespace clotho
