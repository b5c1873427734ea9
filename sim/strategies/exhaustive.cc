#include "clotho/sim/strategies/exhaustive.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"

namespace clotho::sim {

std::uint64_t ExhaustiveStrategy::Next(std::uint64_t size) {
  if (made_ == path_.size()) path_.push_back({.size = size, .value = 0});
  // Only a program that is not deterministic has another size here than before.
  // It is found out elsewhere; here the choice must fit.
  Choice& choice = path_[made_++];
  choice.size = size;
  if (choice.value >= size) choice.value = 0;
  departures_ += choice.value != 0;
  return choice.value;
}

void ExhaustiveStrategy::EndExecution() {
  path_.resize(made_);
  if (departures_max_ != 0 && departures_ < bound_) ++repeated_;
  // The last choice that has another value, within the bound.
  for (; !path_.empty(); path_.pop_back()) {
    Choice& last = path_.back();
    departures_ -= last.value != 0;
    if (last.value + 1 == last.size) continue;
    if (departures_ == bound_) {
      cut_ = true;
      continue;
    }
    ++last.value;
    return;
  }
  if (!cut_ || bound_ == departures_max_) {
    done_ = true;
    return;
  }
  ++bound_;
  cut_ = false;
}

std::string ExhaustiveStrategy::scope() const {
  if (!cut_) return "";  // No execution has more departures than that.
  return absl::StrCat("within ", departures_max_,
                      departures_max_ == 1 ? " departure" : " departures",
                      " from plain order");
}

}  // namespace clotho::sim
