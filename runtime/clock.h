// Clock: what time it is for a loop, and how the loop waits. One of the two
// seams of the runtime; the other is the Scheduler.
//
// Time is a signed number of nanoseconds since the clock was made.

#ifndef CLOTHO_RUNTIME_CLOCK_H_
#define CLOTHO_RUNTIME_CLOCK_H_

#include <condition_variable>
#include <cstdint>
#include <mutex>
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
  // the deadline has been reached, or earlier after a `Wake`. Returns false if
  // the wait can never end.
  virtual bool Wait(std::optional<std::int64_t> deadline_ns) = 0;

  // Makes the current `Wait`, or else the next, return at once. The only
  // function that other threads may call.
  virtual void Wake() {}

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
  bool Wait(std::optional<std::int64_t> deadline_ns) override;
  void Wake() override;

 protected:
  std::int64_t ReadNs() const override;

 private:
  std::int64_t start_ns_;
  std::mutex mutex_;
  std::condition_variable condition_;
  bool woken_ = false;
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_CLOCK_H_
