#include "clotho/sim/strategies/role_random.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace clotho::sim {

void RoleRandomStrategy::BeginExecution(Rng& rng) {
  rng_ = &rng;
  roles_.clear();
  one_pace_ = rng.Chance(1, 2);
  timer_pace_ = DrawPace();
}

std::uint64_t RoleRandomStrategy::DrawPace() {
  return one_pace_ ? 1 : std::uint64_t{1} << rng_->Uniform(6);
}

std::uint32_t RoleRandomStrategy::RoleOf(const void* code,
                                         std::uint32_t likely) {
  if (likely < roles_.size() && roles_[likely].code == code) return likely;
  std::uint32_t role = 0;
  while (role < roles_.size() && roles_[role].code != code) ++role;
  if (role == roles_.size()) {
    roles_.push_back({.code = code, .pace = DrawPace()});
  }
  return role;
}

std::size_t RoleRandomStrategy::Choose(const ChoicePoint& point) {
  for (Role& role : roles_) role.ready = false;
  const std::size_t ready = point.size() - (point.has_timer() ? 1 : 0);
  role_of_.resize(ready);
  std::uint32_t role = 0;
  for (std::size_t i = 0; i < ready; ++i) {
    role = RoleOf(point[i].role(), role);  // Neighbours often have the same.
    role_of_[i] = role;
    roles_[role].ready = true;
  }
  std::uint64_t sum = point.has_timer() ? timer_pace_ : 0;
  for (const Role& some : roles_) {
    if (some.ready) sum += some.pace;
  }
  std::uint64_t drawn = rng_->Uniform(sum);
  for (std::uint32_t chosen = 0; chosen < roles_.size(); ++chosen) {
    if (!roles_[chosen].ready) continue;
    if (drawn >= roles_[chosen].pace) {
      drawn -= roles_[chosen].pace;
      continue;
    }
    std::uint64_t member = rng_->Uniform(
        static_cast<std::uint64_t>(std::ranges::count(role_of_, chosen)));
    for (std::size_t i = 0;; ++i) {
      if (role_of_[i] == chosen && member-- == 0) return i;
    }
  }
  return ready;  // The timer.
}

}  // namespace clotho::sim
