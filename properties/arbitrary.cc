#include "clotho/properties/arbitrary.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/sim/engine/schedule.h"
#include "rapidcheck.h"

namespace clotho::properties::internal {

rc::Gen<absl::Duration> Durations() {
  return rc::gen::map(
      rc::gen::pair(rc::gen::inRange(0, 8), rc::gen::inRange(0, 100)),
      [](const std::pair<int, int>& drawn) {
        const auto& [unit, count] = drawn;
        if (unit == 7) return absl::Seconds(count);
        if (unit == 6) return absl::Microseconds(count);
        return absl::Milliseconds(count);
      });
}

rc::Gen<sim::Deviations> Schedules() {
  using sim::Deviation;
  // A valid schedule has no missing or repeated steps: they are corrected
  // afterwards, so that leaving out one does not move another.
  const auto deviations = rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::inRange(1, 100), rc::gen::inRange(0, 6)));
  return rc::gen::map(
      rc::gen::pair(rc::gen::inRange(0, 4), deviations),
      [](std::pair<int, std::vector<std::pair<int, int>>> drawn) {
        const bool strict = drawn.first == 3;
        std::ranges::sort(drawn.second);
        sim::Deviations schedule;
        for (const auto& [step, choice] : drawn.second) {
          const auto at = static_cast<std::uint64_t>(step);
          if (!schedule.empty() && schedule.back().step == at) continue;
          Deviation deviation = {.step = at};
          if (strict) {
            deviation.choice = Deviation::Due(choice < 5 ? 1 : 2);
          } else if (choice == 5) {
            deviation.choice = Deviation::kTimer;
          } else {
            deviation.choice = static_cast<std::uint32_t>(choice + 1);
          }
          schedule.push_back(deviation);
        }
        return schedule;
      });
}

}  // namespace clotho::properties::internal
