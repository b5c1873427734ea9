// FuzzStrategy: a portfolio of the other strategies, and the default of a
// search.
//
// No strategy is best for all programs: some bugs are found at once by one and
// never by another. For each execution, one of them is drawn.

#ifndef CLOTHO_SIM_STRATEGIES_FUZZ_H_
#define CLOTHO_SIM_STRATEGIES_FUZZ_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "clotho/sim/engine/profile.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/strategies/delay_bounded.h"
#include "clotho/sim/strategies/pct.h"
#include "clotho/sim/strategies/pos.h"
#include "clotho/sim/strategies/random.h"
#include "clotho/sim/strategies/role_random.h"
#include "clotho/sim/strategies/surw.h"
#include "clotho/sim/strategies/urw.h"

namespace clotho::sim {

class FuzzStrategy final : public Strategy {
 public:
  std::uint64_t warm_up() const override { return 4; }
  void Prepare(const Profile& profile) override;
  void BeginExecution(Rng& rng) override;
  std::size_t Choose(const ChoicePoint& point) override {
    return current_->Choose(point);
  }
  StrategyPart part() const override;

 private:
  RandomStrategy random_;
  RoleRandomStrategy role_random_;
  PctStrategy pct_;
  PosStrategy pos_;
  UrwStrategy urw_;
  SurwStrategy surw_;
  DelayBoundedStrategy delay_bounded_;
  Strategy* current_ = nullptr;
  std::string_view current_name_;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_FUZZ_H_
