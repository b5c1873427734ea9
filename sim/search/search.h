// Search: describes a search of a test's executions.
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

// The largest size of inputs. (rapidcheck's are ints.)
inline constexpr std::uint64_t kInputSizeMax = 1'000'000;

// The description of a search.
struct Search {
  // The strategy's name, as in reports and replay strings.
  std::string strategy = "fifo";
  bool has_strategy = false;  // The test has asked for it.
  // Its parameters, as in "+pct:2:118", separated by ':'.
  std::string strategy_parameters = {};
  // Creates the strategy. Null: StrategyByName does, from the two above.
  std::function<std::unique_ptr<Strategy>()> make_strategy = {};
  // For a debugger: the first failing execution stops where it fails.
  bool break_at_failure = false;
  // For a debugger: a replay stops before this step. 0: it does not.
  std::uint64_t break_before = 0;
  // Number of executions. FIFO order has only one.
  std::uint64_t schedules = 1;
  // Schedules that run before the search: see options.h.
  std::vector<SavedSchedule> saved = {};
  // The base seed. The seed of execution j is derived only from it, the test's
  // name and j.
  std::uint64_t seed = 1;
  // The seed of `ProgramRng`, the randomness of the program itself.
  std::uint64_t program_seed = 0;
  // An execution with more steps is a livelock.
  std::uint64_t steps_max = kStepsMax;
  // An execution that lasts longer in virtual time fails.
  Delay virtual_time_max = absl::Hours(kVirtualHoursMax);
  // For how long a thread may be kept from running: see options.h.
  Delay jitter = Delay::Nanoseconds(kJitterNs);
  // Debug mode: see EventLoop::SetDebug. It does not change executions.
  bool debug = false;
  // How long the jobs of executors take. Null: as long as they block.
  JobTime job_time = {};
  // The most runs for shrinking a failure; 0: it is not shrunk.
  std::uint64_t shrink_runs_max = 10'000;
  // The most real time for shrinking a failure.
  Delay shrink_for = absl::Seconds(5);
  // Also records a single execution that passes, such as a replay.
  bool trace_passes = false;
  // For a replay or a single execution that a person watches: virtual seconds
  // per real second; 0: as fast as possible.
  double rate = 0;
  // Searches in a child process first: see options.h.
  bool isolate = false;
  // Tasks keep FIFO order, only external events may move: see options.h.
  bool fifo_only = false;
  // The strategy must finish by itself: a search cut short by `schedules` fails
  // as incomplete, unless that is allowed.
  bool exhaustive = false;
  bool allow_incomplete = false;
  // The request cannot be carried out; the search reports this text and runs
  // nothing.
  std::string misuse = {};
  // Whether to fill in Report::corpus with the schedules that the strategy
  // kept.
  bool wants_corpus = false;
  // One in this many executions is run twice and compared; 0: only failures
  // are.
  std::uint64_t check_every = 1'000;
  // Runs the search in parts and continues after a failure: see
  // search/campaign.h. May be null.
  internal::Campaign* campaign = nullptr;

  // ---- For properties, which are searched input by input: see
  // properties/property.h. ----

  // The number of inputs, and their maximum size.
  std::uint64_t cases = 100;
  std::uint64_t size_max = 100;
  // The input, as in replay strings. Empty: none.
  std::string input = {};
  // Decides whether an exception that leaves a task ends the execution. If so,
  // returns the failure with which it ends. Null: exceptions have no special
  // meaning.
  std::function<std::optional<Failure>(const std::exception_ptr&)> judge = {};
  // Runs before the search, leniently.
  std::optional<Deviations> first = {};
  // Only failures with this signature count. Empty: all do.
  std::string signature = {};
};

namespace internal {

// Makes `search` use the strategy of that name, without parameters.
void UseStrategy(Search& search, std::string_view name, std::uint64_t schedules,
                 std::uint64_t seed);

// Makes `search` run one execution whose schedule is read from `bytes`: see
// strategies/bytes.h.
void UseBytes(Search& search, std::string bytes);

// Creates the strategy that the search requests. An error if the name is
// unknown or the parameters are wrong.
absl::StatusOr<std::unique_ptr<Strategy>> MakeStrategy(const Search& search);

}  // namespace internal

// The search described by `options`, applied in order.
template <typename... Options>
Search MakeSearch(const Options&... options) {
  Search search;
  (options.Apply(search), ...);
  return search;
}

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_SEARCH_SEARCH_H_
