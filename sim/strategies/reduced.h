// ReducedStrategy: runs one of all executions that differ only in the order of
// independent steps.
//
// Dynamic partial-order reduction with source sets and sleep sets (Abdulla,
// Aronsson, Jonsson and Sagonas, POPL 2014). Two steps are independent unless
// they touch a common object and at least one of them writes it (step_log.h).
// After each execution the strategy looks for races: two conflicting steps that
// nothing else orders. For each race it marks a step that leads to the other
// order, to be tried where the first of the two was chosen. A step that was
// tried there sleeps in the sibling branches until a conflicting step runs.
// This reaches every final state, every deadlock and every failure of a single
// step that the full search reaches.
//
// This holds if all state that tasks share is Tracked, or a Future, Task, Lock,
// Event, Condition, Semaphore, Queue or Gather, or a timer. (It does not detect
// that two tasks share a Context, or that a task reads the automatic name of
// another.) A timer conflicts with everything. The reduction is abandoned when
// an execution uses something whose conflicts are unknown, depends on when the
// runtime's bookkeeping runs, or polls so long that it may never end (see
// exhaustive.h). The search then starts over with all executions, and `scope`
// says why. It cannot be combined with a bound on deviations: the execution
// that represents another one may have more deviations.

#ifndef CLOTHO_SIM_STRATEGIES_REDUCED_H_
#define CLOTHO_SIM_STRATEGIES_REDUCED_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/step_log.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/strategies/exhaustive.h"

namespace clotho::sim {

class ReducedStrategy final : public Strategy {
 public:
  void BeginExecution(Rng& rng) override;
  std::size_t Choose(const ChoicePoint& point) override;
  std::uint64_t ChooseValue(const ValueChoice& choice, Rng& rng) override;
  void EndExecution() override;
  StepLog* log() override { return gave_up_.empty() ? &log_ : nullptr; }
  bool done() const override { return gave_up_.empty() ? done_ : all_.done(); }
  std::string scope() const override;
  std::uint64_t repeated() const override { return repeated_; }
  bool numbered() const override { return false; }

 private:
  // A sleeping process, and what its next step touches.
  struct Sleeper {
    std::uint64_t process;
    StepLog::Event step;
  };

  // A choice on the path of the current execution.
  struct Node {
    bool is_value = false;
    std::size_t size = 0;
    std::size_t chosen = 0;
    // For steps only:
    std::vector<std::uint64_t> enabled;  // Processes.
    // By index in `enabled`; includes those that were tried.
    std::vector<bool> to_try;
    std::vector<Sleeper> asleep;  // On arrival at the node.
    std::vector<Sleeper> tried;
    // What the chosen step touches, for any of its values.
    StepLog::Event step;
  };

  Node& Push();
  void Pop() { --size_; }
  static bool IsIn(const std::vector<Sleeper>& sleepers, std::uint64_t process);
  bool Sleeps(const Node& node, std::uint64_t process) const;
  // Collects what is asleep after the last step and its consequences.
  void PutToSleep(std::vector<Sleeper>& asleep) const;
  // Whether the rest of the execution is not examined.
  bool IsOver();
  // Bookkeeping has touched something on behalf of earlier steps.
  void WakeForLate();
  void FindRaces();
  // Marks the timer that the step of a node has kept from firing: no execution
  // that continues from there would show it in a race.
  void TryTimer(std::size_t at);
  // Marks a step that reverses the order of two events.
  void Reverse(std::size_t first, std::size_t second);
  bool IsBefore(std::size_t a, std::size_t b) const {
    return (before_[b * words_ + a / 64] >> (a % 64) & 1) != 0;
  }
  void Join(std::size_t into, std::size_t from);

  StepLog log_;
  std::vector<Node> nodes_;  // Reused between executions.
  std::size_t size_ = 0;
  std::vector<std::size_t> steps_;  // The nodes that are steps, in order.
  std::size_t made_ = 0;            // Nodes visited in this execution.
  // The most nodes that an execution may have.
  std::uint64_t patience_ = UINT64_MAX;
  std::size_t late_seen_ = 0;
  std::size_t seen_ = 0;     // Size of the log at the last choice.
  std::size_t visible_ = 0;  // Steps in that part of the log.
  std::vector<Sleeper> asleep_;
  bool blocked_ = false;  // Everything sleeps: what follows was seen before.
  bool done_ = false;
  std::uint64_t executions_ = 0;
  std::uint64_t repeated_ = 0;

  // For the last execution: which event happened before which, as bits; and the
  // nodes of its events.
  std::vector<std::uint64_t> before_;
  std::size_t words_ = 0;
  std::vector<std::size_t> node_of_;
  std::vector<std::size_t> races_;

  std::string gave_up_;  // The reason; empty: it has not given up.
  ExhaustiveStrategy all_;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_REDUCED_H_
