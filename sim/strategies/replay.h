// ReplayStrategy: FIFO order, but for a list of deviations.
//
// A deviation may not apply: the program has changed, or the list is an attempt
// at shrinking another. Leniently, it is dropped; strictly, `divergence` says
// which it was and why.

#ifndef CLOTHO_SIM_STRATEGIES_REPLAY_H_
#define CLOTHO_SIM_STRATEGIES_REPLAY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/strategy.h"

namespace clotho::sim {

class ReplayStrategy final : public Strategy {
 public:
  // `deviations` must outlive the execution.
  explicit ReplayStrategy(const Deviations& deviations)
      : deviations_(&deviations) {}

  void BeginExecution(Rng&) override {
    next_ = 0;
    divergence_.reset();
  }
  std::size_t Choose(const ChoicePoint& point) override;
  std::uint64_t ChooseValue(const ValueChoice& choice, Rng& rng) override;

  // The first deviation that did not apply, so far, in words.
  const std::optional<std::string>& divergence() const { return divergence_; }

  // To be asked at the end: the first deviation that did not apply, counting
  // those that the execution did not live to see.
  std::optional<std::string> FinalDivergence() const;

 private:
  // The deviation at `step`, or null; notes those that were passed by. At()
  // goes on to the next.
  const Deviation* Peek(std::uint64_t step);
  const Deviation* At(std::uint64_t step);
  void Diverge(const Deviation& deviation, std::string_view why);

  const Deviations* deviations_;
  std::size_t next_ = 0;
  std::optional<std::string> divergence_;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_REPLAY_H_
