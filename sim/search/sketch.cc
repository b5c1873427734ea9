#include "clotho/sim/search/sketch.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace clotho::sim::internal {

void TraceSketch::Add(std::uint64_t hash, std::uint64_t count) {
  const bool full = entries_.size() == kSize;
  if (full && hash > entries_.back().hash) return;  // Most are.
  const auto at = std::ranges::lower_bound(entries_, hash, {}, &Entry::hash);
  if (at != entries_.end() && at->hash == hash) {
    at->count += count;
    return;
  }
  const std::ptrdiff_t place = at - entries_.begin();
  if (entries_.capacity() == 0) entries_.reserve(kSize);
  if (full) entries_.pop_back();
  entries_.insert(entries_.begin() + place, {.hash = hash, .count = count});
}

void TraceSketch::Merge(const TraceSketch& other) {
  for (const Entry& entry : other.entries_) Add(entry.hash, entry.count);
}

std::uint64_t TraceSketch::Distinct() const {
  if (entries_.size() < kSize) return entries_.size();
  // The k-th smallest of n random numbers is at about k / n of their range.
  const double part = static_cast<double>(entries_.back().hash) / 0x1p64;
  return static_cast<std::uint64_t>((kSize - 1) / part);
}

double TraceSketch::NewChance() const {
  std::uint64_t once = 0;
  std::uint64_t all = 0;
  for (const Entry& entry : entries_) {
    once += entry.count == 1;
    all += entry.count;
  }
  return all == 0 ? 1 : static_cast<double>(once) / static_cast<double>(all);
}

}  // namespace clotho::sim::internal
