// EventLoop: runs what is ready, and waits when nothing is.
//
// The names and the rules are asyncio's (section L of the rules). One loop runs
// in a thread at a time; everything it runs, runs in that thread.
//
//   EventLoop loop;                       // On the real clock.
//   loop.CallLater(absl::Seconds(1), [] { ... });
//   loop.RunForever();                    // Until someone calls Stop().
//
// Programs rarely need it: `Run(Main())` makes one, and `GetRunningLoop()` is
// the one that runs now.

#ifndef CLOTHO_RUNTIME_EVENT_LOOP_H_
#define CLOTHO_RUNTIME_EVENT_LOOP_H_

#include <atomic>
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
#include "clotho/runtime/instrument.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/internal/list.h"
#include "clotho/runtime/internal/ready_queue.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/runtime/internal/timer_queue.h"
#include "clotho/runtime/mailbox.h"
#include "clotho/runtime/scheduler.h"

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

// Links an asynchronous generator that has begun to its loop, which closes it
// at the end.
class AsyncGeneratorNode : public ListNode {
 public:
  // Null if the loop is gone, or has closed the generator.
  EventLoop* loop() const noexcept { return loop_; }
  void set_loop(EventLoop& loop) noexcept { loop_ = &loop; }
  // The loop has nothing to do with it any more.
  void Forget() noexcept {
    Unlink();
    loop_ = nullptr;
  }

 private:
  EventLoop* loop_ = nullptr;
};

// Links what thread_links a future to another thread to its loop, which cuts
// the thread_link at the end (see threads.h).
class ThreadLinkNode : public ListNode {
 public:
  // In the loop's thread: the future is not known any more.
  virtual void Cut() noexcept = 0;

 protected:
  ~ThreadLinkNode() = default;
};

class FutureBase;
class TaskBase;

class RegistryNode;

inline thread_local constinit EventLoop* running_loop = nullptr;

// What `SetEventLoop` was given (see current_loop.h).
inline thread_local constinit EventLoop* current_loop = nullptr;

// Who decides what Ctrl-C does to a loop.
class InterruptHandler {
 public:
  // In the loop's thread, between two iterations. What it throws leaves the
  // loop.
  virtual void Interrupted() = 0;

 protected:
  ~InterruptHandler() = default;
};

// A callback that was given to the loop, and what a Handle refers to.
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
    // It may cancel itself: the function must survive its own call.
    Function function = std::move(*function_);
    function_.reset();
    function();
  }
  void DropFunction() noexcept override { function_.reset(); }

  std::optional<Function> function_;
};

}  // namespace internal

// A callback that was scheduled, to cancel it. May be copied, and dropped
// without effect on the callback.
class Handle {
 public:
  // It will not be called, if it was not yet (rule L-08).
  void Cancel() { state_->Cancel(); }
  bool Cancelled() const { return state_->cancelled(); }

 private:
  friend class EventLoop;
  friend class TimerHandle;
  explicit Handle(internal::HandleState* state) : state_(state) {}
  internal::Ref<internal::HandleState> state_;
};

// The same, for a callback that was scheduled for a time.
class TimerHandle : public Handle {
 public:
  // The time it is, or was, set for.
  absl::Duration When() const { return absl::Nanoseconds(state_->when_ns()); }

 private:
  friend class EventLoop;
  using Handle::Handle;
};

// What an exception handler is told (rule L-30).
struct ExceptionContext {
  enum class Source {
    kCallback,        // A callback threw.
    kNeverRetrieved,  // A future with an exception went away unseen (F-13).
    kDestroyed,       // A task was destroyed while pending (T-23).
    kNeverAwaited,    // A coroutine went away without having run (CO-01).
    kShutdown,        // A task failed while a Runner cancelled it.
    kTaskGroup,       // A task of a group failed after its parent (TG-03).
    kAsyncGenerator,  // Closing an asynchronous generator failed.
    kWarning,  // No failure: something ran for long (DB-05), or the default
               // executor has not come to its end in time.
    kOther,
  };

  Source source = Source::kOther;
  std::string message = {};
  std::exception_ptr exception = nullptr;        // Null if there is none.
  const internal::FutureBase* future = nullptr;  // Or the task that it is of.
  const internal::TaskBase* task = nullptr;
  std::source_location location = {};  // Where its source was made, if known.
};

struct EventLoopOptions {
  // Not owned. Null: a real clock of the loop's own.
  Clock* clock = nullptr;
  // Not owned. Null: first in, first out.
  Scheduler* scheduler = nullptr;
  // See `EventLoop::SetDebug`. None: on if the clock is real and the variable
  // CLOTHO_DEBUG is set, to something else than 0.
  std::optional<bool> debug = std::nullopt;
};

