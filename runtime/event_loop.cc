#include "clotho/runtime/event_loop.h"

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/executor.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/check.h"
#include "clotho/runtime/internal/thread_model.h"
#include "clotho/runtime/task_base.h"

namespace clotho {
namespace internal {

void HandleState::Run() {
  // Drops the queue's reference at the end, on every path.
  const Ref<HandleState> self = Ref<HandleState>::Adopt(this);
  CLOTHO_DCHECK(!armed(), "a timer that fires is not armed any more");
  if (cancelled_) return;
  ContextScope scope(context_);
  try {
    Call();
  } catch (const CriticalException&) {
    throw;
  } catch (...) {
    loop_.CallExceptionHandler({.source = ExceptionContext::Source::kCallback,
                                .message = "Exception in callback",
                                .exception = std::current_exception(),
                                .location = location_});
  }
}

void HandleState::Cancel() {
  SyncUnknown("a handle that is cancelled");
  if (cancelled_) return;
  cancelled_ = true;
  if (armed()) {
    const Ref<HandleState> self = Ref<HandleState>::Adopt(this);  // The heap's.
    CoreOf(loop_).Disarm(*this);
  }
  DropFunction();
}

void ReportToStandardError(const ExceptionContext& context) {
  std::string text = absl::StrCat("clotho: ", context.message);
  if (context.task != nullptr) {
    absl::StrAppend(&text, ": task ", context.task->name());
  }
  if (context.exception != nullptr) {
    absl::StrAppend(&text, ": ", DescribeException(context.exception));
  }
  if (context.location.line() != 0) {
    absl::StrAppend(&text, " (", context.location.file_name(), ":",
                    context.location.line(), ")");
  }
  std::fprintf(stderr, "%s\n", text.c_str());
}

void ReportFromDestructor(EventLoop* loop,
                          const ExceptionContext& context) noexcept {
  if (loop != nullptr) {
    try {
      loop->CallExceptionHandler(context);
      return;
    } catch (...) {
      // It tries to leave the loop, which is impossible from here.
    }
  }
  ReportToStandardError(context);
}

}  // namespace internal

EventLoop& GetRunningLoop() {
  if (internal::running_loop == nullptr) {
    throw RuntimeError(
        "no running event loop: call this from a coroutine or a callback");
  }
  return *internal::running_loop;
}

namespace {

bool EnvironmentAsksForDebug() {
  const char* const value = std::getenv("CLOTHO_DEBUG");
  return value != nullptr && *value != '\0' && std::string_view(value) != "0";
}

}  // namespace

EventLoop::EventLoop(EventLoopOptions options) : LoopCore(options.clock) {
  initial_debug_ =
      options.debug.value_or(clock_->runs() && EnvironmentAsksForDebug());
  SetDebug(initial_debug_);
}

EventLoop::~EventLoop() {
  Close();
  if (internal::current_loop == this) internal::current_loop = nullptr;
  futures_.ForEach([](internal::FutureBase& future) { future.ForgetLoop(); });
  default_executor_ = nullptr;  // Waits for its threads.
}

Handle EventLoop::PushHandle(internal::HandleState& state) {
  Handle handle(&state);
  state.set_chain(current_chain_);
  state.AddRef();
  Push(state);
  return handle;
}

TimerHandle EventLoop::ArmHandle(internal::HandleState& state,
                                 std::int64_t when_ns) {
  TimerHandle handle(&state);
  state.set_is_timer();
  // Only its deadline determines its order, not a chain.
  state.set_chain(NewChain());
  state.AddRef();
  if (tearing_down_) {
    state.Drop();
  } else {
    internal::SyncTimerSet(when_ns);
    timers_.Add(state, when_ns);
  }
  return handle;
}

void EventLoop::TakeMail() {
  internal::SyncUnknown("a message of a thread");
  internal::Mail* mail = mailbox_->Take();
  while (mail != nullptr) {
    internal::Mail* const next = mail->next();
    current_chain_ = mail->chain();
    mail->Deliver(*this);
    mail = next;
  }
  for (int left = mailbox_->TakeInterrupts(); left > 0; --left) {
    if (interrupt_handler_ != nullptr) interrupt_handler_->Interrupted();
  }
}

void EventLoop::TakeEarlierMail() {
  if (!mailbox_->has_mail()) return;
  TakeMail();
  current_chain_ = 0;
}

void EventLoop::RunForever() {
  CheckCanRun();
  running_ = true;
  internal::running_loop = this;
  struct Leave {
    EventLoop& loop;
    ~Leave() {
      CLOTHO_DCHECK(internal::running_loop == &loop,
                    "the loop that ends is the one that runs");
      CLOTHO_DCHECK(loop.current_task_ == nullptr && loop.eager_depth_ == 0,
                    "no step is running when the loop ends");
      loop.running_ = false;
      loop.stopping_ = false;
      loop.current_chain_ = 0;
      internal::running_loop = nullptr;
    }
  } leave{*this};
  do {
    const bool alive = scheduler_ == nullptr ? RunOnce() : RunOnceScheduled();
    if (!alive) return;
  } while (!stopping_);
}

namespace {

// Stops the loop when a future is done.
class StopWhenDone final : public internal::Runnable, public internal::Pooled {
 public:
  StopWhenDone(EventLoop& loop, internal::FutureBase& future)
      : Runnable(internal::RunnableKind::kInternal),
        loop_(loop),
        future_(&future) {}
  void Run() override {
    // The caller of the loop sees the future's outcome, unless the loop has
    // already thrown it (a critical exception).
    future_->MarkRetrieved();
    if (!abandoned_) loop_.Stop();
    delete this;
  }
  void Drop() noexcept override { delete this; }
  Runnable* EventualStep() override { return nullptr; }

