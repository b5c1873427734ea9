// The defaults that options, flags and the simulator share, each defined once.

#ifndef CLOTHO_SIM_ENGINE_DEFAULTS_H_
#define CLOTHO_SIM_ENGINE_DEFAULTS_H_

#include <cstdint>

namespace clotho::sim {

// Executions of a search, and of an exhaustive search.
inline constexpr std::uint64_t kSchedules = 1'000;
inline constexpr std::uint64_t kExhaustiveSchedules = 1'000'000;

// Steps per execution. An execution that takes more is a livelock.
inline constexpr std::uint64_t kStepsMax = 100'000;

// How long a thread may be kept from running while a deadline passes: 10 ms.
inline constexpr std::int64_t kJitterNs = 10'000'000;

// Virtual time per execution: ten years.
inline constexpr std::int64_t kVirtualHoursMax = 10 * 365 * 24;

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_ENGINE_DEFAULTS_H_
