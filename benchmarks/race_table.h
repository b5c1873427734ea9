// Hunts: how many executions a strategy needs to find a known race.
//
// The protocol is that of the literature: twenty trials for each program and
// strategy, each with its own seed and a limit of executions. The results are
// the number of trials that found the failure, and the mean number of
// executions of those trials. A search that stopped at another failure has not
// found it, and is listed.

#ifndef CLOTHO_BENCHMARKS_RACE_TABLE_H_
#define CLOTHO_BENCHMARKS_RACE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "clotho/examples/races/races.h"
#include "clotho/sim/options.h"
#include "clotho/sim/search/search.h"

namespace clotho::benchmarks {

// The search with the given command-line name: "random", "pct:3".
absl::StatusOr<sim::Search> SearchByName(std::string_view name);

struct Protocol {
  int trials = 20;
  // The limit of one trial.
  std::uint64_t schedules = 10'000;
  std::uint64_t seed = 1;
  // Only orders that asyncio produces today.
  bool fifo_only = false;
};

struct Hunt {
  int trials = 0;
  // The number of trials that found the failure, and their mean number of
  // executions.
  int found = 0;
  double mean = 0;
  // Measured on the fixed twin, since a failure takes additional time.
  double schedules_per_second = 0;
  // Other failures that ended a trial, one per line.
  std::vector<std::string> others = {};
};

// `search` comes from SearchByName.
Hunt RunHunt(const examples::Race& race, const sim::Search& search,
             const Protocol& protocol);

// Searches the fixed twin. Returns a few lines on what it found, or an empty
// string.
std::string CheckFixed(const examples::Race& race, const sim::Search& search,
                       const Protocol& protocol);

// How the failures of a race shrink for one strategy.
struct Shrinkage {
  int trials = 0;
  // Trials that found the failure; and those of them that proved that no
  // deviation can be left out.
  int found = 0;
  int minimal = 0;
  // Deviations from FIFO order, as found and as shrunk: the means, and the
  // longest shrunk schedule.
  double deviations_found = 0;
  double deviations = 0;
  std::size_t deviations_max = 0;
  // The mean number of executions to shrink a failure.
  double runs = 0;
  // The longest time from the first execution of a search to its report, shrunk
  // and explained.
  double seconds_max = 0;
  // From the first trial that found it.
  std::string replay = {};
};

// `search` comes from SearchByName.
Shrinkage ShrinkFailures(const examples::Race& race, const sim::Search& search,
                         const Protocol& protocol);

// A Markdown table with one line per race.
struct ShrinkRow {
  const examples::Race* race = nullptr;
  std::string strategy = {};
  Shrinkage shrinkage = {};
};
std::string ShrinkTable(std::span<const ShrinkRow> rows);

// One race with each of the strategies, in their order.
struct Row {
  const examples::Race* race = nullptr;
  std::vector<Hunt> hunts = {};
};

// A Markdown table: one line per race, with the published figures after ours;
// then, for each strategy, the number of races it found, and the geometric mean
// over the races that every strategy found in every trial.
std::string HuntTable(std::span<const std::string> strategies,
                      std::span<const Row> rows);

}  // namespace clotho::benchmarks

#endif  // CLOTHO_BENCHMARKS_RACE_TABLE_H_
