// TaskBase: a future that drives a coroutine, independent of the return type.
//
// Section T of the rules. A step of the task resumes its innermost suspended
// coroutine. A coroutine that calls another, returns or suspends stores in
// `next_` the coroutine to resume next. Only the loop in `Run` resumes
// coroutines, so the machine stack does not grow with the depth of awaits.

#ifndef CLOTHO_RUNTIME_TASK_BASE_H_
#define CLOTHO_RUNTIME_TASK_BASE_H_

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "clotho/runtime/context.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/check.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/shared_string.h"
#include "clotho/runtime/task_options.h"

namespace clotho::internal {

class CoroPromiseBase;

// Lets a suspended awaiter act when its task's step begins, before the
// coroutine is resumed. For example, a getter that finds its queue empty again
// keeps waiting.
class WakeHook {
 public:
  // Returns true to resume the coroutine, false if the task was suspended
  // again.
  virtual bool OnWake(TaskBase& task) = 0;

 protected:
  ~WakeHook() = default;
};

class TaskBase : public FutureBase, public Runnable {
 public:
  // Takes ownership of the coroutine. Either `StartEagerly` or the loop must
  // run it.
  TaskBase(EventLoop& loop, CoroPromiseBase& root, const TaskOptions& options,
           std::source_location created_at);

  // Runs one step (T-03).
  void Run() final;
  // Takes the first step now, inside the current step or callback (E-02). Lets
  // a critical exception propagate. The caller must hold a reference, since the
  // task may be done on return.
  void StartEagerly();
  // The loop owns the task; the ready queue does not.
  void Drop() noexcept final {}

  bool Cancel(const Text& message) final;
  int cancelling() const noexcept { return static_cast<int>(cancels_); }
  int Uncancel() noexcept;
  // A request to cancel that is not delivered yet.
  bool cancel_is_pending() const noexcept { return must_cancel_; }

  std::string name() const;
  void set_name(std::string_view name) { Extras().name = MakeText(name); }
  // The two parts of `name`, for callers that cannot allocate: the given name,
  // which may be empty, and the number of an automatic name.
  std::string_view given_name() const noexcept {
    return is_named() ? extras()->name->view() : std::string_view();
  }
  std::uint64_t number() const noexcept { return number_; }
  // True if the name was given rather than automatic.
  bool is_named() const { return extras() != nullptr && extras()->name; }
  bool background() const noexcept { return background_; }
  // Marks a task that a library function created and is responsible for: if it
  // is still pending when the loop is closed, that is not reported (T-23).
  void set_belongs_to_library() noexcept { belongs_to_library_ = true; }
  bool belongs_to_library() const noexcept { return belongs_to_library_; }
  const std::source_location& created_at() const noexcept {
    return created_at_;
  }
  bool started() const noexcept { return started_; }
  const ContextSlot& context() const noexcept { return context_; }
  TaskBase* AsTask() noexcept override { return this; }
  Text requested_message() const noexcept override {
    return extras() == nullptr ? nullptr : extras()->requested_message;
  }
  void Explain(WaitInfo& info) const override;

  // The future this task waits for, or null.
  const FutureBase* waiting_on() const noexcept { return waiting_on_; }
  // Where each of its suspended coroutines awaits, innermost last; at most the
  // innermost `limit` of them. Empty while the task runs and after it ends.
  std::vector<std::source_location> Stack(
      std::optional<std::size_t> limit = std::nullopt) const;
  // Like `Stack`, as text with one line per coroutine.
  std::string StackText(std::optional<std::size_t> limit) const;
  // The innermost location of `Stack`; a default location if there is none.
  std::source_location AwaitLocation() const;

  // The address of the outermost coroutine's code. Tasks that run the same
  // function share it. Null after the end.
  const void* code() const noexcept;

  // ---- For awaiters, while the coroutine of `leaf` is being suspended. ----

  // Waits for `future`, which must be pending.
  void WaitOn(CoroPromiseBase& leaf, FutureBase& future,
              WakeHook* hook = nullptr);
  // Yields to the loop once: the next step is scheduled now (S-01).
  void Yield(CoroPromiseBase& leaf);
  // Continues with another coroutine in the same step.
  void ContinueWith(std::coroutine_handle<> next) noexcept {
    CLOTHO_DCHECK(next_ == nullptr, "a coroutine hands over to one other");
    next_ = next;
  }

  // ---- For awaiters, when they are resumed. ----

  // True if an exception was injected from outside, usually by a cancellation.
  bool HasInjected() const noexcept { return injected_ != Injected::kNone; }
  void ThrowInjected() {
    if (HasInjected()) [[unlikely]]
      DoThrowInjected();
  }

  // Called when the outermost coroutine ends.
  void RootIsDone() noexcept {
    CLOTHO_DCHECK(!root_done_, "the outermost coroutine ends once");
    root_done_ = true;
  }

  // Destroys the coroutines where they are suspended, innermost first, and
  // makes the loop release the task.
  void TearDown() noexcept;

 protected:
  ~TaskBase() override;
  const char* KindName() const override { return "Task"; }
  // Moves the value out of the outermost coroutine's promise.
  virtual void TakeValue(CoroPromiseBase& root) = 0;

 private:
  enum class Injected : std::uint8_t { kNone, kCancel, kError };

  [[noreturn]] void DoThrowInjected();
  // Checks that the task can be suspended now. Empty if checks are off.
  inline void CheckSuspends(const CoroPromiseBase& leaf) const noexcept;
  void InjectError(std::exception_ptr error) {
    injected_ = Injected::kError;
    Extras().injected_error = std::move(error);
  }
  void Complete();
  void DestroyFrames() noexcept;
  void LeaveLoop();

  CoroPromiseBase* root_;  // The outermost coroutine; null after the end.
  CoroPromiseBase* leaf_;  // The innermost suspended one.
  std::coroutine_handle<> next_;
  FutureBase* waiting_on_ = nullptr;
  WakeHook* hook_ = nullptr;
  ContextSlot context_;
  std::source_location created_at_;
  std::uint64_t number_ = 0;  // Of its automatic name.
  std::uint32_t cancels_ = 0;
  Injected injected_ = Injected::kNone;
  bool must_cancel_ : 1 = false;
  bool started_ : 1 = false;
  bool root_done_ : 1 = false;
  bool background_ : 1;
  bool belongs_to_library_ : 1 = false;
};

// Returns true if a task with these options starts eagerly in `loop` now.
// Throws RuntimeError if an eager start was requested but is impossible: the
// context is already entered (E-07), or too many eager starts are nested.
bool StartsEagerly(const EventLoop& loop, const TaskOptions& options);

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_TASK_BASE_H_
