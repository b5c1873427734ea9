// PosStrategy: every pending step has a random priority, and draws a new one
// when a conflicting step has run.
//
// Partial order sampling (Yuan, Yang and Gu, CAV 2018). Redrawing makes the
// orders of conflicting steps nearly equally likely, however many steps that
// conflict with nothing lie between them.
//
// What a step is going to touch is not known before it runs; it is taken to be
// what the same step of the same task touched during the warm-up (see Profile),
// and a step that was not seen then is taken to conflict with nothing. In a
// program without tracked state this is Basic POS of the same paper.

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

  // By the chain's number; 0: to be drawn.
  std::vector<std::uint64_t> priorities_;
  std::vector<std::uint32_t> steps_;  // The step that it was drawn for.
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_POS_H_
