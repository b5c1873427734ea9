// BoundedSearch: looks for a known failure in every schedule with few
// deviations from FIFO order, those with the fewest first.

#ifndef CLOTHO_SIM_SEARCH_BOUNDED_SEARCH_H_
#define CLOTHO_SIM_SEARCH_BOUNDED_SEARCH_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/search/execution_runner.h"

namespace clotho::sim::internal {

struct BoundedSearch {
  Ordering ordering = Ordering::kAnyReady;
  std::uint64_t program_seed = 0;
  std::string signature = {};  // Of the failure.
  std::uint64_t deviations_max = 1;
  // It ends after this many executions, or at this time, even if there are
  // more.
  std::uint64_t executions_max = 1;
  std::chrono::steady_clock::time_point deadline =
      std::chrono::steady_clock::time_point::max();
};

struct BoundedSearchResult {
  // The first schedule that fails so: none has fewer deviations. Empty: none
  // was found.
  std::optional<Deviations> schedule;
  std::uint64_t executions = 0;
  // How many of them, without repetitions, did not fail so.
  std::uint64_t passed = 0;
  // There are no other executions, however many deviations they have.
  bool exhausted = false;
};

BoundedSearchResult RunBoundedSearch(ExecutionRunner& runner,
                                     const BoundedSearch& search);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_BOUNDED_SEARCH_H_
