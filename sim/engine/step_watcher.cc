#include "clotho/sim/engine/step_watcher.h"

#include <cstddef>
#include <cstdint>

#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/timer_queue.h"
#include "clotho/runtime/task_base.h"
#include "clotho/sim/engine/hash.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/strategy.h"

namespace clotho::sim::internal {
namespace {

using clotho::internal::FutureBase;
using clotho::internal::HandleState;
using clotho::internal::RunnableKind;
using clotho::internal::sync_listener;
using clotho::internal::TaskBase;

// Pseudo-objects, which have a number but no address.
constexpr std::uint64_t kCallbacks = 0x63616c6c;
constexpr std::uint64_t kDeadline = 0x74696d65;

const void* AddressOf(const TaskBase& task) {
  return static_cast<const FutureBase*>(&task);
}

}  // namespace

void StepWatcher::Watch(StepLog* log) {
  if (log_ != nullptr) sync_listener = nullptr;
  log_ = log;
  if (log == nullptr) return;
  log->Clear();
  log->Add(StepLog::Kind::kStart, /*process=*/0, /*enabled_by=*/0);
  now_ = 0;
  depth_ = 0;
  next_fires_timer_ = next_conflicts_ = false;
  numbers_.clear();
  ready_.clear();
  sync_listener = this;
}

void StepWatcher::TimePasses() {
  log_->Add(StepLog::Kind::kTime, StepLog::kTime, /*enabled_by=*/0)
      .conflicts_with_all = true;
  now_ = log_->size() - 1;
}

void StepWatcher::TouchNumber(std::uint64_t object, bool write) {
  log_->Touch(now_, {.object = object, .write = write});
}

void StepWatcher::Made(const void* object) {
  numbers_[object] = simulator_.NewObject();
}

void StepWatcher::Used(const void* object, bool write) {
  const auto found = numbers_.find(object);
  if (found == numbers_.end()) {
    log_->GiveUp("an object that was made before the test");
    return;
  }
  TouchNumber(found->second, write);
}

void StepWatcher::TimerSet(std::int64_t when_ns) {
  // Timers with the same deadline fire in the order in which they were set.
  TouchNumber(Mix64(kDeadline + static_cast<std::uint64_t>(when_ns)), true);
}

void StepWatcher::TimerDisarmed(std::int64_t when_ns) {
  TimerSet(when_ns);
  TimersEnd();
}

void StepWatcher::TaskCreated(const TaskBase& task) { Made(AddressOf(task)); }

void StepWatcher::TaskWaits(const TaskBase& task, const FutureBase* future) {
  Used(AddressOf(task), true);
  if (future != nullptr) Used(future, false);
}

void StepWatcher::BecameReady(const Runnable& runnable) {
  ready_[&runnable] = now_;
  if (runnable.kind() == RunnableKind::kInternal) log_->BookkeepingIsReady();
  if (runnable.kind() == RunnableKind::kCallback) {
    // Callbacks run in the order in which they were scheduled.
    TouchNumber(Mix64(kCallbacks + simulator_.PathOf(runnable.chain())), true);
  }
}

std::size_t StepWatcher::BeginVisible(std::uint64_t process,
                                      const Runnable* runnable) {
  std::size_t enabled_by = 0;
  const auto found = ready_.find(runnable);
  if (found != ready_.end()) {
    enabled_by = found->second;
    ready_.erase(found);
  }
  log_->Add(StepLog::Kind::kStep, process, enabled_by).conflicts_with_all =
      next_conflicts_;
  next_conflicts_ = false;
  return log_->size() - 1;
}

void StepWatcher::StepBegins(const Runnable& runnable) {
  if (depth_++ > 0) {  // A task that starts eagerly, inside another step.
    if (runnable.kind() == RunnableKind::kTask) {
      Used(AddressOf(static_cast<const TaskBase&>(runnable)), true);
    }
    return;
  }
  if (next_fires_timer_) {
    next_fires_timer_ = false;
    next_conflicts_ = true;
    now_ = BeginVisible(StepLog::kTime, nullptr);
    return;
  }
  switch (runnable.kind()) {
    case RunnableKind::kTask:
      now_ = BeginVisible(simulator_.PathOf(runnable.chain()), &runnable);
      // Conflicts with a cancellation before or after this step.
      Used(AddressOf(static_cast<const TaskBase&>(runnable)), true);
      break;
    case RunnableKind::kCallback: {
      if (runnable.cancelled()) break;
      const auto* const handle = dynamic_cast<const HandleState*>(&runnable);
      // Whether other timers may fire depends on it.
      if (handle != nullptr && handle->is_timer()) next_conflicts_ = true;
      now_ = BeginVisible(CallbackProcess(simulator_.PathOf(runnable.chain())),
                          &runnable);
      break;
    }
    case RunnableKind::kInternal: {
      const auto found = ready_.find(&runnable);
      if (found == ready_.end()) {
        log_->GiveUp("bookkeeping of unknown origin");
        break;
      }
      const std::size_t enabled_by = found->second;
      ready_.erase(found);
      log_->BookkeepingRuns();
      // Bookkeeping that time made ready runs at once, before any step.
      if ((*log_)[enabled_by].kind == StepLog::Kind::kTime &&
          now_ == enabled_by) {
        break;
      }
      const std::size_t maker = (*log_)[enabled_by].maker;
      log_->Add(StepLog::Kind::kBookkeeping, 0, enabled_by).maker = maker;
      now_ = log_->size() - 1;
      break;
    }
    case RunnableKind::kThread:
      break;
  }
}

}  // namespace clotho::sim::internal
