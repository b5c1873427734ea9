#include "clotho/sim/strategies/exhaustive.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace clotho::sim {

std::uint64_t ExhaustiveStrategy::Next(std::uint64_t size) {
  if (made_ == patience_) {
    impatient_ = true;
    return 0;
  }
  if (made_ == path_.size()) path_.push_back({.size = size, .value = 0});
  // The size differs from the last time only if the program is not
  // deterministic. That is detected elsewhere; here the choice must merely be
  // valid.
  Choice& choice = path_[made_++];
  choice.size = size;
  if (choice.value >= size) choice.value = 0;
  deviations_ += choice.value != 0;
  return choice.value;
}

void ExhaustiveStrategy::EndExecution() {
  path_.resize(made_);
  // The first execution of every part is the one in FIFO order.
  if (deviations_max_ == 0 && patience_ == UINT64_MAX) {
    patience_ = Patience(made_);
  }
  if (unrolling_) {
    Unroll();
    return;
  }
  const bool repeated = deviations_max_ != 0 && deviations_ < bound_;
  if (repeated) ++repeated_;
  if (part_count_ != 0) {
    counts_ = !repeated;
    order_ = OrderOf(path_);
  }
  // The last choice that has another value within the bound.
  for (; path_.size() > subtrees_[subtree_].root.size(); path_.pop_back()) {
    Choice& last = path_.back();
    deviations_ -= last.value != 0;
    if (last.value + 1 == last.size) continue;
    if (deviations_ == bound_) {
      cut_ = true;
      continue;
    }
    ++last.value;
    return;
  }
  GoTo(subtree_ + 1);
}

void ExhaustiveStrategy::GoTo(std::size_t subtree) {
  while (true) {
    for (; subtree < subtrees_.size(); ++subtree) {
      if (subtrees_[subtree].deviations <= bound_) {
        subtree_ = subtree;
        path_ = subtrees_[subtree].root;
        return;
      }
      cut_ = true;
    }
    if (!cut_ || bound_ >= deviations_max_) break;
    ++bound_;
    cut_ = false;
    subtree = 0;
  }
  cut_ = cut_ || left_out_;
  done_ = true;
}

bool ExhaustiveStrategy::TakePart(std::uint64_t index, std::uint64_t count) {
  part_ = index;
  part_count_ = count;
  unrolling_ = count > 1;
  return true;
}

void ExhaustiveStrategy::Unroll() {
  counts_ = false;
  Subtree& here = subtrees_[subtree_];
  if (path_.size() <= here.root.size()) {
    here.unrolled = true;
    below_.push_back(std::move(here));
  } else {
    const std::uint64_t size = path_[here.root.size()].size;
    for (std::uint64_t value = 0; value < size; ++value) {
      Subtree subtree = {.root = here.root, .deviations = here.deviations};
      subtree.root.push_back({.size = size, .value = value});
      subtree.deviations += value != 0;
      if (deviations_max_ != 0 && subtree.deviations > deviations_max_) {
        left_out_ = true;
        break;
      }
      below_.push_back(std::move(subtree));
    }
  }
  // Level by level: the next subtree that may have others below it.
  for (++subtree_; subtree_ < subtrees_.size(); ++subtree_) {
    if (!subtrees_[subtree_].unrolled) {
      path_ = subtrees_[subtree_].root;
      return;
    }
    below_.push_back(std::move(subtrees_[subtree_]));
  }
  subtrees_ = std::exchange(below_, {});
  const auto may_grow = std::ranges::find(subtrees_, false, &Subtree::unrolled);
  if (subtrees_.size() >= 8 * part_count_ || may_grow == subtrees_.end()) {
    TakeSubtrees();
    return;
  }
  for (const Subtree& subtree :
       std::ranges::subrange(subtrees_.begin(), may_grow)) {
    below_.push_back(subtree);
  }
  subtree_ = static_cast<std::size_t>(may_grow - subtrees_.begin());
  path_ = may_grow->root;
}

void ExhaustiveStrategy::TakeSubtrees() {
  std::vector<Subtree> own;
  for (std::size_t i = 0; i < subtrees_.size(); ++i) {
    if (i % part_count_ == part_) own.push_back(std::move(subtrees_[i]));
  }
  subtrees_ = std::move(own);
  unrolling_ = false;
  GoTo(0);
}

// With a bound, executions with fewer deviations come first; otherwise the
// order is that of the tree: the executions below each choice share a range of
// numbers.
std::uint64_t ExhaustiveStrategy::OrderOf(const Path& path) const {
  constexpr int kBits = 47;
  std::uint64_t first = 0;
  std::uint64_t share = std::uint64_t{1} << kBits;
  std::uint64_t deviations = 0;
  for (const Choice& choice : path) {
    deviations += choice.value != 0;
    share /= choice.size;
    first += share * choice.value;
  }
  return deviations_max_ == 0 ? first : first + (deviations << kBits);
}

std::string ExhaustiveStrategy::scope() const {
  if (impatient_) {
    return absl::StrCat("in FIFO order after ", patience_, " choices");
  }
  if (!cut_) return "";  // No execution has more deviations.
  return absl::StrCat("within ", deviations_max_,
                      deviations_max_ == 1 ? " deviation" : " deviations",
                      " from FIFO order");
}

}  // namespace clotho::sim
