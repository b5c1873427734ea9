// Failure: what broke in an execution, and where.

#ifndef CLOTHO_SIM_ENGINE_FAILURE_H_
#define CLOTHO_SIM_ENGINE_FAILURE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace clotho::sim {

enum class FailureKind {
  kException,     // Came out of the test's body.
  kExpectation,   // A failed EXPECT_*, ASSERT_* or mock.
  kAlways,        // An Always() that was false, or an Unreachable().
  kInvariant,     // An AfterEveryStep() that was false.
  kHistory,       // A History that is not linearizable, or undecided.
  kDeadlock,      // Nothing is ready, no timer is set, the body has not ended.
  kLivelock,      // The step budget.
  kVirtualTime,   // The budget of virtual time.
  kLeakedTask,    // Still pending when the body had returned.
  kUnretrieved,   // An exception that nobody looked at.
  kNeverAwaited,  // A coroutine that was made and not run.
  kCallback,      // An exception out of a callback.
  kCrash,         // The process died.
  kGoal,          // A Sometimes() that was false in every execution.
  kMisuse,        // What was asked for cannot be done.
  kIncomplete,    // An exhaustive search that its budget has cut short.
  kNotDeterministic,  // Two runs of one schedule differ.
  // No failures, but exceptions that end an execution (see Search::judge):
  kDiscarded,  // It is not to count.
  kSucceeded,  // It has passed already.
};

// "deadlock", "expectation", ...
std::string_view FailureKindName(FailureKind kind);

struct Failure {
  FailureKind kind = FailureKind::kException;
  // What the report says after WHAT; may have several lines.
  std::string what = {};
  // The place to look at first. Empty function, line 0: unknown.
  std::string function = {};
  std::string file = {};
  std::uint32_t line = 0;
  // The step in which it happened, its task, and the virtual time.
  std::uint64_t step = 0;
  std::string task = {};
  std::int64_t time_ns = 0;
  // Tells failures apart: kind, place, and for a deadlock the places of the
  // waits. Shrinking keeps it.
  std::string signature = {};
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_ENGINE_FAILURE_H_
