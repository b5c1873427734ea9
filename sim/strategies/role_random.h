// RoleRandomStrategy: first a role, then one of those who play it.
//
// Tasks that run the same coroutine function have the same role: a hundred
// workers and one supervisor are two; a timer is a role of its own.
//
// A walk that is uniform over tasks lets the supervisor be where it matters one
// time in a hundred at each step; this one does not count how many tasks there
// are of a kind. In half of the executions each role that is ready has the same
// chance. In the others each has a pace, drawn when it is first seen, 1, 2, 4,
// 8, 16 or 32, and a chance by it: so the supervisor may as well be slow, and
// meet the workers far into their work. Then each task of the role has the same
// chance. Against programs without such symmetry the first half is
// RandomStrategy.

#ifndef CLOTHO_SIM_STRATEGIES_ROLE_RANDOM_H_
#define CLOTHO_SIM_STRATEGIES_ROLE_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/strategy.h"

namespace clotho::sim {

class RoleRandomStrategy final : public Strategy {
 public:
  void BeginExecution(Rng& rng) override;
  std::size_t Choose(const ChoicePoint& point) override;

 private:
  struct Role {
    const void* code = nullptr;
    std::uint64_t pace = 1;
    std::uint64_t ready = 0;  // Of its tasks, at the present choice point.
  };

  std::uint64_t DrawPace();
  // Its index in `roles_`, where it is put if it is new.
  std::uint32_t RoleOf(const void* code);

  Rng* rng_ = nullptr;
  bool one_pace_ = true;
  std::uint64_t timer_pace_ = 1;
  // Of this execution, in the order in which they were seen.
  std::vector<Role> roles_;
  std::vector<std::uint32_t> role_of_;  // Scratch: of each candidate.
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_ROLE_RANDOM_H_
