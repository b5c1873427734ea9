#include "clotho/sim/strategies/urw.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace clotho::sim {

void UrwStrategy::Begin() { totals_.clear(); }

std::size_t UrwStrategy::Pick(const ChoicePoint& point) {
  const std::span<const Chain> chains = point.chains();
  while (totals_.size() < chains.size()) {
    const Chain& chain = chains[totals_.size()];
    const std::uint64_t total = profile().StepsWithin(chain.path);
    if (chain.parent < totals_.size()) {
      std::uint64_t& parent = totals_[chain.parent];
      parent -= std::min(parent, total);
    }
    totals_.push_back(total);
  }
  const auto weight = [this, &chains](const Candidate& candidate) {
    const std::uint32_t chain = candidate.chain();
    const std::uint64_t taken = chains[chain].steps;
    // It is about to take one more step, whatever the estimate.
    return totals_[chain] > taken ? totals_[chain] - taken : 1;
  };
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < point.size(); ++i) sum += weight(point[i]);
  std::uint64_t drawn = rng().Uniform(sum);
  for (std::size_t i = 0;; ++i) {
    const std::uint64_t w = weight(point[i]);
    if (drawn < w) return i;
    drawn -= w;
  }
}

}  // namespace clotho::sim