  // The loop no longer waits for the future.
  void Abandon() {
    if (is_linked()) {
      Unlink();
      delete this;
    } else {
      abandoned_ = true;  // It is in the ready queue.
    }
  }
  bool* gone = nullptr;

 private:
  ~StopWhenDone() {
    if (gone != nullptr) *gone = true;
  }
  EventLoop& loop_;
  internal::Ref<internal::FutureBase> future_;
  bool abandoned_ = false;
};

}  // namespace

void EventLoop::RunUntilDone(internal::FutureBase& future, bool is_own_task) {
  auto* const stop = new StopWhenDone(*this, future);
  bool stop_is_gone = false;
  stop->gone = &stop_is_gone;
  if (future.done()) {
    Push(*stop);
  } else {
    future.AddWaiter(*stop);
  }
  struct Leave {
    ~Leave() {
      if (gone) return;
      stop->gone = nullptr;
      stop->Abandon();
    }
    StopWhenDone* stop;
    const bool& gone;
  } leave{stop, stop_is_gone};
  try {
    RunForever();
  } catch (...) {
    if (is_own_task &&
        future.state() == internal::FutureBase::State::kFinished) {
      future.MarkRetrieved();
    }
    throw;
  }
}

inline bool EventLoop::CollectWork() {
  if (ready_.empty() && !stopping_ && !mailbox_->has_mail() && !WaitForWork()) {
    return false;
  }
  if (mailbox_->has_mail()) [[unlikely]]
    TakeMail();
  MoveDueTimers();
  return true;
}

bool EventLoop::WaitForWork() {
  const internal::Timer* const next =
      timers_.empty() ? nullptr : &timers_.front();
  if (scheduler_ != nullptr) {
    if (!scheduler_->BeforeWait(next)) return false;
    if (!ready_.empty()) return true;
  }
  if (next != nullptr && next->when_ns() <= clock_->NowNs()) return true;
  if (clock_->Wait(next == nullptr
                       ? std::nullopt
                       : std::optional<std::int64_t>(next->when_ns()))) {
    return true;
  }
  throw DeadlockError(
      "Deadlock: nothing is ready, no timer is set, and nothing can come from "
      "outside");
}

void EventLoop::MoveDueTimers() {
  if (timers_.empty()) return;
  const std::int64_t now_ns = clock_->NowNs();
  while (!timers_.empty() && timers_.next_ns() <= now_ns) {
    Push(timers_.PopFront());
  }
}

namespace {

// With three decimals, independent of the locale.
std::string Seconds(std::int64_t ns) {
  const std::int64_t ms = (ns + 500'000) / 1'000'000;
  return absl::StrCat(ms / 1000, ".", absl::Dec(ms % 1000, absl::kZeroPad3));
}

// The name of a runnable in warnings; empty for bookkeeping. Must be called
// before it runs, since it may be gone afterwards.
std::string NameForWarning(const internal::Runnable& runnable) {
  std::string name;
  std::source_location made_at;
  switch (runnable.kind()) {
    case internal::RunnableKind::kTask: {
      const auto& task = static_cast<const internal::TaskBase&>(runnable);
      name = absl::StrCat("task ", task.name());
      made_at = task.created_at();
      break;
    }
    case internal::RunnableKind::kCallback:
      name = "a callback";
      if (const auto* const handle =
              dynamic_cast<const internal::HandleState*>(&runnable)) {
        made_at = handle->location();
      }
      break;
    case internal::RunnableKind::kInternal:
    case internal::RunnableKind::kThread:
      return "";
  }
  if (made_at.line() != 0) {
    absl::StrAppend(&name, " created at ", made_at.file_name(), ":",
                    made_at.line());
  }
  return name;
}

}  // namespace

inline void EventLoop::RunItem(internal::Runnable& runnable) {
  CLOTHO_DCHECK(current_task_ == nullptr, "the loop runs one item at a time");
  current_chain_ = runnable.chain();
  if (!watched_) [[likely]] {
    runnable.Run();
  } else {
    RunWatched(runnable);
  }
}

void EventLoop::RunWatched(internal::Runnable& runnable) {
  const std::string name = debug_ ? NameForWarning(runnable) : "";
  const std::int64_t begin_ns = clock_->NowNs();
  if (instrument_ != nullptr) instrument_->StepBegins(runnable);
  {
    struct End {
      EventLoop& loop;
      ~End() {
        if (loop.instrument_ != nullptr) loop.instrument_->StepEnds();
      }
    } end{*this};
    runnable.Run();
  }
  const std::int64_t took_ns = clock_->NowNs() - begin_ns;
  if (name.empty() || took_ns < slow_callback_.ns()) return;
  CallExceptionHandler({.source = ExceptionContext::Source::kWarning,
                        .message = absl::StrCat("Executing ", name, " took ",
                                                Seconds(took_ns), " seconds")});
}

// With many ready items, they are scattered over memory.
constexpr std::size_t kPrefetchAhead = 8;

bool EventLoop::RunOnce() {
  ++iterations_;
  if (!CollectWork()) return false;
  for (std::size_t count = ready_.size(); count > 0; --count) {
    if (count > kPrefetchAhead) __builtin_prefetch(&ready_[kPrefetchAhead]);
    RunItem(ready_.PopFront());
  }
  return true;
}

// Like RunOnce, but the scheduler picks each item. If it always picks the
// first, the order is that of RunOnce.
bool EventLoop::RunOnceScheduled() {
  ++iterations_;
  if (!CollectWork()) return false;
  for (std::size_t count = ready_.size(); count > 0 && !ready_.empty();) {
    const internal::Scheduler::Decision decision = scheduler_->Choose(
        ready_, timers_.empty() ? nullptr : &timers_.front());
    if (decision == internal::Scheduler::kStop) return false;
    if (decision == internal::Scheduler::kTimer) {
      // Advances to the deadline. The timer does not count as one of this
      // iteration's items.
      if (timers_.next_ns() > clock_->NowNs()) {
        clock_->Wait(timers_.next_ns());
      }
      RunItem(timers_.PopFront());
      continue;
    }
    if (decision == internal::Scheduler::kDue) {
      if (timers_.next_ns() > clock_->NowNs()) {
        clock_->Wait(timers_.next_ns());
      }
      const std::size_t before = ready_.size();
      MoveDueTimers();
      count += ready_.size() - before;
      continue;
    }
    --count;
    RunItem(ready_.Take(static_cast<std::size_t>(decision)));
  }
  return true;
}

void EventLoop::CallExceptionHandler(const ExceptionContext& original) {
  ExceptionContext context = original;
  if (debug_ && context.location.line() == 0 && context.task != nullptr) {
    context.location = context.task->created_at();
  }
  // Runs in the context of the task concerned (L-28). For a callback, that is
  // already the current context.
  internal::ContextSlot slot;
  std::optional<internal::ContextScope> scope;
  if (context.task != nullptr) {
    slot = context.task->context();
    scope.emplace(slot);
  }
  if (exception_handler_ == nullptr) {
    DefaultExceptionHandler(context);
    return;
  }
  try {
    exception_handler_(*this, context);
  } catch (const CriticalException&) {
    throw;
  } catch (...) {
    DefaultExceptionHandler({.message = "Unhandled error in exception handler",
                             .exception = std::current_exception()});
    DefaultExceptionHandler(context);
  }
}

void EventLoop::DefaultExceptionHandler(const ExceptionContext& context) {
  if (default_exception_handler_ == nullptr) {
    internal::ReportToStandardError(context);
  } else {
    default_exception_handler_(*this, context);
  }
}

void EventLoop::TearDown() {
  CLOTHO_DCHECK(!IsRunning() && current_task_ == nullptr,
                "a loop that runs is not torn down");
  tearing_down_ = true;
  if (mailbox_->has_mail()) {
    for (internal::Mail* mail = mailbox_->Take(); mail != nullptr;) {
      internal::Mail* const next = mail->next();
      mail->Drop();
      mail = next;
    }
  }
  while (!ready_.empty()) ready_.PopFront().Drop();
  while (!timers_.empty()) timers_.PopFront().Drop();
  // Youngest first: a task may refer to the frame of the task that created it.
  while (!tasks_.empty()) tasks_.back().TearDown();
  async_generators_.ForEach(
      [](internal::AsyncGeneratorNode& generator) { generator.Forget(); });
  while (!thread_links_.empty()) thread_links_.front().Cut();
  // Breaks cycles of futures that wait for each other.
  using FutureRef = internal::Ref<internal::FutureBase>;
  std::vector<FutureRef, internal::PoolAllocator<FutureRef>> futures;
  futures_.ForEach([&futures](internal::FutureBase& future) {
    if (!future.waiters().empty()) futures.emplace_back(&future);
  });
  for (const auto& future : futures) future->DropWaiters();
  futures.clear();
  CLOTHO_DCHECK(ready_.empty() && timers_.empty() && tasks_.empty(),
                "nothing is left in a loop that was torn down");
  tearing_down_ = false;
}

void EventLoop::Close() {
  if (IsRunning()) throw RuntimeError("Cannot close a running event loop");
  if (IsClosed()) return;
  tasks_.ForEach([this](internal::TaskBase& task) {
    if (task.belongs_to_library()) return;
    CallExceptionHandler({.source = ExceptionContext::Source::kDestroyed,
                          .message = "Task was destroyed but it is pending!",
                          .task = &task,
                          .location = task.created_at()});
  });
  closed_ = true;
  mailbox_->Close();
  if (default_executor_ != nullptr) {
    default_executor_->Shutdown({.wait = false});
  }
  TearDown();
}

void EventLoop::SetDefaultExecutor(
    std::unique_ptr<ThreadPoolExecutor> executor) {
  default_executor_ = std::move(executor);
}

void EventLoop::Reset() {
  if (IsRunning()) throw RuntimeError("Cannot reset a running event loop");
  // Others may still hold the old mailbox. Their mail no longer arrives.
  if (IsClosed() || mailbox_.use_count() > 1) {
    mailbox_->Close();
    TearDown();
    mailbox_ = std::make_shared<internal::Mailbox>(*clock_);
  } else {
    TearDown();
  }
  default_executor_ = nullptr;
  default_executor_is_shut_down_ = false;
  SetDebug(initial_debug_);
  slow_callback_ = Delay::Nanoseconds(kSlowCallbackNs);
  timers_.Reset();
  stopping_ = false;
  closed_ = false;
  iterations_ = 0;
  next_chain_ = 1;
  next_task_name_ = 1;
  task_factory_ = nullptr;
  exception_handler_ = nullptr;
  current_task_ = nullptr;
  current_chain_ = 0;
}

}  // namespace clotho
