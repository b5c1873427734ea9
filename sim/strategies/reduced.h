// ReducedStrategy: of executions that differ only in the order of independent
// steps, one.
//
// Dynamic partial-order reduction with source sets and sleep sets (Abdulla,
// Aronsson, Jonsson and Sagonas, POPL 2014). Two steps are independent if they
// touch no common object of which one of them changes it (step_log.h). Each
// execution is looked through for races: two conflicting steps that nothing
// else orders. For each, a step that leads to the other order is marked to be
// tried where the first of them was chosen. What was tried there sleeps in the
// siblings, until a step is run that conflicts with it. That reaches every
// final state, every deadlock and every failure of a single step that the full
// search reaches.
//
// It holds if all state that tasks share is Tracked, or a Future, Task, Lock,
// Event, Condition, Semaphore, Queue or Gather, or a timer. (That two tasks
// share a Context, and that a task looks at the automatic name of one, is not
// seen.) A timer conflicts with everything. When an execution uses something
// whose conflicts are not known, or does what depends on when the runtime's
// bookkeeping comes to its turn, or polls so long that it may never end (see
// exhaustive.h), the reduction is given up: the search begins anew with all
// executions, and `scope` says why. A bound on deviations does not go together
// with this: what stands for an execution may have more deviations than it.

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
  // A process that sleeps, and what its next step touches.
  struct Sleeper {
    std::uint64_t process;
    StepLog::Event step;
  };

  // A choice on the path of the present execution.
  struct Node {
    bool is_value = false;
    std::size_t size = 0;
    std::size_t chosen = 0;
    // Of a step:
    std::vector<std::uint64_t> enabled;  // Processes.
    std::vector<bool> to_try;            // Of them; also those that were tried.
    std::vector<Sleeper> asleep;         // When the node was come to.
    std::vector<Sleeper> tried;
    StepLog::Event step;  // What the chosen one touches, whatever the values.
  };

  Node& Push();
  void Pop() { --size_; }
  static bool IsIn(const std::vector<Sleeper>& sleepers, std::uint64_t process);
  bool Sleeps(const Node& node, std::uint64_t process) const;
  // Those that are asleep after the last step and all that it has led to.
  void PutToSleep(std::vector<Sleeper>& asleep) const;
  // Whether what follows of the execution is not looked at.
  bool IsOver();
  // Bookkeeping has touched something for steps of long ago.
  void WakeForLate();
  void FindRaces();
  // Marks the timer that the step of a node has kept from firing: in no
  // execution that goes on from there it is seen to be in a race.
  void TryTimer(std::size_t at);
  // Marks what reverses the order of two events.
  void Reverse(std::size_t first, std::size_t second);
  bool IsBefore(std::size_t a, std::size_t b) const {
    return (before_[b * words_ + a / 64] >> (a % 64) & 1) != 0;
  }
  void Join(std::size_t into, std::size_t from);

  StepLog log_;
  std::vector<Node> nodes_;  // Kept for their memory.
  std::size_t size_ = 0;
  std::vector<std::size_t> steps_;       // The nodes of steps, in their order.
  std::size_t made_ = 0;                 // Of the nodes, in this execution.
  std::uint64_t patience_ = UINT64_MAX;  // Nodes that an execution may have.
  std::size_t late_seen_ = 0;
  std::size_t seen_ = 0;     // Of the log, when the last choice was made.
  std::size_t visible_ = 0;  // Steps in that part of it.
  std::vector<Sleeper> asleep_;
  bool blocked_ = false;  // Everything sleeps: what follows was seen before.
  bool done_ = false;
  std::uint64_t executions_ = 0;
  std::uint64_t repeated_ = 0;

  // Of the last execution: who happened before whom, as bits; and the nodes of
  // its events.
  std::vector<std::uint64_t> before_;
  std::size_t words_ = 0;
  std::vector<std::size_t> node_of_;
  std::vector<std::size_t> races_;

  std::string gave_up_;  // Why; empty: it has not.
  ExhaustiveStrategy all_;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_REDUCED_H_
