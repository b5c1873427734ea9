#include "clotho/sim/search/shrink.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "clotho/sim/engine/hash.h"
#include "clotho/sim/engine/schedule.h"

namespace clotho::sim {
namespace {

// The most choices tried for one deviation. Most choice points offer no more.
constexpr std::uint32_t kChoicesTriedMax = 4;

// Pairs are removed only from schedules of up to this many deviations.
constexpr std::size_t kPairsTriedMax = 8;

// Single deviations are tried instead of all of them if this many suffice to
// reach every step with the first choice. Trying only part of the steps would
// say little.
constexpr std::uint64_t kSinglesTriedMax = 200;

// A well-founded total order, so that always moving to a simpler schedule
// terminates.
bool IsSimpler(const Deviations& a, const Deviations& b) {
  if (a.size() != b.size()) return a.size() < b.size();
  const auto step =
      std::ranges::mismatch(a, b, {}, &Deviation::step, &Deviation::step);
  if (step.in1 != a.end()) return step.in1->step < step.in2->step;
  const auto choice =
      std::ranges::mismatch(a, b, {}, &Deviation::choice, &Deviation::choice);
  return choice.in1 != a.end() && choice.in1->choice < choice.in2->choice;
}

// Represents the list in a large set: 128 bits, so that collisions do not
// occur.
using Fingerprint = std::pair<std::uint64_t, std::uint64_t>;

Fingerprint FingerprintOf(const Deviations& deviations) {
  StreamHash first;
  StreamHash second;
  second.Add(1);  // From here on the two hashes differ.
  for (const Deviation& deviation : deviations) {
    first.Add(deviation.step);
    first.Add(deviation.choice);
    second.Add(deviation.step);
    second.Add(deviation.choice);
  }
  return {first.Finish(), second.Finish()};
}

Deviations Without(const Deviations& deviations, std::size_t begin,
                   std::size_t end) {
  Deviations rest;
  rest.reserve(deviations.size() - (end - begin));
  rest.insert(rest.end(), deviations.begin(), deviations.begin() + begin);
  rest.insert(rest.end(), deviations.begin() + end, deviations.end());
  return rest;
}

class Shrinker {
 public:
  Shrinker(Deviations failing, TryDeviations attempt,
           const ShrinkOptions& options)
      : attempt_(attempt), options_(options), current_(std::move(failing)) {}

  ShrinkResult Run() {
    Try({});
    TakeShortestPrefix();
    // Nearly always needed, because the prefix without it passes; and many
    // programs need nothing else.
    if (!current_.empty()) Try({current_.back()});
    for (std::size_t size = current_.size() / 2; size > 1; size /= 2) {
      RemoveChunks(size);
    }
    do {
      while (RemoveChunks(1)) {
      }
    } while (Simplify() || RemovePair() || ReplaceAllByOne());
    const bool minimal = IsMinimal();
    return {
        .deviations = std::move(current_), .runs = runs_, .minimal = minimal};
  }

 private:
  // Runs `candidate` if it is simpler than current_. If it fails, it or what
  // actually happened becomes current_.
  //
  // Only passing candidates must be remembered: one that failed, or that is not
  // simpler, can never be a candidate again.
  bool Try(const Deviations& candidate) {
    if (stopped_ || !IsSimpler(candidate, current_)) return false;
    const Fingerprint fingerprint = FingerprintOf(candidate);
    if (passed_.contains(fingerprint)) return false;
    if (runs_ == options_.runs_max ||
        (options_.out_of_time.has_value() && (*options_.out_of_time)())) {
      stopped_ = true;
      return false;
    }
    ++runs_;
    std::optional<Deviations> happened = attempt_(candidate);
    if (!happened.has_value()) {
      passed_.insert(fingerprint);
      return false;
    }
    current_ =
        IsSimpler(*happened, candidate) ? *std::move(happened) : candidate;
    return true;
  }

  // Most deviations of a random schedule come after the failure has become
  // inevitable. Bisects between a prefix that passes and one that fails; if
  // longer prefixes may pass again, this finds the boundary of some failing
  // range.
  void TakeShortestPrefix() {
    std::size_t passing = 0;
    while (!stopped_ && passing + 1 < current_.size()) {
      const std::size_t middle = passing + (current_.size() - passing) / 2;
      if (!Try(Without(current_, middle, current_.size()))) passing = middle;
    }
  }

