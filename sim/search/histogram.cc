#include "clotho/sim/search/histogram.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace clotho::sim::internal {
namespace {

// Per power of two.
constexpr std::uint64_t kBuckets = 16;

// How many low digits are ignored. (0 has no digits, and 31 has five.)
std::uint64_t Shift(std::uint64_t number) {
  const auto width = static_cast<std::uint64_t>(std::bit_width(number));
  return width > 5 ? width - 5 : 0;
}

std::size_t BucketOf(std::uint64_t number) {
  const std::uint64_t shift = Shift(number);
  return static_cast<std::size_t>(kBuckets * shift + (number >> shift));
}

std::uint64_t LeastOf(std::size_t bucket) {
  if (bucket < 2 * kBuckets) return bucket;
  const std::uint64_t shift = bucket / kBuckets - 1;
  return (bucket - kBuckets * shift) << shift;
}

}  // namespace

void Histogram::Add(std::uint64_t number, std::uint64_t count) {
  const std::size_t bucket = BucketOf(number);
  if (bucket >= counts_.size()) counts_.resize(bucket + 1);
  counts_[bucket] += count;
}

std::vector<Histogram::Entry> Histogram::entries() const {
  std::vector<Entry> entries;
  for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    if (counts_[bucket] == 0) continue;
    entries.push_back({.least = LeastOf(bucket), .count = counts_[bucket]});
  }
  return entries;
}

}  // namespace clotho::sim::internal
