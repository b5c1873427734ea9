#include "clotho/sim/strategies/surw.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace clotho::sim {

void SurwStrategy::Begin() {
  states_.clear();
  intended_ = kNobody;
  const std::span<const std::uint64_t> objects = profile().shared_objects();
  object_ = objects.empty() ? 0 : objects[rng().Uniform(objects.size())];
  uniform_.BeginExecution(rng());
}

void SurwStrategy::NoteNewChains(const ChoicePoint& point) {
  while (states_.size() < point.chains().size()) {
    const Chain& chain = point.chains()[states_.size()];
    const std::uint64_t weight = profile().StepsTouching(object_, chain.path);
    const std::uint32_t number = static_cast<std::uint32_t>(states_.size());
    states_.push_back({.weight = weight});
    if (chain.parent >= number) continue;
    // The drawn task may be this child.
    State& parent = states_[chain.parent];
    if (intended_ == chain.parent && parent.weight > 0 &&
        rng().Chance(std::min(weight, parent.weight), parent.weight)) {
      intended_ = number;
    }
    parent.weight -= std::min(parent.weight, weight);
  }
}

bool SurwStrategy::IsInteresting(const ChoicePoint& point,
                                 std::uint32_t chain) const {
  const Chain& known = point.chains()[chain];
  const Footprint* const footprint =
      profile().FootprintOf(known.path, known.steps + 1);
  if (footprint == nullptr) return false;
  const auto at = std::lower_bound(
      footprint->begin(), footprint->end(), object_,
      [](const Access& a, std::uint64_t o) { return a.object < o; });
  return at != footprint->end() && at->object == object_;
}

void SurwStrategy::ReleaseAll() {
  for (State& state : states_) state.held = false;
  intended_ = kNobody;
}

std::size_t SurwStrategy::Pick(const ChoicePoint& point) {
  if (object_ == 0) return uniform_.Choose(point);
  NoteNewChains(point);
  for (;;) {
    // The task with the highest priority that is not held.
    std::size_t best = point.size();
    std::uint64_t best_priority = 0;
    for (std::size_t i = 0; i < point.size(); ++i) {
      const std::uint32_t chain = point[i].chain();
      State& state = states_[chain];
      if (state.held) continue;
      const std::uint32_t step = point.chains()[chain].steps + 1;
      if (state.priority == 0 || state.priority_step != step) {
        state.priority = rng().Next() | 1;
        state.priority_step = step;
      }
      if (state.priority > best_priority) {
        best = i;
        best_priority = state.priority;
      }
    }
    if (best == point.size()) {
      ReleaseAll();  // The drawn task cannot run now.
      continue;
    }
    const std::uint32_t chain = point[best].chain();
    if (!IsInteresting(point, chain)) return best;
    State& state = states_[chain];
    if (state.weight == 0) state.weight = 1;  // The estimate was low.
    if (intended_ == kNobody) {
      std::uint64_t sum = 0;
      for (std::size_t i = 0; i < point.size(); ++i) {
        sum += states_[point[i].chain()].weight;
      }
      std::uint64_t drawn = rng().Uniform(sum);
      for (std::size_t i = 0; intended_ == kNobody; ++i) {
        const std::uint32_t candidate = point[i].chain();
        if (drawn < states_[candidate].weight) intended_ = candidate;
        drawn -= std::min(drawn, states_[candidate].weight);
      }
    }
    if (chain == intended_) {
      --state.weight;
      ReleaseAll();
      return best;
    }
    state.held = true;
  }
}

}  // namespace clotho::sim
