// Holds: whether a coroutine holds its claims in every execution that is tried.
//
//   RC_GTEST_PROP(GatherProperty, KeepsTheOrder, (const std::vector<int>&
//   delays)) {
//     RC_ASSERT(Holds([&]() -> Coro<void> { ...; Always(a == b, "in order");
//     }));
//   }
//
// For properties over inputs and schedules: rapidcheck makes the inputs, and
// each is run in plain order and in several random ones. The report of what
// failed, with its schedule, is logged for the smallest input that rapidcheck
// finds.

#ifndef CLOTHO_PROPERTIES_CHECKING_H_
#define CLOTHO_PROPERTIES_CHECKING_H_

#include <cstdint>
#include <functional>

#include "clotho/runtime/coro.h"

namespace clotho::properties {

struct CheckOptions {
  // Random schedules tried for each input, besides plain order.
  std::uint64_t schedules = 20;
};

bool Holds(const std::function<Coro<void>()>& body,
           const CheckOptions& options = {});

}  // namespace clotho::properties

#endif  // CLOTHO_PROPERTIES_CHECKING_H_
