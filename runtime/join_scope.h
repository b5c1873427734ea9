// JoinScope: the futures and tasks that a structured call runs, all of which
// end before the call does. GatherStructured, GatherWindowed and Race use it.
//
// It lives in the frame of the coroutine that waits. When it stops, it cancels
// the children that are not done; `Finish` waits for all of them, and then
// throws what comes out:
//
//   1. what leaves the loop (KeyboardInterrupt, SystemExit);
//   2. the first failure. If the waiting task was cancelled too, the
//      cancellation is delivered at its next await, as TaskGroup does it;
//   3. the CancelledError of the waiting task;
//   4. the CancelledError of a child that was cancelled by somebody else.
//
// Later failures stay where they are: a task whose exception nobody retrieves
// is reported to the exception handler (F-13).

#ifndef CLOTHO_RUNTIME_JOIN_SCOPE_H_
#define CLOTHO_RUNTIME_JOIN_SCOPE_H_

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/internal/list.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/stored.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/runtime/outcome.h"
#include "clotho/runtime/task_base.h"

namespace clotho::internal {

class JoinScope {
 public:
  // What makes it cancel the children that are not done.
  enum class StopAt {
    kNothing,       // Failures are results.
    kFirstFailure,  // Or a child that was cancelled.
    kFirstDone,
  };

  // `name` is what reports call it.
  JoinScope(const char* name, StopAt stop_at);
  JoinScope(const JoinScope&) = delete;
  JoinScope& operator=(const JoinScope&) = delete;

  // Adds a child; starts it if it is not a future. Throws nothing: a failure to
  // start is a failure of the scope. Once it has stopped, what is added is
  // cancelled.
  template <Awaitable A>
  void Start(std::size_t index, A awaitable, std::source_location location) {
    try {
      Add(index, ChildOf(std::move(awaitable), location));
    } catch (...) {
      Fail(std::current_exception());
    }
  }
  void Add(std::size_t index, Ref<FutureBase> future);

  // Something else than a child has failed, or the waiting task was cancelled.
  void Fail(std::exception_ptr error);

  bool stopped() const { return stopped_; }
  std::size_t running() const { return running_; }

  class AtMostAwaitable;
  // To be awaited until at most `count` children are running.
  AtMostAwaitable AtMost(std::size_t count);

  // Waits for all children, whatever happens. Throws what comes out.
  static Coro<void> Finish(JoinScope& scope);

 protected:
  ~JoinScope();

  // Takes the outcome of a child that the result needs.
  virtual void Keep(std::size_t index, FutureBase& child) = 0;

 private:
  class ChildNode : public ListNode {};

  // Waits at a child.
  class Child final : public Runnable, public ChildNode, public Pooled {
   public:
    Child(JoinScope& scope, std::size_t index, Ref<FutureBase> future)
        : Runnable(RunnableKind::kInternal),
          scope_(scope),
          index_(index),
          future_(std::move(future)) {}
    void Run() override;
    void Drop() noexcept override { delete this; }
    Runnable* EventualStep() override;
    FutureBase& future() const { return *future_; }

   private:
    JoinScope& scope_;
    const std::size_t index_;
    Ref<FutureBase> future_;
  };

  // Is done when few enough children are running.
  class Progress final : public WaiterFuture {
   public:
    Progress(EventLoop& loop, JoinScope& scope, std::size_t at_most)
        : WaiterFuture(loop), scope_(scope), at_most_(at_most) {
      scope.progress_ = this;
    }
    ~Progress() override { scope_.progress_ = nullptr; }
    std::size_t at_most() const { return at_most_; }
    void Explain(WaitInfo& info) const override;

   private:
    JoinScope& scope_;
    const std::size_t at_most_;
  };

  void ChildIsDone(std::size_t index, FutureBase& child);
  void ChildHasFailed(FutureBase& child);
  void Stop();
  void ThrowFailure();

  const char* const name_;
  const StopAt stop_at_;
  EventLoop& loop_;
  IntrusiveList<Child, ChildNode> children_;  // Those that are not done.
  std::size_t running_ = 0;
  Progress* progress_ = nullptr;  // While someone waits.
  bool stopped_ = false;
  bool decided_ = false;  // kFirstDone: a child has returned first.
  std::exception_ptr critical_error_;
  std::exception_ptr failure_;             // The first.
  std::exception_ptr cancellation_;        // Of the waiting task.
  std::exception_ptr child_cancellation_;  // Of a child, by somebody else.
};

class JoinScope::AtMostAwaitable {
 public:
  AtMostAwaitable(JoinScope& scope, std::size_t count)
      : scope_(scope), count_(count) {}

  class [[nodiscard]] Awaiter {
   public:
    Awaiter(CoroPromiseBase& parent, const AtMostAwaitable& wait)
        : parent_(parent), scope_(wait.scope_), count_(wait.count_) {}
    Awaiter(const Awaiter&) = delete;
    bool await_ready() const noexcept {
      SyncRead(&scope_);
      return scope_.running_ <= count_;
    }
    void await_suspend(std::coroutine_handle<>) {
      progress_.emplace(scope_.loop_, scope_, count_);
      parent_.task().WaitOn(parent_, *progress_);
    }
    void await_resume() {
      SyncAcquire(&scope_);
      parent_.task().ThrowInjected();
      if (progress_.has_value()) progress_->ThrowUnlessValue();
    }

   private:
    CoroPromiseBase& parent_;
    JoinScope& scope_;
    const std::size_t count_;
    std::optional<Progress> progress_;
  };

 private:
  JoinScope& scope_;
  const std::size_t count_;
};

inline JoinScope::AtMostAwaitable JoinScope::AtMost(std::size_t count) {
  return AtMostAwaitable(*this, count);
}

// Where a coroutine of the library is awaited, for the tasks that it makes; if
// it is a task's outermost, where that was made.
class CallerLocation {
 public:
  class [[nodiscard]] Awaiter {
   public:
    Awaiter(CoroPromiseBase& parent, const CallerLocation&) : parent_(parent) {}
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    std::source_location await_resume() const {
      const CoroPromiseBase* const caller = parent_.parent();
      return caller == nullptr ? parent_.task().created_at()
                               : caller->await_location();
    }

   private:
    CoroPromiseBase& parent_;
  };
};

// The value of a child that has one; moved if nobody else can see it.
template <typename T>
Stored<T> TakeValueOf(FutureBase& child) {
  child.MarkRetrieved();
  if constexpr (std::is_copy_constructible_v<Stored<T>>) {
    if (!child.IsOnlyReference()) return ValueOf<T>(child);
  }
  return std::move(ValueOf<T>(child));
}

template <bool kOutcomes, typename T>
GatherElement<kOutcomes, T> TakeElementOf(FutureBase& child) {
  if constexpr (kOutcomes) {
    if (std::exception_ptr exception = child.OutcomeAsException()) {
      return Outcome<T>(std::move(exception));
    }
    return Outcome<T>(TakeValueOf<T>(child));
  } else {
    return TakeValueOf<T>(child);
  }
}

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_JOIN_SCOPE_H_
