// VirtualClock: time that passes only when nothing else can happen.
//
// It starts at 0 and stands still while the program runs. A wait for a deadline
// ends at once, with the clock at exactly that time; a wait for ever cannot
// end, which is how a deadlock is noticed (rule V-06).

#ifndef CLOTHO_SIM_VIRTUAL_CLOCK_H_
#define CLOTHO_SIM_VIRTUAL_CLOCK_H_

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
    if (*deadline_ns > now_ns_) now_ns_ = *deadline_ns;
    return true;
  }

  void Block(std::int64_t duration_ns) override {
    now_ns_ = clotho::internal::SaturatingAdd(now_ns_, duration_ns);
  }

  // Back to 0, for the next execution.
  void Reset() { now_ns_ = 0; }
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_VIRTUAL_CLOCK_H_
