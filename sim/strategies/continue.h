// ContinueStrategy: follows a schedule up to some step, and continues at
// random.
//
// Shows how much of a failure is determined by then.

#ifndef CLOTHO_SIM_STRATEGIES_CONTINUE_H_
#define CLOTHO_SIM_STRATEGIES_CONTINUE_H_

#include <cstddef>
#include <cstdint>

#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/strategies/random.h"
#include "clotho/sim/strategies/replay.h"

namespace clotho::sim {

class ContinueStrategy final : public Strategy {
 public:
  // `deviations` must outlive the execution. Follows them for steps up to
  // `last_step`.
  ContinueStrategy(const Deviations& deviations, std::uint64_t last_step)
      : replay_(deviations), last_step_(last_step) {}

  void BeginExecution(Rng& rng) override {
    replay_.BeginExecution(rng);
    random_.BeginExecution(rng);
  }
  std::size_t Choose(const ChoicePoint& point) override {
    return point.step() <= last_step_ ? replay_.Choose(point)
                                      : random_.Choose(point);
  }
  std::uint64_t ChooseValue(const ValueChoice& choice, Rng& rng) override {
    return choice.step <= last_step_ ? replay_.ChooseValue(choice, rng)
                                     : random_.ChooseValue(choice, rng);
  }

 private:
  ReplayStrategy replay_;
  RandomStrategy random_;
  const std::uint64_t last_step_;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_CONTINUE_H_
