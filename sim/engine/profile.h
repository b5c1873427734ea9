// Profile: what a search has learned about a program from its first executions.
//
// How long it is, how many tasks it has, how many steps each takes, and what
// shared state the n-th step of a task touches. All of it is an estimate: under
// another schedule a program does other things.

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
  std::uint64_t object = 0;  // The same object in all executions.
  bool write = false;

  friend auto operator<=>(const Access&, const Access&) = default;
};

// What a step touches, each object once, in the order of their numbers.
using Footprint = std::vector<Access>;

// Whether the order of two steps matters: both touch an object, and one of them
// changes it.
bool Conflict(const Footprint& a, const Footprint& b);

class Profile {
 public:
  // ---- What was learned. ----

  // The most that any execution had; at least 1.
  std::uint64_t steps() const { return steps_; }
  // Steps with a choice of what runs: somewhat more than any execution had,
  // since one that was not seen may be longer. If they were too few, nothing
  // would ever happen in the last steps of a program.
  std::uint64_t choice_points() const {
    return choice_points_ + choice_points_ / 8 + 4;
  }
  std::uint64_t chains() const { return chains_; }

  // The most steps that a chain took, with those of all it created, in one
  // execution. 1 if it is not known.
  std::uint64_t StepsWithin(std::uint64_t path) const;

  // What the `step`-th step of a chain (from 1) touched in any execution. Null
  // if it was never seen.
  const Footprint* FootprintOf(std::uint64_t path, std::uint64_t step) const;

  // Objects that several chains touch, and one of them changes.
  std::span<const std::uint64_t> shared_objects() const {
    return shared_objects_;
  }

  // How many steps of a chain, with those of all it created, touch `object`:
  // the most in one execution.
  std::uint64_t StepsTouching(std::uint64_t object, std::uint64_t path) const;

  // ---- For whoever collects it, execution by execution. ----

  struct Step {
    std::uint32_t chain;   // An index into `paths` and `parents`.
    std::uint32_t number;  // Of the chain's steps, from 1.
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
