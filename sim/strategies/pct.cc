#include "clotho/sim/strategies/pct.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace clotho::sim {
namespace {

constexpr std::uint64_t kInitial = std::uint64_t{1} << 63;

}  // namespace

void PctStrategy::Begin() {
  priorities_.clear();
  next_lower_ = kInitial;
  drawn_ = depth_ != 0 ? depth_ : 1 + rng().Uniform(kDepthMax);
  change_points_.clear();
  for (std::uint64_t i = 1; i < drawn_; ++i) {
    change_points_.push_back(1 + rng().Uniform(profile().choice_points()));
  }
  std::sort(change_points_.begin(), change_points_.end(), std::greater<>());
}

std::size_t PctStrategy::Pick(const ChoicePoint& point) {
  // A new chain gets a random position among the existing ones.
  while (priorities_.size() < point.chains().size()) {
    priorities_.push_back(rng().Next() | kInitial);
  }
  const auto highest = [this, &point] {
    std::size_t best = 0;
    std::uint64_t best_priority = 0;
    for (std::size_t i = 0; i < point.size(); ++i) {
      const std::uint64_t priority = priorities_[point[i].chain()];
      if (priority > best_priority) {
        best = i;
        best_priority = priority;
      }
    }
    return best;
  };
  std::size_t choice = highest();
  while (!change_points_.empty() && change_points_.back() <= choice_points()) {
    change_points_.pop_back();
    priorities_[point[choice].chain()] = --next_lower_;
    choice = highest();
  }
  return choice;
}

}  // namespace clotho::sim
