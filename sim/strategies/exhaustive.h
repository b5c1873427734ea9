// ExhaustiveStrategy: every execution, those nearest to FIFO order first.
//
// An execution is its list of deviations from FIFO order. With a bound, those
// with no deviation come first, then those with one, and so on up to the bound:
// delay-bounded search (Emmi, Qadeer and Rakamaric, POPL 2011), where a delay
// is a deviation. Each round runs again what leads to its own executions, which
// is little beside them. Without a bound it is a depth-first search of the tree
// of choices, in which nothing is run twice. Decisions of the environment
// (choice.h) are choices like any other. Takes the memory of one execution.
//
// Of `count` parts one is the search of some subtrees. The tree is unrolled
// until it has at least eight for each part, or no more; in their order, the
// first is of the first part, the next of the next, and so on, over and over.
// Each part unrolls the same tree, with one execution for a node of it, and
// runs no other execution of another part.
//
// It is exhaustive with respect to what the explorer decides, for one input of
// the program. What any other strategy can find, it finds; but k choices of two
// candidates are 2^k executions.
//
// Without a bound the tree may be endless: who polls could be chosen for ever,
// and never what he waits for. No scheduler in the world does that (fair
// stateless model checking: Musuvathi and Qadeer, PLDI 2008). So an execution
// that has made more than twice the choices of FIFO order, and a thousand
// more, goes on in FIFO order, in which everybody gets a turn; what is still a
// livelock then is one of the program. Its scope says so. (It is the patience
// of profiled.h, for searches that have no profile.)

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
  // How many choices an execution may make, if one in FIFO order has made
  // `choices`, before it is taken to be one that may never end.
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
  // What begins with some choices.
  struct Subtree {
    Path root;
    std::uint64_t deviations = 0;  // In the root.
    bool unrolled = false;         // It is one execution: no choice follows.
  };

  std::uint64_t Next(std::uint64_t size);
  // An execution has shown what follows on a subtree's root: takes the subtrees
  // below it for it.
  void Unroll();
  // There is enough of them: keeps those of this part.
  void TakeSubtrees();
  // Goes to the next subtree, from this one on, that has an execution within
  // the bound; and from the last one to the next bound.
  void GoTo(std::size_t subtree);
  std::uint64_t OrderOf(const Path& path) const;

  const std::uint64_t deviations_max_;
  std::uint64_t bound_;  // Of this round.
  bool cut_ = false;     // In this round a choice was left out for it.
  Path path_;            // What is to be chosen, then what was.
  std::size_t made_ = 0;
  std::uint64_t deviations_ = 0;
  std::uint64_t repeated_ = 0;
  bool done_ = false;
  std::uint64_t patience_ = UINT64_MAX;  // Choices that an execution may make.
  bool impatient_ = false;               // One would have made more.

  // The part. The whole is one subtree, without a choice at its root.
  std::uint64_t part_ = 0;
  std::uint64_t part_count_ = 0;  // 0: no part was asked for.
  std::vector<Subtree> subtrees_ = {Subtree()};
  std::size_t subtree_ = 0;
  // While the tree is unrolled: those that come before `subtree_` have become
  // these.
  bool unrolling_ = false;
  std::vector<Subtree> below_;
  bool left_out_ = false;  // A subtree with more deviations than there may be.
  bool counts_ = true;
  std::optional<std::uint64_t> order_;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_EXHAUSTIVE_H_
