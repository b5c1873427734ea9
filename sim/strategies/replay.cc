#include "clotho/sim/strategies/replay.h"

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"

namespace clotho::sim {
namespace {

std::string Name(const Deviation& deviation) {
  return FormatDeviations({deviation});
}

}  // namespace

std::size_t ReplayStrategy::Choose(const ChoicePoint& point) {
  const Deviations& deviations = *deviations_;
  while (next_ < deviations.size() && deviations[next_].step < point.step()) {
    if (!divergence_.has_value()) {
      divergence_ = absl::StrCat("departure ", Name(deviations[next_]),
                                 " does not apply: step ",
                                 deviations[next_].step, " has no choice");
    }
    ++next_;
  }
  if (next_ == deviations.size() || deviations[next_].step != point.step()) {
    return 0;
  }
  const Deviation& deviation = deviations[next_++];
  const std::size_t plain = point.size() - (point.has_timer() ? 1 : 0);
  if (deviation.choice == Deviation::kTimer) {
    if (point.has_timer()) return point.size() - 1;
    if (!divergence_.has_value()) {
      divergence_ =
          absl::StrCat("departure ", Name(deviation),
                       " does not apply: no timer is set at that step");
    }
    return 0;
  }
  if (deviation.choice < plain) return deviation.choice;
  if (!divergence_.has_value()) {
    divergence_ = absl::StrCat(
        "departure ", Name(deviation), " does not apply: step ", deviation.step,
        " has ", plain, " ready to run, numbered from 0");
  }
  return 0;
}

std::optional<std::string> ReplayStrategy::FinalDivergence() const {
  if (divergence_.has_value() || next_ == deviations_->size()) {
    return divergence_;
  }
  const Deviation& deviation = (*deviations_)[next_];
  return absl::StrCat("departure ", Name(deviation),
                      " does not apply: the execution ended before step ",
                      deviation.step, ", or has no choice there");
}

}  // namespace clotho::sim
