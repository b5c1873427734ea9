#include "clotho/sim/choice.h"

#include <cstdint>
#include <source_location>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/sim/engine/simulator.h"

namespace clotho::sim {

std::uint64_t Choose(std::uint64_t size, std::source_location location) {
  if (size == 0 || size > kChoiceMax) {
    throw ValueError(absl::StrCat(
        "Choose(", size, "): expected a number from 1 to ", kChoiceMax));
  }
  internal::Simulator* const simulator = internal::Simulator::Current();
  if (simulator == nullptr || size == 1) return 0;
  return simulator->ChooseValue("Choose", size, size - 1, size, location);
}

bool Buggify(int percent, std::source_location location) {
  if (percent < 0 || percent > 100) {
    throw ValueError(absl::StrCat("Buggify(", percent,
                                  "): expected a percentage from 0 to 100"));
  }
  internal::Simulator* const simulator = internal::Simulator::Current();
  if (simulator == nullptr || percent == 0) return false;
  return simulator->ChooseValue("Buggify", 2,
                                simulator->MayMisbehave(location)
                                    ? static_cast<std::uint64_t>(percent)
                                    : 0,
                                100, location) != 0;
}

}  // namespace clotho::sim
