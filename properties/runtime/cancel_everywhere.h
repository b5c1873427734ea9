// A model test: what a primitive does is compared with a sequential model of
// it, with a task that is cancelled at every point at which it can be.
//
//   TEST(LockModel, HoldsWhereverATaskIsCancelled) {
//     EXPECT_EQ(FailureAnywhere(KeepsTheLine<Lock>, VisitorIsCancelled), "");
//   }
//
// The body is a property's (see invariant.h), which asks its model what may
// happen. Inputs are random, and time does not pass in them. In each of them
// each task is cancelled after 0, 1, 2, ... turns of the loop, until it has
// always ended before that, and each of these in every order of steps that is
// within one deviation of FIFO order.

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
#include "rapidcheck.h"

namespace clotho::properties {

// The first input that fails, and its report. Empty: there is none.
//
// `is_cancelled` gives the same input, without any pauses in time, with the
// task of that number cancelled after so many turns; nothing if there is none.
// The body says by a Sometimes whether that came in time.
template <typename Input>
std::string FailureAnywhere(
    Coro<void> (*body)(const Input&),
    std::optional<Input> (*is_cancelled)(Input, std::size_t task, int turns),
    std::uint64_t inputs = 12) {
  // For tasks that would wait for ever.
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
        in_time = !report.failure.has_value() ||
                  report.failure->kind != sim::FailureKind::kGoal;
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
