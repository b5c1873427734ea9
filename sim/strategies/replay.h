// ReplayStrategy: FIFO order, except for a list of deviations.
//
// A deviation may not apply: the program has changed, or the list is an attempt
// to shrink another one. Such a deviation is skipped, and `divergence` says
// which one it was and why.

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

  // The first deviation so far that did not apply, in words.
  const std::optional<std::string>& divergence() const { return divergence_; }

  // For the end of the execution: the first deviation that did not apply,
  // including those after the execution's last step.
  std::optional<std::string> FinalDivergence() const;

 private:
  // Peek returns the deviation at `step`, or null, and records those that were
  // skipped. At also advances past it.
  const Deviation* Peek(std::uint64_t step);
  const Deviation* At(std::uint64_t step);
  void Diverge(const Deviation& deviation, std::string_view why);

  const Deviations* deviations_;
  std::size_t next_ = 0;
  std::optional<std::string> divergence_;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_REPLAY_H_
