// SearchLoop: runs one execution after another until one fails or the search's
// budget is used up.

#ifndef CLOTHO_SIM_SEARCH_SEARCH_LOOP_H_
#define CLOTHO_SIM_SEARCH_SEARCH_LOOP_H_

#include <cstdint>

#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/execution_runner.h"
#include "clotho/sim/search/search.h"
#include "clotho/sim/search/surviving_state.h"
#include "clotho/sim/search/warmed_strategy.h"

namespace clotho::sim::internal {

class SearchLoop {
 public:
  // `runner` and `report` must outlive it.
  SearchLoop(ExecutionRunner& runner, Report& report)
      : runner_(runner),
        search_(runner.search()),
        report_(report),
        warmed_(runner, search_.program_seed) {}

  // Runs the saved schedules, then the search. To be called once.
  void Run();

 private:
  // These return false if the search ends there.
  bool RunSavedSchedules();
  bool RunFirst();
  bool RunAll();
  bool Judge(const Execution& execution, std::uint64_t number);

  const Execution& RunNumber(std::uint64_t number);
  // What the search says of itself if nothing has failed.
  void Conclude();

  // Explains a failure of an execution of the search.
  void OnFailure(const Execution& execution);
  // Whether the search has found state that survives executions, and says so.
  bool FindsSurvivingState();

  ExecutionRunner& runner_;
  const Search& search_;
  Report& report_;
  WarmedStrategy warmed_;
  SurvivingState surviving_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_SEARCH_LOOP_H_
