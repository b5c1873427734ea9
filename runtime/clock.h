// Clock: tells a loop the time and lets it wait.
//
// Clock, Scheduler and ThreadModel are the runtime's three seams: a simulation
// replaces them. An Instrument only observes.
//
// Time is a signed number of nanoseconds since the clock was created.

#ifndef CLOTHO_RUNTIME_CLOCK_H_
#define CLOTHO_RUNTIME_CLOCK_H_

#include <semaphore.h>

#include <atomic>
#include <cstdint>
#include <optional>

namespace clotho {

class Clock {
 public:
  virtual ~Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;

  // No virtual call for a clock that stands still between waits.
  std::int64_t NowNs() const { return runs_ ? ReadNs() : now_ns_; }

  // Called when the loop has nothing to do until `deadline_ns`; nullopt: no
  // deadline. Returns when the deadline is reached, or earlier after a `Wake`
  // or a signal. Returns false if the wait can never end.
  virtual bool Wait(std::optional<std::int64_t> deadline_ns) = 0;

  // Makes the current `Wait` return at once, or the next one if none is in
  // progress. The only function that may be called from other threads and from
  // signal handlers.
  virtual void Wake() noexcept {}

  // Blocks the loop's thread, which is the caller, for `duration_ns`. No task
  // runs meanwhile.
  virtual void Block(std::int64_t duration_ns) = 0;

  // True if the clock advances by itself, as real time does.
  bool runs() const { return runs_; }

 protected:
  enum class Kind { kRuns, kStandsStill };
  explicit Clock(Kind kind) : runs_(kind == Kind::kRuns) {}

  // For clocks that advance by themselves.
  virtual std::int64_t ReadNs() const { return now_ns_; }

  // For clocks that stand still.
  std::int64_t now_ns_ = 0;

 private:
  const bool runs_;
};

// The machine's steady clock.
class RealClock final : public Clock {
 public:
  RealClock();
  ~RealClock() override;
  bool Wait(std::optional<std::int64_t> deadline_ns) override;
  void Wake() noexcept override;
  void Block(std::int64_t duration_ns) override;

 protected:
  std::int64_t ReadNs() const override;

 private:
  std::int64_t start_ns_;
  // A semaphore, because a signal handler may post one. Its count is at most 1:
  // the thread that sets `woken_` posts it, and the waiter clears `woken_`
  // after its wait.
  sem_t semaphore_;
  std::atomic<bool> woken_ = false;
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_CLOCK_H_
