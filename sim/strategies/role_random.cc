#include "clotho/sim/strategies/role_random.h"

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

std::uint32_t RoleRandomStrategy::RoleOf(const void* code) {
  std::uint32_t role = 0;
  while (role < roles_.size() && roles_[role].code != code) ++role;
  if (role == roles_.size()) {
    roles_.push_back({.code = code, .pace = DrawPace()});
  }
  return role;
}

std::size_t RoleRandomStrategy::Choose(const ChoicePoint& point) {
  for (Role& role : roles_) role.ready = 0;
  const std::size_t ready = point.size() - (point.has_timer() ? 1 : 0);
  role_of_.resize(ready);
  const void* code = nullptr;
  std::uint32_t role = 0;
  for (std::size_t i = 0; i < ready; ++i) {
    // Neighbours often have the same role.
    if (i == 0 || point[i].role() != code) {
      code = point[i].role();
      role = RoleOf(code);
    }
    role_of_[i] = role;
    ++roles_[role].ready;
  }
  std::uint64_t sum = point.has_timer() ? timer_pace_ : 0;
  for (const Role& some : roles_) {
    if (some.ready != 0) sum += some.pace;
  }
  std::uint64_t drawn = rng_->Uniform(sum);
  std::uint32_t chosen = 0;
  for (; chosen < roles_.size(); ++chosen) {
    if (roles_[chosen].ready == 0) continue;
    if (drawn < roles_[chosen].pace) break;
    drawn -= roles_[chosen].pace;
  }
  if (chosen == roles_.size()) return ready;  // The timer.
  std::uint64_t member = rng_->Uniform(roles_[chosen].ready);
  for (std::size_t i = 0;; ++i) {
    if (role_of_[i] == chosen && member-- == 0) return i;
  }
}

}  // namespace clotho::sim
