// What the command line and the environment say about this run.

#ifndef CLOTHO_SIM_FLAGS_FLAGS_H_
#define CLOTHO_SIM_FLAGS_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "clotho/runtime/delay.h"
#include "clotho/sim/report/console.h"
#include "clotho/sim/search/search.h"
#include "clotho/sim/search/shard.h"

namespace clotho::sim::internal {

enum class Format { kText, kJson, kGithub };
enum class Traces { kNever, kOnFailure, kAlways };

struct Flags {
  std::string replay;  // Empty: search.
  std::optional<std::string> strategy;
  std::optional<std::uint64_t> schedules;
  std::optional<std::uint64_t> cases;
  std::optional<std::uint64_t> size;
  std::optional<std::uint64_t> seed;
  std::optional<bool> debug;
  std::string out;    // The output folder; empty: none.
  std::string saved;  // The folder of saved schedules; empty: beside the tests.
  std::optional<bool> isolate;

  // Per execution.
  std::optional<std::uint64_t> max_steps;
  std::optional<Delay> max_virtual_time;
  // Real time per failure; 0: failures are not shrunk.
  std::optional<Delay> shrink_for;
  // One in this many executions is run twice; 0: none.
  std::optional<std::uint64_t> check_every;

  // ---- Campaigns: see search/campaign.h. ----

  // Real time for the whole run.
  std::optional<Delay> budget;
  // The search of a test ends after this many distinct failures; 0: it does
  // not.
  std::optional<std::uint64_t> failures;
  // The exit code is 0; merging the records gives the verdict.
  bool exit_zero = false;
  // Resumes where the records in `out` end.
  bool resume = false;
  // The part that this process runs, and what is divided: the schedules of each
  // test, or the list of tests.
  Shard shard;
  bool shard_by_schedules = false;

  // What differs from the defaults, for people: "strategy=pct:3
  // shard=3/64". Empty: none.
  std::string changes;

  // Whether tests that are searched run as a campaign: see search/campaign.h.
  bool campaign() const {
    return shard_by_schedules || resume || budget.has_value() ||
           failures.value_or(1) != 1;
  }

  // ---- Output and supervision: see report/console.h, search/signals.h. ----

  Color color = Color::kAuto;
  Format format = Format::kText;
  Traces traces = Traces::kOnFailure;
  std::uint64_t break_before = 0;  // A step; 0: no break.
  double rate = 0;  // Virtual seconds per real second; 0: as fast as possible.
  Delay step_watchdog = absl::Seconds(10);  // 0: no limit.
  std::string test;  // Empty: all tests that GoogleTest selects.
  // The schedule for the strategy "bytes".
  std::string bytes;
};

// Reads the variables CLOTHO_*, and Bazel's variables for results; then the
// arguments that GoogleTest has left. The command line takes precedence. For
// the sources of the shard, see search/shard.h. Whatever is unknown or does not
// parse is an error that names it.
absl::StatusOr<Flags> ReadFlags(int argc, char** argv);

// Applies the flags to the search that a test requests. A test that is not
// searched has one execution, whatever number the flags say.
void ApplyFlags(const Flags& flags, Search& search);

// The text of `--help`.
std::string FlagsUsage();

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_FLAGS_FLAGS_H_
