// ExhaustiveStrategy: every execution, those nearest to plain order first.
//
// An execution is its list of departures from plain order. With a bound, those
// with no departure come first, then those with one, and so on up to the bound:
// delay-bounded search (Emmi, Qadeer and Rakamaric, POPL 2011), where a delay
// is a departure. Each round runs again what leads to its own executions, which
// is little beside them. Without a bound it is a depth-first search of the tree
// of choices, in which nothing is run twice. Decisions of the environment
// (choice.h) are choices like any other. Takes the memory of one execution.
//
// It is exhaustive with respect to what the explorer decides, for one input of
// the program. What any other strategy can find, it finds; but k choices of two
// candidates are 2^k executions.

#ifndef CLOTHO_SIM_STRATEGIES_EXHAUSTIVE_H_
#define CLOTHO_SIM_STRATEGIES_EXHAUSTIVE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "clotho/sim/random.h"
#include "clotho/sim/strategy.h"

namespace clotho::sim {

class ExhaustiveStrategy final : public Strategy {
 public:
  // 0: no bound.
  explicit ExhaustiveStrategy(std::uint64_t departures_max = 0)
      : departures_max_(departures_max),
        bound_(departures_max == 0 ? UINT64_MAX : 0) {}

  void BeginExecution(Rng&) override {
    made_ = 0;
    departures_ = 0;
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

 private:
  struct Choice {
    std::uint64_t size;
    std::uint64_t value;
  };

  std::uint64_t Next(std::uint64_t size);

  const std::uint64_t departures_max_;
  std::uint64_t bound_;       // Of this round.
  bool cut_ = false;          // In this round a choice was left out for it.
  std::vector<Choice> path_;  // What is to be chosen, then what was.
  std::size_t made_ = 0;
  std::uint64_t departures_ = 0;
  std::uint64_t repeated_ = 0;
  bool done_ = false;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_EXHAUSTIVE_H_
