// Clock: what time it is for a loop, and how the loop waits. One of the two
// seams of the runtime; the other is the Scheduler.
//
// Time is a signed number of nanoseconds since the clock was made.

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

  // The loop has nothing to do until `deadline_ns`, or for ever. Returns when
  // the deadline has been reached, or earlier after a `Wake` or a signal.
  // Returns false if the wait can never end.
  virtual bool Wait(std::optional<std::int64_t> deadline_ns) = 0;

  // Makes the current `Wait`, or else the next, return at once. The only
  // function that other threads may call, and signal handlers, too.
  virtual void Wake() noexcept {}

  // The calling thread, which is the loop's, does nothing else for so long:
  // time passes, and nothing of the loop's runs.
  virtual void Block(std::int64_t duration_ns) = 0;

  // It goes on by itself, as real time does.
  bool runs() const { return runs_; }

 protected:
  enum class Kind { kRuns, kStandsStill };
  explicit Clock(Kind kind) : runs_(kind == Kind::kRuns) {}

  // For clocks that run by themselves.
  virtual std::int64_t ReadNs() const { return now_ns_; }

  // For clocks that stand still.
  std::int64_t now_ns_ = 0;

 private:
  const bool runs_;
};

// The steady clock of the machine.
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
  // A semaphore, since a signal handler may post one. It counts to 1 at most:
  // who sets `woken_` posts it, and who has waited for it clears that.
  sem_t semaphore_;
  std::atomic<bool> woken_ = false;
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_CLOCK_H_
