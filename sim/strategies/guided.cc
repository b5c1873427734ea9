#include "clotho/sim/strategies/guided.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <tuple>

#include "clotho/sim/engine/hash.h"

namespace clotho::sim {
namespace {

constexpr std::size_t kKeptMax = 128;
constexpr std::size_t kTakenMax = 2'048;

}  // namespace

void GuidedStrategy::Prepare(const Profile& profile) {
  fuzz_.Prepare(profile);
  profile_steps_ = profile.steps();
}

void GuidedStrategy::BeginExecution(Rng& rng) {
  rng_ = &rng;
  next_ = 0;
  taken_.clear();
  last_handoff_ = 0;
  shows_new_ = false;
  fresh_ = kept_.empty() || rng.Chance(1, 4);
  if (fresh_) {
    fuzz_.BeginExecution(rng);
  } else {
    pick_.BeginExecution(rng);
    MakePlan();
  }
}

void GuidedStrategy::MakePlan() {
  plan_ = kept_[rng_->Uniform(kept_.size())];
  random_after_ = std::numeric_limits<std::uint64_t>::max();
  // A deviation may be added within the length of the program, or of the
  // planned schedule.
  const std::uint64_t length =
      std::max(profile_steps_, plan_.empty() ? 0 : plan_.back().step);
  if (rng_->Chance(1, 2)) {
    random_after_ = rng_->Uniform(length + 1);
    std::erase_if(
        plan_, [this](const Deviation& d) { return d.step > random_after_; });
    return;
  }
  // Usually one.
  do {
    Mutate(length);
  } while (rng_->Chance(1, 2));
  std::ranges::sort(plan_, [](const Deviation& a, const Deviation& b) {
    return std::tie(a.step, a.choice) < std::tie(b.step, b.choice);
  });
}

void GuidedStrategy::Mutate(std::uint64_t length) {
  // Every kind but the first needs a deviation.
  const std::uint64_t kind = plan_.empty() ? 0 : rng_->Uniform(5);
  if (kind == 0) {
    plan_.push_back({.step = 1 + rng_->Uniform(length), .choice = kAny});
    return;
  }
  if (kind == 1) {
    // Steps of both are counted from the beginning, so they fit together.
    const Deviations& other = kept_[rng_->Uniform(kept_.size())];
    const std::uint64_t last = rng_->Uniform(length + 1);
    std::erase_if(plan_, [last](const Deviation& d) { return d.step > last; });
    for (const Deviation& deviation : other) {
      if (deviation.step > last) plan_.push_back(deviation);
    }
    return;
  }
  const std::size_t at = rng_->Uniform(plan_.size());
  Deviation& deviation = plan_[at];
  if (kind == 2) {
    plan_.erase(plan_.begin() + static_cast<std::ptrdiff_t>(at));
  } else if (kind == 3) {
    const std::uint64_t by = 1 + rng_->Uniform(8);
    const bool later = rng_->Chance(1, 2);
    deviation.step = later                 ? deviation.step + by
                     : deviation.step > by ? deviation.step - by
                                           : 1;
  } else {
    deviation.choice = kAny;
  }
}

const Deviation* GuidedStrategy::PlannedAt(std::uint64_t step) {
  const Deviation* planned = nullptr;
  while (next_ < plan_.size() && plan_[next_].step <= step) {
    planned = &plan_[next_++];
  }
  return planned;
}

std::size_t GuidedStrategy::Choose(const ChoicePoint& point) {
  const std::size_t choice =
      fresh_ ? fuzz_.Choose(point) : ChoosePlanned(point);
  if (choice != 0) {
    const bool timer = point.has_timer() && choice == point.size() - 1;
    Note(point.step(),
         timer ? Deviation::kTimer : static_cast<std::uint32_t>(choice));
  }
  return choice;
}

std::size_t GuidedStrategy::ChoosePlanned(const ChoicePoint& point) {
  if (point.step() > random_after_) return pick_.Choose(point);
  const Deviation* const planned = PlannedAt(point.step());
  if (planned == nullptr) return 0;
  if (planned->choice == Deviation::kTimer && point.has_timer()) {
    return point.size() - 1;
  }
  if (planned->choice != kAny && planned->choice < point.size()) {
    return planned->choice;
  }
  const std::size_t drawn = pick_.Choose(point);
  return drawn != 0 ? drawn : 1 + rng_->Uniform(point.size() - 1);
}

std::uint64_t GuidedStrategy::ChooseValue(const ValueChoice& choice, Rng& rng) {
  std::uint64_t value = 0;
  if (fresh_) {
    value = fuzz_.ChooseValue(choice, rng);
  } else if (choice.step > random_after_) {
    value = pick_.ChooseValue(choice, rng);
  } else if (const Deviation* const planned = PlannedAt(choice.step)) {
    const bool fits = planned->choice != kAny && planned->choice < choice.size;
    value = fits ? planned->choice : 1 + rng.Uniform(choice.size - 1);
  }
  if (value != 0) Note(choice.step, static_cast<std::uint32_t>(value));
  return value;
}

void GuidedStrategy::Note(std::uint64_t step, std::uint32_t choice) {
  if (taken_.size() < kTakenMax) {
    taken_.push_back({.step = step, .choice = choice});
  }
}

void GuidedStrategy::HandedOver(std::uint64_t handoff) {
  const std::uint64_t both = internal::Mix64(last_handoff_) + handoff;
  last_handoff_ = handoff;
  const std::size_t bit = internal::Mix64(both) % seen_.size();
  if (seen_[bit]) return;
  seen_[bit] = true;
  shows_new_ = true;
}

void GuidedStrategy::EndExecution() {
  if (!shows_new_) return;
  if (kept_.size() < kKeptMax) {
    kept_.push_back(taken_);
  } else {
    kept_[oldest_] = taken_;
    oldest_ = (oldest_ + 1) % kKeptMax;
  }
}

}  // namespace clotho::sim
