// RoleRandomStrategy: draws a role first, then one of its tasks.
//
// Tasks that run the same coroutine function have the same role: a hundred
// workers and one supervisor are two roles; a timer is a role of its own.
//
// In a walk that is uniform over tasks, a supervisor among a hundred workers is
// chosen at one step in a hundred; this walk ignores how many tasks a role has.
// In half of the executions all ready roles have the same probability. In the
// other half each role has a pace of 1, 2, 4, 8, 16 or 32, drawn when the role
// is first seen, and a probability in proportion to it: so the supervisor may
// also be slow, and run when the workers are far into their work. Within a
// role, all tasks have the same probability. For a program in which every task
// has a role of its own, the first half is RandomStrategy.

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
    // How many of its tasks are ready at the current choice point.
    std::uint64_t ready = 0;
  };

  std::uint64_t DrawPace();
  // The index in `roles_`, to which a new role is added.
  std::uint32_t RoleOf(const void* code);

  Rng* rng_ = nullptr;
  bool one_pace_ = true;
  std::uint64_t timer_pace_ = 1;
  // Of this execution, in the order in which they were first seen.
  std::vector<Role> roles_;
  std::vector<std::uint32_t> role_of_;  // Scratch: the role of each candidate.
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_ROLE_RANDOM_H_
