// CheckProgram: what asyncio promises to every program, checked while a random
// one runs.
//
//   const std::string wrong =
//       CheckProgram(program, sim::MakeSearch(sim::Random()));
//
// A model of the program is kept beside it, from what an observer sees. In
// every execution:
//   - a cancellation that was accepted is delivered where the task waits, or at
//     its next suspension, or the task ends cancelled (T-10 to T-15);
//   - Cancelling() is what it was before a WaitFor, a Timeout or a TaskGroup,
//     and what was asked for meanwhile (T-14, TO-05, TG-08);
//   - a deadline does not hide a cancellation from outside (TO-06);
//   - Gather's results stand in the order of its arguments (G-04);
//   - WaitFor and Timeout return when what they wait for has ended, a TaskGroup
//     when all of its tasks have (WF-03, TG-05);
//   - locks and permits are held by no more tasks than they may be, and taken
//     in the order of asking (LK-02, SM-03);
//   - queues give what was put, in that order, and lose nothing;
//   - a notification reaches somebody who waits (CN-05);
//   - no timer is early (L-03);
//   - done callbacks run once, in order, in their own context (F-07, CX-03);
//   - a task sees its own context (CX-02);
//   - in the end everything is free, and nobody waits;
//   - who is left in a deadlock waits for what nobody can give.

#ifndef CLOTHO_PROPERTIES_RUNTIME_PROGRAM_CHECKS_H_
#define CLOTHO_PROPERTIES_RUNTIME_PROGRAM_CHECKS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "clotho/properties/runtime/program_runner.h"
#include "clotho/properties/runtime/programs.h"
#include "clotho/sim/options.h"

namespace clotho::properties {

// An observer that checks one execution, in a simulation: what is wrong fails
// it, as a false Always.
class ProgramChecker : public ProgramObserver {
 public:
  // Of an execution that came to its end: what is wrong with it now that all
  // has run, callbacks too. Empty: nothing.
  virtual std::string AtTheEnd() const = 0;
  // Of one that ended in a deadlock: who could have gone on. Empty: nobody.
  virtual std::string InDeadlock() const = 0;
  // Of all that was seen.
  virtual std::uint64_t Hash() const = 0;
};

std::shared_ptr<ProgramChecker> MakeProgramChecker(const Program& program);

struct ProgramVerdict {
  std::string wrong;  // Empty: nothing.
  std::uint64_t executions = 0;
  std::uint64_t steps = 0;
  bool deadlock = false;   // The last execution ended in one.
  std::uint64_t hash = 0;  // Of all that all executions did.
};

// Runs it in the executions of a search, until one fails. A deadlock is no
// failure, if it is one, but it ends the search.
ProgramVerdict CheckProgram(
    const Program& program, sim::Search search,
    const std::function<std::unique_ptr<Primitives>()>& primitives = nullptr);

}  // namespace clotho::properties

#endif  // CLOTHO_PROPERTIES_RUNTIME_PROGRAM_CHECKS_H_
