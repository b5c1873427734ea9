// Failure: what broke in an execution, and where.

#ifndef CLOTHO_SIM_ENGINE_FAILURE_H_
#define CLOTHO_SIM_ENGINE_FAILURE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace clotho::sim {

enum class FailureKind {
  kException,     // Thrown by the test's body.
  kExpectation,   // A failed EXPECT_*, ASSERT_* or mock.
  kAlways,        // An Always() that was false, or a reached Unreachable().
  kInvariant,     // An AfterEveryStep() that was false.
  kHistory,       // A History that is not linearizable, or that could not be
                  // decided.
  kDeadlock,      // Nothing is ready, no timer is set, and the body has not
                  // finished.
  kLivelock,      // The step budget was exceeded.
  kVirtualTime,   // The budget of virtual time was exceeded.
  kLeakedTask,    // Still pending after the body returned.
  kUnretrieved,   // An exception that was never retrieved.
  kNeverAwaited,  // A coroutine that was created but never run.
  kCallback,      // An exception thrown by a callback.
  kMisuse,        // A thread used something as it never may be.
  kCrash,         // The process crashed.
  kNone,          // Nothing failed in an execution: see Report::Verdict.
  // Not failures, but exceptions that end an execution (see Search::judge):
  kDiscarded,  // The execution does not count.
  kSucceeded,  // The execution has already passed.
  kSkipped,    // The whole test is skipped: see CLOTHO_SKIP.
};

// "deadlock", "expectation", ...
std::string_view FailureKindName(FailureKind kind);

struct Failure {
  FailureKind kind = FailureKind::kException;
  // The report's WHAT block; may have several lines.
  std::string what = {};
  // The place to look at first. An empty function and line 0 mean unknown.
  std::string function = {};
  std::string file = {};
  std::uint32_t line = 0;
  // The step and the task in which it happened, and the virtual time.
  std::uint64_t step = 0;
  std::string task = {};
  std::int64_t time_ns = 0;
  // For a deadlock: periodic work goes on, so that the program never stops.
  bool beside_periodic_work = false;
  // Distinguishes failures: kind, message and place, and for a deadlock the set
  // of places where tasks wait. Shrinking preserves it.
  std::string signature = {};
};

// A message as a part of a signature: on one line, in ASCII, not long, and with
// "#" for each number, since numbers may differ where the mistake is the same.
std::string SignatureText(std::string_view message);

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_ENGINE_FAILURE_H_
