#include "clotho/sim/strategies/role_random.h"

#include <algorithm>
#include <cstddef>

namespace clotho::sim {

std::size_t RoleRandomStrategy::Choose(const ChoicePoint& point) {
  roles_.clear();
  const std::size_t ready = point.size() - (point.has_timer() ? 1 : 0);
  for (std::size_t i = 0; i < ready; ++i) {
    const void* const code = point[i].role();
    const auto role =
        std::ranges::find(roles_, code, [](const Role& r) { return r.code; });
    if (role == roles_.end()) {
      roles_.push_back({code, 1});
    } else {
      ++role->members;
    }
  }
  const std::size_t chosen =
      rng_->Uniform(roles_.size() + (point.has_timer() ? 1 : 0));
  if (chosen == roles_.size()) return ready;  // The timer.
  std::size_t member = rng_->Uniform(roles_[chosen].members);
  for (std::size_t i = 0;; ++i) {
    if (point[i].role() == roles_[chosen].code && member-- == 0) return i;
  }
}

}  // namespace clotho::sim
