#include "clotho/sim/search/choice_list.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/strategy.h"

namespace clotho::sim::internal {

void ChoiceList::BeginExecution(Rng& rng) {
  steps_.clear();
  replay_.BeginExecution(rng);
}

std::size_t ChoiceList::Choose(const ChoicePoint& point) {
  const std::size_t taken = replay_.Choose(point);
  const std::size_t ready = point.size() - (point.has_timer() ? 1 : 0);
  Add(point.step(), ready, taken);
  if (point.has_timer() && taken != ready) {
    steps_.back().choices.push_back(point.fifo_only()
                                        ? Deviation::Due(point.boundary())
                                        : Deviation::kTimer);
  }
  return taken;
}

std::uint64_t ChoiceList::ChooseValue(const ValueChoice& choice, Rng& rng) {
  const std::uint64_t taken = replay_.ChooseValue(choice, rng);
  Add(choice.step, choice.size, taken);
  return taken;
}

void ChoiceList::Add(std::uint64_t step, std::uint64_t size,
                     std::uint64_t taken) {
  Others& others = steps_.emplace_back();
  others.step = step;
  for (std::uint64_t choice = 0;
       choice < size && others.choices.size() < choices_max_; ++choice) {
    if (choice != taken) {
      others.choices.push_back(static_cast<std::uint32_t>(choice));
    }
  }
}

}  // namespace clotho::sim::internal
