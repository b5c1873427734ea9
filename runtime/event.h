// Event: a flag that tasks can wait for.
//
//   Event ready;
//   co_await ready.Wait();   // Until ready.Set() is called.
//
// Rules EV-01 and EV-02. For the tasks of one loop, not for threads.

#ifndef CLOTHO_RUNTIME_EVENT_H_
#define CLOTHO_RUNTIME_EVENT_H_

#include <string>
#include <string_view>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/shared_string.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/runtime/loop_binding.h"
#include "clotho/runtime/primitive.h"

namespace clotho {

class Event {
 public:
  // `name` is for reports.
  explicit Event(std::string_view name = {}) : name_(internal::MakeName(name)) {
    internal::SyncMake(this);
  }
  // Tasks still waiting for the event can only be cancelled.
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Waits until the flag is set; does not suspend if it is already set. Returns
  // true, even if the flag was cleared again before the task ran. Throws
  // RuntimeError if it would have to wait and tasks of another loop have waited
  // before.
  [[nodiscard]] internal::PrimitiveAwaitable<Event> Wait() {
    return internal::PrimitiveAwaitable<Event>(*this);
  }

  bool IsSet() const {
    internal::SyncRead(this);
    if (set_) internal::SyncAcquire(this);
    return set_;
  }

  // Wakes all waiters, in the order in which they began to wait. The flag stays
  // set: a later `Wait` returns without suspending.
  void Set();
  void Clear() {
    internal::SyncWrite(this);
    set_ = false;
  }

  // For reports: `Event "ready"`.
  std::string Describe() const {
    return internal::DescribePrimitive(kType, name_);
  }

 private:
  friend internal::PrimitiveAwaiter<Event>;
  friend internal::PrimitiveWaiter<Event>;
  using Waiter = internal::PrimitiveWaiter<Event>;

  static constexpr const char* kType = "Event";
  void ExplainWait(internal::WaitInfo& info) const { info.what = Describe(); }
  bool TryWait(internal::CoroPromiseBase& parent);
  // The event may be gone: what counts is that it was set.
  static bool EndWait(Event& event, internal::CoroPromiseBase& parent,
                      Waiter* waiter);

  bool set_ = false;
  internal::PrimitiveLine<Event> waiters_;
  internal::LoopBinding binding_;
  internal::Text name_;
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_EVENT_H_
