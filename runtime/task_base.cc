#include "clotho/runtime/task_base.h"

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/claims.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/check.h"
#include "clotho/runtime/internal/source_place.h"
#include "clotho/runtime/internal/sync.h"

namespace clotho::internal {
namespace {

// An eager first step runs on the machine stack of the task's creator.
constexpr std::uint32_t kEagerDepthMax = 1000;

}  // namespace

TaskBase::TaskBase(EventLoop& loop, CoroPromiseBase& root,
                   const TaskOptions& options, std::source_location created_at)
    : FutureBase(loop, Storage::kCounted),
      Runnable(RunnableKind::kTask),
      root_(&root),
      leaf_(&root),
      context_(options.context != nullptr ? SlotOf(*options.context)
                                          : CopyCurrentContext()),
      created_at_(created_at),
      background_(options.background) {
  root.set_task(*this);
  LoopCore& core = CoreOf(loop);
  if (options.name.empty()) {
    number_ = core.next_task_name_++;
  } else {
    set_name(options.name);
  }
  set_chain(core.NewChain());
  core.AdoptTask(*this);
  if (core.instrument() != nullptr) core.instrument()->TaskCreated(*this);
}

TaskBase::~TaskBase() {
  CLOTHO_DCHECK(root_ == nullptr, "a task's coroutines end before the task");
  CLOTHO_DCHECK(waiting_on_ == nullptr, "a task that has ended does not wait");
}

std::string TaskBase::name() const {
  if (is_named()) return std::string(extras()->name->view());
  return absl::StrCat("Task-", number_);
}

void TaskBase::Explain(WaitInfo& info) const {
  info.what = absl::StrCat("task ", name());
  info.holder = this;
  info.held_at = created_at_;
}

void TaskBase::Run() {
  LoopCore& loop = CoreOf(*this->loop());
  CLOTHO_DCHECK(!done() && !root_done_, "a task that has ended has no steps");
  CLOTHO_DCHECK(leaf_ != nullptr && next_ == nullptr,
                "a step begins where the task is suspended");
  FutureBase* const awaited = std::exchange(waiting_on_, nullptr);
  CLOTHO_DCHECK(awaited == nullptr || awaited->done(),
                "a task goes on when what it waits for is done");
  if (awaited != nullptr) awaited->MarkRetrieved();
  if (must_cancel_) [[unlikely]] {
    must_cancel_ = false;
    // If a CancelledError is already on its way, do not inject another one
    // (T-12).
    if (awaited == nullptr || !awaited->OutcomeIsCancelledError()) {
      injected_ = Injected::kCancel;
    }
  }

  // On every path, the loop must leave the task again.
  struct Scope {
    explicit Scope(LoopCore& l, TaskBase& task)
        : loop(l), context(task.context_) {
      loop.current_task_ = &task;
    }
    ~Scope() { loop.current_task_ = nullptr; }
    LoopCore& loop;
    ContextScope context;
  } scope(loop, *this);

  if (!started_) {
    started_ = true;
    if (HasInjected()) {  // Cancelled before its start: it never runs (T-03).
      injected_ = Injected::kNone;
      DestroyFrames();
      LeaveLoop();
      const Ref<FutureBase> keep = Ref<FutureBase>::Adopt(this);
      FinishCancelled(nullptr, std::make_exception_ptr(CancelledError(
                                   ToString(requested_message()))));
      if (loop.instrument() != nullptr) loop.instrument()->TaskDone(*this);
      return;
    }
  }
  if (hook_ != nullptr && !std::exchange(hook_, nullptr)->OnWake(*this)) {
    return;
  }
  next_ = leaf_->handle();
  leaf_ = nullptr;
  while (next_ != nullptr) std::exchange(next_, nullptr).resume();
  CLOTHO_DCHECK(root_done_ != (leaf_ != nullptr),
                "after a step, a task is suspended or has ended");
  if (root_done_) Complete();
}

void TaskBase::StartEagerly() {
  CLOTHO_DCHECK(!started_ && !Runnable::is_linked(),
                "only a task that has not started starts eagerly");
  // The creator of the task continues as if nothing had run.
  struct Scope {
    Scope(LoopCore& l, std::uint32_t chain)
        : loop(l),
          task(l.current_task_),
          outer_chain(std::exchange(l.current_chain_, chain)) {
      ++loop.eager_depth_;
    }
    ~Scope() {
      --loop.eager_depth_;
      loop.current_chain_ = outer_chain;
      loop.current_task_ = task;
      if (loop.instrument_ != nullptr) loop.instrument_->StepEnds();
    }
    LoopCore& loop;
    TaskBase* const task;
    const std::uint32_t outer_chain;
  } scope(CoreOf(*loop()), chain());
  if (scope.loop.instrument_ != nullptr) {
    scope.loop.instrument_->StepBegins(*this);
  }
  Run();
}

bool StartsEagerly(const EventLoop& loop, const TaskOptions& options) {
  if (!options.eager_start.value_or(false) || !loop.IsRunning()) return false;
  if (options.context != nullptr &&
      ContextScope::IsEntered(SlotOf(*options.context))) {
    throw RuntimeError(
        "cannot enter a context that is entered already: start the task with a "
        "copy of it, or not eagerly");
  }
  if (CoreOf(loop).eager_depth() == kEagerDepthMax) {
    throw RuntimeError(absl::StrCat(
        "maximum depth of eager tasks exceeded (", kEagerDepthMax,
        "): each starts the next one in its first step; start some with "
        ".eager_start = false"));
  }
  return true;
}

// From here on it is an ordinary future, which may outlive its loop.
void TaskBase::LeaveLoop() {
  CLOTHO_DCHECK(RegistryNode::is_linked(), "a pending task is in its loop");
  RegistryNode::Unlink();
  CoreOf(*loop()).Register(*this);
}

void TaskBase::Complete() {
  // The loop's reference, which may be the last one.
  const Ref<FutureBase> keep = Ref<FutureBase>::Adopt(this);
  LoopCore& loop = CoreOf(*this->loop());
  CLOTHO_DCHECK(leaf_ == nullptr && waiting_on_ == nullptr,
                "a task that has ended does not wait");
  std::exception_ptr error = root_->TakeError();
  if (error == nullptr && !must_cancel_) TakeValue(*root_);
  DestroyFrames();
  LeaveLoop();
  if (error == nullptr) {
    if (must_cancel_) {  // Cancelled during its last step (T-05).
      must_cancel_ = false;
      FinishCancelled(requested_message(), nullptr);
    } else {
      FinishWithValue();
    }
  } else {
    switch (Classify(error)) {
      case ExceptionFamily::kCancelled:
        FinishCancelled(nullptr, std::move(error));
        break;
      case ExceptionFamily::kError:
        if (claim_handler != nullptr) claim_handler->TaskRaised(error);
        FinishWithException(std::move(error));
        break;
      case ExceptionFamily::kCritical:
        FinishWithException(error);
        if (loop.instrument() != nullptr) loop.instrument()->TaskDone(*this);
        std::rethrow_exception(error);
    }
  }
  if (loop.instrument() != nullptr) loop.instrument()->TaskDone(*this);
}

void TaskBase::DoThrowInjected() {
  const Injected injected = std::exchange(injected_, Injected::kNone);
  if (injected == Injected::kError) {
    std::rethrow_exception(std::exchange(Extras().injected_error, nullptr));
  }
  if (extras() == nullptr) throw CancelledError();
  ThrowCancelledError(extras()->requested_message);
}

bool TaskBase::Cancel(const Text& message) {
  // The request is forwarded to whatever the task waits for. Tasks that wait
  // for tasks are followed in a loop, so that a long chain does not exhaust the
  // stack.
  TaskBase* task = this;
  TaskBase* awaiter = nullptr;  // The previous one in the chain.
  TaskBase* slow = this;        // Moves at half speed: meets `task` in a cycle.
  for (bool odd = false;; odd = !odd) {
    SyncWrite(static_cast<FutureBase*>(task));
    task->MarkRetrieved();
    if (task->done()) {
      if (awaiter == nullptr) return false;
      task = awaiter;  // `task` is done: flag its awaiter (T-12).
      break;
    }
    ++task->cancels_;
    if (task->waiting_on_ == nullptr) break;
    TaskBase* const awaited = task->waiting_on_->AsTask();
    if (awaited == nullptr) {
      if (task->waiting_on_->Cancel(message)) return true;
      break;
    }
    awaiter = task;
    task = awaited;
    if (odd) slow = slow->waiting_on_->AsTask();
    if (slow == task) {
      throw RuntimeError(absl::StrCat(
          "cannot cancel task ", name(),
          ": it waits in a circle of tasks that await each other"));
    }
  }
  task->must_cancel_ = true;
  if (message || task->extras() != nullptr) {
    task->Extras().requested_message = message;
  }
  return true;
}

int TaskBase::Uncancel() noexcept {
  SyncWrite(static_cast<FutureBase*>(this));
  if (cancels_ > 0 && --cancels_ == 0) must_cancel_ = false;
  return static_cast<int>(cancels_);
}

inline void TaskBase::CheckSuspends(
    [[maybe_unused]] const CoroPromiseBase& leaf) const noexcept {
  CLOTHO_DCHECK(leaf_ == nullptr || leaf_ == &leaf,
                "one coroutine of a task is suspended innermost");
  CLOTHO_DCHECK(CoreOf(*loop()).current_task() == this,
                "a task is suspended in its own step");
  CLOTHO_DCHECK(waiting_on_ == nullptr && hook_ == nullptr,
                "a task waits for one future at a time");
  CLOTHO_DCHECK(!Runnable::is_linked() && !root_done_,
                "a task is suspended while it runs");
  CLOTHO_DCHECK(!HasInjected(),
                "an injected exception is thrown before the next wait");
}

void TaskBase::WaitOn(CoroPromiseBase& leaf, FutureBase& future,
                      WakeHook* hook) {
  CheckSuspends(leaf);
  leaf_ = &leaf;
  LoopCore& loop = CoreOf(*this->loop());
  if (&future == this || future.loop() != this->loop()) [[unlikely]] {
    InjectError(std::make_exception_ptr(RuntimeError(
        &future == this
            ? absl::StrCat("Task cannot await on itself: ", name(),
                           "; it would wait for ever: await it in another one")
            : absl::StrCat(
                  "Task ", name(),
                  " got a future attached to a different loop: make the "
                  "future in the loop in which it is awaited"))));
    loop.Push(*this);
    return;
  }
  waiting_on_ = &future;
  hook_ = hook;
  future.AddWaiter(*this);
  if (loop.instrument() != nullptr) [[unlikely]] {
    loop.instrument()->TaskWaits(*this, &future);
  }
  if (must_cancel_ && future.Cancel(requested_message())) must_cancel_ = false;
}

void TaskBase::Yield(CoroPromiseBase& leaf) {
  CheckSuspends(leaf);
  leaf_ = &leaf;
  LoopCore& loop = CoreOf(*this->loop());
  if (loop.instrument() != nullptr) [[unlikely]] {
    loop.instrument()->TaskWaits(*this, nullptr);
  }
  loop.Push(*this);
}

const void* TaskBase::code() const noexcept {
  // With both GCC and Clang, a frame starts with a pointer to the function that
  // resumes it.
  return root_ == nullptr
             ? nullptr
             : *static_cast<const void* const*>(root_->handle().address());
}

std::vector<std::source_location> TaskBase::Stack(
    std::optional<std::size_t> limit) const {
  std::vector<std::source_location> stack;
  if (!started_) return stack;
  for (const CoroPromiseBase* promise = leaf_; promise != nullptr;
       promise = promise->parent()) {
    if (limit.has_value() && stack.size() >= *limit) break;
    stack.push_back(promise->await_location());
  }
  std::reverse(stack.begin(), stack.end());
  return stack;
}

std::string TaskBase::StackText(std::optional<std::size_t> limit) const {
  const std::vector<std::source_location> stack = Stack(limit);
  std::string text = stack.empty()
                         ? absl::StrCat("No stack for task ", name(), "\n")
                         : absl::StrCat("Stack for task ", name(),
                                        " (most recent call last):\n");
  for (const std::source_location& location : stack) {
    absl::StrAppend(&text, "  ", Place(location), ", in ",
                    FunctionName(location.function_name()), "\n");
  }
  if (exception() != nullptr) {
    absl::StrAppend(&text, DescribeException(exception()), "\n");
  }
  return text;
}

std::source_location TaskBase::AwaitLocation() const {
  return started_ && leaf_ != nullptr ? leaf_->await_location()
                                      : std::source_location();
}

void TaskBase::DestroyFrames() noexcept {
  // Innermost first, each detached from the frame that owns it: destroying the
  // outermost one would recurse through all of them.
  CoroPromiseBase* promise = leaf_ != nullptr ? leaf_ : root_;
  CoroPromiseBase* const root = root_;
  CLOTHO_DCHECK(root != nullptr, "a task's coroutines are destroyed once");
  leaf_ = root_ = nullptr;
  while (promise != nullptr) {
    CoroPromiseBase* const parent = promise->CutOff();
    CLOTHO_DCHECK((parent == nullptr) == (promise == root),
                  "awaits lead from the innermost coroutine to the outermost");
    promise->handle().destroy();
    promise = parent;
  }
}

void TaskBase::TearDown() noexcept {
  CLOTHO_DCHECK(!done() && CoreOf(*loop()).current_task() != this,
                "a task is torn down while it is suspended");
  Runnable::Unlink();  // From the future it waits for.
  waiting_on_ = nullptr;
  hook_ = nullptr;
  if (!started_ && root_ != nullptr) root_->MarkClosed();
  DestroyFrames();
  DropWaiters();
  LeaveLoop();
  Release();
}

}  // namespace clotho::internal
