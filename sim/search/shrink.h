// Shrink: from a schedule that fails to a smallest one that still does.
//
//   const ShrinkResult shrunk =
//       Shrink(found, [&](const Deviations& candidate) {
//         return RunAndCompareSignature(candidate);
//       });
//
// The result is 1-minimal: without any one of its deviations the failure is
// gone. It is not the smallest of all, which would take a run for every subset;
// but of a few deviations no two can be left out either, and single ones that
// were not among those found are tried in place of all of them. Among schedules
// with the same number of deviations, the simpler one has earlier steps, then
// smaller choices, a timer being the largest.
//
// Shrinking is deterministic, runs no candidate twice, and takes nothing for
// granted: a program may fail under a part of a schedule, pass under more of
// it, and fail again under all.

#ifndef CLOTHO_SIM_SEARCH_SHRINK_H_
#define CLOTHO_SIM_SEARCH_SHRINK_H_

#include <cstdint>
#include <optional>
#include <type_traits>

#include "absl/functional/function_ref.h"
#include "clotho/sim/engine/schedule.h"

namespace clotho::sim {

// Runs the program under `candidate`; deviations that do not apply are dropped.
// Returns the deviations that really happened if it failed with the same
// signature, nothing otherwise. Must be deterministic.
using TryDeviations =
    absl::FunctionRef<std::optional<Deviations>(const Deviations& candidate)>;

struct ShrinkOptions {
  // More find a smaller schedule, and take longer.
  std::uint64_t runs_max = 10'000;
  // Asked before each run: true stops shrinking. Must outlive the call. To
  // assign it, use `emplace`.
  std::optional<absl::FunctionRef<bool()>> out_of_time = {};
};
static_assert(std::is_trivially_destructible_v<ShrinkOptions>);

struct ShrinkResult {
  Deviations deviations;   // They fail; at worst, those that came in.
  std::uint64_t runs = 0;  // Calls of `attempt`.
  bool minimal = false;    // Shown to be 1-minimal. False if the limits came
                           // before the proof.
};

// `failing` is taken to fail, and is not run again.
ShrinkResult Shrink(Deviations failing, TryDeviations attempt,
                    const ShrinkOptions& options = {});

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_SEARCH_SHRINK_H_
