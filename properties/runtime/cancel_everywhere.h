// A model test: compares a primitive with a sequential model, while a task is
// cancelled at every possible point.
//
//   TEST(LockModel, HoldsWhereverATaskIsCancelled) {
//     EXPECT_EQ(FailureAnywhere(KeepsTheLine<Lock>, VisitorIsCancelled), "");
//   }
//
// The body is that of a property (see invariant.h), and asks its model what may
// happen. Inputs are random, and no time passes in them. In each input, each
// task is cancelled after 0, 1, 2, ... turns of the loop, until it always ends
// before that; each of these runs in every order of steps within one deviation
// of FIFO order.

#ifndef CLOTHO_PROPERTIES_RUNTIME_CANCEL_EVERYWHERE_H_
#define CLOTHO_PROPERTIES_RUNTIME_CANCEL_EVERYWHERE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>

#include "clotho/properties/runtime/invariant.h"
#include "clotho/runtime/coro.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/search/search.h"
#include "rapidcheck.h"

namespace clotho::properties {

// The report of the first failing input; empty if there is none.
//
// `is_cancelled` returns the same input, without pauses in time, with the given
// task cancelled after the given number of turns; nullopt if there is no such
// task. The body states with a Sometimes whether the cancellation came in time.
template <typename Input>
std::string FailureAnywhere(
    Coro<void> (*body)(const Input&),
    std::optional<Input> (*is_cancelled)(Input, std::size_t task, int turns),
    std::uint64_t inputs = 12) {
  // For tasks that would wait forever.
  constexpr int kTurnsMax = 15;
  constexpr int kSize = 100;
  for (std::uint64_t seed = 1; seed <= inputs; ++seed) {
    const Input any =
        rc::gen::arbitrary<Input>()(rc::Random(seed), kSize).value();
    for (std::size_t task = 0; is_cancelled(any, task, 0).has_value(); ++task) {
      bool in_time = true;
      for (int turns = 0; in_time && turns < kTurnsMax; ++turns) {
        const Input input = *is_cancelled(any, task, turns);
        const sim::Report report = sim::Explore(
            [&] { return body(input); }, sim::Exhaustive{.deviations_max = 1});
        in_time = report.verdict() != sim::Report::Verdict::kGoalMissed;
        if (report.passed() || !in_time) continue;
        std::ostringstream text;
        text << input << "\n" << report;
        return text.str();
      }
    }
  }
  return "";
}

}  // namespace clotho::properties

#endif  // CLOTHO_PROPERTIES_RUNTIME_CANCEL_EVERYWHERE_H_
