// What can be asked of a test: which executions of it to run.
//
//   CLOTHO_TEST(QueueTest, LosesNothing, sim::Random{.schedules = 1'000}) { ...
//   }
//
// Each is a struct that is filled by name. Without any, a test runs once, in
// plain asyncio order.

#ifndef CLOTHO_SIM_OPTIONS_H_
#define CLOTHO_SIM_OPTIONS_H_

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/delay.h"
#include "clotho/sim/executor.h"
#include "clotho/sim/failure.h"
#include "clotho/sim/schedule.h"
#include "clotho/sim/strategies/bytes.h"
#include "clotho/sim/strategies/delay_bounded.h"
#include "clotho/sim/strategies/exhaustive.h"
#include "clotho/sim/strategies/fuzz.h"
#include "clotho/sim/strategies/guided.h"
#include "clotho/sim/strategies/pct.h"
#include "clotho/sim/strategies/plain.h"
#include "clotho/sim/strategies/pos.h"
#include "clotho/sim/strategies/random.h"
#include "clotho/sim/strategies/reduced.h"
#include "clotho/sim/strategies/role_random.h"
#include "clotho/sim/strategies/surw.h"
#include "clotho/sim/strategies/urw.h"
#include "clotho/sim/strategy.h"

namespace clotho::sim {
namespace internal {
class Campaign;
}  // namespace internal

// The limit of the sizes of inputs. (rapidcheck's are ints.)
inline constexpr std::uint64_t kInputSizeMax = 1'000'000;

// A search as a whole. Tests fill it through the structs below.
struct Search {
  // The strategy's name in reports and in replay strings, and who makes it.
  std::string strategy = "plain";
  // The strategy's own, as in "+pct:2:118", separated by ':'.
  std::string strategy_parameters = {};
  std::function<std::unique_ptr<Strategy>()> make_strategy = [] {
    return std::make_unique<PlainStrategy>();
  };
  // For a debugger: the first execution that fails stops where it does so.
  bool break_at_failure = false;
  // A replay stops before this step, for a debugger. 0: it does not.
  std::uint64_t break_before = 0;
  // Executions. Plain order has only one.
  std::uint64_t schedules = 1;
  // Schedules that are run before the search: see Also.
  struct Kept {
    std::string replay = {};
    std::string note = {};
    std::string place = {};  // "some_test.kept:3"; empty: sim::Also.
  };
  std::vector<Kept> kept = {};
  // The base seed. That of execution j is derived from it, from the test's name
  // and from j, and from nothing else.
  std::uint64_t seed = 1;
  // What the program itself draws from (`ProgramRng`).
  std::uint64_t program_seed = 0;
  // An execution that takes more steps is a livelock.
  std::uint64_t steps_max = 100'000;
  // An execution that lasts longer in virtual time fails.
  Delay virtual_time_max = absl::Hours(10 * 365 * 24);
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
  // Search in a child process first: see Isolate.
  bool isolate = false;
  // Only what comes from outside may move: see Strict.
  bool strict = false;
  // The strategy must come to an end by itself: a search that `schedules` cuts
  // short fails as incomplete, unless that is allowed.
  bool exhaustive = false;
  bool allow_incomplete = false;
  // What was asked for cannot be done; the search says so and runs nothing.
  std::string misuse = {};
  // What the strategy has kept of schedules is wanted: Report::corpus.
  bool wants_corpus = false;
  // Every so many executions one is run twice and compared; 0: none but
  // failures.
  std::uint64_t check_every = 1'000;
  // What runs it in parts and goes on after a failure: see internal/campaign.h.
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
  // Failures of any other origin do not count. Empty: all do.
  std::string origin = {};
};

// One execution, in plain asyncio order.
struct Plain {
  void Apply(Search& search) const {
    search.strategy = "plain";
    search.strategy_parameters.clear();
    search.make_strategy = [] { return std::make_unique<PlainStrategy>(); };
    search.schedules = 1;
    search.exhaustive = false;
  }
};

namespace internal {

// A search by a strategy that is made with `arguments`.
template <typename Made, typename... Arguments>
void SetStrategy(Search& search, std::string name, std::uint64_t schedules,
                 std::uint64_t seed, Arguments... arguments) {
  search.strategy = std::move(name);
  search.strategy_parameters.clear();
  search.make_strategy = [arguments...]() -> std::unique_ptr<Strategy> {
    return std::make_unique<Made>(arguments...);
  };
  search.schedules = schedules;
  search.seed = seed;
  search.exhaustive = false;
}

}  // namespace internal

// A portfolio of all that follow: see strategies/fuzz.h. The one to begin with.
struct Fuzz {
  std::uint64_t schedules = 1'000;
  std::uint64_t seed = 1;

