#include "clotho/runtime/join_scope.h"

#include <cstddef>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/check.h"
#include "clotho/runtime/internal/sync.h"

namespace clotho::internal {

JoinScope::JoinScope(const char* name, StopAt stop_at)
    : name_(name), stop_at_(stop_at), loop_(GetRunningLoop()) {
  SyncMake(this);
}

// Children are left only if the loop is torn down.
JoinScope::~JoinScope() {
  while (!children_.empty()) delete &children_.front();
}

void JoinScope::Add(std::size_t index, Ref<FutureBase> future) {
  SyncRead(future.get());
  if (future->loop() != &loop_) {
    throw ValueError("futures are tied to different event loops");
  }
  ++running_;
  if (future->done()) {
    ChildIsDone(index, *future);
    return;
  }
  auto* const child = new Child(*this, index, std::move(future));
  children_.PushBack(*child);
  child->future().AddWaiter(*child);
  if (stopped_) child->future().Cancel(nullptr);
}

void JoinScope::Child::Run() {
  JoinScope& scope = scope_;
  const std::size_t index = index_;
  const Ref<FutureBase> future = std::move(future_);
  delete this;
  SyncJoin(&scope);
  scope.ChildIsDone(index, *future);
}

Runnable* JoinScope::Child::EventualStep() {
  Progress* const progress = scope_.progress_;
  if (progress == nullptr || progress->done() ||
      scope_.running_ - 1 > progress->at_most()) {
    return nullptr;
  }
  return progress->FirstEventualStep();
}

void JoinScope::Progress::Explain(WaitInfo& info) const {
  scope_.children_.ForEach(
      [&info](const Child& child) { info.parts.push_back(&child.future()); });
  info.what = absl::StrCat(scope_.name_, "(", info.parts.size(), ")");
}

void JoinScope::ChildIsDone(std::size_t index, FutureBase& child) {
  CLOTHO_DCHECK(running_ > 0 && child.done(),
                "each child of a scope ends once");
  --running_;
  const bool cancelled = child.state() == FutureBase::State::kCancelled;
  if (stop_at_ == StopAt::kNothing) {
    Keep(index, child);
  } else if (cancelled) {
    if (!stopped_) child_cancellation_ = child.OutcomeAsException();
    Stop();
  } else if (child.has_exception()) {
    ChildHasFailed(child);
  } else if (stop_at_ == StopAt::kFirstFailure) {
    Keep(index, child);
  } else if (!stopped_) {
    decided_ = true;
    Keep(index, child);
    Stop();
  }
  if (progress_ != nullptr && running_ <= progress_->at_most()) {
    progress_->Wake();
  }
}

void JoinScope::ChildHasFailed(FutureBase& child) {
  const bool critical =
      Classify(child.exception()) == ExceptionFamily::kCritical;
  // A later failure is not retrieved, so that it is reported.
  if (!critical && (failure_ != nullptr || decided_)) return;
  child.MarkRetrieved();
  Fail(child.exception());
}

void JoinScope::Fail(std::exception_ptr error) {
  SyncWrite(this);
  std::exception_ptr* first = &failure_;
  switch (Classify(error)) {
    case ExceptionFamily::kCancelled:
      first = &cancellation_;
      break;
    case ExceptionFamily::kCritical:
      first = &critical_error_;
      break;
    case ExceptionFamily::kError:
      break;
  }
  if (*first == nullptr) *first = std::move(error);
  Stop();
}

void JoinScope::Stop() {
  if (stopped_) return;
  stopped_ = true;
  children_.ForEach([](const Child& child) {
    if (!child.future().done()) child.future().Cancel(nullptr);
  });
}

Coro<void> JoinScope::Finish(JoinScope& scope) {
  while (scope.running_ > 0) {
    try {
      co_await scope.AtMost(0);
    } catch (const CancelledError&) {
      scope.Fail(std::current_exception());
    }
  }
  scope.ThrowFailure();
}

void JoinScope::ThrowFailure() {
  if (critical_error_ != nullptr) std::rethrow_exception(critical_error_);
  if (failure_ != nullptr) {
    if (cancellation_ != nullptr) {
      TaskBase& task = *CoreOf(loop_).current_task();
      task.Uncancel();
      task.Cancel(nullptr);
    }
    std::rethrow_exception(failure_);
  }
  if (cancellation_ != nullptr) std::rethrow_exception(cancellation_);
  if (child_cancellation_ != nullptr) {
    std::rethrow_exception(child_cancellation_);
  }
}

}  // namespace clotho::internal
