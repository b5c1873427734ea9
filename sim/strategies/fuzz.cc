#include "clotho/sim/strategies/fuzz.h"

#include <cstdint>

namespace clotho::sim {

void FuzzStrategy::Prepare(const Profile& profile) {
  pct_.Prepare(profile);
  pos_.Prepare(profile);
  urw_.Prepare(profile);
  surw_.Prepare(profile);
  delay_bounded_.Prepare(profile);
}

void FuzzStrategy::BeginExecution(Rng& rng) {
  struct Arm {
    Strategy* strategy;
    std::uint64_t weight;  // Of 100.
  };
  const Arm arms[] = {
      {&role_random_, 30}, {&pct_, 20},  {&delay_bounded_, 20},
      {&pos_, 10},         {&surw_, 10}, {&random_, 5},
      {&urw_, 5},
  };
  std::uint64_t drawn = rng.Uniform(100);
  for (const Arm& arm : arms) {
    current_ = arm.strategy;
    if (drawn < arm.weight) break;
    drawn -= arm.weight;
  }
  current_->BeginExecution(rng);
}

}  // namespace clotho::sim
