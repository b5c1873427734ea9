// Signals that are meant for a search: to end it, to see its tasks; and a timer
// that finds a step without an end.

#ifndef CLOTHO_SIM_SEARCH_SIGNALS_H_
#define CLOTHO_SIM_SEARCH_SIGNALS_H_

#include <sys/types.h>

#include <string_view>

#include "clotho/runtime/delay.h"

namespace clotho::sim::internal {

// From here on SIGUSR1 writes the tasks of the execution that runs to standard
// error, at its next step; unless the program does something with it itself.
void InstallTaskTableSignal();

// The search that this thread makes while it lives.
//
// The first SIGINT or SIGTERM lets it finish its execution, and shrink what it
// has found for ten seconds at most (see stop_requests.h). The second one ends
// the process, after it has been told where the execution was; so does the
// first, if the present step has no end.
//
// The process aborts if one step takes longer than `step_max` of real time,
// unless a debugger is attached; zero: it may take as long as it wants. Nothing
// else depends on that time, and no step becomes dearer: a timer looks at the
// number of the step, a few times before it is up.
class SignalScope {
 public:
  // `test` is its name, for who asks.
  SignalScope(std::string_view test, Delay step_max);
  ~SignalScope();
  SignalScope(const SignalScope&) = delete;
  SignalScope& operator=(const SignalScope&) = delete;
};

// A child process works for this search: what ends the search ends it, too. 0:
// it is gone.
void SetChildOfSearch(pid_t child);
// The same, in the child.
void BecomeChildOfSearch();

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_SIGNALS_H_
