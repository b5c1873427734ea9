#include "clotho/sim/engine/failure.h"

#include <string_view>

namespace clotho::sim {

std::string_view FailureKindName(FailureKind kind) {
  switch (kind) {
    case FailureKind::kException:
      return "exception";
    case FailureKind::kExpectation:
      return "expectation";
    case FailureKind::kAlways:
      return "always";
    case FailureKind::kInvariant:
      return "invariant";
    case FailureKind::kHistory:
      return "not linearizable";
    case FailureKind::kDeadlock:
      return "deadlock";
    case FailureKind::kLivelock:
      return "livelock";
    case FailureKind::kVirtualTime:
      return "virtual time";
    case FailureKind::kLeakedTask:
      return "leaked task";
    case FailureKind::kUnretrieved:
      return "unretrieved exception";
    case FailureKind::kNeverAwaited:
      return "never awaited";
    case FailureKind::kCallback:
      return "callback";
    case FailureKind::kCrash:
      return "crash";
    case FailureKind::kGoal:
      return "goal";
    case FailureKind::kMisuse:
      return "misuse";
    case FailureKind::kIncomplete:
      return "incomplete";
    case FailureKind::kNotDeterministic:
      return "not deterministic";
    case FailureKind::kDiscarded:
      return "discarded";
    case FailureKind::kSucceeded:
      return "succeeded";
    case FailureKind::kSkipped:
      return "skipped";
  }
  return "failure";
}

}  // namespace clotho::sim