  void Apply(Search& search) const {
    internal::SetStrategy<FuzzStrategy>(search, "fuzz", schedules, seed);
  }
};

// Random walks: see strategies/random.h.
struct Random {
  std::uint64_t schedules = 1'000;
  std::uint64_t seed = 1;

  void Apply(Search& search) const {
    internal::SetStrategy<RandomStrategy>(search, "random", schedules, seed);
  }
};

// Random walks over roles: see strategies/role_random.h.
struct RoleRandom {
  std::uint64_t schedules = 1'000;
  std::uint64_t seed = 1;

  void Apply(Search& search) const {
    internal::SetStrategy<RoleRandomStrategy>(search, "role_random", schedules,
                                              seed);
  }
};

// Priorities that change a few times: see strategies/pct.h.
struct Pct {
  // How many orderings the bug needs. 0: drawn anew for each execution.
  std::uint64_t depth = 0;
  std::uint64_t schedules = 1'000;
  std::uint64_t seed = 1;

  void Apply(Search& search) const {
    internal::SetStrategy<PctStrategy>(search, "pct", schedules, seed, depth);
    if (depth != 0) search.strategy_parameters = std::to_string(depth);
  }
};

// Partial order sampling: see strategies/pos.h.
struct Pos {
  std::uint64_t schedules = 1'000;
  std::uint64_t seed = 1;

  void Apply(Search& search) const {
    internal::SetStrategy<PosStrategy>(search, "pos", schedules, seed);
  }
};

// Interleavings that are equally likely: see strategies/urw.h.
struct Urw {
  std::uint64_t schedules = 1'000;
  std::uint64_t seed = 1;

  void Apply(Search& search) const {
    internal::SetStrategy<UrwStrategy>(search, "urw", schedules, seed);
  }
};

// The same, of what touches one object: see strategies/surw.h.
struct Surw {
  std::uint64_t schedules = 1'000;
  std::uint64_t seed = 1;

  void Apply(Search& search) const {
    internal::SetStrategy<SurwStrategy>(search, "surw", schedules, seed);
  }
};

// A few departures from plain order: see strategies/delay_bounded.h.
struct DelayBounded {
  // In one execution, at most.
  std::uint64_t departures = 3;
  std::uint64_t schedules = 1'000;
  std::uint64_t seed = 1;

  void Apply(Search& search) const {
    internal::SetStrategy<DelayBoundedStrategy>(search, "delay_bounded",
                                                schedules, seed, departures);
    search.strategy_parameters = std::to_string(departures);
  }
};

// Every execution, or every one within some departures of plain order. Without
// such a bound, a poll is not followed for ever, and the report says so: see
// strategies/exhaustive.h.
struct Exhaustive {
  // 0: no bound.
  std::uint64_t departures_max = 0;
  // A test that has more executions fails as incomplete.
  std::uint64_t schedules = 1'000'000;
  bool allow_incomplete = false;
  // Of executions that differ only in the order of independent steps, one: see
  // strategies/reduced.h. To be asked for only where all state that tasks share
  // is Tracked, or one of the runtime's own primitives. Not together with
  // `departures_max`, an invariant or strict freedom.
  bool reduce = false;

  void Apply(Search& search) const {
    if (reduce) {
      internal::SetStrategy<ReducedStrategy>(search, "reduced", schedules,
                                             search.seed);
      search.exhaustive = true;
      search.allow_incomplete = allow_incomplete;
      if (departures_max != 0) {
        search.misuse =
            "Exhaustive: .reduce does not go together with .departures_max: "
            "what stands for an execution may have more departures than it";
      }
      return;
    }
    internal::SetStrategy<ExhaustiveStrategy>(search, "exhaustive", schedules,
                                              search.seed, departures_max);
    if (departures_max != 0) {
      search.strategy_parameters = std::to_string(departures_max);
    }
    search.exhaustive = true;
    search.allow_incomplete = allow_incomplete;
  }
};

// Variations of schedules that showed something new: see strategies/guided.h.
struct Guided {
  std::uint64_t schedules = 1'000;
  std::uint64_t seed = 1;

