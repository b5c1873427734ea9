// Prints a table of how fast the known races are found; see race_table.h.
//
//   tools/bazel run -c opt //benchmarks:race_table_main -- FLAGS
//
//   --strategies=random,pct:3,fuzz
//   --check_fixed=1000000
//   --shrink --strategies=fuzz
//   --asyncio_bugs --strategies=fuzz
//
// The table goes to standard output, and progress to standard error. Exits with
// 1 if a fixed program fails or a failure was not shrunk completely, and with 2
// if a flag is invalid.

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/statusor.h"
#include "clotho/benchmarks/race_table.h"
#include "clotho/examples/asyncio_bugs/asyncio_bugs.h"
#include "clotho/examples/races/races.h"
#include "clotho/sim/options.h"

ABSL_FLAG(std::vector<std::string>, programs, {},
          "names of races, separated by commas; a trailing '*' matches "
          "any ending; default: all but safe_stack");
ABSL_FLAG(std::vector<std::string>, forms, std::vector<std::string>({"P", "S"}),
          "P: programs that only yield; S: programs that take time");
ABSL_FLAG(std::vector<std::string>, strategies,
          std::vector<std::string>({"random", "role_random", "pct", "pct:3",
                                    "pos", "urw", "surw", "delay_bounded",
                                    "guided", "fuzz"}),
          "names of strategies, as in \"random,pct:3\"");
ABSL_FLAG(bool, asyncio_bugs, false,
          "asyncio's historical bugs instead of the races");
ABSL_FLAG(int, trials, 20, "searches for each program and strategy");
ABSL_FLAG(std::uint64_t, schedules, 0,
          "most executions per trial; 0: 10000, and for safe_stack 1000000");
ABSL_FLAG(std::uint64_t, seed, 1, "the base seed of all trials");
ABSL_FLAG(bool, fifo_only, false,
          "search only orders that asyncio produces today");
ABSL_FLAG(std::uint64_t, check_fixed, 0,
          "instead of the table: run each fixed program this many times "
          "under each strategy");
ABSL_FLAG(bool, shrink, false,
          "instead of the table: how far the failures that are found shrink, "
          "and how long that takes");

namespace clotho::benchmarks {
namespace {

using examples::Race;

bool Matches(std::string_view pattern, std::string_view name) {
  if (pattern.ends_with('*')) {
    pattern.remove_suffix(1);
    return name.starts_with(pattern);
  }
  return pattern == name;
}

std::vector<const Race*> ChosenRaces() {
  const std::vector<std::string> patterns = absl::GetFlag(FLAGS_programs);
  const std::vector<std::string> forms = absl::GetFlag(FLAGS_forms);
  std::vector<const Race*> chosen;
  for (const Race& race : absl::GetFlag(FLAGS_asyncio_bugs)
                              ? examples::AsyncioBugs()
                              : examples::AllRaces()) {
    if (std::find(forms.begin(), forms.end(), examples::FormName(race.form)) ==
        forms.end()) {
      continue;
    }
    const bool named = patterns.empty()
                           ? race.name != "safe_stack"
                           : std::any_of(patterns.begin(), patterns.end(),
                                         [&race](const std::string& pattern) {
                                           return Matches(pattern, race.name);
                                         });
    if (named) chosen.push_back(&race);
  }
  return chosen;
}

int Main() {
  const std::vector<std::string> names = absl::GetFlag(FLAGS_strategies);
  std::vector<sim::Search> searches;
  for (const std::string& name : names) {
    absl::StatusOr<sim::Search> search = SearchByName(name);
    if (!search.ok()) {
      std::cerr << "--strategies: " << search.status().message() << "\n";
      return 2;
    }
    searches.push_back(*std::move(search));
  }
  const std::vector<const Race*> races = ChosenRaces();
  if (races.empty()) {
    std::cerr << "--programs and --forms: there is no such race\n";
    return 2;
  }
  if (absl::GetFlag(FLAGS_trials) < 1) {
    std::cerr << "--trials: expected a number from 1\n";
    return 2;
  }
  const std::uint64_t check = absl::GetFlag(FLAGS_check_fixed);
  if (check != 0 && absl::GetFlag(FLAGS_shrink)) {
    std::cerr << "--shrink and --check_fixed: expected one of them\n";
    return 2;
  }
  const bool shrink = absl::GetFlag(FLAGS_shrink);
  std::vector<Row> rows;
  std::vector<ShrinkRow> shrink_rows;
  bool silent = true;
  bool minimal = true;
  for (const Race* const race : races) {
    Protocol protocol = {.trials = absl::GetFlag(FLAGS_trials),
                         .schedules = absl::GetFlag(FLAGS_schedules),
                         .seed = absl::GetFlag(FLAGS_seed),
                         .fifo_only = absl::GetFlag(FLAGS_fifo_only)};
    if (check != 0) {
      protocol.schedules = check;
    } else if (protocol.schedules == 0) {
      protocol.schedules = race->name == "safe_stack" ? 1'000'000 : 10'000;
    }
    Row row{.race = race};
    for (std::size_t i = 0; i < names.size(); ++i) {
      std::cerr << race->name << " " << examples::FormName(race->form) << " "
                << names[i] << "\n";
      if (shrink) {
        shrink_rows.push_back(
            {.race = race,
             .strategy = names[i],
             .shrinkage = ShrinkFailures(*race, searches[i], protocol)});
        const Shrinkage& last = shrink_rows.back().shrinkage;
        minimal = minimal && last.minimal == last.found;
        continue;
      }
      if (check == 0) {
        row.hunts.push_back(RunHunt(*race, searches[i], protocol));
        continue;
      }
      const std::string report = CheckFixed(*race, searches[i], protocol);
      if (report.empty()) continue;
      silent = false;
      std::cout << race->name << " in form " << examples::FormName(race->form)
                << ", fixed, fails under " << names[i] << ":\n"
                << report << "\n";
    }
    rows.push_back(std::move(row));
  }
  if (shrink) {
    std::cout << ShrinkTable(shrink_rows);
  } else if (check == 0) {
    std::cout << HuntTable(names, rows);
  } else if (silent) {
    std::cout << races.size() << " fixed programs were silent for " << check
              << " executions under each strategy\n";
  }
  return silent && minimal ? 0 : 1;
}

}  // namespace
}  // namespace clotho::benchmarks

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Hunts the known races with each strategy, and prints a table.");
  absl::ParseCommandLine(argc, argv);
  return clotho::benchmarks::Main();
}
