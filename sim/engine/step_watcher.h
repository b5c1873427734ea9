// StepWatcher: writes a StepLog during an execution.
//
// An object of the runtime is identified by its address, and gets a number when
// it is created: the same in all executions in which it is the n-th object of
// the same chain. If an object was created before recording began, its
// conflicts are unknown and reduction is disabled.

#ifndef CLOTHO_SIM_ENGINE_STEP_WATCHER_H_
#define CLOTHO_SIM_ENGINE_STEP_WATCHER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "clotho/runtime/internal/instrument.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/sim/engine/step_log.h"

namespace clotho::sim::internal {

class Simulator;

class StepWatcher final : public clotho::internal::Instrument,
                          public clotho::internal::SyncListener {
 public:
  explicit StepWatcher(Simulator& simulator) : simulator_(simulator) {}

  // Begins a new execution, or, with null, ends the current one.
  void Watch(StepLog* log);
  bool watches() const { return log_ != nullptr; }

  // The next step fires the next timer.
  void NextFiresTimer() { next_fires_timer_ = true; }
  // The next step conflicts with every other event.
  void NextConflictsWithAll() { next_conflicts_ = true; }
  // Nothing is ready, and time advances.
  void TimePasses();
  // The last step has ended timers.
  void TimersEnd() { (*log_)[(*log_)[now_].maker].stops_timer = true; }
  // The current step touches the object with this number.
  void TouchNumber(std::uint64_t object, bool write);

  void Unknown(std::string_view what) override { log_->GiveUp(what); }

 private:
  using Runnable = clotho::internal::Runnable;

  void TaskCreated(const clotho::internal::TaskBase& task) override;
  void BecameReady(const Runnable& runnable) override;
  void StepBegins(const Runnable& runnable) override;
  void StepEnds() override { --depth_; }
  void TaskWaits(const clotho::internal::TaskBase& task,
                 const clotho::internal::FutureBase* future) override;

  void Made(const void* object) override;
  void Used(const void* object, bool write) override;
  void Released(const void* object) override { Used(object, true); }
  void Acquired(const void* object) override { Used(object, false); }
  void TimerSet(std::int64_t when_ns) override;
  void TimerDisarmed(std::int64_t when_ns) override;

  std::size_t BeginVisible(std::uint64_t process, const Runnable* runnable);

  Simulator& simulator_;
  StepLog* log_ = nullptr;
  std::size_t now_ = 0;  // The current event.
  int depth_ = 0;        // Nesting of steps.
  bool next_fires_timer_ = false;
  bool next_conflicts_ = false;
  absl::flat_hash_map<const void*, std::uint64_t> numbers_;
  // The event that made it ready.
  absl::flat_hash_map<const Runnable*, std::size_t> ready_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_ENGINE_STEP_WATCHER_H_
