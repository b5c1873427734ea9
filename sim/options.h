// The options of a test: which of its executions to run.
//
//   CLOTHO_TEST(QueueTest, LosesNothing, sim::Random{.schedules = 1'000}) {
//     ...
//   }
//
// Each option is a struct with named members. Without options, a test runs
// once, in FIFO order.

#ifndef CLOTHO_SIM_OPTIONS_H_
#define CLOTHO_SIM_OPTIONS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "clotho/runtime/delay.h"
#include "clotho/sim/engine/defaults.h"
#include "clotho/sim/engine/executor.h"

namespace clotho::sim {

class Strategy;
struct Search;

namespace internal {

// The name of a strategy as a template argument.
template <std::size_t size>
struct StrategyName {
  constexpr StrategyName(const char (&name)[size]) {  // NOLINT: converts.
    std::copy_n(name, size, text);
  }
  constexpr std::string_view view() const { return {text, size - 1}; }
  char text[size];
};

// The test asks for the strategy of that name. It is misuse to ask for two, or
// for no executions.
void AskForStrategy(Search& search, std::string_view name,
                    std::uint64_t schedules, std::uint64_t seed);

}  // namespace internal

// One execution, in FIFO order, like asyncio.
struct Fifo {
  void Apply(Search& search) const;
};

// A number of executions, each sampled by the strategy of that name.
template <internal::StrategyName name>
struct Sampled {
  std::uint64_t schedules = kSchedules;
  std::uint64_t seed = 1;

  void Apply(Search& search) const {
    internal::AskForStrategy(search, name.view(), schedules, seed);
  }
};

// A portfolio of the strategies below: see strategies/fuzz.h. Start with this
// one.
using Fuzz = Sampled<"fuzz">;

// Random walks: see strategies/random.h.
using Random = Sampled<"random">;

// Random walks over roles: see strategies/role_random.h.
using RoleRandom = Sampled<"role_random">;

// Partial order sampling: see strategies/pos.h.
using Pos = Sampled<"pos">;

// Equally likely interleavings: see strategies/urw.h.
using Urw = Sampled<"urw">;

// The same for the steps that touch one object: see strategies/surw.h.
using Surw = Sampled<"surw">;

// Variations of schedules that showed something new: see strategies/guided.h.
using Guided = Sampled<"guided">;

// Priorities that change a few times: see strategies/pct.h.
struct Pct {
  // How many ordering constraints the bug needs. 0: drawn anew for each
  // execution.
  std::uint64_t depth = 0;
  std::uint64_t schedules = kSchedules;
  std::uint64_t seed = 1;

  void Apply(Search& search) const;
};

// A few deviations from FIFO order: see strategies/delay_bounded.h.
struct DelayBounded {
  // The maximum per execution.
  std::uint64_t deviations = 3;
  std::uint64_t schedules = kSchedules;
  std::uint64_t seed = 1;

  void Apply(Search& search) const;
};

// Every execution, or every one within a number of deviations from FIFO order.
// Without such a bound, polling loops are cut off; the report says when: see
// strategies/exhaustive.h.
struct Exhaustive {
  // 0: no bound.
  std::uint64_t deviations_max = 0;
  // A test with more executions fails as incomplete.
  std::uint64_t schedules = kExhaustiveSchedules;
  bool allow_incomplete = false;
  // Runs one of all executions that differ only in the order of independent
  // steps: see strategies/reduced.h. Use it only if all state that tasks share
  // is Tracked, or is one of the runtime's own primitives. Cannot be combined
  // with `deviations_max`, an invariant or FifoOnly.
  bool reduce = false;

  void Apply(Search& search) const;
};

// One execution, whose schedule is read from bytes: see strategies/bytes.h. For
// a fuzzer, which generates one string after another:
//
//   const sim::Report report =
//       sim::Explore(body, sim::Bytes{{data, data + size}});
//
// A failure has an ordinary replay string.
struct Bytes {
  std::string bytes;

  void Apply(Search& search) const;
};

// A schedule that failed once, and runs before every search from then on:
//
//   CLOTHO_TEST(JobQueueTest, NoJobIsLost, sim::Fuzz(),
//               sim::ReplayFirst("c1/0/4:1", "issue 212")) { ... }
//
// It runs leniently: deviations that no longer apply to the program are
// skipped, and the test's output says so. A string that does not parse fails
// the test.
//
// The schedules in the file testdata/clotho/JobQueueTest.NoJobIsLost.saved,
// beside the test, run in the same way; see report/artifacts.h for the format.
// The report of a failure names such a file, ready to be copied there.
struct ReplayFirst {
  explicit ReplayFirst(std::string replay_string, std::string why = "")
      : replay(std::move(replay_string)), note(std::move(why)) {}

  std::string replay;
  std::string note;  // For the reader.

  void Apply(Search& search) const;
};

// A strategy of your own:
// `sim::CustomStrategy{[] { return std::make_unique<Mine>(); }}`.
struct CustomStrategy {
  std::function<std::unique_ptr<Strategy>()> make_strategy;
  std::uint64_t schedules = kSchedules;
  std::uint64_t seed = 1;
  std::string name = "custom";

  void Apply(Search& search) const;
};

// Searches only executions that asyncio can produce today: tasks run in FIFO
// order.
//
// What remains open is how much time has passed when an iteration of the loop
// begins: which timers and external events are due by then. They are queued
// after work that is already ready, but before work that it schedules. That is
// enough for most races with a timeout.
//
// Without this option a search is portable: any ready task, or the next timer,
// may run next, since programs should not rely on their order.
struct FifoOnly {
  void Apply(Search& search) const;
};

// Limits of one execution.
struct Limits {
  std::uint64_t steps_max = kStepsMax;
  Delay virtual_time_max = absl::Hours(kVirtualHoursMax);

  void Apply(Search& search) const;
};

// For tests of threads: for how long a thread that could run may be kept from
// running while the deadline of another thread passes. The longer, the more
// executions there are in which a time limit is exceeded by chance.
struct Jitter {
  Delay most = Delay::Nanoseconds(kJitterNs);

  void Apply(Search& search) const;
};

// For programs that may crash or exit. The search runs in a child process
// first. If the child crashes, the schedule is shrunk, with a child process for
// each candidate, and reported like any failure. Otherwise the search runs
// again in this process, so it takes twice as long. A campaign alternates
// second by second, and also continues after a crash.
//
// Without this option a crash ends the test program, after a line that replays
// it.
struct Isolate {
  void Apply(Search& search) const;
};

// Debug mode of the loop: see EventLoop::SetDebug. Each warning is written to
// standard error once.
struct Debug {
  void Apply(Search& search) const;
};

// How long the jobs of executors take: see engine/executor.h.
struct JobDuration {
  JobTime time;

  void Apply(Search& search) const;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_OPTIONS_H_
