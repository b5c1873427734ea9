// Hunts: how many executions a strategy needs to find a known race.
//
// The protocol of the literature: twenty trials for each program and strategy,
// each with a seed of its own and a limit of executions. What counts is how
// many trials found the failure, and the mean number of executions of those. A
// search that stopped at another failure has not found it, and is listed.

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

namespace clotho::benchmarks {

// A search as the command line names it: "random", "pct:3".
absl::StatusOr<sim::Search> SearchByName(std::string_view name);

struct Protocol {
  int trials = 20;
  // In one trial.
  std::uint64_t schedules = 10'000;
  std::uint64_t seed = 1;
  // Only what asyncio can do today.
  bool fifo_only = false;
};

struct Hunt {
  int trials = 0;
  // Trials that found the failure, and the mean of their executions.
  int found = 0;
  double mean = 0;
  // Of the fixed twin: a failure costs time of its own.
  double schedules_per_second = 0;
  // Other failures that ended a trial, in a line each.
  std::vector<std::string> others = {};
};

// `search` is made by SearchByName.
Hunt RunHunt(const examples::Race& race, const sim::Search& search,
             const Protocol& protocol);

// Searches the fixed twin. What it found, in a few lines; empty: nothing.
std::string CheckFixed(const examples::Race& race, const sim::Search& search,
                       const Protocol& protocol);

// What becomes of the failures of a race that a strategy finds.
struct Shrinkage {
  int trials = 0;
  // Trials that found the failure; and of those, the ones after which it was
  // shown that no deviation can be left out.
  int found = 0;
  int minimal = 0;
  // Deviations from FIFO order, as found and as shrunk: the means, and the
  // longest that is left.
  double deviations_found = 0;
  double deviations = 0;
  std::size_t deviations_max = 0;
  // Executions that it took to shrink one: the mean.
  double runs = 0;
  // From the first execution of a search to the report, shrunk and explained:
  // the longest.
  double seconds_max = 0;
  // Of the first trial that found it.
  std::string replay = {};
};

// `search` is made by SearchByName.
Shrinkage ShrinkFailures(const examples::Race& race, const sim::Search& search,
                         const Protocol& protocol);

// A table in Markdown, a line for each race.
struct ShrinkRow {
  const examples::Race* race = nullptr;
  std::string strategy = {};
  Shrinkage shrinkage = {};
};
std::string ShrinkTable(std::span<const ShrinkRow> rows);

// One race under each of the strategies, in their order.
struct Row {
  const examples::Race* race = nullptr;
  std::vector<Hunt> hunts = {};
};

// A table in Markdown: a line for each race, with the published figures behind
// our own; then, for each strategy, how many of the races it found, and the
// geometric mean over those that every strategy found in every trial.
std::string HuntTable(std::span<const std::string> strategies,
                      std::span<const Row> rows);

}  // namespace clotho::benchmarks

#endif  // CLOTHO_BENCHMARKS_RACE_TABLE_H_
