// GuidedStrategy: keeps schedules that showed something new, and varies them.
//
// What is new is a handoff: one task uses an object and another one uses it
// next, at two places that were not seen to follow each other before (see
// engine/handoffs.h); or a handoff that follows another one that it has
// not followed before, be it of another object. Hand-overs are what greybox
// fuzzing of concurrent programs goes by: the reads-from pairs of RFF (Wolff,
// Shi, Duck, Mathur and Roychoudhury, ASPLOS 2024), and the orders in which a
// resource is used of the timeline coverage of Fest (NSDI 2026). A bug that
// takes several unlikely handoffs is so reached one at a time, and not all at
// once. Hand-overs alone are soon all seen, in whatever order, and then there
// is nothing left to learn: with two in a row it finds SafeStack several times
// as fast, and in all searches (docs/race_table.md).
//
// One execution in four, and each as long as nothing is kept, is one of
// FuzzStrategy's. The others take the deviations of a schedule that was kept.
// Half of them follow it up to some step, and go on at random, by role. Half
// follow it to the end, changed in a few places: a deviation is added, left
// out, moved or replaced, or what comes after some step is taken from another
// schedule. A deviation that finds no choice at its step is made at the next
// one. An execution that shows a handoff for the first time is kept.
//
// It promises a quarter of what FuzzStrategy does, which is the better one for
// most bugs: they are shallow. What this one finds beyond depends on whether
// the bug can be come by step by step. It is a function of the seed; but since
// each execution depends on those before it, they cannot be run again by their
// number, only by their deviations. It takes at most some 4 MiB, however long
// the search: the last 128 schedules of at most 2,048 deviations each (longer
// ones are cut off there), and one of a million bits for each two handoffs.

#ifndef CLOTHO_SIM_STRATEGIES_GUIDED_H_
#define CLOTHO_SIM_STRATEGIES_GUIDED_H_

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "clotho/sim/engine/profile.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/strategies/fuzz.h"
#include "clotho/sim/strategies/role_random.h"

namespace clotho::sim {

class GuidedStrategy final : public Strategy {
 public:
  std::uint64_t warm_up() const override { return fuzz_.warm_up(); }
  void Prepare(const Profile& profile) override;
  void BeginExecution(Rng& rng) override;
  std::size_t Choose(const ChoicePoint& point) override;
  std::uint64_t ChooseValue(const ValueChoice& choice, Rng& rng) override;
  bool wants_handoffs() const override { return true; }
  // Parts are islands: each has the seeds of its executions, and keeps what it
  // has seen itself.
  bool numbered() const override { return false; }
  bool TakePart(std::uint64_t, std::uint64_t) override { return true; }
  void HandedOver(std::uint64_t handoff) override;
  void EndExecution() override;

  std::span<const Deviations> corpus() const override { return kept_; }
  // How many different handoffs in a row, two at a time, it has seen; the
  // first one of an execution counts as one. (Those that share a bit count
  // once.)
  std::size_t handoffs() const { return seen_.count(); }

 private:
  // A deviation whose choice is drawn when its step has come.
  static constexpr std::uint32_t kAny = 0;

  // Fills `plan_` from what was kept.
  void MakePlan();
  void Mutate(std::uint64_t length);
  // The choice of the deviation that is planned for `step`; null: none is.
  const Deviation* PlannedAt(std::uint64_t step);
  std::size_t ChoosePlanned(const ChoicePoint& point);
  // Notes what was chosen.
  void Note(std::uint64_t step, std::uint32_t choice);

  FuzzStrategy fuzz_;
  RoleRandomStrategy pick_;
  Rng* rng_ = nullptr;
  std::uint64_t profile_steps_ = 1;

  std::vector<Deviations> kept_;
  std::size_t oldest_ = 0;  // To make room for the next one.
  std::bitset<1'048'576> seen_;

  // Of the present execution.
  bool fresh_ = true;  // One of `fuzz_`.
  Deviations plan_;
  std::size_t next_ = 0;            // In `plan_`.
  std::uint64_t random_after_ = 0;  // Steps after this one are not planned.
  Deviations taken_;
  std::uint64_t last_handoff_ = 0;  // 0: there was none.
  bool shows_new_ = false;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_GUIDED_H_