// Makes the tasks of a loop, in place of `NewTask` (see task.h).
using TaskFactory =
    std::function<AnyTask(EventLoop&, AnyCoro&, const TaskOptions&)>;

class EventLoop {
 public:
  using ExceptionHandler =
      absl::AnyInvocable<void(EventLoop&, const ExceptionContext&)>;

  explicit EventLoop(EventLoopOptions options = {});
  // Closes it. Tasks that are not done are destroyed where they wait (T-23).
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Calls `function()` in the next iteration, in the order of the calls. In
  // `context` if given, else in a copy of the current one (CX-01).
  template <typename Function>
  Handle CallSoon(
      Function function, std::optional<Context> context = std::nullopt,
      std::source_location location = std::source_location::current()) {
    if (!IsRunning()) [[unlikely]]
      TakeEarlierMail();
    return PushHandle(
        MakeHandle(std::move(function), SlotFor(context), location));
  }

  // The same from any thread, while the loop lives: the one function of a loop
  // that others may call. Wakes the loop if it waits. In the loop's own thread
  // it is `CallSoon`; else the function runs in a copy of `context`, or of the
  // current one, and the calls of one thread keep their order. There is
  // no Handle, since only the loop's thread could use it. Throws RuntimeError
  // if the loop is closed.
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

  // Calls `function()` after `delay`. A delay of zero or less is legal: it
  // comes after what is ready now (L-07).
  template <typename Function>
  TimerHandle CallLater(
      Delay delay, Function function,
      std::optional<Context> context = std::nullopt,
      std::source_location location = std::source_location::current()) {
    return CallAt(Delay::Nanoseconds(
                      internal::SaturatingAdd(clock_->NowNs(), delay.ns())),
                  std::move(function), std::move(context), location);
  }

  // Calls `function()` when `Time()` has reached `when`.
  template <typename Function>
  TimerHandle CallAt(
      Delay when, Function function,
      std::optional<Context> context = std::nullopt,
      std::source_location location = std::source_location::current()) {
    return ArmHandle(
        MakeHandle(std::move(function), SlotFor(context), location), when.ns());
  }

  // The time of the loop's clock, from 0.
  absl::Duration Time() const { return absl::Nanoseconds(clock_->NowNs()); }

  // Runs until `Stop`. Throws RuntimeError if the loop is closed, is running,
  // or another runs in this thread (L-31); DeadlockError if the clock knows
  // that nothing can happen any more.
  void RunForever();

  // Runs until `future` is done, and returns or throws its outcome (L-33).
  // Takes whatever can be awaited; `clotho/runtime/task.h` has its definition.
  template <typename Awaitable>
  decltype(auto) RunUntilComplete(
      Awaitable awaitable,
      std::source_location location = std::source_location::current());

  // Ends `RunForever` after the current iteration (L-32).
  void Stop() { stopping_ = true; }

  // Drops what is ready and all timers, and destroys the tasks that are not
  // done. The second time it does nothing. Throws RuntimeError while running.
  void Close();

  // May be called from any thread.
  bool IsRunning() const { return running_.load(std::memory_order_relaxed); }
  bool IsClosed() const { return closed_.load(std::memory_order_relaxed); }

  // A future of this loop, pending. Defined in future.h.
  template <typename T>
  Future<T> CreateFuture();

  // From now on `factory` makes the loop's tasks, for `CreateTask` and for
  // whatever else makes one: `EagerTaskFactory`, or the program's own. Null
  // restores the default.
  void SetTaskFactory(TaskFactory factory) {
    task_factory_ = std::move(factory);
  }
  // Null if there is none.
  const TaskFactory& GetTaskFactory() const { return task_factory_; }

  // Called for what nobody could catch: an exception out of a callback, one
  // that was never retrieved, a task destroyed while pending. Null restores the
  // default.
  void SetExceptionHandler(ExceptionHandler handler) {
    exception_handler_ = std::move(handler);
  }
  void CallExceptionHandler(const ExceptionContext& context);

  // What is done if no handler is set, for handlers that leave some cases to
  // it: it writes to standard error. In a simulation the execution fails.
  void DefaultExceptionHandler(const ExceptionContext& context);
  // For who drives the loop: changes that. Null: back to standard error.
  void SetDefaultExceptionHandler(ExceptionHandler handler) {
    default_exception_handler_ = std::move(handler);
  }

