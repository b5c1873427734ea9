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
// k is that of the longest execution of the warm-up. Only steps with a choice
// count. A chain that was given way to for long, without another one getting a
// turn, is taken to be polling, and is put below the others: so nobody who
// yields in a loop can keep out for ever whom he waits for.

#ifndef CLOTHO_SIM_STRATEGIES_PCT_H_
#define CLOTHO_SIM_STRATEGIES_PCT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "clotho/sim/profile.h"
#include "clotho/sim/random.h"
#include "clotho/sim/strategy.h"

namespace clotho::sim {

class PctStrategy final : public Strategy {
 public:
  // With a depth of 0 each execution draws its own, from 1 to kDepthMax: how
  // deep a bug is is not known beforehand.
  explicit PctStrategy(std::uint64_t depth = 0) : depth_(depth) {}
  static constexpr std::uint64_t kDepthMax = 5;

  std::uint64_t warm_up() const override { return 4; }
  void Prepare(const Profile& profile) override { profile_ = &profile; }
  void BeginExecution(Rng& rng) override;
  std::size_t Choose(const ChoicePoint& point) override;

 private:
  // Steps that one chain may take in a row while others could run.
  static constexpr std::uint64_t kPollingSteps = 100;

  const std::uint64_t depth_;
  const Profile* profile_ = nullptr;
  Rng* rng_ = nullptr;
  // By the chain's number. Initial ones are random, with the highest bit set;
  // lowered ones count down from there.
  std::vector<std::uint64_t> priorities_;
  std::uint64_t next_lower_ = 0;
  std::vector<std::uint64_t> change_points_;  // Falling; the last comes next.
  std::uint64_t choice_points_ = 0;           // So far.
  std::uint32_t last_chain_ = 0;
  std::uint64_t in_a_row_ = 0;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_PCT_H_
