// ExhaustiveStrategy: every execution, those closest to FIFO order first.
//
// An execution is its list of deviations from FIFO order. With a bound,
// executions without deviations come first, then those with one, and so on up
// to the bound: delay-bounded search (Emmi, Qadeer and Rakamaric, POPL 2011),
// where each deviation is a delay. Each round repeats the executions that lead
// to its own, which is a small cost. Without a bound it is a depth-first search
// of the tree of choices that repeats nothing. Decisions of the environment
// (choice.h) are choices like any other. The memory is proportional to the
// length of one execution.
//
// A search can be divided into `count` parts, each a set of subtrees. The tree
// is unrolled until it has at least eight subtrees for each part, or cannot be
// unrolled further; the subtrees, in order, are assigned to the parts in turn.
// Each part unrolls the same tree, with one execution for each node, and runs
// no other execution of another part.
//
// The search is exhaustive over the explorer's decisions, for one input of the
// program. It finds whatever any other strategy can find; but k choices of two
// candidates are 2^k executions.
//
// Without a bound the tree may be infinite: a polling task could be picked
// forever while the task it is waiting for never runs. No real scheduler does
// that (fair stateless model checking: Musuvathi and Qadeer, PLDI 2008). So an
// execution that has made twice as many choices as FIFO order makes, plus a
// thousand, continues in FIFO order, in which every task runs eventually; a
// livelock that remains is one of the program. The scope says so. (This is the
// limit of profiled.h, for searches without a profile.)

#ifndef CLOTHO_SIM_STRATEGIES_EXHAUSTIVE_H_
#define CLOTHO_SIM_STRATEGIES_EXHAUSTIVE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/strategy.h"

namespace clotho::sim {

class ExhaustiveStrategy final : public Strategy {
 public:
  // How many choices an execution may make before it is assumed never to end,
  // if the one in FIFO order made `choices`.
  static std::uint64_t Patience(std::uint64_t choices) {
    return 2 * choices + 1'000;
  }

  // 0: no bound.
  explicit ExhaustiveStrategy(std::uint64_t deviations_max = 0)
      : deviations_max_(deviations_max),
        bound_(deviations_max == 0 ? UINT64_MAX : 0) {}

  void BeginExecution(Rng&) override {
    made_ = 0;
    deviations_ = 0;
  }
  std::size_t Choose(const ChoicePoint& point) override {
    return Next(point.size());
  }
  std::uint64_t ChooseValue(const ValueChoice& choice, Rng&) override {
    return Next(choice.size);
  }
  void EndExecution() override;
  bool done() const override { return done_; }
  std::string scope() const override;
  std::uint64_t repeated() const override { return repeated_; }
  bool numbered() const override { return false; }
  bool TakePart(std::uint64_t index, std::uint64_t count) override;
  bool counts() const override { return counts_; }
  std::optional<std::uint64_t> order() const override { return order_; }

 private:
  struct Choice {
    std::uint64_t size;
    std::uint64_t value;
  };
  using Path = std::vector<Choice>;
  // The executions that begin with the same choices.
  struct Subtree {
    Path root;
    std::uint64_t deviations = 0;  // Within the root.
    bool unrolled = false;         // It is one execution: no choice follows.
  };

  std::uint64_t Next(std::uint64_t size);
  // An execution has shown the choices after a subtree's root: replaces the
  // subtree by the subtrees below it.
  void Unroll();
  // There are enough subtrees: keeps those of this part.
  void TakeSubtrees();
  // Moves to the next subtree, starting with this one, that has an execution
  // within the bound; after the last subtree, to the next bound.
  void GoTo(std::size_t subtree);
  std::uint64_t OrderOf(const Path& path) const;

  const std::uint64_t deviations_max_;
  std::uint64_t bound_;  // Of the current round.
  bool cut_ = false;     // The bound has excluded a choice in this round.
  Path path_;  // The choices to be made; afterwards, those that were made.
  std::size_t made_ = 0;
  std::uint64_t deviations_ = 0;
  std::uint64_t repeated_ = 0;
  bool done_ = false;
  // The most choices that an execution may make.
  std::uint64_t patience_ = UINT64_MAX;
  bool impatient_ = false;  // An execution would have made more.

  // The part. The whole tree is one subtree with an empty root.
  std::uint64_t part_ = 0;
  std::uint64_t part_count_ = 0;  // 0: no part was asked for.
  std::vector<Subtree> subtrees_ = {Subtree()};
  std::size_t subtree_ = 0;
  // While the tree is unrolled: the replacements of the subtrees before
  // `subtree_`.
  bool unrolling_ = false;
  std::vector<Subtree> below_;
  bool left_out_ = false;  // A subtree has more deviations than allowed.
  bool counts_ = true;
  std::optional<std::uint64_t> order_;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_EXHAUSTIVE_H_
