// EventLoop: runs what is ready, and waits when nothing is.
//
// Names and rules are asyncio's (section L of the rules). One loop runs in a
// thread at a time, and everything it runs, runs in that thread.
//
//   EventLoop loop;                       // On the real clock.
//   loop.CallLater(absl::Seconds(1), [] { ... });
//   loop.RunForever();                    // Until Stop() is called.
//
// Programs rarely need it: `Run(Main())` creates one, and `GetRunningLoop()`
// returns the one that is running.

#ifndef CLOTHO_RUNTIME_EVENT_LOOP_H_
#define CLOTHO_RUNTIME_EVENT_LOOP_H_

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "clotho/runtime/clock.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/check.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/runtime/internal/timer_queue.h"
#include "clotho/runtime/loop_core.h"
#include "clotho/runtime/mailbox.h"

namespace clotho {

class AnyCoro;
class AnyTask;
class EventLoop;
class Executor;
class ThreadPoolExecutor;
struct TaskOptions;
template <typename T>
class Coro;
template <typename T>
class Future;
template <typename T>
class Task;

namespace internal {

class FutureBase;
class TaskBase;

// A callback scheduled on the loop; what a Handle refers to.
class HandleState : public Timer, public Pooled {
 public:
  HandleState(EventLoop& loop, ContextSlot context,
              std::source_location location)
      : Timer(RunnableKind::kCallback),
        loop_(loop),
        context_(std::move(context)),
        location_(location) {}

  void AddRef() noexcept { ++references_; }
  void Release() noexcept {
    CLOTHO_DCHECK(references_ > 0, "only a reference that exists is dropped");
    if (--references_ == 0) delete this;
  }

  void Run() final;
  void Drop() noexcept final { Release(); }
  bool cancelled() const final { return cancelled_; }

  void Cancel();
  bool is_timer() const noexcept { return is_timer_; }
  void set_is_timer() noexcept { is_timer_ = true; }
  const std::source_location& location() const noexcept { return location_; }

 protected:
  virtual ~HandleState() = default;
  virtual void Call() = 0;
  virtual void DropFunction() noexcept = 0;

 private:
  EventLoop& loop_;
  ContextSlot context_;
  std::source_location location_;
  std::uint32_t references_ = 0;
  bool cancelled_ = false;
  bool is_timer_ = false;
};

template <typename Function>
class TypedHandleState final : public HandleState {
 public:
  TypedHandleState(EventLoop& loop, ContextSlot context,
                   std::source_location location, Function function)
      : HandleState(loop, std::move(context), location),
        function_(std::move(function)) {}

 private:
  void Call() override {
    // The callback may cancel itself: the function must survive its own call.
    Function function = std::move(*function_);
    function_.reset();
    function();
  }
  void DropFunction() noexcept override { function_.reset(); }

  std::optional<Function> function_;
};

}  // namespace internal

// Refers to a scheduled callback, so that it can be cancelled. Can be copied;
// dropping it does not affect the callback.
class Handle {
 public:
  // Prevents the call if it has not happened yet (rule L-08).
  void Cancel() { state_->Cancel(); }
  [[nodiscard]] bool Cancelled() const { return state_->cancelled(); }

 private:
  friend class EventLoop;
  friend class TimerHandle;
  explicit Handle(internal::HandleState* state) : state_(state) {}
  internal::Ref<internal::HandleState> state_;
};

// A Handle for a callback scheduled for a time.
class TimerHandle : public Handle {
 public:
  // The loop time for which it is, or was, scheduled.
  absl::Duration When() const { return absl::Nanoseconds(state_->when_ns()); }

 private:
  friend class EventLoop;
  using Handle::Handle;
};

// The argument of an exception handler (rule L-30).
struct ExceptionContext {
  enum class Source {
    kCallback,        // A callback threw.
    kNeverRetrieved,  // A future's exception was never read (F-13).
    kDestroyed,       // A task was destroyed while pending (T-23).
    kNeverAwaited,    // A coroutine was destroyed unstarted (CO-01).
    kShutdown,        // A task failed while a Runner cancelled it.
    kTaskGroup,       // A group's task failed after its parent (TG-03).
    kAsyncGenerator,  // Closing an asynchronous generator failed.
    kWarning,         // Not a failure: a step was slow (DB-05), or the default
                      // executor did not finish in time.
    kOther,
  };

  Source source = Source::kOther;
  std::string message = {};
  std::exception_ptr exception = nullptr;        // Null if there is none.
  const internal::FutureBase* future = nullptr;  // Or the task it belongs to.
  const internal::TaskBase* task = nullptr;
  std::source_location location = {};  // Where it was created, if known.
};

struct EventLoopOptions {
  // Not owned. Null: a real clock of the loop's own.
  Clock* clock = nullptr;
  // See `EventLoop::SetDebug`. nullopt: on if the clock is real and the
  // environment variable CLOTHO_DEBUG is set to anything other than 0.
  std::optional<bool> debug = std::nullopt;
};

// Creates the tasks of a loop instead of `NewTask` (see task.h).
using TaskFactory =
    std::function<AnyTask(EventLoop&, AnyCoro&, const TaskOptions&)>;

class EventLoop : private internal::LoopCore {
 public:
  using ExceptionHandler =
      absl::AnyInvocable<void(EventLoop&, const ExceptionContext&)>;

