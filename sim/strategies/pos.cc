#include "clotho/sim/strategies/pos.h"

#include <cstddef>
#include <cstdint>

namespace clotho::sim {

void PosStrategy::Begin() {
  priorities_.clear();
  steps_.clear();
}

const Footprint* PosStrategy::FootprintOf(const ChoicePoint& point,
                                          const Candidate& candidate) const {
  const Chain& chain = point.chains()[candidate.chain()];
  return profile().FootprintOf(chain.path, chain.steps + 1);
}

std::size_t PosStrategy::Pick(const ChoicePoint& point) {
  if (priorities_.size() < point.chains().size()) {
    priorities_.resize(point.chains().size(), 0);
    steps_.resize(point.chains().size(), 0);
  }
  std::size_t best = 0;
  std::uint64_t best_priority = 0;
  for (std::size_t i = 0; i < point.size(); ++i) {
    const std::uint32_t chain = point[i].chain();
    const std::uint32_t step = point.chains()[chain].steps + 1;
    if (priorities_[chain] == 0 || steps_[chain] != step) {
      priorities_[chain] = rng().Next() | 1;
      steps_[chain] = step;
    }
    if (priorities_[chain] > best_priority) {
      best = i;
      best_priority = priorities_[chain];
    }
  }
  const Footprint* const footprint = FootprintOf(point, point[best]);
  if (footprint != nullptr && !footprint->empty()) {
    for (std::size_t i = 0; i < point.size(); ++i) {
      const Candidate other = point[i];
      const Footprint* const others = FootprintOf(point, other);
      if (others != nullptr && Conflict(*footprint, *others)) {
        priorities_[other.chain()] = 0;
      }
    }
  }
  return best;
}

}  // namespace clotho::sim
