// SurwStrategy: all interleavings of what touches one object are equally
// likely.
//
// The selectively uniform random walk (Zhao, Wolff, Mathur and Roychoudhury,
// ASPLOS 2025). Each execution picks one shared object at random; the steps
// that touch it are the interesting ones. Who takes the next interesting step
// is drawn by how many each task still has to take; it alone may pass, and the
// others run up to theirs, in a random order of priority.
//
// Objects, and who touches them when, are known from the warm-up (see Profile).
// In a program without tracked state every step is interesting, which makes it
// the uniform random walk.

#ifndef CLOTHO_SIM_STRATEGIES_SURW_H_
#define CLOTHO_SIM_STRATEGIES_SURW_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/strategies/profiled.h"
#include "clotho/sim/strategies/urw.h"

namespace clotho::sim {

class SurwStrategy final : public ProfiledStrategy {
 private:
  static constexpr std::uint32_t kNobody = UINT32_MAX;

  // What is known of a chain, by its number.
  struct State {
    std::uint64_t weight = 0;    // Interesting steps that it still has.
    std::uint64_t priority = 0;  // For the steps that are not; 0: to be drawn.
    std::uint32_t priority_step = 0;
    bool held = false;  // Stands before an interesting step, and has to wait.
  };

  void OnProfile() override { uniform_.Prepare(profile()); }
  void Begin() override;
  std::size_t Pick(const ChoicePoint& point) override;
  void NoteNewChains(const ChoicePoint& point);
  bool IsInteresting(const ChoicePoint& point, std::uint32_t chain) const;
  void ReleaseAll();

  UrwStrategy uniform_;  // Takes over where nothing is shared.
  std::uint64_t object_ = 0;
  std::vector<State> states_;
  std::uint32_t intended_ = kNobody;  // Takes the next interesting step.
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_SURW_H_
