// StepLog: which effects of each step other steps can see, and what made the
// step possible.
//
// Strategies use it to skip executions that differ only in the order of
// independent steps. It is written during the execution, from the runtime's
// primitives and from tracked state (tracked.h). If something is unknown, the
// log says so: see GiveUp.

#ifndef CLOTHO_SIM_ENGINE_STEP_LOG_H_
#define CLOTHO_SIM_ENGINE_STEP_LOG_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clotho/sim/engine/profile.h"

namespace clotho::sim {

class StepLog {
 public:
  enum class Kind {
    kStart,        // Before the first step.
    kStep,         // A step, which has a number.
    kTime,         // Nothing was ready, and time advanced to the next deadline.
    kBookkeeping,  // The runtime's own, in ready-queue order.
  };

  struct Event {
    Kind kind = Kind::kStart;
    // It conflicts with every other event: above all, a timer that fires.
    bool conflicts_with_all = false;
    // A timer that could have fired before it cannot fire after it.
    bool stops_timer = false;
    // The process whose steps never overtake each other: a task, the callbacks
    // of a task, or time. 0: bookkeeping, each on its own.
    std::uint64_t process = 0;
    // The event that made it ready; and, for bookkeeping, the step or the
    // passing of time that caused it.
    std::size_t enabled_by = 0;
    std::size_t maker = 0;
    // What it touches itself; and what the bookkeeping that it made ready
    // touches.
    Footprint own;
    Footprint late;
  };

  // What bookkeeping touches after further steps have followed its maker.
  struct Late {
    std::size_t maker;
    Access access;
  };

  // The process of all timers.
  static constexpr std::uint64_t kTime = 1;

  void Clear() {
    size_ = 0;
    pending_ = 0;
    late_.clear();
    unknown_.clear();
  }

  std::size_t size() const { return size_; }
  Event& operator[](std::size_t index) { return events_[index]; }
  const Event& operator[](std::size_t index) const { return events_[index]; }
  const std::vector<Late>& late() const { return late_; }

  // How many bookkeeping items are ready and have not run: what they will touch
  // is still unknown. May be too high.
  std::size_t pending() const { return pending_; }

  // Why the log is incomplete: something happened whose conflicts are unknown,
  // or that no order of steps represents. Empty: it is complete.
  const std::string& unknown() const { return unknown_; }

  // ---- For the writer. ----

  Event& Add(Kind kind, std::uint64_t process, std::size_t enabled_by);
  // Adds an access of the event `index`.
  void Touch(std::size_t index, Access access);
  void BookkeepingIsReady() { ++pending_; }
  void BookkeepingRuns() { --pending_; }
  void GiveUp(std::string_view why) {
    if (unknown_.empty()) unknown_ = std::string(why);
  }

 private:
  std::vector<Event> events_;  // Reused between executions.
  std::size_t size_ = 0;
  std::size_t pending_ = 0;
  std::vector<Late> late_;
  std::string unknown_;
};

// Adds `access` to a footprint.
void AddAccess(Footprint& footprint, Access access);

// Whether the order of two events matters.
bool Conflict(const StepLog::Event& a, const StepLog::Event& b);

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_ENGINE_STEP_LOG_H_
