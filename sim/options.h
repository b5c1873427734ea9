// What can be asked of a test: which executions of it to run.
//
//   CLOTHO_TEST(QueueTest, LosesNothing, sim::Random{.schedules = 1'000}) { ...
//   }
//
// Each is a struct that is filled by name. Without any, a test runs once, in
// FIFO order.

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

// A strategy's name as an argument of a template.
template <std::size_t size>
struct StrategyName {
  constexpr StrategyName(const char (&name)[size]) {  // NOLINT: converts.
    std::copy_n(name, size, text);
  }
  constexpr std::string_view view() const { return {text, size - 1}; }
  char text[size];
};

// A search by the strategy of that name.
void UseStrategy(Search& search, std::string_view name, std::uint64_t schedules,
                 std::uint64_t seed);

}  // namespace internal

// One execution, in FIFO order: what asyncio does.
struct Fifo {
  void Apply(Search& search) const;
};

// A number of executions, each drawn by the strategy of that name.
template <internal::StrategyName name>
struct Sampled {
  std::uint64_t schedules = kSchedules;
  std::uint64_t seed = 1;

  void Apply(Search& search) const {
    internal::UseStrategy(search, name.view(), schedules, seed);
  }
};

// A portfolio of all that follow: see strategies/fuzz.h. The one to begin with.
using Fuzz = Sampled<"fuzz">;

// Random walks: see strategies/random.h.
using Random = Sampled<"random">;

// Random walks over roles: see strategies/role_random.h.
using RoleRandom = Sampled<"role_random">;

// Partial order sampling: see strategies/pos.h.
using Pos = Sampled<"pos">;

// Interleavings that are equally likely: see strategies/urw.h.
using Urw = Sampled<"urw">;

// The same, of the steps that touch one object: see strategies/surw.h.
using Surw = Sampled<"surw">;

// Variations of schedules that showed something new: see strategies/guided.h.
using Guided = Sampled<"guided">;

// Priorities that change a few times: see strategies/pct.h.
struct Pct {
  // How many orderings the bug needs. 0: drawn anew for each execution.
  std::uint64_t depth = 0;
  std::uint64_t schedules = kSchedules;
  std::uint64_t seed = 1;

  void Apply(Search& search) const;
};

// A few deviations from FIFO order: see strategies/delay_bounded.h.
struct DelayBounded {
  // In one execution, at most.
  std::uint64_t deviations = 3;
  std::uint64_t schedules = kSchedules;
  std::uint64_t seed = 1;

  void Apply(Search& search) const;
};

// Every execution, or every one within some deviations from FIFO order. Without
// such a bound, polling loops are cut off, and the report says so: see
// strategies/exhaustive.h.
struct Exhaustive {
  // 0: no bound.
  std::uint64_t deviations_max = 0;
  // A test that has more executions fails as incomplete.
  std::uint64_t schedules = kExhaustiveSchedules;
  bool allow_incomplete = false;
  // Runs one of all executions that differ only in the order of independent
  // steps: see strategies/reduced.h. Ask for it only where all state that tasks
  // share is Tracked, or one of the runtime's own primitives. Not together with
  // `deviations_max`, an invariant or FifoOnly.
  bool reduce = false;

  void Apply(Search& search) const;
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

  void Apply(Search& search) const;
};

// A schedule that failed once, and is run before every search from then on:
//
//   CLOTHO_TEST(JobQueueTest, NoJobIsLost, sim::Fuzz(),
//               sim::ReplayFirst("c1/0/4:1", "issue 212")) { ... }
//
// It is run leniently: deviations that the program no longer has are dropped,
// and the test's output says so. A string that does not parse fails the test.
//
// Those in the file testdata/clotho/JobQueueTest.NoJobIsLost.saved, beside the
// test, are run in the same way; see report/artifacts.h for its format. A
// failure's report names such a file that is ready to be copied there.
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

// Searches only what asyncio can do today: tasks run in FIFO order.
//
// What is open there is how much time has passed when an iteration of the loop
// begins: which timers, and which answers from outside, are due by then. They
// are queued after work that is already ready, but before work that it
// schedules. That is enough for most races with a timeout.
//
// Without this a search is portable: any task that is ready may be next, or the
// next timer, since no author should rely on their order.
struct FifoOnly {
  void Apply(Search& search) const;
};

// Bounds of one execution.
struct Limits {
  std::uint64_t steps_max = kStepsMax;
  Delay virtual_time_max = absl::Hours(kVirtualHoursMax);

  void Apply(Search& search) const;
};

// For programs that may crash, or end the process otherwise. The search runs in
// a child process first. If that dies, the schedule is shrunk, with a child for
// each candidate, and reported as any failure; if it does not, the search runs
// again in this process, which takes twice the time. A campaign does so second
// by second, and continues after a crash, too.
//
// Without it a crash ends the test program, after a line that replays it.
struct Isolate {
  void Apply(Search& search) const;
};

// Debug mode of the loop: see EventLoop::SetDebug. What it warns of is written
// to standard error, once.
struct Debug {
  void Apply(Search& search) const;
};

// How long executors' jobs take: see engine/executor.h.
struct JobDuration {
  JobTime time;

  void Apply(Search& search) const;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_OPTIONS_H_
