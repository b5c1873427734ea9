// FutureBase: the part of a future that does not depend on its value type.
//
// Section F of the rules. A future is pending until it is finished (with a
// value or an exception) or cancelled; after that it never changes. Its waiters
// are Runnables in a list. When it is done, they move to the loop's ready queue
// in the order in which they were added, and run in the next iteration at the
// earliest (F-07).

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
#include "clotho/runtime/internal/check.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/internal/list.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/shared_string.h"
#include "clotho/runtime/internal/stored.h"
#include "clotho/runtime/internal/sync.h"

namespace clotho::internal {

// Throws a CancelledError. No local object needs destruction on the way out: a
// cleanup costs as much as another throw, and a frame costs a quarter of one.
[[noreturn]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline void ThrowCancelledError(
    const Text& message) {
  if (!message) throw CancelledError();
  throw CancelledError(std::in_place, message->view());
}

class FutureBase;
class TaskBase;

// Describes a future, to explain why a task waits for it.
struct WaitInfo {
  std::string what;  // `Lock "db"`, `Sleep(5 ms)`, `task worker-1`.
  // The task that could end the wait, if known, and where it acquired what is
  // waited for.
  const TaskBase* holder = nullptr;
  std::source_location held_at = {};
  // The futures that this one waits for: a gather's children, or a shield's
  // inner future.
  std::vector<const FutureBase*> parts;
};

// Links a heap-allocated future to its loop, which must find it at teardown.
class RegistryNode : public ListNode {};

// A done callback added by the program.
class DoneCallback : public Runnable, public Pooled {
 public:
  explicit DoneCallback(ContextSlot context);
  void Run() final;
  void Drop() noexcept final { delete this; }
  std::uint64_t id() const noexcept { return id_; }

  // Called before it is scheduled: keeps `future` alive until the callback has
  // run.
  void Schedule(FutureBase& future);

 protected:
  virtual ~DoneCallback();
  virtual void Call(FutureBase& future) = 0;

 private:
  std::uint64_t id_;
  ContextSlot context_;
  Ref<FutureBase> future_;
};

// Members that few futures use. Kept apart so that other futures stay small.
struct FutureExtras : public Pooled {
  // If finished: the exception, if any. If cancelled: the CancelledError for
  // the first reader, if there was one (T-17).
  std::exception_ptr exception;
  Text cancel_message;
  // For tasks only:
  Text name;
  Text requested_message;  // Message of the latest pending request to cancel.
  std::exception_ptr injected_error;
};

class FutureBase : public RegistryNode, public Pooled {
 public:
  enum class State : std::uint8_t { kPending, kFinished, kCancelled };

  // kCounted: lives on the heap until the last Ref is dropped. kEmbedded: part
  // of an awaiter; no Ref may outlive it.
  enum class Storage { kCounted, kEmbedded };

  FutureBase(EventLoop& loop, Storage storage);
  FutureBase(const FutureBase&) = delete;

  void AddRef() noexcept { ++references_; }
  void Release() noexcept {
    CLOTHO_DCHECK(references_ > 0, "only a reference that exists is dropped");
    if (--references_ == 0) Destroy();
  }
  bool IsOnlyReference() const noexcept { return references_ == 1; }

  bool done() const noexcept { return state_ != State::kPending; }
  State state() const noexcept { return state_; }
  // Null once the loop is gone.
  EventLoop* loop() const noexcept { return loop_; }
  // Like `loop`, but throws RuntimeError if the loop is gone.
  EventLoop& LiveLoop() const;
  // Called when the loop goes away.
  void ForgetLoop() noexcept { loop_ = nullptr; }

  // F-03, T-10. Returns true if the future was pending.
  virtual bool Cancel(const Text& message);

  // Finishes it with an exception (F-06). Throws InvalidStateError if it is
  // done.
  void SetException(std::exception_ptr exception);

  // Throws unless the future holds a value: its exception, CancelledError, or
  // InvalidStateError while it is pending (F-04). Counts as retrieval.
  void ThrowUnlessValue() {
    if (state_ != State::kFinished || has_exception()) [[unlikely]]
      ThrowOutcome();
    SyncAcquire(this);
    unretrieved_ = false;
  }

  // The exception, or null (F-05). Throws CancelledError if it is cancelled.
  std::exception_ptr GetException();

  // The exception of a finished future. Does not count as retrieval.
  std::exception_ptr exception() const noexcept {
    return extras_ == nullptr ? nullptr : extras_->exception;
  }
  bool has_exception() const noexcept {
    return extras_ != nullptr && extras_->exception != nullptr;
  }

  // True if awaiting it would throw a CancelledError.
  bool OutcomeIsCancelledError() const;

  // The outcome as an exception, or null if it is a value. Counts as retrieval.
  std::exception_ptr OutcomeAsException();

  // The exception no longer needs to be reported (F-13).
  void MarkRetrieved() noexcept { unretrieved_ = false; }
  bool unretrieved() const noexcept { return unretrieved_; }

  Text cancel_message() const noexcept {
    return extras_ == nullptr ? nullptr : extras_->cancel_message;
  }
  // The message of a CancelledError for this future even if it was not
  // cancelled: a task keeps the message of a request that it suppressed (G-07).
  virtual Text requested_message() const noexcept { return cancel_message(); }

  // Adds a Runnable to schedule when this is done. The future must be pending.
  void AddWaiter(Runnable& waiter) noexcept {
    CLOTHO_DCHECK(!done(), "nothing waits for a future that is done");
    waiters_.PushBack(waiter);
  }
  const IntrusiveList<Runnable>& waiters() const noexcept { return waiters_; }

  // Takes ownership of the callback. Schedules it at once if the future is done
  // (F-08).
  std::uint64_t AddDoneCallback(DoneCallback* callback);
  // Returns the number of callbacks removed: 0 or 1 (F-09).
  int RemoveDoneCallback(std::uint64_t id);

  // Drops all waiters without scheduling them.
  void DropWaiters() noexcept;

  // The first task step that becomes ready when this future is done, or null
  // (see Runnable::EventualStep).
  Runnable* FirstEventualStep() const;

  virtual void Explain(WaitInfo& info) const;
  virtual TaskBase* AsTask() noexcept { return nullptr; }
  const TaskBase* AsTask() const noexcept {
    return const_cast<FutureBase*>(this)->AsTask();
  }

  // The address of the value, if there is one.
  void* value_address() noexcept {
    CLOTHO_DCHECK(has_value_, "only a value that exists is read");
    return reinterpret_cast<char*>(this) + value_offset_;
  }

 protected:
  virtual ~FutureBase() { DropWaiters(); }

  void CheckPending() const;
  // Change the state of a pending future and schedule its waiters (F-07).
  void FinishWithValue() { Finish(State::kFinished); }
  void FinishWithException(std::exception_ptr exception);
  void FinishCancelled(const Text& message, std::exception_ptr exception);
  void set_value_offset(std::uint16_t offset) { value_offset_ = offset; }
  // Its name in reports: "Future", "Task".
  virtual const char* KindName() const { return "Future"; }
  // Null if all extras are empty.
  const FutureExtras* extras() const noexcept { return extras_.get(); }
  // For writing.
  FutureExtras& Extras() {
    if (extras_ == nullptr) extras_ = std::make_unique<FutureExtras>();
    return *extras_;
  }

 private:
  template <typename T, typename Base>
  friend class ValueFuture;

  void Finish(State state);
  void Destroy() noexcept;
  // Keeps the number of frames to unwind per throw as small as possible.
  [[noreturn]] void ThrowOutcome();

  IntrusiveList<Runnable> waiters_;
  EventLoop* loop_;
  std::unique_ptr<FutureExtras> extras_;
  std::uint32_t references_;
  std::uint16_t value_offset_ = 0;
  State state_ = State::kPending;
  bool unretrieved_ : 1 = false;  // It holds an exception nobody has read.
  bool has_value_ : 1 = false;
};

// Adds storage for a value to FutureBase or to a class derived from it.
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

  // Finishes it with a value. Throws InvalidStateError if it is done.
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
    CLOTHO_DCHECK(!this->has_value_, "a future gets one value");
    std::construct_at(&value_, std::forward<Args>(args)...);
    this->has_value_ = true;
  }

 private:
  union {
    Stored<T> value_;
  };
};

// A future inside an awaiter: what tasks that wait for locks, queues and timers
// are suspended on. The awaiter implements `Explain`.
class WaiterFuture : public FutureBase {
 public:
  explicit WaiterFuture(EventLoop& loop)
      : FutureBase(loop, Storage::kEmbedded) {}
  // Wakes the waiter. Returns false if it was already cancelled or woken.
  bool Wake() {
    if (done()) return false;
    FinishWithValue();
    return true;
  }
  bool cancelled() const noexcept { return state() == State::kCancelled; }
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_FUTURE_BASE_H_