  explicit EventLoop(EventLoopOptions options = {});
  // Closes the loop. Pending tasks are destroyed where they wait (T-23).
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Calls `function()` in the next iteration, in the order of the calls. Runs
  // in `context` if given, otherwise in a copy of the current context (CX-01).
  template <typename Function>
  Handle CallSoon(
      Function function, std::optional<Context> context = std::nullopt,
      std::source_location location = std::source_location::current()) {
    if (!IsRunning()) [[unlikely]]
      TakeEarlierMail();
    return PushHandle(
        MakeHandle(std::move(function), SlotFor(context), location));
  }

  // Like `CallSoon`, but may be called from any thread while the loop exists;
  // wakes the loop if it is waiting. In the loop's own thread it is the same as
  // `CallSoon`. From another thread, the function runs in a copy of `context`,
  // or of the caller's current context, and calls from one thread keep their
  // order. Returns no Handle, since only the loop's thread could use
  // one. Throws RuntimeError if the loop is closed.
  template <typename Function>
  void CallSoonThreadsafe(
      Function function, std::optional<Context> context = std::nullopt,
      std::source_location location = std::source_location::current()) {
    if (internal::running_loop == this) {
      CallSoon(std::move(function), std::move(context), location);
      return;
    }
    Post(*new MailedCall<Function>(
        internal::DetachedContext(context.has_value()
                                      ? internal::SlotOf(*context)
                                      : internal::CurrentContextSlot()),
        location, std::move(function)));
  }

  // Calls `function()` after `delay`. A delay of zero or less is allowed: the
  // call comes after what is ready now (L-07).
  template <typename Function>
  TimerHandle CallLater(
      Delay delay, Function function,
      std::optional<Context> context = std::nullopt,
      std::source_location location = std::source_location::current()) {
    return CallAt(Delay::Nanoseconds(
                      internal::SaturatingAdd(clock_->NowNs(), delay.ns())),
                  std::move(function), std::move(context), location);
  }

  // Calls `function()` when `Time()` reaches `when`.
  template <typename Function>
  TimerHandle CallAt(
      Delay when, Function function,
      std::optional<Context> context = std::nullopt,
      std::source_location location = std::source_location::current()) {
    return ArmHandle(
        MakeHandle(std::move(function), SlotFor(context), location), when.ns());
  }

  // The time of the loop's clock, starting at 0.
  absl::Duration Time() const { return absl::Nanoseconds(clock_->NowNs()); }

  // Runs until `Stop`. Throws RuntimeError if the loop is closed, already
  // running, or another loop is running in this thread (L-31); DeadlockError if
  // the clock knows that nothing can happen any more.
  void RunForever();

  // Runs until `awaitable` is done, and returns or throws its outcome (L-33).
  // Accepts any awaitable. Defined in `clotho/runtime/task.h`.
  template <typename Awaitable>
  decltype(auto) RunUntilComplete(
      Awaitable awaitable,
      std::source_location location = std::source_location::current());

  // Ends `RunForever` after the current iteration (L-32).
  void Stop() { stopping_ = true; }

  // Drops everything that is ready and all timers, and destroys the pending
  // tasks. A second call does nothing. Throws RuntimeError while the loop is
  // running.
  void Close();

  // May be called from any thread.
  bool IsRunning() const { return running(); }
  bool IsClosed() const { return closed(); }

  // A new pending future on this loop. Defined in future.h.
  template <typename T>
  Future<T> CreateFuture();

  // Makes `factory` create all later tasks of the loop, in `CreateTask` and
  // elsewhere. It can be `EagerTaskFactory` or user-defined. Null restores the
  // default.
  void SetTaskFactory(TaskFactory factory) {
    task_factory_ = std::move(factory);
  }
  // Null if none was set.
  const TaskFactory& GetTaskFactory() const { return task_factory_; }

  // Sets the handler for failures that no caller can catch: an exception thrown
  // by a callback, one that was never retrieved, a task destroyed while
  // pending. Null restores the default.
  void SetExceptionHandler(ExceptionHandler handler) {
    exception_handler_ = std::move(handler);
  }
  void CallExceptionHandler(const ExceptionContext& context);

  // The handler used if none is set. Custom handlers may delegate to it. Writes
  // to standard error; in a simulation, fails the execution.
  void DefaultExceptionHandler(const ExceptionContext& context);
  // For code that drives the loop: replaces the default handler. Null restores
  // standard error.
  void SetDefaultExceptionHandler(ExceptionHandler handler) {
    default_exception_handler_ = std::move(handler);
  }

