// GuidedStrategy: keeps schedules that showed something new, and varies them.
//
// New is a handoff between two places that have not been seen to follow each
// other: one task uses an object, and another task uses it next (see
// engine/handoffs.h). Also new is a handoff that follows another handoff,
// possibly of another object, for the first time. Greybox fuzzers for
// concurrent programs are guided by handoffs: the reads-from pairs of RFF
// (Wolff, Shi, Duck, Mathur and Roychoudhury, ASPLOS 2024), and the orders of
// resource uses in the timeline coverage of Fest (NSDI 2026). A bug that needs
// several unlikely handoffs is thus reached one handoff at a time instead of
// all at once. Single handoffs are soon exhausted, and then there is nothing
// left to learn: with pairs, the search finds SafeStack several times as fast,
// and in all searches (docs/race_table.md).
//
// One execution in four is one of FuzzStrategy's, and so is every execution
// while no schedule has been kept. The others start from the deviations of a
// kept schedule. Half of them follow it up to some step and continue at random,
// by role. Half follow it to the end, with a few changes: a deviation is added,
// removed, moved or replaced, or the part after some step comes from another
// kept schedule. If there is no choice at the step of a deviation, it applies
// to the next choice. An execution that shows something new is kept.
//
// It promises a quarter of what FuzzStrategy promises, which is the better one
// for most bugs, because most bugs are shallow. What it finds beyond that
// depends on whether the bug can be approached step by step. The search is a
// function of the seed; but since each execution depends on earlier ones, an
// execution cannot be rerun by its number, only by its deviations. The strategy
// uses at most about 4 MiB, however long the search: the last 128 schedules
// with at most 2,048 deviations each (longer ones are truncated), and a bitmap
// of a million bits for pairs of handoffs.

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
  // Each part is independent: it has the seeds of its own executions, and
  // learns only from them.
  bool numbered() const override { return false; }
  bool TakePart(std::uint64_t, std::uint64_t) override { return true; }
  void HandedOver(std::uint64_t handoff) override;
  void EndExecution() override;

  std::span<const Deviations> corpus() const override { return kept_; }
  // The number of distinct pairs of consecutive handoffs seen so far; the first
  // handoff of an execution counts as a pair. (Pairs that share a bit count
  // once.)
  std::size_t handoffs() const { return seen_.count(); }

 private:
  // A deviation whose choice is drawn when its step is reached.
  static constexpr std::uint32_t kAny = 0;

  // Fills `plan_` from a kept schedule.
  void MakePlan();
  void Mutate(std::uint64_t length);
  // The deviation planned for `step`; null: none.
  const Deviation* PlannedAt(std::uint64_t step);
  std::size_t ChoosePlanned(const ChoicePoint& point);
  // Records what was chosen.
  void Note(std::uint64_t step, std::uint32_t choice);

  FuzzStrategy fuzz_;
  RoleRandomStrategy pick_;
  Rng* rng_ = nullptr;
  std::uint64_t profile_steps_ = 1;

  std::vector<Deviations> kept_;
  std::size_t oldest_ = 0;  // The next one to be overwritten.
  std::bitset<1'048'576> seen_;

  // Of the current execution.
  bool fresh_ = true;  // It is an execution of `fuzz_`.
  Deviations plan_;
  std::size_t next_ = 0;            // Index in `plan_`.
  std::uint64_t random_after_ = 0;  // Steps after this one are random.
  Deviations taken_;
  std::uint64_t last_handoff_ = 0;  // 0: none yet.
  bool shows_new_ = false;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_GUIDED_H_
