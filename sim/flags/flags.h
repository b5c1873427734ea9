// What the command line and the environment say of this run.

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
  std::string replay;  // Empty: none.
  std::optional<std::string> strategy;
  std::optional<std::uint64_t> schedules;
  std::optional<std::uint64_t> cases;
  std::optional<std::uint64_t> size;
  std::optional<std::uint64_t> seed;
  std::optional<bool> debug;
  std::string out;    // Where results go; empty: nowhere.
  std::string saved;  // Where saved schedules are; empty: beside the tests.
  std::optional<bool> isolate;

  // Of one execution.
  std::optional<std::uint64_t> max_steps;
  std::optional<Delay> max_virtual_time;
  // Real time for each failure; 0: it is not shrunk.
  std::optional<Delay> shrink_for;
  // Every so many executions one is run twice; 0: none is.
  std::optional<std::uint64_t> check_every;

  // ---- Of a campaign: see campaign.h. ----

  // Real time for the whole run.
  std::optional<Delay> budget;
  // Distinct failures of a test, until its search ends; 0: it does not.
  std::optional<std::uint64_t> failures;
  // The verdict is left to who merges the records.
  bool exit_zero = false;
  // Goes on where the records in `out` end.
  bool resume = false;
  // What this process does, and what is cut: the schedules of each test, or
  // else the list of tests.
  Shard shard;
  bool shard_by_schedules = false;

  // What was asked for, for people: "strategy=pct:3 shard=3/64". Empty: it is
  // as the tests say.
  std::string changes;

  // It is for tests that are searched: see campaign.h.
  bool campaign() const {
    return shard_by_schedules || resume || budget.has_value() ||
           failures.value_or(1) != 1;
  }

  // ---- Of what is told, and of who watches: see output.h, signals.h. ----

  Color color = Color::kAuto;
  Format format = Format::kText;
  Traces traces = Traces::kOnFailure;
  std::uint64_t break_before = 0;  // A step; 0: none.
  double rate = 0;  // Virtual seconds in a real one; 0: as many as can be.
  Delay step_watchdog = absl::Seconds(10);  // 0: none.
  std::string test;  // Empty: all that GoogleTest selects.
  // What strategy bytes reads its schedule from.
  std::string bytes;
};

// Reads the variables CLOTHO_*, and Bazel's for results; then what is left of
// the command line after GoogleTest has taken its own; the command line wins.
// Who says which shard this is: see shard.h. Whatever is not known or does not
// parse is an error that names it.
absl::StatusOr<Flags> ReadFlags(int argc, char** argv);

// The search that a test asks for, as changed by the flags. A test that is
// not searched has one execution, whatever number is asked for.
void ApplyFlags(const Flags& flags, Search& search);

// What `--help` says of them.
std::string FlagsUsage();

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_FLAGS_FLAGS_H_
