// CLOTHO_INVARIANT: a promise of the runtime, for any input, in any legal order
// of steps. Refutation: checks that a broken promise is detected.
//
//   struct Input {
//     ...
//     static rc::Gen<Input> Any();
//   };
//   template <typename L>
//   Coro<void> KeepsTheLine(const Input& input) { ...; Always(a == b, "..."); }
//
//   CLOTHO_INVARIANT(LockProperty, KeepsTheLine, Input, KeepsTheLine<Lock>)
//
//   TEST(LockMutants, Barges) {
//     EXPECT_EQ(Refutation(KeepsTheLine<LockThatBarges>),
//               False("first come, first served"));
//   }
//
// Each invariant is two properties: one for the orders that asyncio allows, and
// one for those it has today. Each of 1,000 inputs runs in FIFO order, and then
// with several strategies. The first execution of an input runs twice, and the
// traces are compared: same seed, same trace. `--clotho_cases=100000` tries
// more.

#ifndef CLOTHO_PROPERTIES_RUNTIME_INVARIANT_H_
#define CLOTHO_PROPERTIES_RUNTIME_INVARIANT_H_

#include <concepts>
#include <string>
#include <string_view>

#include "clotho/properties/property.h"
#include "clotho/runtime/coro.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/search.h"
#include "rapidcheck.h"

namespace clotho::properties {

struct InAnyOrder {
  void Apply(sim::Search& search) const {
    sim::Fuzz{.schedules = 12}.Apply(search);
    Cases{.cases = 1'000}.Apply(search);
  }
};

struct InAsynciosOrder {
  void Apply(sim::Search& search) const {
    sim::Fuzz{.schedules = 8}.Apply(search);
    sim::FifoOnly().Apply(search);
    Cases{.cases = 1'000}.Apply(search);
  }
};

// How a promise is broken, for example `False("it is empty")`. Empty if it
// holds for each of 1,000 inputs.
template <typename Input>
std::string Refutation(Coro<void> (*body)(const Input&)) {
  // Shrinks neither the input nor the schedule.
  struct Quickly {
    void Apply(sim::Search& search) const { search.shrink_runs_max = 0; }
  };
  const sim::Report report = Check(body, InAnyOrder(), Quickly());
  return report.passed() ? "" : report.failure()->what;
}

// The message of a false claim.
inline std::string False(std::string_view claim) {
  return "Always \"" + std::string(claim) + "\" is false";
}

}  // namespace clotho::properties

// An input type defines how to generate its values.
template <typename T>
  requires requires {
    { T::Any() } -> std::same_as<rc::Gen<T>>;
  }
struct rc::Arbitrary<T> {
  static rc::Gen<T> arbitrary() { return T::Any(); }
};

// The body is the last argument, and may contain commas.
#define CLOTHO_INVARIANT(suite, name, Input, ...)                     \
  CLOTHO_PROPERTY(suite, name, (const Input& input),                  \
                  ::clotho::properties::InAnyOrder()) {               \
    return __VA_ARGS__(input);                                        \
  }                                                                   \
  CLOTHO_PROPERTY(suite##InAsynciosOrder, name, (const Input& input), \
                  ::clotho::properties::InAsynciosOrder()) {          \
    return __VA_ARGS__(input);                                        \
  }

#endif  // CLOTHO_PROPERTIES_RUNTIME_INVARIANT_H_
