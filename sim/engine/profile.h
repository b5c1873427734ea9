// Profile: what a search has learned about a program from its first executions.
//
// It holds the program's length, the number of its tasks, the steps of each
// task, and the shared state that the n-th step of a task touches. All of it is
// an estimate: under another schedule the program behaves differently.

#ifndef CLOTHO_SIM_ENGINE_PROFILE_H_
#define CLOTHO_SIM_ENGINE_PROFILE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace clotho::sim {

// What one step does to one shared object.
struct Access {
  std::uint64_t object = 0;  // The same number in all executions.
  bool write = false;

  friend auto operator<=>(const Access&, const Access&) = default;
};

// What a step touches: each object once, sorted by number.
using Footprint = std::vector<Access>;

// Whether the order of two steps matters: both touch the same object, and at
// least one of them writes it.
bool Conflict(const Footprint& a, const Footprint& b);

class Profile {
 public:
  // ---- What was learned. ----

  // The maximum over all executions; at least 1.
  std::uint64_t steps() const { return steps_; }
  // An estimate of the steps with a choice: slightly more than in any execution
  // so far, since others may be longer. If it were too low, nothing would ever
  // deviate in the last steps of a program.
  std::uint64_t choice_points() const {
    return choice_points_ + choice_points_ / 8 + 4;
  }
  std::uint64_t chains() const { return chains_; }

  // The most steps that a chain and all its descendants took in one execution.
  // 1 if unknown.
  std::uint64_t StepsWithin(std::uint64_t path) const;

  // What the `step`-th step of a chain (from 1) touched in any execution. Null
  // if it was never seen.
  const Footprint* FootprintOf(std::uint64_t path, std::uint64_t step) const;

  // Objects that several chains touch, and that at least one of them writes.
  std::span<const std::uint64_t> shared_objects() const {
    return shared_objects_;
  }

  // How many steps of a chain and all its descendants touch `object`: the
  // maximum in one execution.
  std::uint64_t StepsTouching(std::uint64_t object, std::uint64_t path) const;

  // ---- For the collector, execution by execution. ----

  struct Step {
    std::uint32_t chain;   // An index into `paths` and `parents`.
    std::uint32_t number;  // Within the chain, from 1.
    Footprint footprint;
  };
  struct Lineage {
    std::uint64_t path;
    std::uint32_t parent;
  };
  void Add(std::span<const Step> steps, std::span<const Lineage> chains,
           std::uint64_t choice_points);

 private:
  struct Moment {
    std::uint64_t path;
    std::uint64_t step;
    friend auto operator<=>(const Moment&, const Moment&) = default;
  };
  struct Use {
    std::uint64_t object;
    std::uint64_t path;
    friend auto operator<=>(const Use&, const Use&) = default;
  };

  std::uint64_t steps_ = 1;
  std::uint64_t choice_points_ = 1;
  std::uint64_t chains_ = 1;
  std::map<std::uint64_t, std::uint64_t> steps_within_;
  std::map<Moment, Footprint> footprints_;
  std::map<Use, std::uint64_t> steps_touching_;
  std::vector<std::uint64_t> shared_objects_;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_ENGINE_PROFILE_H_
