// What is found out about a failure, as data. The words are made where a report
// is written: see findings_text.h.

#ifndef CLOTHO_SIM_REPORT_FINDINGS_H_
#define CLOTHO_SIM_REPORT_FINDINGS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

namespace clotho::sim {

// A Sometimes or Reachable.
struct GoalReport {
  std::string goal;
  std::string place;  // "cache.cc:40"; `line` is the line alone.
  std::uint32_t line = 0;
  std::uint64_t reached = 0;  // How often, over all executions.
};

// One use of a tracked object.
struct TrackedAccess {
  std::uint64_t step = 0;
  std::uint32_t chain = 0;
  std::string task;
  bool write = false;
  std::source_location location = {};  // Line 0: unknown.
};

// Three uses of a tracked object. `before` and `after` belong together; nothing
// orders `between` before `after`.
struct Race {
  std::string object;
  TrackedAccess before;
  TrackedAccess between;
  TrackedAccess after;
};

// The deviation that decides.
struct TurningPoint {
  std::uint64_t step = 0;  // Of the deviation.
  // How many executions were tried that follow the schedule and then continue
  // at random: with and, as many again, without this deviation.
  std::uint64_t continuations = 0;
  // How many of them failed with the same signature.
  std::uint64_t failures_after = 0;   // They continue after the deviation.
  std::uint64_t failures_before = 0;  // They continue before it.
};

// The passing execution that is closest to the failing one.
struct NearestPass {
  std::string replay;      // Its replay string, without a check.
  std::uint64_t step = 0;  // Where it leaves the failing execution.
  std::string instead;     // What happens in that step: "ran worker-1 (...)".
};

// Whether asyncio could fail in the same way today.
struct Reachability {
  bool reachable = false;
  // If reachable: the replay string, without a check, of a failing execution in
  // FIFO ordering. Empty: the reported schedule is one.
  std::string replay = {};
  // If not: the number of executions in FIFO ordering that were tried, and did
  // not fail in that way.
  std::uint64_t tried = 0;
  bool exhausted = false;  // There are no others.
};

// What only a closer look at the failing execution shows. Empty: nothing, or
// nobody looked. The tasks that wait for each other are in Trace::waits and
// Trace::cycle.
struct Findings {
  std::optional<Race> race;
  std::optional<TurningPoint> turning_point;
  std::optional<NearestPass> nearest_pass;
  std::optional<Reachability> reachability;
};

// Another failure of the same campaign.
struct OtherFailure {
  std::size_t number = 0;  // In the order in which they were found, from 1.
  std::uint64_t hits = 0;  // The executions that failed in this way.
  std::string signature;
  std::string replay;
};

// The files that were written about a failure.
struct Files {
  std::string folder;              // The output folder.
  std::string below;               // Their own folder in it.
  std::vector<std::string> names;  // In that folder.
  // The folder below bazel-testlogs/ in whose outputs.zip Bazel packs `folder`.
  // Empty: it is not packed.
  std::string bazel_logs = {};
  // What went wrong. If `names` is empty, nothing was written. Empty: all files
  // are there.
  std::string error = {};
};

// The input with which a property failed.
struct FailingInput {
  std::string values = {};    // One per line. Empty: none.
  std::uint64_t tests = 0;    // Inputs, up to the failure. 0: not a property.
  std::uint64_t shrinks = 0;  // How often a smaller input replaced it.
};

// How the schedule was shrunk.
struct ShrinkStats {
  // In the failing execution before shrinking.
  std::uint64_t deviations_found = 0;
  std::uint64_t runs = 0;
  bool minimal = false;  // Every deviation is needed.
};

struct SearchStats {
  std::string strategy = {};
  std::uint64_t seed = 0;
  std::uint64_t schedules = 0;   // Requested.
  std::uint64_t executions = 0;  // Run, up to the failure.
  std::uint64_t steps = 0;       // Over all executions.
  // How many of them differ, if fewer than `executions`.
  std::uint64_t distinct_executions = 0;
  // There are no other executions.
  bool exhausted = false;
  // The meaning of "all" in that case, if less than everything: "within 2
  // deviations from FIFO order".
  std::string scope = {};
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_REPORT_FINDINGS_H_