  // Debug mode looks for mistakes, and changes nothing else: the order of
  // events is the same.
  //   - What is given to the loop, or made in it, from another thread throws
  //     RuntimeError (DB-02), as `CallSoonThreadsafe` is what that needs.
  //   - What runs for long is reported to the exception handler (DB-05).
  //   - Reports say where tasks were made (DB-04).
  void SetDebug(bool debug) {
    debug_ = checks_thread_ = debug;
    UpdateWatched();
  }
  bool GetDebug() const { return debug_; }

  // How long a step or a callback may take before debug mode reports it; 100 ms
  // unless this was called.
  void SetSlowCallbackDuration(Delay duration) { slow_callback_ = duration; }
  Delay SlowCallbackDuration() const { return slow_callback_; }

  // Closes all asynchronous generators that have begun and still exist, in the
  // order in which they were first used. What they throw goes to the
  // exception handler. `clotho/runtime/async_generator.h` has its definition.
  Coro<void> ShutdownAsyncgens();

  // Has `function()` called in another thread, by `executor`, or by the loop's
  // own if that is null, and returns the future of its result. It does
  // not see the context variables; `ToThread` carries them over. Cancelling the
  // future cancels a job that has not begun; one that runs goes on, and what
  // comes of it is dropped. The executor must outlive the job.
  // `clotho/runtime/threads.h` has its definition.
  template <typename Function>
  Future<std::invoke_result_t<Function&>> RunInExecutor(
      Executor* executor, Function function,
      std::source_location location = std::source_location::current());

  // The executor for `RunInExecutor(nullptr, ...)` and `ToThread` from now on.
  // If none is given, the first of these calls makes one. The loop waits for
  // the jobs of the one that is replaced.
  void SetDefaultExecutor(std::unique_ptr<ThreadPoolExecutor> executor);

  // Waits until the jobs of the default executor are done, and their threads
  // have ended. It takes no jobs any more. If that is not so after
  // `timeout`, it says so to the exception handler, and returns all the same;
  // it is the destructor then that waits. Defined in threads.cc.
  Coro<void> ShutdownDefaultExecutor(
      std::optional<Delay> timeout = std::nullopt);

  // As new, but for the memory it has taken: for those who run many programs
  // one after the other. Tasks that are not done are destroyed without a
  // report. The clock is not touched.
  void Reset();

  // ---- For the runtime itself and for tools. ----

  Clock& clock() { return *clock_; }
  Scheduler* scheduler() const { return scheduler_; }
  Instrument* instrument() const { return instrument_; }
  void set_instrument(Instrument* instrument) {
    instrument_ = instrument;
    UpdateWatched();
  }
  // Not owned. Null: there are no interrupts.
  void set_interrupt_handler(internal::InterruptHandler* handler) {
    interrupt_handler_ = handler;
  }
  // Whether use from another thread is an error, besides in debug mode. Returns
  // what it was before.
  bool set_checks_thread(bool checks) {
    return std::exchange(checks_thread_, checks);
  }

  // How many iterations have begun (the trace of a program can be compared with
  // CPython's by them).
  std::uint64_t iterations() const { return iterations_; }

  // Which of the program's loops it is, from 1. To tell loops apart, not to be
  // shown: it depends on what ran before.
  std::uint64_t number() const { return number_; }

  // The task whose step runs now, or null.
  internal::TaskBase* current_task() const { return current_task_; }

  // Calls `visit(TaskBase&)` for each task that is not done, oldest first.
  template <typename Visit>
  void ForEachTask(Visit visit) const {
    tasks_.ForEach(visit);
  }

  // A future that lives in the heap, and a task that is not done.
  void Register(internal::FutureBase& future);
  void AdoptTask(internal::TaskBase& task);
  void AdoptThreadLink(internal::ThreadLinkNode& thread_link) {
    thread_links_.PushBack(thread_link);
  }
  // Made at the first call. Throws RuntimeError after its shutdown.
  Executor& DefaultExecutor();
  // A generator that begins.
  void AdoptAsyncGenerator(internal::AsyncGeneratorNode& generator);

