#include "clotho/sim/strategies/fuzz.h"

#include <cstdint>
#include <string_view>

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
    std::string_view name;
    std::uint64_t weight;  // Out of 100.
  };
  const Arm arms[] = {
      {&role_random_, "role_random", 40},
      {&pct_, "pct", 20},
      {&delay_bounded_, "delay_bounded", 15},
      {&pos_, "pos", 10},
      {&surw_, "surw", 10},
      {&random_, "random", 3},
      {&urw_, "urw", 2},
  };
  std::uint64_t drawn = rng.Uniform(100);
  for (const Arm& arm : arms) {
    current_ = arm.strategy;
    current_name_ = arm.name;
    if (drawn < arm.weight) break;
    drawn -= arm.weight;
  }
  current_->BeginExecution(rng);
}

StrategyPart FuzzStrategy::part() const {
  if (current_ == nullptr) return {};
  const StrategyPart part = current_->part();
  return part.name.empty() ? StrategyPart{.name = current_name_} : part;
}

}  // namespace clotho::sim
