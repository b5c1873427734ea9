// RandomStrategy: every candidate has the same probability at every choice.
//
// The random walk. It has no parameters and is very good at shallow bugs; an
// order that n choices in a row must respect takes it about 2^n executions.

#ifndef CLOTHO_SIM_STRATEGIES_RANDOM_H_
#define CLOTHO_SIM_STRATEGIES_RANDOM_H_

#include <cstddef>

#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/strategy.h"

namespace clotho::sim {

class RandomStrategy final : public Strategy {
 public:
  void BeginExecution(Rng& rng) override { rng_ = &rng; }
  std::size_t Choose(const ChoicePoint& point) override {
    return rng_->Uniform(point.size());
  }

 private:
  Rng* rng_ = nullptr;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_RANDOM_H_
