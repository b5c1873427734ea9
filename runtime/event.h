// Event: a flag that tasks can wait for.
//
//   Event ready;
//   co_await ready.Wait();   // Until ready.Set() is called.
//
// Rules EV-01 and EV-02. For the tasks of one loop, not for threads.

#ifndef CLOTHO_RUNTIME_EVENT_H_
#define CLOTHO_RUNTIME_EVENT_H_

#include <coroutine>
#include <optional>
#include <string>
#include <string_view>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/list.h"
#include "clotho/runtime/internal/shared_string.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/runtime/loop_binding.h"

namespace clotho {

class Event {
 private:
  class Waiter;

  class [[nodiscard, gnu::warn_unused]] WaitAwaitable {
   public:
    class [[nodiscard]] Awaiter;
    explicit WaitAwaitable(Event& event) : event_(event) {}

   private:
    Event& event_;
  };

 public:
  // `name` is for reports.
  explicit Event(std::string_view name = {})
      : name_(name.empty() ? internal::Text() : internal::MakeText(name)) {
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
  [[nodiscard]] WaitAwaitable Wait() { return WaitAwaitable(*this); }

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
  std::string Describe() const;

 private:
  bool set_ = false;
  internal::IntrusiveList<Waiter, internal::LineNode> waiters_;
  internal::LoopBinding binding_;
  internal::Text name_;
};

class Event::Waiter : public internal::WaiterFuture, public internal::LineNode {
 public:
  Waiter(EventLoop& loop, Event& event)
      : internal::WaiterFuture(loop), event_(&event) {}
  void Explain(internal::WaitInfo& info) const override {
    info.what =
        event_ == nullptr ? "Event that was destroyed" : event_->Describe();
  }

 private:
  friend class Event;
  Event* event_;  // Null once the event is gone.
};

class [[nodiscard]] Event::WaitAwaitable::Awaiter {
 public:
  Awaiter(internal::CoroPromiseBase& parent, const WaitAwaitable& wait)
      : parent_(parent), event_(wait.event_) {}
  Awaiter(const Awaiter&) = delete;

  bool await_ready();
  void await_suspend(std::coroutine_handle<>);
  bool await_resume();

 private:
  internal::CoroPromiseBase& parent_;
  Event& event_;
  std::optional<Waiter> waiter_;
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_EVENT_H_
