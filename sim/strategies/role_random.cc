#include "clotho/sim/strategies/role_random.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace clotho::sim {

std::size_t RoleRandomStrategy::Choose(const ChoicePoint& point) {
  roles_.clear();
  const std::size_t ready = point.size() - (point.has_timer() ? 1 : 0);
  role_of_.resize(ready);
  std::uint32_t role = 0;
  for (std::size_t i = 0; i < ready; ++i) {
    const void* const code = point[i].role();
    // Neighbours often have the same one.
    if (role >= roles_.size() || roles_[role] != code) {
      const auto found = std::ranges::find(roles_, code);
      role = static_cast<std::uint32_t>(found - roles_.begin());
      if (found == roles_.end()) roles_.push_back(code);
    }
    role_of_[i] = role;
  }
  const std::size_t chosen =
      rng_->Uniform(roles_.size() + (point.has_timer() ? 1 : 0));
  if (chosen == roles_.size()) return ready;  // The timer.
  std::uint64_t member = rng_->Uniform(
      static_cast<std::uint64_t>(std::ranges::count(role_of_, chosen)));
  for (std::size_t i = 0;; ++i) {
    if (role_of_[i] == chosen && member-- == 0) return i;
  }
}

}  // namespace clotho::sim
