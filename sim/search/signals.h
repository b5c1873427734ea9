// Signals for a search: end it, or print its tasks; and a timer that detects a
// step that does not end.

#ifndef CLOTHO_SIM_SEARCH_SIGNALS_H_
#define CLOTHO_SIM_SEARCH_SIGNALS_H_

#include <sys/types.h>

#include <string_view>

#include "clotho/runtime/delay.h"

namespace clotho::sim::internal {

// From now on SIGUSR1 prints the tasks of the running execution to standard
// error at its next step, unless the program handles SIGUSR1 itself.
void InstallTaskTableSignal();

// Exists while this thread runs a search.
//
// The first SIGINT or SIGTERM lets the search finish its execution, and shrink
// what it has found for at most ten seconds (see stop_requests.h). The second
// one reports where the execution is and ends the process; so does the first
// one if the current step does not end.
//
// The process aborts if one step takes longer than `step_max` of real time,
// unless a debugger is attached; zero: no limit. Nothing else depends on that
// time. Steps cost nothing extra: a timer samples the step counter a few times
// within the limit.
class SignalScope {
 public:
  // `test` is the name for the task table.
  SignalScope(std::string_view test, Delay step_max);
  ~SignalScope();
  SignalScope(const SignalScope&) = delete;
  SignalScope& operator=(const SignalScope&) = delete;
};

// Registers a child process that works for this search: what ends the search
// also ends the child. 0: the child is gone.
void SetChildOfSearch(pid_t child);
// The counterpart, called in the child.
void BecomeChildOfSearch();

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_SIGNALS_H_
