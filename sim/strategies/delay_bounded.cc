#include "clotho/sim/strategies/delay_bounded.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace clotho::sim {

void DelayBoundedStrategy::BeginExecution(Rng& rng) {
  pick_.BeginExecution(rng);
  choice_points_ = 0;
  deviations_.clear();
  const std::uint64_t deviations = 1 + rng.Uniform(deviations_max_);
  for (std::uint64_t i = 0; i < deviations; ++i) {
    deviations_.push_back(1 + rng.Uniform(profile_->choice_points()));
  }
  std::sort(deviations_.begin(), deviations_.end(), std::greater<>());
}

std::size_t DelayBoundedStrategy::Choose(const ChoicePoint& point) {
  ++choice_points_;
  if (deviations_.empty() || deviations_.back() > choice_points_) return 0;
  while (!deviations_.empty() && deviations_.back() <= choice_points_) {
    deviations_.pop_back();
  }
  return pick_.Choose(point);
}

}  // namespace clotho::sim
