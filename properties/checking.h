// Holds: whether a coroutine holds its claims in every execution that is tried.
// Refutation: how a property fails on something that is faulty.
//
//   Coro<void> KeepsTheOrder(const std::vector<int>& delays);  // Uses Always.
//
//   RC_GTEST_PROP(GatherProperty, KeepsTheOrder, (const std::vector<int>& in))
//   {
//     RC_ASSERT(Holds([&] { return KeepsTheOrder(in); }));
//   }
//
// For properties over inputs and schedules. rapidcheck makes the inputs; each
// is run in plain order, and in several schedules of a strategy and a freedom
// that are drawn with it. Each first execution of a search is run twice, and
// its traces are compared: same seed, same trace. The report of what failed,
// with its schedule, is logged for the smallest input that rapidcheck finds.

#ifndef CLOTHO_PROPERTIES_CHECKING_H_
#define CLOTHO_PROPERTIES_CHECKING_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "clotho/runtime/coro.h"
#include "clotho/sim/explore.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report.h"
#include "rapidcheck.h"

namespace clotho::properties {

// Which schedules an input is run in, besides plain order.
struct Way {
  enum class Strategy { kRandom, kPct, kPos, kUrw, kSurw, kDelayBounded };

  Strategy strategy = Strategy::kRandom;
  bool strict = false;
  std::uint64_t seed = 1;
};

std::ostream& operator<<(std::ostream& out, const Way& way);

// Any of them. A smaller input does not get another one.
rc::Gen<Way> Ways();

// Plain order, and then 12 schedules of `way`. What fails is explained, with
// the shortest schedule, only if `explain`: that takes many more executions.
sim::Report Try(const sim::Body& body, const Way& way, bool explain);

// Inside a rapidcheck property: draws a way, and tries `body`.
bool Holds(const sim::Body& body);

// What the smallest of the inputs that fail says: `False("it is empty")`, for
// one. Empty if none of 1,000 does.
template <typename Input>
std::string Refutation(const rc::Gen<Input>& inputs,
                       Coro<void> (*body)(const Input&)) {
  std::string what;
  const auto property = [&] {
    const Input input = *inputs;
    const Way way = *Ways();
    const sim::Report report =
        Try([&] { return body(input); }, way, /*explain=*/false);
    // rapidcheck goes on from what failed last: in the end it is the smallest.
    if (!report.passed()) what = report.failure->what;
    RC_ASSERT(report.passed());
  };
  rc::detail::TestParams params;
  params.seed = 1;
  params.maxSuccess = 1'000;
  rc::detail::checkTestable(property, rc::detail::TestMetadata(), params);
  return what;
}

// What is said of a false claim.
inline std::string False(std::string_view claim) {
  return "Always \"" + std::string(claim) + "\" is false";
}

}  // namespace clotho::properties

#endif  // CLOTHO_PROPERTIES_CHECKING_H_
