// The races: small programs with one known bug each, and their fixed twins.
//
//   for (const Race& race : AllRaces()) {
//     sim::Report report = sim::Explore(race.buggy, sim::Fuzz{});
//   }
//
// They come from the literature on concurrency testing and from the bug
// trackers of real projects, ported to coroutines, and measure a search: how
// many executions it needs to the first failure. The fixed twins check that it
// raises no false alarms. Each file starts with what its program models, which
// interleaving breaks it, and where it is from.
//
// Each operation that other threads could observe is preceded by a suspension.
// The program's form determines its kind.

#ifndef CLOTHO_EXAMPLES_RACES_RACES_H_
#define CLOTHO_EXAMPLES_RACES_RACES_H_

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "clotho/runtime/coro.h"
#include "clotho/sim/engine/failure.h"

namespace clotho::examples {

enum class Form {
  // `Sleep(0)`: any two tasks that are ready may swap.
  kPortable,
  // I/O: a timer of one to four milliseconds, chosen by the environment. The
  // race exists even if everything that is ready runs in
  // asyncio's order.
  kStrict,
};

// "P" or "S".
std::string_view FormName(Form form);

// Published results: the number of executions to the first failure.
struct Figure {
  double mean = 0;        // Of the trials that found it; 0: none did.
  int trials_found = 20;  // Of 20.
};
inline constexpr Figure kNever = {.mean = 0, .trials_found = 0};

// Other harnesses suspend at different places: figures in one column are
// comparable with each other, and only roughly with ours.
struct Published {
  // The artefact of SURW (Zhao and others, ASPLOS 2025), limit 10,000.
  std::optional<Figure> surw = {}, pct3 = {}, pct10 = {}, pos = {}, random = {};
  // The artefact of RFF (Wolff and others, ASPLOS 2024), limit 5 minutes.
  std::optional<Figure> rff = {};
  // Notes that do not fit the columns.
  std::string_view note = {};
};

struct Race {
  std::string name;  // "reorder_20"
  Form form = Form::kPortable;
  // The number of ordering constraints for a failure, as PCT counts them;
  // estimated from the source of the program.
  int depth = 2;
  // The kind of its failure, and a part of the text of the report.
  sim::FailureKind failure = sim::FailureKind::kAlways;
  std::string_view says = {};
  // True if FIFO order hides the bug.
  bool passes_in_fifo_order = true;
  Published published = {};

  // A body for a search; each call creates a new program.
  std::function<Coro<void>()> buggy = {};
  std::function<Coro<void>()> fixed = {};
};

// All races, in both forms where both make sense, in the order of the programs'
// names in programs.h.
std::span<const Race> AllRaces();

// Null if there is none of this name and form.
const Race* FindRace(std::string_view name, Form form);

}  // namespace clotho::examples

#endif  // CLOTHO_EXAMPLES_RACES_RACES_H_
