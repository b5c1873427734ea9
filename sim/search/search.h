// Search: what is asked of a search of a test's executions.
//
// Tests fill it through the structs of options.h.

#ifndef CLOTHO_SIM_SEARCH_SEARCH_H_
#define CLOTHO_SIM_SEARCH_SEARCH_H_

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "clotho/runtime/delay.h"
#include "clotho/sim/engine/defaults.h"
#include "clotho/sim/engine/executor.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/strategy.h"

namespace clotho::sim {
namespace internal {
class Campaign;
}  // namespace internal

// The limit of the sizes of inputs. (rapidcheck's are ints.)
inline constexpr std::uint64_t kInputSizeMax = 1'000'000;

// A search as a whole. Tests fill it through the structs below.
struct Search {
  // The strategy's name, as reports and replay strings have it.
  std::string strategy = "fifo";
  // Its parameters, as in "+pct:2:118", separated by ':'.
  std::string strategy_parameters = {};
  // Makes it. Null: StrategyByName does, from the two above.
  std::function<std::unique_ptr<Strategy>()> make_strategy = {};
  // For a debugger: the first execution that fails stops where it does so.
  bool break_at_failure = false;
  // A replay stops before this step, for a debugger. 0: it does not.
  std::uint64_t break_before = 0;
  // Executions. FIFO order has only one.
  std::uint64_t schedules = 1;
  // Schedules that are run before the search: see options.h.
  std::vector<SavedSchedule> saved = {};
  // The base seed. That of execution j is derived from it, from the test's name
  // and from j, and from nothing else.
  std::uint64_t seed = 1;
  // What the program itself draws from (`ProgramRng`).
  std::uint64_t program_seed = 0;
  // An execution that takes more steps is a livelock.
  std::uint64_t steps_max = kStepsMax;
  // An execution that lasts longer in virtual time fails.
  Delay virtual_time_max = absl::Hours(kVirtualHoursMax);
  // Debug mode: see EventLoop::SetDebug. It changes no execution.
  bool debug = false;
  // How long executors' jobs take. Null: as long as they block.
  JobTime job_time = {};
  // Runs to spend on shrinking a failure; 0: none.
  std::uint64_t shrink_runs_max = 10'000;
  // Real time to spend on it.
  Delay shrink_for = absl::Seconds(5);
  // Record a single execution also if it passes, as a replay is.
  bool trace_passes = false;
  // Virtual seconds in a real one, of a replay and of a single execution, for
  // who watches; 0: as many as can be.
  double rate = 0;
  // Search in a child process first: see options.h.
  bool isolate = false;
  // Only what comes from outside may move: see options.h.
  bool fifo_only = false;
  // The strategy must come to an end by itself: a search that `schedules` cuts
  // short fails as incomplete, unless that is allowed.
  bool exhaustive = false;
  bool allow_incomplete = false;
  // What was asked for cannot be done; the search says so and runs nothing.
  std::string misuse = {};
  // What the strategy has saved of schedules is wanted: Report::corpus.
  bool wants_corpus = false;
  // Every so many executions one is run twice and compared; 0: none but
  // failures.
  std::uint64_t check_every = 1'000;
  // What runs it in parts and goes on after a failure: see search/campaign.h.
  // Null: nothing does.
  internal::Campaign* campaign = nullptr;

  // ---- Of properties, which are searched input by input: see
  // properties/property.h. ----

  // Inputs, and how large they become.
  std::uint64_t cases = 100;
  std::uint64_t size_max = 100;
  // The input, as replay strings have it. Empty: none.
  std::string input = {};
  // What an exception means that leaves a task, if it is more than an
  // exception: the execution ends with this. Null: none is.
  std::function<std::optional<Failure>(const std::exception_ptr&)> judge = {};
  // Run before the search, leniently.
  std::optional<Deviations> first = {};
  // Failures of any other signature do not count. Empty: all do.
  std::string signature = {};
};

namespace internal {

// A search by the strategy of that name, without parameters.
void UseStrategy(Search& search, std::string_view name, std::uint64_t schedules,
                 std::uint64_t seed);

// One execution, whose schedule is read from `bytes`: see strategies/bytes.h.
void UseBytes(Search& search, std::string bytes);

// The strategy that the search asks for. An error if there is none of its name,
// or if its parameters are wrong.
absl::StatusOr<std::unique_ptr<Strategy>> MakeStrategy(const Search& search);

}  // namespace internal

// The search that `options`, in their order, ask for.
template <typename... Options>
Search MakeSearch(const Options&... options) {
  Search search;
  (options.Apply(search), ...);
  return search;
}

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_SEARCH_SEARCH_H_