  // Debug mode detects mistakes and changes nothing else: the order of events
  // stays the same.
  //   - Passing work to the loop, or creating objects on it, from another
  //     thread throws RuntimeError (DB-02); use `CallSoonThreadsafe`.
  //   - Slow steps and callbacks are reported to the exception handler (DB-05).
  //   - Reports say where tasks were created (DB-04).
  void SetDebug(bool debug) {
    debug_ = checks_thread_ = debug;
    UpdateWatched();
  }
  bool GetDebug() const { return debug_; }

  // The duration from which debug mode reports a step or a callback as slow.
  // Default: 100 ms.
  void SetSlowCallbackDuration(Delay duration) { slow_callback_ = duration; }
  Delay SlowCallbackDuration() const { return slow_callback_; }

  // Closes all asynchronous generators that have started and still exist, in
  // the order of their first use. Their exceptions go to the exception
  // handler. Defined in `clotho/runtime/async_generator.h`.
  Coro<void> ShutdownAsyncgens();

  // Calls `function()` in another thread, on `executor` or, if that is null, on
  // the loop's default executor, and returns the future of the result.
  // The function does not see the caller's context variables; use `ToThread` to
  // carry them over. Cancelling the future cancels a job that has not started;
  // a running job continues, and its result is discarded. The executor must
  // outlive the job. Defined in `clotho/runtime/threads.h`.
  template <typename Function>
  Future<std::invoke_result_t<Function&>> RunInExecutor(
      Executor* executor, Function function,
      std::source_location location = std::source_location::current());

  // Sets the executor for later `RunInExecutor(nullptr, ...)` and `ToThread`
  // calls. If none is set, the first such call creates one. The loop waits for
  // the jobs of a replaced executor.
  void SetDefaultExecutor(std::unique_ptr<ThreadPoolExecutor> executor);

  // Shuts the default executor down: it accepts no more jobs, and the call
  // waits until its jobs are done and its threads have ended. After
  // `timeout` it reports to the exception handler and returns anyway; the
  // destructor then waits. Defined in threads.cc.
  Coro<void> ShutdownDefaultExecutor(
      std::optional<Delay> timeout = std::nullopt);

  // Returns the loop to its initial state, but keeps its memory: for running
  // many programs one after another. Pending tasks are destroyed without a
  // report. The clock is not changed.
  void Reset();

 private:
  friend class internal::LoopCore;
  friend internal::LoopCore& internal::CoreOf(EventLoop& loop) noexcept;
  friend const internal::LoopCore& internal::CoreOf(
      const EventLoop& loop) noexcept;

  // A call on its way from another thread.
  template <typename Function>
  class MailedCall final : public internal::Mail {
   public:
    MailedCall(internal::DetachedContext context, std::source_location location,
               Function function)
        : context_(std::move(context)),
          location_(location),
          function_(std::move(function)) {}
    void Deliver(EventLoop& loop) override {
      const std::unique_ptr<MailedCall> self(this);
      loop.PushHandle(
          loop.MakeHandle(std::move(function_), context_.Attach(), location_));
    }
    void Drop() noexcept override { delete this; }

   private:
    internal::DetachedContext context_;
    std::source_location location_;
    Function function_;
  };

  static internal::ContextSlot SlotFor(const std::optional<Context>& context) {
    return context.has_value() ? internal::SlotOf(*context)
                               : internal::CopyCurrentContext();
  }
  template <typename Function>
  internal::HandleState& MakeHandle(Function function,
                                    internal::ContextSlot context,
                                    std::source_location location) {
    CheckOpen();
    return *new internal::TypedHandleState<Function>(
        *this, std::move(context), location, std::move(function));
  }
  Handle PushHandle(internal::HandleState& state);
  TimerHandle ArmHandle(internal::HandleState& state, std::int64_t when_ns);

  // Runs until `future` is done or `Stop` is called (L-33).
  void RunUntilDone(internal::FutureBase& future, bool is_own_task);

  // Runs one iteration (rule L-03). Returns false if nothing can ever happen.
  bool RunOnce();
  bool RunOnceScheduled();
  // The start of an iteration. Returns false if nothing can ever happen.
  bool CollectWork();
  bool WaitForWork();
  void TakeMail();
  // For a loop that is not running: takes in earlier mail before something from
  // its own thread.
  void TakeEarlierMail();
  void MoveDueTimers();
  void RunItem(internal::Runnable& runnable);
  void RunWatched(internal::Runnable& runnable);
  void TearDown();

  TaskFactory task_factory_;
  ExceptionHandler exception_handler_;
  ExceptionHandler default_exception_handler_;
};

namespace internal {

inline LoopCore& CoreOf(EventLoop& loop) noexcept { return loop; }
inline const LoopCore& CoreOf(const EventLoop& loop) noexcept { return loop; }

// The default exception handler.
void ReportToStandardError(const ExceptionContext& context);

// Calls the exception handler of `loop`, or writes to standard error if `loop`
// is null. For destructors: exceptions of the handler do not propagate.
void ReportFromDestructor(EventLoop* loop,
                          const ExceptionContext& context) noexcept;

}  // namespace internal

// The loop running in this thread. Throws RuntimeError if there is none.
EventLoop& GetRunningLoop();

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_EVENT_LOOP_H_
