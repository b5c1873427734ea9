#include "clotho/runtime/queue.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/check.h"
#include "clotho/runtime/internal/sync.h"

namespace clotho::internal {

QueueBase::QueueBase(std::size_t maxsize, std::string_view name)
    : maxsize_(maxsize), finished_(), name_(MakeName(name)) {
  SyncMake(this);
  finished_.Set();
}

QueueBase::~QueueBase() {
  SyncWrite(this);
  for (Line* const line : {&getters_, &putters_, &woken_}) {
    line->ForgetPrimitive();
  }
}

Runnable* QueueBase::NextGetter() const {
  const QueueWaiter* const next =
      getters_.Find([](const QueueWaiter& waiter) { return !waiter.done(); });
  return next == nullptr ? nullptr : next->FirstEventualStep();
}

void QueueBase::CheckPut() const {
  SyncRead(this);
  if (shut_down_) throw QueueShutDown();
  if (Full()) throw QueueFull();
}

void QueueBase::CheckGet() const {
  SyncRead(this);
  if (!Empty()) return;
  if (shut_down_) throw QueueShutDown();
  throw QueueEmpty();
}

void QueueBase::ItemWasPut() {
  SyncRelease(this);
  ++size_;
  ++unfinished_;
  CLOTHO_DCHECK(maxsize_ == 0 || size_ <= maxsize_,
                "a queue holds at most its maximum");
  finished_.Clear();
  WakeNext(getters_);
}

// A woken waiter leaves its line; cancelled waiters are skipped.
void QueueBase::WakeNext(Line& line) {
  while (!line.empty()) {
    QueueWaiter& waiter = line.front();
    waiter.LeaveLine();
    woken_.PushBack(waiter);
    if (waiter.Wake()) return;
  }
}

void QueueBase::WakeAll(Line& line) {
  while (!line.empty()) WakeNext(line);
}

void QueueBase::TaskDone() {
  SyncRelease(&finished_);
  if (unfinished_ == 0) throw ValueError("task_done() called too many times");
  if (--unfinished_ == 0) finished_.Set();
}

void QueueBase::Shutdown(bool immediate) {
  SyncWrite(this);
  SyncWrite(&finished_);
  shut_down_ = true;
  if (immediate) {
    DropItems();
    const std::size_t dropped = std::exchange(size_, 0);
    unfinished_ -= dropped < unfinished_ ? dropped : unfinished_;
    if (unfinished_ == 0) finished_.Set();
  }
  WakeAll(getters_);  // They check again.
  WakeAll(putters_);
}

void QueueBase::Awaiter::Wait() {
  waiter_.emplace(*parent_.task().loop(), queue_);
  queue_.LineOf(side_).PushBack(*waiter_);
  parent_.task().WaitOn(parent_, *waiter_, this);
}

bool QueueBase::Awaiter::OnWake(TaskBase& task) {
  const bool is_gone = waiter_->primitive() == nullptr;
  if (!is_gone) SyncWrite(&queue_);
  if (task.HasInjected() || waiter_->cancelled() || is_gone ||
      !queue_.MustWait(side_)) {
    return true;
  }
  Wait();  // Another task was faster: to the back.
  return false;
}

void QueueBase::Awaiter::FinishWait() {
  if (!waiter_.has_value()) return;
  const bool woken = waiter_->done() && !waiter_->cancelled();
  waiter_->LeaveLine();
  waiter_->ThrowIfDestroyed(parent_.task());
  try {
    waiter_->ThrowUnlessWoken(parent_.task());
  } catch (...) {
    // Passes the wakeup on to the next waiter: nothing is lost.
    const bool possible =
        side_ == Side::kGet ? !queue_.Empty() : !queue_.Full();
    if (woken && possible) queue_.WakeNext(queue_.LineOf(side_));
    throw;
  }
}

}  // namespace clotho::internal
