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
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "clotho/runtime/delay.h"
#include "clotho/sim/strategies/plain.h"
#include "clotho/sim/strategies/random.h"
#include "clotho/sim/strategy.h"

namespace clotho::sim {

// A search as a whole. Tests fill it through the structs below.
struct Search {
  // The strategy's name in reports and in replay strings, and who makes it.
  std::string strategy = "plain";
  std::function<std::unique_ptr<Strategy>()> make_strategy = [] {
    return std::make_unique<PlainStrategy>();
  };
  // Executions. Plain order has only one.
  std::uint64_t schedules = 1;
  // The base seed. That of execution j is derived from it, from the test's name
  // and from j, and from nothing else.
  std::uint64_t seed = 1;
  // What the program itself draws from (`ProgramRng`).
  std::uint64_t program_seed = 0;
  // An execution that takes more steps is a livelock.
  std::uint64_t steps_max = 100'000;
  // An execution that lasts longer in virtual time fails.
  Delay virtual_time_max = absl::Hours(10 * 365 * 24);
  // Runs to spend on shrinking a failure; 0: none.
  std::uint64_t shrink_runs_max = 10'000;
  // Real time to spend on it.
  Delay shrink_for = absl::Seconds(5);
  // Every so many executions one is run twice and compared; 0: none but
  // failures.
  std::uint64_t check_every = 1'000;
};

// One execution, in plain asyncio order.
struct Plain {
  void Apply(Search& search) const {
    search.strategy = "plain";
    search.make_strategy = [] { return std::make_unique<PlainStrategy>(); };
    search.schedules = 1;
  }
};

// Random walks: see strategies/random.h.
struct Random {
  std::uint64_t schedules = 1'000;
  std::uint64_t seed = 1;

  void Apply(Search& search) const {
    search.strategy = "random";
    search.make_strategy = [] { return std::make_unique<RandomStrategy>(); };
    search.schedules = schedules;
    search.seed = seed;
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
    search.make_strategy = make_strategy;
    search.schedules = schedules;
    search.seed = seed;
  }
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

// The search that `options`, in their order, ask for.
template <typename... Options>
Search MakeSearch(const Options&... options) {
  Search search;
  (options.Apply(search), ...);
  return search;
}

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_OPTIONS_H_
