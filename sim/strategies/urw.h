// UrwStrategy: the probability of a chain is proportional to its remaining
// steps.
//
// The uniform random walk (Zhao, Wolff, Mathur and Roychoudhury, ASPLOS 2025).
// If the numbers are right and no task blocks, all interleavings are equally
// likely; in a walk that is uniform at each step, a short task hardly ever
// comes last. The warm-up estimates the numbers: the steps of a task and of all
// the tasks that it creates.

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

  // The estimated total of each chain, less the estimates of its children.
  // Indexed by chain.
  std::vector<std::uint64_t> totals_;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_URW_H_
