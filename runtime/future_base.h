// FutureBase: what all futures have in common, whatever they hold.
//
// Section F of the rules. A future is pending, then finished (with a value or
// an exception) or cancelled, and then never changes. What waits for it are
// Runnables in a list: they go to the loop's ready queue in the order in which
// they came, and run in the next iteration at the earliest (F-07).

#ifndef CLOTHO_RUNTIME_FUTURE_BASE_H_
#define CLOTHO_RUNTIME_FUTURE_BASE_H_

#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/internal/list.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/shared_string.h"
#include "clotho/runtime/internal/stored.h"
#include "clotho/runtime/internal/sync.h"

namespace clotho::internal {

// Throws a CancelledError. Nothing has to be destroyed on the way out of it: a
// clean-up costs as much as another throw, and a frame a quarter of one.
[[noreturn]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline void ThrowCancelledError(
    const Text& message) {
  if (!message) throw CancelledError();
  throw CancelledError(std::in_place, message->view());
}

class FutureBase;
class TaskBase;

// What a future stands for, for whoever has to explain why a task waits.
struct WaitInfo {
  std::string what;  // `Lock "db"`, `Sleep(5 ms)`, `task worker-1`.
  // The task that could end the wait, if that is known, and where it took hold
  // of what is waited for.
  const TaskBase* holder = nullptr;
  std::source_location held_at = {};
  // It is done when these are: a gather's children, what a shield protects.
  std::vector<const FutureBase*> parts;
};

// Links futures that live in the heap to their loop, which needs to find them
// when it is torn down.
class RegistryNode : public ListNode {};

// A callback that the program added to a future.
class DoneCallback : public Runnable, public Pooled {
 public:
  explicit DoneCallback(ContextSlot context);
  void Run() final;
  void Drop() noexcept final { delete this; }
  std::uint64_t id() const noexcept { return id_; }

  // It is about to be scheduled: keeps `future` alive until it has run.
  void Schedule(FutureBase& future);

 protected:
  virtual ~DoneCallback();
  virtual void Call(FutureBase& future) = 0;

 private:
  std::uint64_t id_;
  ContextSlot context_;
  Ref<FutureBase> future_;
};

// What few futures have, so that the others need not have room for it.
struct FutureExtras : public Pooled {
  // Finished: the exception, if any. Cancelled: the CancelledError for the
  // first who asks, if there was one (T-17).
  std::exception_ptr exception;
  Text cancel_message;
  // Of tasks:
  Text name;
  Text requested_message;  // Of the last request to cancel that is pending.
  std::exception_ptr injected_error;
};

class FutureBase : public RegistryNode, public Pooled {
 public:
  enum class State : std::uint8_t { kPending, kFinished, kCancelled };

  // Counted: lives in the heap until the last Ref goes. Embedded: a part of an
  // awaiter, which no Ref may outlive.
  enum class Storage { kCounted, kEmbedded };

  FutureBase(EventLoop& loop, Storage storage);
  FutureBase(const FutureBase&) = delete;

  void AddRef() noexcept { ++references_; }
  void Release() noexcept {
    if (--references_ == 0) Destroy();
  }
  bool IsOnlyReference() const noexcept { return references_ == 1; }

  bool done() const noexcept { return state_ != State::kPending; }
  State state() const noexcept { return state_; }
  // Null when it is gone.
  EventLoop* loop() const noexcept { return loop_; }
  // The same, for those who need it. Throws RuntimeError if it is gone.
  EventLoop& LiveLoop() const;
  // Its loop is gone.
  void ForgetLoop() noexcept { loop_ = nullptr; }

  // F-03, T-10. True if it was pending.
  virtual bool Cancel(const Text& message);

  // Ends it with an exception (F-06). Throws InvalidStateError if it is done.
  void SetException(std::exception_ptr exception);

  // Throws what it holds unless that is a value: InvalidStateError while it is
  // pending (F-04). Counts as retrieval.
  void ThrowUnlessValue() {
    if (state_ != State::kFinished || has_exception()) [[unlikely]]
      ThrowOutcome();
    SyncAcquire(this);
    unretrieved_ = false;
  }

  // The exception, or null (F-05). Throws CancelledError if it is cancelled.
  std::exception_ptr GetException();

  // The exception of a finished future, without retrieving it.
  std::exception_ptr exception() const noexcept {
    return extras_ == nullptr ? nullptr : extras_->exception;
  }
  bool has_exception() const noexcept {
    return extras_ != nullptr && extras_->exception != nullptr;
  }

  // Whoever awaits it would see a CancelledError.
  bool OutcomeIsCancelledError() const;

  // The outcome as an exception, if it is one. Retrieves it.
  std::exception_ptr OutcomeAsException();

  // Nobody needs to be told of its exception any more (F-13).
  void MarkRetrieved() noexcept { unretrieved_ = false; }
  bool unretrieved() const noexcept { return unretrieved_; }

  Text cancel_message() const noexcept {
    return extras_ == nullptr ? nullptr : extras_->cancel_message;
  }
  // What a CancelledError of this future says even if it was not cancelled: a
  // task keeps the message of a request that it has swallowed (G-07).
  virtual Text requested_message() const noexcept { return cancel_message(); }

  // Adds what shall be scheduled when this is done. It must not be done yet.
  void AddWaiter(Runnable& waiter) noexcept { waiters_.PushBack(waiter); }
  const IntrusiveList<Runnable>& waiters() const noexcept { return waiters_; }

  // Takes over the callback. If this is done, it is scheduled at once (F-08).
  std::uint64_t AddDoneCallback(DoneCallback* callback);
  // How many callbacks were removed: 0 or 1 (F-09).
  int RemoveDoneCallback(std::uint64_t id);

  // Lets go of all that waits, without scheduling it.
  void DropWaiters() noexcept;

  // What its end would make ready first, if that is a step of a task (see
  // Runnable::EventualStep).
  Runnable* FirstEventualStep() const;

  virtual void Explain(WaitInfo& info) const;
  virtual TaskBase* AsTask() noexcept { return nullptr; }
  const TaskBase* AsTask() const noexcept {
    return const_cast<FutureBase*>(this)->AsTask();
  }

  // Where the value is, if there is one.
  void* value_address() noexcept {
    return reinterpret_cast<char*>(this) + value_offset_;
  }

 protected:
  virtual ~FutureBase() { DropWaiters(); }

  void CheckPending() const;
  // Changes a pending future's state and schedules what waits (F-07).
  void FinishWithValue() { Finish(State::kFinished); }
  void FinishWithException(std::exception_ptr exception);
  void FinishCancelled(const Text& message, std::exception_ptr exception);
  void set_value_offset(std::uint16_t offset) { value_offset_ = offset; }
  // What reports call it: "Future", "Task".
  virtual const char* KindName() const { return "Future"; }
  // Null: all of it is empty.
  const FutureExtras* extras() const noexcept { return extras_.get(); }
  // To be written to.
  FutureExtras& Extras() {
    if (extras_ == nullptr) extras_ = std::make_unique<FutureExtras>();
    return *extras_;
  }

 private:
  template <typename T, typename Base>
  friend class ValueFuture;

  void Finish(State state);
  void Destroy() noexcept;
  // What is thrown, and from where, has as few frames to unwind as can be.
  [[noreturn]] void ThrowOutcome();

  IntrusiveList<Runnable> waiters_;
  EventLoop* loop_;
  std::unique_ptr<FutureExtras> extras_;
  std::uint32_t references_;
  std::uint16_t value_offset_ = 0;
  State state_ = State::kPending;
  bool unretrieved_ : 1 = false;  // It has an exception that nobody has seen.
  bool has_value_ : 1 = false;
};

// Adds room for a value to a FutureBase, or to a class derived from it.
template <typename T, typename Base = FutureBase>
class ValueFuture : public Base {
 public:
  template <typename... Args>
  explicit ValueFuture(Args&&... args) : Base(std::forward<Args>(args)...) {
    static_assert(alignof(Stored<T>) <= 16,
                  "values that need more than 16 bytes of alignment are not "
                  "supported: keep such a value behind a pointer");
    this->set_value_offset(static_cast<std::uint16_t>(
        reinterpret_cast<char*>(&value_) -
        reinterpret_cast<char*>(static_cast<FutureBase*>(this))));
  }

  // Ends it with a value. Throws InvalidStateError if it is done.
  template <typename... Args>
  void SetValue(Args&&... args) {
    this->CheckPending();
    Emplace(std::forward<Args>(args)...);
    this->FinishWithValue();
  }

 protected:
  ~ValueFuture() override {
    if (this->has_value_) std::destroy_at(&value_);
  }
  template <typename... Args>
  void Emplace(Args&&... args) {
    std::construct_at(&value_, std::forward<Args>(args)...);
    this->has_value_ = true;
  }

 private:
  union {
    Stored<T> value_;
  };
};

// Links a waiter into the line of what it waits for.
class LineNode : public ListNode {};

// A future inside an awaiter: what locks, queues and timers wait on. `Explain`
// is the awaiter's.
class WaiterFuture : public FutureBase {
 public:
  explicit WaiterFuture(EventLoop& loop)
      : FutureBase(loop, Storage::kEmbedded) {}
  // Wakes the waiter, unless it was cancelled or woken before.
  bool Wake() {
    if (done()) return false;
    FinishWithValue();
    return true;
  }
  bool cancelled() const noexcept { return state() == State::kCancelled; }
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_FUTURE_BASE_H_
