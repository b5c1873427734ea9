#include "clotho/sim/search/search.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/strategies/by_name.h"
#include "clotho/sim/strategies/bytes.h"

namespace clotho::sim::internal {

void UseStrategy(Search& search, std::string_view name, std::uint64_t schedules,
                 std::uint64_t seed) {
  search.strategy = std::string(name);
  search.strategy_parameters.clear();
  search.make_strategy = {};
  search.schedules = schedules;
  search.seed = seed;
  search.exhaustive = false;
}

void UseBytes(Search& search, std::string bytes) {
  UseStrategy(search, "bytes", /*schedules=*/1, search.seed);
  search.make_strategy = [bytes = std::move(bytes)] {
    return std::make_unique<BytesStrategy>(bytes);
  };
  // Otherwise every execution would be checked.
  search.check_every = 0;
}

absl::StatusOr<std::unique_ptr<Strategy>> MakeStrategy(const Search& search) {
  if (search.make_strategy != nullptr) return search.make_strategy();
  const absl::StatusOr<StrategyMaker> maker =
      StrategyByName(search.strategy, search.strategy_parameters);
  if (!maker.ok()) return maker.status();
  return (*maker)();
}

}  // namespace clotho::sim::internal
