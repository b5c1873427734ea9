// CrashProbe: runs executions in child processes, and explains those that no
// process survives.

#ifndef CLOTHO_SIM_SEARCH_CRASH_PROBE_H_
#define CLOTHO_SIM_SEARCH_CRASH_PROBE_H_

#include <chrono>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/crash_handler.h"
#include "clotho/sim/search/execution_runner.h"
#include "clotho/sim/search/fork_run.h"

namespace clotho::sim::internal {

// The signature of a child's crash: "crash", if nothing is known of it.
std::string CrashSignature(const ChildEnd& end);

class CrashProbe {
 public:
  // `runner` must outlive it.
  explicit CrashProbe(ExecutionRunner& runner) : runner_(runner) {}

  // Runs `run` in a child, to see whether the child survives it. Failures are
  // not explained there; this process finds them again.
  ChildEnd Run(absl::FunctionRef<void()> run);

  // A child has crashed: confirms the crash, shrinks its schedule if `shrinks`
  // and the search allows it, and records what came before.
  void OnCrash(const ChildEnd& end, bool shrinks, Report& report);

 private:
  using Deadline = std::optional<std::chrono::steady_clock::time_point>;

  // The crash of a child that runs this schedule in this ordering, with the
  // program seed of `found`. Nothing if it does not crash as `found` did.
  std::optional<Crash> Recrash(const Crash& found, const Deviations& deviations,
                               Ordering ordering, Deadline deadline = {});

  Deviations Shrink(const Crash& found, Report& report);

  // Records what came before the step that no process survives.
  void RecordUpTo(const Crash& crash, const Deviations& deviations,
                  Report& report);

  ExecutionRunner& runner_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_CRASH_PROBE_H_
