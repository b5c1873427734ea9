// PosStrategy: every pending step has a random priority, and gets a new one
// after a conflicting step has run.
//
// Partial order sampling (Yuan, Yang and Gu, CAV 2018). Redrawing makes the
// orders of conflicting steps nearly equally likely, however many independent
// steps lie between them.
//
// What a step will touch is unknown before it runs. The strategy assumes that
// it touches what the same step of the same task touched during the warm-up
// (see Profile), and that a step that was not seen then conflicts with nothing.
// In a program without tracked state this is Basic POS of the same paper.

#ifndef CLOTHO_SIM_STRATEGIES_POS_H_
#define CLOTHO_SIM_STRATEGIES_POS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "clotho/sim/engine/profile.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/strategies/profiled.h"

namespace clotho::sim {

class PosStrategy final : public ProfiledStrategy {
 private:
  void Begin() override;
  std::size_t Pick(const ChoicePoint& point) override;
  const Footprint* FootprintOf(const ChoicePoint& point,
                               const Candidate& candidate) const;

  // Indexed by chain; 0: not drawn yet.
  std::vector<std::uint64_t> priorities_;
  // The step for which the priority was drawn.
  std::vector<std::uint32_t> steps_;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_POS_H_
