#include "clotho/runtime/task_group.h"

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/internal/sync.h"

namespace clotho::internal {

const char* TaskGroupState::Refusal() const {
  if (!entered_) return "TaskGroup has not been entered";
  if (exiting_ && children_.empty()) return "TaskGroup is finished";
  if (aborting_) return "TaskGroup is shutting down";
  return nullptr;
}

void TaskGroupState::Add(FutureBase& task) {
  if (task.done()) {  // It ended in its eager first step.
    ChildIsDone(task);
    return;
  }
  auto* const child = new Child(*this, task);
  children_.PushBack(*child);
  task.AddWaiter(*child);
  // The group may have failed during an eager first step (CD-06).
  if (aborting_) task.Cancel(nullptr);
}

void TaskGroupState::Enter() {
  SyncUnknown("a TaskGroup");
  if (entered_) throw RuntimeError("TaskGroup has already been entered");
  entered_ = true;
  parent_ = Ref<FutureBase>(CoreOf(GetRunningLoop()).current_task());
  cancelling_before_ = parent_->AsTask()->cancelling();
  if (cancel_requested_) Cancel();
}

void TaskGroupState::Cancel() {
  SyncUnknown("a TaskGroup");
  cancel_requested_ = true;
  if (!entered_ || (exiting_ && children_.empty())) return;
  if (!aborting_) Abort();
  if (parent_cancel_requested_ || parent_->done()) return;
  parent_cancel_requested_ = true;
  parent_->Cancel(nullptr);
}

void TaskGroupState::Child::Run() {
  const Ref<TaskGroupState> group = group_;
  const Ref<FutureBase> task = task_;
  delete this;
  SyncJoin(group.get());
  group->ChildIsDone(*task);
}

Runnable* TaskGroupState::Child::EventualStep() {
  const bool is_last =
      &group_->children_.front() == this && &group_->children_.back() == this;
  if (!is_last || !group_->all_done_ || group_->all_done_->done()) {
    return nullptr;
  }
  return group_->all_done_->FirstEventualStep();
}

void TaskGroupState::AllDone::Explain(WaitInfo& info) const {
  group_.children_.ForEach(
      [&info](const Child& child) { info.parts.push_back(&child.task()); });
  info.what = absl::StrCat("TaskGroup(", info.parts.size(), ")");
}

// TG-03.
void TaskGroupState::ChildIsDone(FutureBase& task) {
  if (all_done_ && children_.empty() && !all_done_->done()) {
    all_done_->Finish();
  }
  if (task.state() == FutureBase::State::kCancelled) return;
  task.MarkRetrieved();
  const std::exception_ptr error = task.exception();
  if (error == nullptr) return;
  errors_.push_back(error);
  if (critical_error_ == nullptr &&
      Classify(error) == ExceptionFamily::kCritical) {
    critical_error_ = error;
  }
  if (!parent_ || parent_->done()) {
    task.loop()->CallExceptionHandler(
        {.source = ExceptionContext::Source::kTaskGroup,
         .message = "a task of a TaskGroup has failed after its parent task "
                    "has ended",
         .exception = error,
         .future = &task,
         .task = task.AsTask()});
    return;
  }
  if (aborting_ || parent_cancel_requested_) return;
  Abort();
  parent_cancel_requested_ = true;
  parent_->Cancel(nullptr);
}

void TaskGroupState::Abort() {
  aborting_ = true;
  children_.ForEach([](const Child& child) {
    if (!child.task().done()) child.task().Cancel(nullptr);
  });
}

Coro<void> TaskGroupState::Exit(Ref<TaskGroupState> self,
                                std::exception_ptr error) {
  TaskGroupState& group = *self;
  const bool is_cancelled =
      error != nullptr && Classify(error) == ExceptionFamily::kCancelled;
  group.exiting_ = true;
  if (error != nullptr && group.critical_error_ == nullptr &&
      Classify(error) == ExceptionFamily::kCritical) {
    group.critical_error_ = error;
  }
  std::exception_ptr cancellation;  // The cancellation to rethrow.
  if (is_cancelled) cancellation = error;
  if (error != nullptr && !group.aborting_) group.Abort();

  while (!group.children_.empty()) {
    EventLoop& loop = GetRunningLoop();
    group.all_done_ = Ref<AllDone>(new AllDone(loop, group));
    const Future<void> all_done{Ref<FutureBase>(group.all_done_.get())};
    try {
      co_await all_done;
    } catch (const CancelledError&) {
      if (!group.aborting_) {
        cancellation = std::current_exception();
        group.Abort();
      } else if (group.cancel_requested_) {
        // By `Cancel`, or from outside after it: the counts will tell.
        cancellation = std::current_exception();
      }
    }
    group.all_done_ = nullptr;
  }

  const Ref<FutureBase> parent = std::move(group.parent_);
  std::vector<std::exception_ptr> errors = std::move(group.errors_);
  TaskBase& parent_task = *parent->AsTask();
  if (group.parent_cancel_requested_ &&
      parent_task.Uncancel() <=
          (group.cancel_requested_ ? group.cancelling_before_ : 0)) {
    cancellation = nullptr;
  }
  if (group.critical_error_ != nullptr) {
    std::rethrow_exception(group.critical_error_);
  }
  if (cancellation != nullptr && errors.empty()) {
    std::rethrow_exception(cancellation);
  }
  if (error != nullptr && !is_cancelled) errors.push_back(error);
  if (errors.empty()) co_return;
  if (parent_task.cancelling() > 0) {
    // Requested again, so that it is delivered at the next await.
    parent_task.Uncancel();
    parent_task.Cancel(nullptr);
  }
  std::rethrow_exception(
      MakeExceptionGroup("unhandled errors in a TaskGroup", std::move(errors)));
}

}  // namespace clotho::internal
