// Report: what a search of a test's executions found.
//
// The text answers in this order: what broke (WHAT), how to see it again
// (REPLAY), what the schedule did differently from FIFO order (SCHEDULE), what
// happened (the interleaving), and which tasks waited for which (WAITS).

#ifndef CLOTHO_SIM_REPORT_REPORT_H_
#define CLOTHO_SIM_REPORT_REPORT_H_

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/trace.h"

namespace clotho::sim {

// A Sometimes or Reachable.
struct GoalReport {
  std::string goal;
  std::string place;  // "cache.cc:40"; `line` is the line alone.
  std::uint32_t line = 0;
  std::uint64_t reached = 0;  // How often, over all executions.
};

class Report {
 public:
  bool passed() const { return !failure.has_value(); }

  // The first failure, shrunk. Empty: no failure was found.
  std::optional<Failure> failure;
  // Two runs of the same execution differ: `failure` says where.
  bool nondeterministic = false;
  // A replay was requested, but the program did not follow it.
  bool diverged = false;

  // Reproduces the failure.
  ReplayString replay;
  // Of the shrunk execution.
  Trace trace;
  std::uint64_t trace_hash = 0;
  std::string race;   // The RACE block: empty unless the uses of tracked state
                      // show a race.
  std::string waits;  // The WAITS block of a deadlock; otherwise empty.

  // Of the search.
  std::string strategy;
  std::uint64_t seed = 0;
  std::uint64_t schedules = 0;   // Requested.
  std::uint64_t executions = 0;  // Run, up to the failure.
  std::uint64_t steps = 0;       // Over all executions.
  // In the failing execution before shrinking.
  std::uint64_t deviations_found = 0;
  std::uint64_t shrink_runs = 0;
  bool minimal = false;  // Every deviation is needed.
  // Which deviation is decisive, in words. Empty: none, or unknown.
  std::string turn;
  // The passing execution closest to the failing one, in words. Empty: none, or
  // unknown.
  std::string nearest_pass;
  // Whether asyncio could do the same today, in words. Empty: unknown.
  std::string reachable;

  // How many of them differ, if fewer than `executions`.
  std::uint64_t distinct_executions = 0;
  // There are no other executions.
  bool exhausted = false;
  // The meaning of "all" in that case, if less than everything: "within 2
  // deviations from FIFO order".
  std::string scope;
  // The request cannot be carried out: `failure` quotes what is wrong.
  bool misused = false;
  // Schedules that ran before the search (sim::ReplayFirst) and have a
  // deviation that no longer applies, with the reason.
  std::vector<std::string> drifted;
  // The search established less than requested: a goal was never reached, or
  // executions were left out. `failure` says what is missing.
  bool incomplete = false;
  // Every Sometimes and Reachable, in the order in which the program reached
  // them. If there is a failure, up to that failure.
  std::vector<GoalReport> goals;

  // For a property: the failing input, one value per line. Empty: none.
  std::string input;
  std::uint64_t tests = 0;  // Inputs, up to the failure. 0: not a property.
  std::uint64_t input_shrinks = 0;  // How often a smaller input replaced it.

  // The schedule of sim::ReplayFirst that found the failure. Empty: the search
  // found it.
  std::string saved;

  // If requested: schedules that showed something new, as bytes (see
  // strategies/bytes.h).
  std::vector<std::string> corpus;

  // For a campaign: its other failures, one per line. Empty: none.
  std::string others;

  // How to run this test, for REPLAY; see replay_command.h.
  std::string again;

  // The files written about the failure, for FILES. Empty: none.
  std::string files;

  // The whole report, at most 100 columns wide. Ends with a line break.
  std::string Text() const;
};

std::ostream& operator<<(std::ostream& out, const Report& report);

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_REPORT_REPORT_H_