  void Push(internal::Runnable& runnable) {
    if (tearing_down_) [[unlikely]] {
      runnable.Drop();
      return;
    }
    ready_.PushBack(runnable);
    if (instrument_ != nullptr) [[unlikely]]
      instrument_->BecameReady(runnable);
  }
  void Arm(internal::Timer& timer, std::int64_t when_ns) {
    internal::SyncTimerSet(when_ns);
    timers_.Add(timer, when_ns);
  }
  void Disarm(internal::Timer& timer) {
    if (!timer.armed()) return;
    internal::SyncTimerDisarmed(timer.when_ns());
    timers_.Remove(timer);
  }
  // Bookkeeping that stands in the ready queue goes away: nothing runs in its
  // place.
  void Withdraw(internal::Runnable& runnable) noexcept;
  std::int64_t NowNs() const { return clock_->NowNs(); }
  std::uint32_t current_chain() const { return current_chain_; }
  // A new chain, for what comes from nobody that has one.
  std::uint32_t NewChain() { return next_chain_++; }
  // How many eager tasks are taking their first step inside of each other.
  std::uint32_t eager_depth() const { return eager_depth_; }
  // Chains are numbered from 1 to less than this (see Runnable::chain).
  std::uint32_t chain_count() const { return next_chain_; }
  bool tearing_down() const { return tearing_down_; }
  // Throws RuntimeError if the loop is closed, or if this is a mistake that
  // debug mode finds.
  void CheckOpen() const {
    if (IsClosed() || checks_thread_) [[unlikely]]
      DoCheckOpen();
  }
  // Throws RuntimeError if the loop cannot run now, in this thread (L-31).
  void CheckCanRun() const;

  // Gives it to the loop from any thread, or drops it and throws RuntimeError.
  void Post(internal::Mail& mail);
  const std::shared_ptr<internal::Mailbox>& mailbox() const { return mailbox_; }

 private:
  friend class internal::FutureBase;
  friend class internal::TaskBase;
  friend class internal::HandleState;

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

  void DoCheckOpen() const;
  void UpdateWatched() { watched_ = debug_ || instrument_ != nullptr; }

  // Runs until `future` is done, or until someone calls `Stop` (L-33).
  void RunUntilDone(internal::FutureBase& future, bool is_own_task);

  // One iteration of rule L-03. False if nothing can ever happen.
  bool RunOnce();
  bool RunOnceScheduled();
  // What an iteration begins with. False if nothing can ever happen.
  bool CollectWork();
  bool WaitForWork();
  void TakeMail();
  // For a loop that does not run: what was given to it so far comes before what
  // its thread gives it now.
  void TakeEarlierMail();
  void MoveDueTimers();
  void RunItem(internal::Runnable& runnable);
  void RunWatched(internal::Runnable& runnable);
  void TearDown();

  static constexpr std::int64_t kSlowCallbackNs = 100'000'000;

  // The hot ones first.
  internal::ReadyQueue ready_;
  internal::TimerQueue timers_;
  Clock* clock_;
  Scheduler* scheduler_;
  Instrument* instrument_ = nullptr;
  internal::TaskBase* current_task_ = nullptr;
  std::uint32_t current_chain_ = 0;
  std::uint32_t next_chain_ = 1;
  bool stopping_ = false;
  bool watched_ = false;  // There is an instrument, or debug mode is on.
  bool debug_ = false;
  bool checks_thread_ = false;
  bool initial_debug_ = false;
  // These two may be read in other threads (L-35).
  std::atomic<bool> running_ = false;
  std::atomic<bool> closed_ = false;
  bool tearing_down_ = false;
  std::shared_ptr<internal::Mailbox> mailbox_;  // Never null.

  using FutureList =
      internal::IntrusiveList<internal::FutureBase, internal::RegistryNode>;
  using TaskList =
      internal::IntrusiveList<internal::TaskBase, internal::RegistryNode>;
  FutureList futures_;  // Those that are not tasks, in no useful order.
  TaskList tasks_;      // Each holds a reference of the loop's.
  internal::IntrusiveList<internal::AsyncGeneratorNode> async_generators_;
  internal::IntrusiveList<internal::ThreadLinkNode> thread_links_;
  std::uint64_t iterations_ = 0;
  const std::uint64_t number_;
  std::uint64_t next_task_name_ = 1;
  std::uint32_t eager_depth_ = 0;
  TaskFactory task_factory_;
  ExceptionHandler exception_handler_;
  ExceptionHandler default_exception_handler_;
  std::unique_ptr<Clock> own_clock_;
  internal::InterruptHandler* interrupt_handler_ = nullptr;
  Delay slow_callback_ = Delay::Nanoseconds(kSlowCallbackNs);
  std::unique_ptr<ThreadPoolExecutor> default_executor_;
  bool default_executor_is_shut_down_ = false;
};

namespace internal {

// What the default exception handler does.
void ReportToStandardError(const ExceptionContext& context);

// Tells the handler of `loop`, or standard error if that is null. For
// destructors: nothing that the handler throws gets any further.
void ReportFromDestructor(EventLoop* loop,
                          const ExceptionContext& context) noexcept;

}  // namespace internal

// The loop that runs in this thread. Throws RuntimeError if there is none.
EventLoop& GetRunningLoop();

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_EVENT_LOOP_H_
