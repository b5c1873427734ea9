// WarmedStrategy: the search's strategy, and the executions that it chooses.
//
// The first executions of a search teach some strategies what the program is
// like. They must run in their order, before any other execution.

#ifndef CLOTHO_SIM_SEARCH_WARMED_STRATEGY_H_
#define CLOTHO_SIM_SEARCH_WARMED_STRATEGY_H_

#include <cstdint>
#include <memory>

#include "clotho/sim/engine/profile.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/execution_runner.h"

namespace clotho::sim::internal {

class WarmedStrategy {
 public:
  // `runner` must outlive it.
  WarmedStrategy(ExecutionRunner& runner, std::uint64_t program_seed);

  Strategy& strategy() { return *strategy_; }

  // Runs those warm-up executions that must come before execution `j` and have
  // not run yet.
  void Learn(std::uint64_t j);
  bool HasToLearn(std::uint64_t j) const;
  // The next warm-up execution.
  std::uint64_t learned() const { return learned_; }
  // No process survives execution `j`. Returns true if it is a warm-up
  // execution: the strategy learns nothing from it, in any process.
  bool PassOver(std::uint64_t j);

  const Execution& Run(std::uint64_t j);

  // If the search asks for a corpus: runs each schedule that the strategy has
  // saved once more and adds it to the report as bytes.
  void TakeCorpus(Report& report);

 private:
  ExecutionRunner& runner_;
  const std::uint64_t program_seed_;
  const std::unique_ptr<Strategy> strategy_;
  const std::uint64_t warm_up_;
  std::uint64_t learned_ = 0;  // Warm-up executions that have run.
  Profile profile_;
  bool prepared_ = false;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_WARMED_STRATEGY_H_
