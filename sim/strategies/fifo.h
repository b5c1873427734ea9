// FifoStrategy: the order of asyncio. Shows what a program does without a
// search.

#ifndef CLOTHO_SIM_STRATEGIES_FIFO_H_
#define CLOTHO_SIM_STRATEGIES_FIFO_H_

#include <cstddef>
#include <cstdint>

#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/strategy.h"

namespace clotho::sim {

class FifoStrategy final : public Strategy {
 public:
  void BeginExecution(Rng&) override {}
  std::size_t Choose(const ChoicePoint&) override { return 0; }
  std::uint64_t ChooseValue(const ValueChoice&, Rng&) override { return 0; }
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_FIFO_H_
