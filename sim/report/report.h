// Report: what a search of a test's executions found.
//
// Printed, it answers in this order: what broke (WHAT), how to see it again
// (REPLAY), what the schedule did differently from FIFO order (SCHEDULE), what
// happened (the interleaving), and who waited for whom (WAITS).

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
  std::string place;  // "cache.cc:40", and its line alone.
  std::uint32_t line = 0;
  std::uint64_t reached = 0;  // How often, in all executions together.
};

class Report {
 public:
  bool passed() const { return !failure.has_value(); }

  // The failure that was found first, shrunk. Empty: none was found.
  std::optional<Failure> failure;
  // The same execution does not come out the same twice: `failure` says where
  // two runs parted.
  bool nondeterministic = false;
  // A replay was asked for, and the program did not follow it.
  bool diverged = false;

  // Brings the failure back.
  ReplayString replay;
  // Of the shrunk execution.
  Trace trace;
  std::uint64_t trace_hash = 0;
  std::string race;   // The RACE block: empty unless tracked state shows one.
  std::string waits;  // The WAITS block of a deadlock, else empty.

  // Of the search.
  std::string strategy;
  std::uint64_t seed = 0;
  std::uint64_t schedules = 0;         // Asked for.
  std::uint64_t executions = 0;        // Done, up to the failure.
  std::uint64_t steps = 0;             // In all of them.
  std::uint64_t deviations_found = 0;  // Of the failure, before shrinking.
  std::uint64_t shrink_runs = 0;
  bool minimal = false;  // No deviation can be left out.
  // Which deviation decides, in words. Empty: none, or not known.
  std::string turn;
  // The passing execution that is nearest to the failing one, in words. Empty:
  // none is, or not known.
  std::string nearest_pass;
  // Whether asyncio could do the same today, in words. Empty: not known.
  std::string reachable;

  // Different ones, if that is less than `executions`.
  std::uint64_t distinct_executions = 0;
  // There is no other execution than those.
  bool exhausted = false;
  // What "all" means then, if that is less than everything: "within 2
  // deviations from FIFO order".
  std::string scope;
  // What was asked for cannot be done: `failure` quotes what is wrong.
  bool misused = false;
  // Of schedules that are run before each search (sim::ReplayFirst): those
  // whose deviations do not all apply any more, and why.
  std::vector<std::string> drifted;
  // The search says less than it was asked for: a goal that was never reached,
  // executions that were left out. `failure` says what is missing.
  bool incomplete = false;
  // Every Sometimes and Reachable that the program came past, in that order.
  // Up to the failure, if there is one.
  std::vector<GoalReport> goals;

  // Of a property: the input of the failure, a value to a line. Empty: none.
  std::string input;
  std::uint64_t tests = 0;          // Inputs, up to the failure. 0: none.
  std::uint64_t input_shrinks = 0;  // Smaller inputs that were taken for it.

  // The schedule of sim::ReplayFirst that has found the failure. Empty: the
  // search.
  std::string saved;

  // If it was wanted: schedules that have shown something new, as bytes (see
  // strategies/bytes.h).
  std::vector<std::string> corpus;

  // Of a campaign: its other failures, a line for each. Empty: there is none.
  std::string others;

  // How to run this test, for REPLAY; see `Launch`.
  std::string again;

  // The files that were written about the failure, for FILES. Empty: none.
  std::string files;

  // The whole of it, at most 100 columns wide. Ends with a line break.
  std::string Text() const;
};

std::ostream& operator<<(std::ostream& out, const Report& report);

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_REPORT_REPORT_H_