  void Apply(Search& search) const {
    internal::SetStrategy<GuidedStrategy>(search, "guided", schedules, seed);
  }
};

// One execution, whose schedule is read from bytes: see strategies/bytes.h. For
// a fuzzer, which makes one string after another:
//
//   const sim::Report report =
//       sim::Explore(body, sim::Bytes{{data, data + size}});
//
// A failure has an ordinary replay string.
struct Bytes {
  std::string bytes;

  void Apply(Search& search) const {
    internal::SetStrategy<BytesStrategy>(search, "bytes", /*schedules=*/1,
                                         search.seed, bytes);
    // It would be every execution.
    search.check_every = 0;
  }
};

// A schedule that failed once, and is run before every search from then on:
//
//   CLOTHO_TEST(JobQueueTest, NoJobIsLost, sim::Fuzz(),
//               sim::Also("c1/0/4:1", "issue 212")) { ... }
//
// It is run leniently: departures that the program no longer has are dropped,
// and the test's output says so. A string that does not parse fails the test.
//
// Those in the file testdata/clotho/JobQueueTest.NoJobIsLost.kept, beside the
// test, are run in the same way; see internal/results.h for its format. A
// failure's report names such a file that is ready to be copied there.
struct Also {
  explicit Also(std::string replay_string, std::string why = "")
      : replay(std::move(replay_string)), note(std::move(why)) {}

  std::string replay;
  std::string note;  // For the reader.

  void Apply(Search& search) const {
    search.kept.push_back({.replay = replay, .note = note});
  }
};

// A strategy of one's own: `sim::With{[] { return std::make_unique<Mine>();
// }}`.
struct With {
  std::function<std::unique_ptr<Strategy>()> make_strategy;
  std::uint64_t schedules = 1'000;
  std::uint64_t seed = 1;
  std::string name = "custom";

  void Apply(Search& search) const {
    search.strategy = name;
    search.strategy_parameters.clear();
    search.make_strategy = make_strategy;
    search.exhaustive = false;
    search.schedules = schedules;
    search.seed = seed;
  }
};

// Searches only what plain asyncio can do today.
//
// There, tasks that are ready run in the order in which they became so. What is
// open is how much time has passed when an iteration of the loop begins: which
// timers, and which answers from outside, are due by then. Those go behind what
// is ready, and ahead of what it makes ready. That is enough for most races
// with a timeout.
//
// Without this a search is portable: any task that is ready may be next, or the
// next timer, since no author should lean on their order.
struct Strict {
  void Apply(Search& search) const { search.strict = true; }
};

// Bounds of one execution.
struct Limits {
  std::uint64_t steps_max = 100'000;
  Delay virtual_time_max = absl::Hours(10 * 365 * 24);

  void Apply(Search& search) const {
    search.steps_max = steps_max;
    search.virtual_time_max = virtual_time_max;
  }
};

// For programs that may crash, or end the process otherwise. The search runs in
// a child process first. If that dies, the schedule is shrunk, with a child for
// each candidate, and reported as any failure; if it does not, the search runs
// again in this process, which takes twice the time. A campaign does so second
// by second, and goes on after a crash, too.
//
// Without it a crash ends the test program, after a line that replays it.
struct Isolate {
  void Apply(Search& search) const { search.isolate = true; }
};

// Debug mode of the loop: see EventLoop::SetDebug. What it warns of is written
// to standard error, once.
struct Debug {
  void Apply(Search& search) const { search.debug = true; }
};

// How long executors' jobs take: see executor.h.
struct Jobs {
  JobTime time;

  void Apply(Search& search) const { search.job_time = time; }
};

// The search that `options`, in their order, ask for.
template <typename... Options>
Search MakeSearch(const Options&... options) {
  Search search;
  (options.Apply(search), ...);
  return search;
}

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_OPTIONS_H_
