// ProfiledStrategy: what the strategies that know the program have in common.
//
// They learn from the warm-up; and they can be unfair. A priority that is drawn
// once, or a weight that is used up, may keep a task waiting for ever, and if
// all others poll for what that task would do next, the execution never ends: a
// livelock that no scheduler in the world would show. So patience has an end.
// An execution that has met far more choices than any was expected to goes on
// as a random walk, in which everybody gets a turn sooner or later. What is
// still a livelock then is one of the program. (Coyote's fair schedulers do the
// same: Deligiannis and others, TACAS 2023.)
//
// To watch for who takes many steps in a row is not enough: two who poll in
// turns would keep out a third. And up to that point no guarantee of a strategy
// is touched.

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
  // What Choose does while there is patience.
  virtual std::size_t Pick(const ChoicePoint& point) = 0;
  virtual void Begin() = 0;
  virtual void OnProfile() {}

  const Profile& profile() const { return *profile_; }
  Rng& rng() { return *rng_; }
  // That this execution has met, this one included.
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
