#include "clotho/sim/strategies/by_name.h"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/strategies/delay_bounded.h"
#include "clotho/sim/strategies/exhaustive.h"
#include "clotho/sim/strategies/fifo.h"
#include "clotho/sim/strategies/fuzz.h"
#include "clotho/sim/strategies/guided.h"
#include "clotho/sim/strategies/pct.h"
#include "clotho/sim/strategies/pos.h"
#include "clotho/sim/strategies/random.h"
#include "clotho/sim/strategies/reduced.h"
#include "clotho/sim/strategies/role_random.h"
#include "clotho/sim/strategies/surw.h"
#include "clotho/sim/strategies/urw.h"

namespace clotho::sim {
namespace {

// The largest parameter: more deviations than steps would be meaningless.
constexpr std::uint64_t kParameterMax = 1'000'000;

template <typename T>
std::unique_ptr<Strategy> Make(std::uint64_t) {
  return std::make_unique<T>();
}

struct Named {
  std::string_view name;
  // The meaning of its parameter; empty: it has none.
  std::string_view parameter;
  std::unique_ptr<Strategy> (*make)(std::uint64_t parameter);
};

constexpr Named kStrategies[] = {
    {"fifo", "", &Make<FifoStrategy>},
    {"random", "", &Make<RandomStrategy>},
    {"role_random", "", &Make<RoleRandomStrategy>},
    {"pct", "depth",
     [](std::uint64_t depth) -> std::unique_ptr<Strategy> {
       return std::make_unique<PctStrategy>(depth);
     }},
    {"pos", "", &Make<PosStrategy>},
    {"urw", "", &Make<UrwStrategy>},
    {"surw", "", &Make<SurwStrategy>},
    {"delay_bounded", "deviations",
     [](std::uint64_t deviations) -> std::unique_ptr<Strategy> {
       return deviations == 0
                  ? std::make_unique<DelayBoundedStrategy>()
                  : std::make_unique<DelayBoundedStrategy>(deviations);
     }},
    {"exhaustive", "deviations",
     [](std::uint64_t deviations) -> std::unique_ptr<Strategy> {
       return std::make_unique<ExhaustiveStrategy>(deviations);
     }},
    {"guided", "", &Make<GuidedStrategy>},
    {"reduced", "", &Make<ReducedStrategy>},
    {"fuzz", "", &Make<FuzzStrategy>},
};

constexpr auto kNames = [] {
  std::array<std::string_view, std::size(kStrategies)> names;
  for (std::size_t i = 0; i < names.size(); ++i) {
    names[i] = kStrategies[i].name;
  }
  return names;
}();

}  // namespace

absl::StatusOr<StrategyMaker> StrategyByName(std::string_view name,
                                             std::string_view parameters) {
  for (const Named& strategy : kStrategies) {
    if (strategy.name != name) continue;
    if (parameters.empty()) {
      return [make = strategy.make] { return make(0); };
    }
    if (strategy.parameter.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("strategy \"", std::string(name),
                       "\" takes no parameters, but was given \"",
                       std::string(parameters), "\""));
    }
    std::uint64_t number = 0;
    const std::string text(parameters);
    if (text.find_first_not_of("0123456789") != text.npos ||
        !absl::SimpleAtoi(text, &number) || number == 0 ||
        number > kParameterMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("strategy \"", std::string(name),
                       "\": ", std::string(strategy.parameter), " \"", text,
                       "\" is not a number from 1 to ", kParameterMax));
    }
    return [make = strategy.make, number] { return make(number); };
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown strategy \"", std::string(name), "\": expected ",
                   StrategyNamesText()));
}

std::span<const std::string_view> StrategyNames() { return kNames; }

std::string StrategyNamesText() {
  std::string text;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    absl::StrAppend(&text,
                    i == 0                  ? ""
                    : i + 1 < kNames.size() ? ", "
                                            : " or ",
                    std::string(kNames[i]));
  }
  return text;
}

}  // namespace clotho::sim
