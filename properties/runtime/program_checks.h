// CheckProgram: checks asyncio's general promises while a random program runs.
//
//   const std::string wrong =
//       CheckProgram(program, sim::MakeSearch(sim::Random()));
//
// A model of the program is updated from what an observer sees. In every
// execution:
//   - an accepted cancellation is delivered where the task waits, or at its
//     next suspension, or the task ends cancelled (T-10 to T-15);
//   - Cancelling() is what it was before a WaitFor, a Timeout or a TaskGroup,
//     plus the requests made meanwhile (T-14, TO-05, TG-08);
//   - a deadline does not hide a cancellation from outside (TO-06);
//   - Gather's results are in argument order (G-04);
//   - WaitFor and Timeout return when what they wait for has ended, a TaskGroup
//     when all of its tasks have (WF-03, TG-05);
//   - locks and permits are held by no more tasks than allowed, and acquired in
//     the order of the requests (LK-02, SM-03);
//   - queues return what was put, in that order, and lose nothing;
//   - a notification reaches a waiting task (CN-05);
//   - no timer is early (L-03);
//   - done callbacks run once, in order, in their own context (F-07, CX-03);
//   - a task sees its own context (CX-02);
//   - at the end everything is free, and no task waits;
//   - the tasks left in a deadlock wait for what no task can provide.

#ifndef CLOTHO_PROPERTIES_RUNTIME_PROGRAM_CHECKS_H_
#define CLOTHO_PROPERTIES_RUNTIME_PROGRAM_CHECKS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "clotho/properties/runtime/program_runner.h"
#include "clotho/properties/runtime/programs.h"
#include "clotho/sim/options.h"
#include "clotho/sim/search/search.h"

namespace clotho::properties {

// An observer that checks one execution in a simulation: an error fails the
// execution like a false Always.
class ProgramChecker : public ProgramObserver {
 public:
  // Called after an execution ended and all callbacks ran. Returns an error, or
  // an empty string.
  virtual std::string AtTheEnd() const = 0;
  // Called after a deadlock. Returns the tasks that could have continued, or an
  // empty string.
  virtual std::string InDeadlock() const = 0;
  // A hash of everything observed.
  virtual std::uint64_t Hash() const = 0;
};

std::shared_ptr<ProgramChecker> MakeProgramChecker(const Program& program);

struct ProgramVerdict {
  std::string wrong;  // Empty: no error.
  std::uint64_t executions = 0;
  std::uint64_t steps = 0;
  bool deadlock = false;   // The last execution ended in one.
  std::uint64_t hash = 0;  // Of everything in all executions.
};

// Runs the program in the executions of a search, until one fails. A genuine
// deadlock is not a failure, but ends the search.
ProgramVerdict CheckProgram(
    const Program& program, sim::Search search,
    const std::function<std::unique_ptr<Primitives>()>& primitives = nullptr);

}  // namespace clotho::properties

#endif  // CLOTHO_PROPERTIES_RUNTIME_PROGRAM_CHECKS_H_
