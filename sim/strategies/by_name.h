// Strategies by name, as flags, replay strings and reports spell them.

#ifndef CLOTHO_SIM_STRATEGIES_BY_NAME_H_
#define CLOTHO_SIM_STRATEGIES_BY_NAME_H_

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "clotho/sim/engine/strategy.h"

namespace clotho::sim {

using StrategyMaker = std::function<std::unique_ptr<Strategy>()>;

// "pct" takes one parameter, as in "pct:3"; the others take none. An error
// quotes what is wrong and says what was expected.
absl::StatusOr<StrategyMaker> StrategyByName(std::string_view name,
                                             std::string_view parameters);

// All names, in the order in which they are shown to users.
std::span<const std::string_view> StrategyNames();

// "fifo, random, ... or fuzz".
std::string StrategyNamesText();

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_BY_NAME_H_
