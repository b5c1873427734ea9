#include "clotho/sim/strategies/delay_bounded.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace clotho::sim {

void DelayBoundedStrategy::BeginExecution(Rng& rng) {
  pick_.BeginExecution(rng);
  choice_points_ = 0;
  departures_.clear();
  const std::uint64_t departures = 1 + rng.Uniform(departures_max_);
  for (std::uint64_t i = 0; i < departures; ++i) {
    departures_.push_back(1 + rng.Uniform(profile_->choice_points()));
  }
  std::sort(departures_.begin(), departures_.end(), std::greater<>());
}

std::size_t DelayBoundedStrategy::Choose(const ChoicePoint& point) {
  ++choice_points_;
  if (departures_.empty() || departures_.back() > choice_points_) return 0;
  while (!departures_.empty() && departures_.back() <= choice_points_) {
    departures_.pop_back();
  }
  return pick_.Choose(point);
}

}  // namespace clotho::sim
