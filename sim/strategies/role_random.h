// RoleRandomStrategy: first a role, then one of those who play it.
//
// Tasks that run the same coroutine function have the same role: a hundred
// workers and one supervisor are two. Each role that is ready has the same
// chance, then each of its tasks; a timer is a role of its own.
//
// A walk that is uniform over tasks lets the supervisor be where it matters one
// time in a hundred at each step; this one does so one time in two, so the
// number of tasks of a kind no longer counts. Against programs without such
// symmetry it is RandomStrategy.

#ifndef CLOTHO_SIM_STRATEGIES_ROLE_RANDOM_H_
#define CLOTHO_SIM_STRATEGIES_ROLE_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "clotho/sim/random.h"
#include "clotho/sim/strategy.h"

namespace clotho::sim {

class RoleRandomStrategy final : public Strategy {
 public:
  void BeginExecution(Rng& rng) override { rng_ = &rng; }
  std::size_t Choose(const ChoicePoint& point) override;

 private:
  Rng* rng_ = nullptr;
  // Scratch: in the order of who has them first, and which is whose.
  std::vector<const void*> roles_;
  std::vector<std::uint32_t> role_of_;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_ROLE_RANDOM_H_
