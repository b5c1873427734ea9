// ProfiledStrategy: the common part of strategies that use a Profile.
//
// They learn from the warm-up, and they can be unfair. A priority that is drawn
// once, or a weight that is used up, may keep a task waiting forever. If all
// others poll for what that task would do next, the execution never ends: a
// livelock that no real scheduler would show. Hence the limit: an execution
// with far more choices than expected continues as a random walk, in which
// every task runs eventually. A livelock that remains is one of the program.
// (Coyote's fair schedulers do the same: Deligiannis and others, TACAS 2023.)
//
// Limiting how many steps a task takes in a row is not enough: two tasks that
// poll in turns would starve a third. And below the limit the guarantees of the
// strategies are unaffected.

#ifndef CLOTHO_SIM_STRATEGIES_PROFILED_H_
#define CLOTHO_SIM_STRATEGIES_PROFILED_H_

#include <cstddef>
#include <cstdint>

#include "clotho/sim/engine/profile.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/strategy.h"

namespace clotho::sim {

class ProfiledStrategy : public Strategy {
 public:
  std::uint64_t warm_up() const final { return 4; }
  void Prepare(const Profile& profile) final {
    profile_ = &profile;
    patience_ = 2 * profile.choice_points() + kPatienceMin;
    OnProfile();
  }
  void BeginExecution(Rng& rng) final {
    rng_ = &rng;
    choice_points_ = 0;
    Begin();
  }
  std::size_t Choose(const ChoicePoint& point) final {
    if (++choice_points_ > patience_) return rng_->Uniform(point.size());
    return Pick(point);
  }

 protected:
  // Chooses while the execution is within the limit.
  virtual std::size_t Pick(const ChoicePoint& point) = 0;
  virtual void Begin() = 0;
  virtual void OnProfile() {}

  const Profile& profile() const { return *profile_; }
  Rng& rng() { return *rng_; }
  // Of this execution so far, including the current one.
  std::uint64_t choice_points() const { return choice_points_; }

 private:
  static constexpr std::uint64_t kPatienceMin = 100;

  const Profile* profile_ = nullptr;
  Rng* rng_ = nullptr;
  std::uint64_t patience_ = 0;
  std::uint64_t choice_points_ = 0;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_PROFILED_H_
