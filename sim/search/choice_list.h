// ChoiceList: follows a schedule, and records the alternatives at each step.

#ifndef CLOTHO_SIM_SEARCH_CHOICE_LIST_H_
#define CLOTHO_SIM_SEARCH_CHOICE_LIST_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/strategies/replay.h"

namespace clotho::sim::internal {

class ChoiceList final : public Strategy {
 public:
  // The alternatives to what was chosen at a step: 0 is FIFO order, others are
  // as in a Deviation.
  struct Others {
    std::uint64_t step = 0;
    std::vector<std::uint32_t> choices;
  };

  // `deviations` must outlive the execution. At most `choices_max` alternatives
  // of a step are listed, plus the timer.
  ChoiceList(const Deviations& deviations, std::size_t choices_max)
      : replay_(deviations), choices_max_(choices_max) {}

  void BeginExecution(Rng& rng) override;
  std::size_t Choose(const ChoicePoint& point) override;
  std::uint64_t ChooseValue(const ValueChoice& choice, Rng& rng) override;

  // Sorted by step.
  const std::vector<Others>& steps() const { return steps_; }

 private:
  void Add(std::uint64_t step, std::uint64_t size, std::uint64_t taken);

  ReplayStrategy replay_;
  const std::size_t choices_max_;
  std::vector<Others> steps_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_CHOICE_LIST_H_
