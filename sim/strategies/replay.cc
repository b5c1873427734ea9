#include "clotho/sim/strategies/replay.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace clotho::sim {
namespace {

std::string Name(const Deviation& deviation) {
  return FormatDeviations({deviation});
}

}  // namespace

void ReplayStrategy::Diverge(const Deviation& deviation, std::string_view why) {
  if (divergence_.has_value()) return;
  divergence_ = absl::StrCat("deviation ", Name(deviation),
                             " does not apply: ", std::string(why));
}

const Deviation* ReplayStrategy::Peek(std::uint64_t step) {
  const Deviations& deviations = *deviations_;
  while (next_ < deviations.size() && deviations[next_].step < step) {
    Diverge(deviations[next_],
            absl::StrCat("step ", deviations[next_].step, " has no choice"));
    ++next_;
  }
  if (next_ == deviations.size() || deviations[next_].step != step) {
    return nullptr;
  }
  return &deviations[next_];
}

const Deviation* ReplayStrategy::At(std::uint64_t step) {
  const Deviation* const deviation = Peek(step);
  if (deviation != nullptr) ++next_;
  return deviation;
}

std::size_t ReplayStrategy::Choose(const ChoicePoint& point) {
  if (point.fifo_only()) {
    // The deviation may be for a later iteration, or for the step itself.
    const Deviation* const deviation = Peek(point.step());
    if (deviation == nullptr || deviation->boundary() != point.boundary()) {
      return 0;
    }
    ++next_;
    return 1;
  }
  const Deviation* const deviation = At(point.step());
  if (deviation == nullptr) return 0;
  const std::size_t ready = point.size() - (point.has_timer() ? 1 : 0);
  if (deviation->choice == Deviation::kTimer || deviation->boundary() > 0) {
    if (point.has_timer() && deviation->boundary() == 0) {
      return point.size() - 1;
    }
    Diverge(*deviation, "no timer is set at that step");
    return 0;
  }
  if (deviation->choice < ready) return deviation->choice;
  Diverge(*deviation, absl::StrCat("step ", deviation->step, " has ", ready,
                                   " ready to run, numbered from 0"));
  return 0;
}

std::uint64_t ReplayStrategy::ChooseValue(const ValueChoice& choice, Rng&) {
  const Deviation* const deviation = At(choice.step);
  if (deviation == nullptr) return 0;
  if (deviation->choice < choice.size) return deviation->choice;
  Diverge(*deviation, absl::StrCat("step ", deviation->step, " has ",
                                   choice.size, " values, numbered from 0"));
  return 0;
}

std::optional<std::string> ReplayStrategy::FinalDivergence() const {
  if (divergence_.has_value() || next_ == deviations_->size()) {
    return divergence_;
  }
  const Deviation& deviation = (*deviations_)[next_];
  return absl::StrCat("deviation ", Name(deviation),
                      " does not apply: the execution ended before step ",
                      deviation.step, ", or has no choice there");
}

}  // namespace clotho::sim
