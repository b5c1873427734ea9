// SurwStrategy: all interleavings of the steps that touch one object are
// equally likely.
//
// The selectively uniform random walk (Zhao, Wolff, Mathur and Roychoudhury,
// ASPLOS 2025). Each execution picks one shared object at random; the steps
// that touch it are the interesting ones. The task that takes the next
// interesting step is drawn in proportion to the interesting steps that each
// task still has to take. Only that task may take its interesting step; the
// others run up to theirs, ordered by random priorities.
//
// The warm-up (see Profile) tells which objects there are, and which steps
// touch them. In a program without tracked state every step is interesting, so
// this is the uniform random walk.

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
    // The interesting steps that it still has to take.
    std::uint64_t weight = 0;
    std::uint64_t priority = 0;  // For its other steps; 0: not drawn yet.
    std::uint32_t priority_step = 0;
    bool held = false;  // It has to wait before an interesting step.
  };

  void OnProfile() override { uniform_.Prepare(profile()); }
  void Begin() override;
  std::size_t Pick(const ChoicePoint& point) override;
  void NoteNewChains(const ChoicePoint& point);
  bool IsInteresting(const ChoicePoint& point, std::uint32_t chain) const;
  void ReleaseAll();

  UrwStrategy uniform_;  // Used if nothing is shared.
  std::uint64_t object_ = 0;
  std::vector<State> states_;
  std::uint32_t intended_ = kNobody;  // Takes the next interesting step.
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_SURW_H_
