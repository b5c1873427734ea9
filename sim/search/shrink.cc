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

// What is tried for one deviation in place of its choice: the first few. Most
// points offer no more, and the others are dropped there.
constexpr std::uint32_t kChoicesTriedMax = 4;

// Of how many deviations two at a time are tried to be left out.
constexpr std::size_t kPairsTriedMax = 8;

// How many single deviations are tried in place of all there are, if so many
// reach all steps with the first choice. A part of the steps would say little.
constexpr std::uint64_t kSinglesTriedMax = 200;

// A total order that no endless sequence descends, so that whoever keeps only
// what is simpler comes to an end.
bool IsSimpler(const Deviations& a, const Deviations& b) {
  if (a.size() != b.size()) return a.size() < b.size();
  const auto step =
      std::ranges::mismatch(a, b, {}, &Deviation::step, &Deviation::step);
  if (step.in1 != a.end()) return step.in1->step < step.in2->step;
  const auto choice =
      std::ranges::mismatch(a, b, {}, &Deviation::choice, &Deviation::choice);
  return choice.in1 != a.end() && choice.in1->choice < choice.in2->choice;
}

// Stands for the list in a set of many: 128 bits, so that no two ever agree.
using Fingerprint = std::pair<std::uint64_t, std::uint64_t>;

Fingerprint FingerprintOf(const Deviations& deviations) {
  StreamHash first;
  StreamHash second;
  second.Add(1);  // From here on they differ.
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
    // Nearly always needed, since without it the prefix passes; and in many
    // programs it needs nothing else.
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
  // If the program fails under `candidate`, which is simpler than what there
  // was, then this or what really happened is the new current_.
  //
  // Only candidates that passed need to be remembered: one that failed, and all
  // that is not simpler, can never be a candidate again.
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

  // Most of what a random schedule does comes after the failure was settled.
  // Halves the interval between a prefix that passes and one that fails; where
  // longer prefixes may pass again, it finds some end of a failing stretch.
  void TakeShortestPrefix() {
    std::size_t passing = 0;
    while (!stopped_ && passing + 1 < current_.size()) {
      const std::size_t middle = passing + (current_.size() - passing) / 2;
      if (!Try(Without(current_, middle, current_.size()))) passing = middle;
    }
  }

  // One pass of ddmin: tries to do without each run of `size` deviations. The
  // last ones first, since without them the earlier ones still mean the same.
  bool RemoveChunks(std::size_t size) {
    bool removed = false;
    std::size_t end = current_.size();
    while (!stopped_ && end > 0) {
      const std::size_t begin = end - std::min(end, size);
      if (Try(Without(current_, begin, end))) removed = true;
      end = std::min(begin, current_.size());
    }
    return removed;
  }

  // Two that need each other, but without which the program fails as well: a
  // timer that fires early, and what was put back behind it.
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

  // Most failures need a single deviation, which need not be among those that
  // were found. Tries those that come as early, the likely ones first.
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

  // Simpler ones with the same number of deviations. Not all of them are tried.
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

  // First as early as the deviation before it allows, then ever closer.
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

  // Has every list with one deviation less been seen to pass?
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
  Deviations current_;  // The simplest that is known to fail.
  std::set<Fingerprint> passed_;
  std::uint64_t runs_ = 0;
  bool stopped_ = false;  // The limits were reached.
};

}  // namespace

ShrinkResult Shrink(Deviations failing, TryDeviations attempt,
                    const ShrinkOptions& options) {
  return Shrinker(std::move(failing), attempt, options).Run();
}

}  // namespace clotho::sim
