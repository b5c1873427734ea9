// VirtualClock: time that passes only when nothing else can happen.
//
// It starts at 0 and stands still while the program runs. A wait with a
// deadline ends at once, with the clock at exactly that time; a wait without a
// deadline cannot end, which is how a deadlock is detected (rule V-06).

#ifndef CLOTHO_SIM_ENGINE_VIRTUAL_CLOCK_H_
#define CLOTHO_SIM_ENGINE_VIRTUAL_CLOCK_H_

#include <cstdint>
#include <optional>

#include "clotho/runtime/clock.h"
#include "clotho/runtime/delay.h"

namespace clotho::sim {

class VirtualClock final : public Clock {
 public:
  VirtualClock() : Clock(Kind::kStandsStill) {}

  bool Wait(std::optional<std::int64_t> deadline_ns) override {
    if (!deadline_ns.has_value()) return false;
    if (*deadline_ns > now_ns_) Pass(*deadline_ns);
    return true;
  }

  void Block(std::int64_t duration_ns) override {
    Pass(clotho::internal::SaturatingAdd(now_ns_, duration_ns));
  }

  // Back to 0, for the next execution.
  void Reset() { now_ns_ = 0; }

  // Virtual seconds per real second from now on, for a person who watches; 0:
  // waiting takes no real time. The program cannot tell.
  void set_rate(double rate) { rate_ = rate; }

 private:
  void Pass(std::int64_t until_ns) {
    if (rate_ > 0) [[unlikely]]
      Sleep(until_ns - now_ns_);
    now_ns_ = until_ns;
  }
  void Sleep(std::int64_t virtual_ns) const;

  double rate_ = 0;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_ENGINE_VIRTUAL_CLOCK_H_
