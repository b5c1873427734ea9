// TaskBase: a future that drives a coroutine, whatever it returns.
//
// Section T of the rules. A step of the task resumes the innermost coroutine
// that is suspended. A coroutine that calls, returns or suspends leaves in
// `next_` the one to go on with, so the machine stack does not grow with the
// depth of awaits: the loop in `Run` is the only place that resumes anything.

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
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/shared_string.h"

namespace clotho {

struct TaskOptions {
  // Empty: "Task-1", "Task-2", ... in the order of creation.
  std::string_view name = {};
  // The context to run in, not copied. Null: a copy of the current one.
  const Context* context = nullptr;
  // Takes its first step inside `CreateTask`, if the loop runs (E-01, E-02).
  // None: as the loop's task factory has it; without one, it does not.
  std::optional<bool> eager_start = std::nullopt;
  // It may still be pending when a test ends (see sim/).
  bool background = false;
};

namespace internal {

class CoroPromiseBase;

// What a suspended awaiter wants to do when its task's step begins, before the
// coroutine is resumed: a queue that finds itself empty again waits again.
class WakeHook {
 public:
  // Returns true to resume the coroutine, false if the task was suspended anew.
  virtual bool OnWake(TaskBase& task) = 0;

 protected:
  ~WakeHook() = default;
};

class TaskBase : public FutureBase, public Runnable {
 public:
  // Takes over the coroutine. `StartEagerly` or the loop is to run it.
  TaskBase(EventLoop& loop, CoroPromiseBase& root, const TaskOptions& options,
           std::source_location created_at);

  // A step (T-03).
  void Run() final;
  // Takes the first step now, inside of whatever runs (E-02). Lets a critical
  // exception out. The caller has a reference: the task may be done then.
  void StartEagerly();
  // Its loop owns it; the ready queue does not.
  void Drop() noexcept final {}

  bool Cancel(const Text& message) final;
  int cancelling() const noexcept { return static_cast<int>(cancels_); }
  int Uncancel() noexcept;

  std::string name() const;
  void set_name(std::string_view name) { Extras().name = MakeText(name); }
  // Both parts of `name`, for who cannot allocate: the given one, which may be
  // empty, and the number of an automatic one.
  std::string_view given_name() const noexcept {
    return is_named() ? extras()->name->view() : std::string_view();
  }
  std::uint64_t number() const noexcept { return number_; }
  // Its name is not the automatic one.
  bool is_named() const { return extras() != nullptr && extras()->name; }
  bool background() const noexcept { return background_; }
  // Made by a function of the library, which answers for it: that it is pending
  // when the loop is closed is not reported (T-23).
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
  // Its suspended coroutines, innermost last: where each one awaits. At most
  // the innermost `limit` of them. Empty while it runs and after its end.
  std::vector<std::source_location> Stack(
      std::optional<std::size_t> limit = std::nullopt) const;
  // The same as text, a line each.
  std::string StackText(std::optional<std::size_t> limit) const;
  // The same, for the innermost only; a default location if there is none.
  std::source_location AwaitLocation() const;

  // The address of the outermost coroutine's code: tasks that run the same
  // function have the same. Null after the end.
  const void* code() const noexcept;

  // ---- For awaiters, while the coroutine of `leaf` is being suspended. ----

  // Waits for `future`, which must be pending.
  void WaitOn(CoroPromiseBase& leaf, FutureBase& future,
              WakeHook* hook = nullptr);
  // Gives way once: the next step is scheduled now (S-01).
  void Yield(CoroPromiseBase& leaf);
  // Goes on with another coroutine in the same step.
  void ContinueWith(std::coroutine_handle<> next) noexcept { next_ = next; }

  // ---- For awaiters, when they are resumed. ----

  // An exception was thrown in from outside: a cancellation, in most cases.
  bool HasInjected() const noexcept { return injected_ != Injected::kNone; }
  void ThrowInjected() {
    if (HasInjected()) [[unlikely]]
      DoThrowInjected();
  }

  // The outermost coroutine has come to its end.
  void RootIsDone() noexcept { root_done_ = true; }

  // Destroys the coroutines where they are suspended, innermost first, and lets
  // the loop go of the task.
  void TearDown() noexcept;

 protected:
  ~TaskBase() override;
  const char* KindName() const override { return "Task"; }
  // Moves the value out of the outermost coroutine's promise.
  virtual void TakeValue(CoroPromiseBase& root) = 0;

 private:
  enum class Injected : std::uint8_t { kNone, kCancel, kError };

  [[noreturn]] void DoThrowInjected();
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

// Whether a task with these options starts eagerly in `loop` now. Throws
// RuntimeError if it asks for it but cannot: its context is entered (E-07), or
// too many are inside of each other.
bool StartsEagerly(const EventLoop& loop, const TaskOptions& options);

}  // namespace internal
}  // namespace clotho

#endif  // CLOTHO_RUNTIME_TASK_BASE_H_
