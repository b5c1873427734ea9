// StepWatcher: writes a StepLog while an execution goes.
//
// An object of the runtime is known by its address, and gets a number when it
// is made: the same in all executions in which the same chain makes it as its
// n-th. Touching one whose making was not seen is giving up.

#ifndef CLOTHO_SIM_ENGINE_STEP_WATCHER_H_
#define CLOTHO_SIM_ENGINE_STEP_WATCHER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "clotho/runtime/instrument.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/sim/engine/step_log.h"

namespace clotho::sim::internal {

class Simulator;

class StepWatcher final : public Instrument,
                          public clotho::internal::SyncListener {
 public:
  explicit StepWatcher(Simulator& simulator) : simulator_(simulator) {}

  // A new execution, or (null) the end of the present one.
  void Watch(StepLog* log);
  bool watches() const { return log_ != nullptr; }

  // The step that comes next fires the next timer.
  void NextFiresTimer() { next_fires_timer_ = true; }
  // The order of the step that comes next with any other matters.
  void NextConflictsWithAll() { next_conflicts_ = true; }
  // Nothing is ready, and time goes on.
  void TimePasses();
  // With the last step timers have come to an end.
  void TimersEnd() { (*log_)[(*log_)[now_].maker].stops_timer = true; }
  // The present step touches the object with this number.
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
  std::size_t now_ = 0;  // The event that what happens now belongs to.
  int depth_ = 0;        // Steps inside of each other.
  bool next_fires_timer_ = false;
  bool next_conflicts_ = false;
  absl::flat_hash_map<const void*, std::uint64_t> numbers_;
  absl::flat_hash_map<const Runnable*, std::size_t> ready_;  // Made so by.
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_ENGINE_STEP_WATCHER_H_