  // One pass of ddmin: tries to remove each run of `size` deviations. The last
  // ones come first, since without them the earlier ones still mean the same.
  bool RemoveChunks(std::size_t size) {
    bool removed = false;
    std::size_t end = current_.size();
    while (!stopped_ && end > 0) {
      const std::size_t begin = end - std::min(end, size);
      if (Try(Without(current_, begin, end)) ||
          (size == 1 && RemoveAndShift(begin))) {
        removed = true;
      }
      end = std::min(begin, current_.size());
    }
    return removed;
  }

  // Removes a deviation whose step is then taken later, or not at all, so that
  // the following ones come a step earlier or later than before.
  bool RemoveAndShift(std::size_t index) {
    if (index + 1 == current_.size()) return false;
    const Deviations rest = Without(current_, index, index + 1);
    for (const bool earlier : {true, false}) {
      Deviations candidate = rest;
      for (std::size_t i = index; i < candidate.size(); ++i) {
        candidate[i].step += earlier ? -1 : 1;
      }
      const bool rises =
          candidate[index].step > 0 &&
          (index == 0 || candidate[index - 1].step < candidate[index].step);
      if (rises && Try(candidate)) return true;
    }
    return false;
  }

  // Removes two deviations that need each other but not the failure: a timer
  // that fires early, and a step that compensates for it.
  bool RemovePair() {
    if (current_.size() > kPairsTriedMax) return false;
    for (std::size_t second = current_.size(); second-- > 1;) {
      for (std::size_t first = second; first-- > 0;) {
        Deviations candidate = Without(current_, second, second + 1);
        if (Try(Without(candidate, first, first + 1))) return true;
      }
    }
    return false;
  }

  // Most failures need a single deviation, which need not be among those found.
  // Tries those that are no later, the most likely ones first.
  bool ReplaceAllByOne() {
    if (current_.size() < 2) return false;
    const std::uint64_t last = current_.back().step;
    if (last > kSinglesTriedMax) return false;
    std::uint64_t tries = 0;
    for (const std::uint32_t choice : {1u, Deviation::kTimer, 2u, 3u, 4u}) {
      for (std::uint64_t step = 1; step <= last; ++step) {
        if (++tries > kSinglesTriedMax) return false;
        if (Try({{.step = step, .choice = choice}})) return true;
      }
    }
    return false;
  }

  // Tries simpler schedules with the same number of deviations, though not all
  // of them.
  bool Simplify() {
    bool simplified = false;
    for (std::size_t i = 0; !stopped_ && i < current_.size(); ++i) {
      if (LowerChoice(i)) simplified = true;
      while (i < current_.size() && LowerStep(i)) simplified = true;
    }
    return simplified;
  }

  bool LowerChoice(std::size_t i) {
    Deviations candidate = current_;
    std::uint32_t& choice = candidate[i].choice;
    const std::uint32_t end = std::min(choice, kChoicesTriedMax + 1);
    for (choice = 1; choice < end; ++choice) {
      if (Try(candidate)) return true;
    }
    return false;
  }

  // First the earliest step that the previous deviation allows, then ever
  // closer to the original.
  bool LowerStep(std::size_t i) {
    Deviations candidate = current_;
    const std::uint64_t step = candidate[i].step;
    const std::uint64_t first = i == 0 ? 1 : candidate[i - 1].step + 1;
    for (std::uint64_t by = step - first; by > 0; by /= 2) {
      candidate[i].step = step - by;
      if (Try(candidate)) return true;
    }
    return false;
  }

  // Whether every list with one deviation less is known to pass.
  bool IsMinimal() const {
    if (passed_.size() < current_.size()) return false;
    for (std::size_t i = 0; i < current_.size(); ++i) {
      if (!passed_.contains(FingerprintOf(Without(current_, i, i + 1)))) {
        return false;
      }
    }
    return true;
  }

  const TryDeviations attempt_;
  const ShrinkOptions& options_;
  Deviations current_;  // The simplest schedule known to fail.
  std::set<Fingerprint> passed_;
  std::uint64_t runs_ = 0;
  bool stopped_ = false;  // A limit was reached.
};

}  // namespace

ShrinkResult Shrink(Deviations failing, TryDeviations attempt,
                    const ShrinkOptions& options) {
  return Shrinker(std::move(failing), attempt, options).Run();
}

}  // namespace clotho::sim
