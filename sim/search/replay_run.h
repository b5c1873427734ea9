// ReplayRun: runs one execution again, and reports it if the program follows
// the replay string.

#ifndef CLOTHO_SIM_SEARCH_REPLAY_RUN_H_
#define CLOTHO_SIM_SEARCH_REPLAY_RUN_H_

#include <optional>
#include <string>

#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/execution_runner.h"

namespace clotho::sim::internal {

class ReplayRun {
 public:
  // All must outlive it. The replay string names no file.
  ReplayRun(ExecutionRunner& runner, const ReplayString& replay, Report& report)
      : runner_(runner), replay_(replay), report_(report) {}

  void Run();

 private:
  void RunStrategy(const StrategyRun& run);
  void RunSchedule(const Deviations& deviations);

  // Reports the replayed execution, unless the program did not follow:
  // `divergence` says so in words.
  void CheckReplay(const Execution& execution,
                   std::optional<std::string> divergence);

  ExecutionRunner& runner_;
  const ReplayString& replay_;
  Report& report_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_REPLAY_RUN_H_
