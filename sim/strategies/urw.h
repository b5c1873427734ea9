// UrwStrategy: a chain's chance is the number of steps it still has to take.
//
// The uniform random walk (Zhao, Wolff, Mathur and Roychoudhury, ASPLOS 2025).
// If the numbers are right and nobody blocks, all interleavings are equally
// likely; in a walk that is uniform at each step, a short task hardly ever
// comes last. The numbers are those of the warm-up: the steps of a task,
// with those of the tasks it creates.

#ifndef CLOTHO_SIM_STRATEGIES_URW_H_
#define CLOTHO_SIM_STRATEGIES_URW_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/strategies/profiled.h"

namespace clotho::sim {

class UrwStrategy final : public ProfiledStrategy {
 private:
  void Begin() override;
  std::size_t Pick(const ChoicePoint& point) override;

  // What a chain was thought to have in all, without what its children took
  // with them. By its number.
  std::vector<std::uint64_t> totals_;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_URW_H_
