// SurvivingState: finds state that survives from one execution to the next,
// such as a static, a cache or a file.
//
// Such state makes an execution depend on those before it, so that a replay in
// another process shows something else. The first execution of a search is run
// again at its end, and when an execution fails: it has to be the same.
// Programs whose determinism is not checked (Search::check_every) are left
// alone.

#ifndef CLOTHO_SIM_SEARCH_SURVIVING_STATE_H_
#define CLOTHO_SIM_SEARCH_SURVIVING_STATE_H_

#include <cstdint>
#include <optional>

#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/execution_runner.h"

namespace clotho::sim::internal {

class SurvivingState {
 public:
  enum class Repetition {
    kSame,
    kOtherSteps,  // It passes as before, but takes other steps.
    kFails,       // It passed, and fails now.
  };

  // Remembers an execution that passes, unless there is one already. `number`
  // is that of the report, from 1.
  void Remember(const Execution& execution, std::uint64_t number,
                std::uint64_t program_seed);

  // Runs it again. kSame if there is none, or if nothing is to be checked.
  Repetition Repeat(ExecutionRunner& runner);

  // Reports what the last `Repeat` has found; not for kSame. `report` has the
  // number of the execution before it.
  void ReportIt(ExecutionRunner& runner, Report& report) const;

 private:
  struct First {
    std::uint64_t number;
    Deviations deviations;
    Ordering ordering;
    std::uint64_t program_seed;
    std::uint64_t trace_hash;
  };
  std::optional<First> first_;
  // Of the repetition.
  std::optional<Failure> failure_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_SURVIVING_STATE_H_
