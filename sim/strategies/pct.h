// PctStrategy: the highest priority runs, and a few times it is lowered.
//
// Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi and
// Nagarakatte, ASPLOS 2010), over chains (Ozkan, Majumdar, Niksic, Tabaei
// Befrouei and Weissenbacher, OOPSLA 2018): every chain gets a random priority,
// and at depth - 1 random choice points the one that would run is put below all
// others. It finds a bug that `depth` orderings suffice to provoke with a
// chance of at least 1 / (n k^(depth - 1)) in each execution, for n chains and
// k choice points.
//
// k is what the warm-up lets one expect. Only steps with a choice count.

#ifndef CLOTHO_SIM_STRATEGIES_PCT_H_
#define CLOTHO_SIM_STRATEGIES_PCT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/strategies/profiled.h"

namespace clotho::sim {

class PctStrategy final : public ProfiledStrategy {
 public:
  // With a depth of 0 each execution draws its own, from 1 to kDepthMax: how
  // deep a bug is is not known beforehand.
  explicit PctStrategy(std::uint64_t depth = 0) : depth_(depth) {}
  static constexpr std::uint64_t kDepthMax = 5;

  // By depth, since what PCT guarantees is of one depth.
  StrategyPart part() const override {
    if (drawn_ == 0) return {};
    return {.name = "pct", .depth = drawn_};
  }

 private:
  void Begin() override;
  std::size_t Pick(const ChoicePoint& point) override;

  const std::uint64_t depth_;
  std::uint64_t drawn_ = 0;  // For the last execution. 0: there was none.
  // By the chain's number. Initial ones are random, with the highest bit set;
  // lowered ones count down from there.
  std::vector<std::uint64_t> priorities_;
  std::uint64_t next_lower_ = 0;
  std::vector<std::uint64_t> change_points_;  // Falling; the last comes next.
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_PCT_H_
