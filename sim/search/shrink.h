// Shrink: reduces a failing schedule to a smallest one that still fails.
//
//   const ShrinkResult shrunk =
//       Shrink(found, [&](const Deviations& candidate) {
//         return RunAndCompareSignature(candidate);
//       });
//
// The result is 1-minimal: without any one of its deviations the failure
// disappears. It is not the smallest possible, which would take a run for every
// subset; but if there are only a few deviations, no two of them can be removed
// either, and single deviations that were not found are tried instead of all of
// them. Among schedules with the same number of deviations, the simpler one has
// earlier steps, then smaller choices, a timer being the largest.
//
// Shrinking is deterministic, runs no candidate twice, and does not assume
// monotonicity: a program may fail under part of a schedule, pass under more of
// it, and fail again under all of it.

#ifndef CLOTHO_SIM_SEARCH_SHRINK_H_
#define CLOTHO_SIM_SEARCH_SHRINK_H_

#include <cstdint>
#include <optional>
#include <type_traits>

#include "absl/functional/function_ref.h"
#include "clotho/sim/engine/schedule.h"

namespace clotho::sim {

// Runs the program under `candidate`, ignoring deviations that do not apply. If
// it fails with the same signature, returns the deviations that actually
// occurred, otherwise nullopt. Must be deterministic.
using TryDeviations =
    absl::FunctionRef<std::optional<Deviations>(const Deviations& candidate)>;

struct ShrinkOptions {
  // More runs find a smaller schedule, but take longer.
  std::uint64_t runs_max = 10'000;
  // Called before each run: true stops shrinking. Must outlive the call. Assign
  // it with `emplace`.
  std::optional<absl::FunctionRef<bool()>> out_of_time = {};
};
static_assert(std::is_trivially_destructible_v<ShrinkOptions>);

struct ShrinkResult {
  Deviations deviations;   // A failing schedule; at worst the input.
  std::uint64_t runs = 0;  // Calls of `attempt`.
  bool minimal = false;  // Proved to be 1-minimal. False if a limit was reached
                         // before the proof.
};

// `failing` is assumed to fail, and is not run again.
ShrinkResult Shrink(Deviations failing, TryDeviations attempt,
                    const ShrinkOptions& options = {});

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_SEARCH_SHRINK_H_
