// DelayBoundedStrategy: FIFO order, except for a few random deviations.
//
// Delay-bounded scheduling (Emmi, Qadeer and Rakamaric, POPL 2011), sampled:
// FIFO order is the deterministic scheduler, and each deviation is a delay.
// Most bugs need one or two. Each execution draws the number of deviations,
// from 1 to the bound, and their choice points; what runs there is drawn by
// role, as in RoleRandomStrategy. If b deviations suffice for a bug, an
// execution finds it with a probability of at least about 1 / (bound (k m)^b),
// for k choice points with m candidates.

#ifndef CLOTHO_SIM_STRATEGIES_DELAY_BOUNDED_H_
#define CLOTHO_SIM_STRATEGIES_DELAY_BOUNDED_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "clotho/sim/engine/profile.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/strategies/role_random.h"

namespace clotho::sim {

class DelayBoundedStrategy final : public Strategy {
 public:
  explicit DelayBoundedStrategy(std::uint64_t deviations_max = 3)
      : deviations_max_(deviations_max) {}

  std::uint64_t warm_up() const override { return 4; }
  void Prepare(const Profile& profile) override { profile_ = &profile; }
  void BeginExecution(Rng& rng) override;
  std::size_t Choose(const ChoicePoint& point) override;

 private:
  const std::uint64_t deviations_max_;
  const Profile* profile_ = nullptr;
  RoleRandomStrategy pick_;
  // In descending order; the last one comes next.
  std::vector<std::uint64_t> deviations_;
  std::uint64_t choice_points_ = 0;  // So far.
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_DELAY_BOUNDED_H_
