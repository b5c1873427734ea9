// StepLog: what each step of an execution did to what others can see, and what
// made it possible.
//
// For strategies that leave out executions that differ only in the order of
// steps that have nothing to do with each other. It is written as the execution
// goes, from the runtime's primitives and from tracked state (tracked.h). What
// it does not know it says: see GiveUp.

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
    kStep,         // A step that has a number.
    kTime,         // Nothing was ready, and time went to the next deadline.
    kBookkeeping,  // The runtime's own, in the order of the ready queue.
  };

  struct Event {
    Kind kind = Kind::kStart;
    // Its order with any other matters: what fires a timer, above all.
    bool conflicts_with_all = false;
    // A timer that could have fired before it cannot fire after it.
    bool stops_timer = false;
    // Whose steps never overtake each other: a task, the callbacks of a task,
    // or time. 0: bookkeeping, each for itself.
    std::uint64_t process = 0;
    // The event that made it ready; and, of bookkeeping, the step or the
    // passing of time behind that.
    std::size_t enabled_by = 0;
    std::size_t maker = 0;
    // What it touches; and what the bookkeeping touches that it has made ready.
    Footprint own;
    Footprint late;
  };

  // What bookkeeping touches when steps have passed since its maker.
  struct Late {
    std::size_t maker;
    Access access;
  };

  // The process that all timers are.
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

  // How much bookkeeping is ready and has not run: what it will touch is not
  // known yet. May be too high.
  std::size_t pending() const { return pending_; }

  // Something has happened whose conflicts are not known, or that no order of
  // steps stands for: this says what. Empty: nothing.
  const std::string& unknown() const { return unknown_; }

  // ---- For whoever writes it. ----

  Event& Add(Kind kind, std::uint64_t process, std::size_t enabled_by);
  // An access of the event `index`.
  void Touch(std::size_t index, Access access);
  void BookkeepingIsReady() { ++pending_; }
  void BookkeepingRuns() { --pending_; }
  void GiveUp(std::string_view why) {
    if (unknown_.empty()) unknown_ = std::string(why);
  }

 private:
  std::vector<Event> events_;  // Kept for their memory.
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
