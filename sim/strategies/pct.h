// PctStrategy: the highest priority runs, and a few times it is lowered.
//
// Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi and
// Nagarakatte, ASPLOS 2010), over chains (Ozkan, Majumdar, Niksic, Tabaei
// Befrouei and Weissenbacher, OOPSLA 2018): every chain gets a random priority,
// and at depth - 1 random choice points the chain that would run is moved below
// all others. If `depth` ordering constraints suffice to trigger a bug, each
// execution finds it with a probability of at least 1 / (n k^(depth - 1)), for
// n chains and k choice points.
//
// The warm-up estimates k. Only steps with a choice count.

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
  // With a depth of 0 each execution draws its own, from 1 to kDepthMax,
  // because the depth of a bug is unknown beforehand.
  explicit PctStrategy(std::uint64_t depth = 0) : depth_(depth) {}
  static constexpr std::uint64_t kDepthMax = 5;

  // By depth, since PCT's guarantee is for one depth.
  StrategyPart part() const override {
    if (drawn_ == 0) return {};
    return {.name = "pct", .depth = drawn_};
  }

 private:
  void Begin() override;
  std::size_t Pick(const ChoicePoint& point) override;

  const std::uint64_t depth_;
  std::uint64_t drawn_ = 0;  // The depth of the last execution. 0: none yet.
  // Indexed by chain. Initial priorities are random, with the highest bit set;
  // lowered ones count down from there.
  std::vector<std::uint64_t> priorities_;
  std::uint64_t next_lower_ = 0;
  // In descending order; the last one comes next.
  std::vector<std::uint64_t> change_points_;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_PCT_H_
