// Explore: searches the executions of a test for one that fails.
//
//   sim::Report report = sim::Explore(NoJobIsLost, sim::Random{.seed = 7});
//   if (!report.passed()) std::cout << report;
//
// A failure is run again before it is reported: if it does not come back, that
// is the report. Then the schedule is shrunk to deviations from FIFO order
// none of which can be left out, and the shrunk execution is recorded. The body
// is made anew for each execution; statics survive, and what differs because of
// them is found as nondeterminism.

#ifndef CLOTHO_SIM_SEARCH_EXPLORE_H_
#define CLOTHO_SIM_SEARCH_EXPLORE_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "clotho/runtime/coro.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/search.h"

namespace clotho::sim {

using Body = std::function<Coro<void>()>;

// Runs a search. `name` tells its seeds apart from those of other tests.
Report RunSearch(const Body& body, const Search& search, std::string_view name);

template <typename... Options>
Report Explore(const Body& body, const Options&... options) {
  return RunSearch(body, MakeSearch(options...), "");
}

// Runs one execution again, strictly: if the program does not follow the
// schedule, the report says so (Report::Verdict::kDiverged), and names the
// step. An error if the string does not parse, or names a file that cannot be
// read.
absl::StatusOr<Report> RunReplay(const Body& body, const Search& search,
                                 std::string_view name,
                                 std::string_view replay);

template <typename... Options>
absl::StatusOr<Report> Replay(const Body& body, std::string_view replay,
                              const Options&... options) {
  return RunReplay(body, MakeSearch(options...), "", replay);
}

// Reads a replay string, following "@path" once. An error as of `RunReplay`.
absl::StatusOr<ReplayString> LoadReplay(std::string_view text);

// Randomness for the program under test, from the replay string's program seed.
// Only inside an execution: elsewhere it throws RuntimeError.
Rng& ProgramRng();

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_SEARCH_EXPLORE_H_
