#include "clotho/sim/search/bounded_search.h"

#include <algorithm>
#include <cstdint>

#include "clotho/sim/search/execution_runner.h"
#include "clotho/sim/search/failure_shrinker.h"
#include "clotho/sim/strategies/exhaustive.h"

namespace clotho::sim::internal {

BoundedSearchResult RunBoundedSearch(ExecutionRunner& runner,
                                     const BoundedSearch& search) {
  BoundedSearchResult result;
  ExhaustiveStrategy strategy(search.deviations_max);
  while (result.executions < search.executions_max && !strategy.done() &&
         !ShrinkingIsOver(search.deadline)) {
    const Execution& execution =
        runner.Run(strategy, search.ordering,
                   ExecutionRunner::ProgramSeed(search.program_seed));
    strategy.EndExecution();
    ++result.executions;
    if (execution.failure.has_value() &&
        execution.failure->signature == search.signature) {
      result.schedule = execution.deviations;
      break;
    }
    ++result.passed;
  }
  result.passed -= std::min(result.passed, strategy.repeated());
  result.exhausted = strategy.done() && strategy.scope().empty();
  return result;
}

}  // namespace clotho::sim::internal
