// TraceSketch: estimates how many different traces a search of any length has
// seen, in 16 KiB.
//
// It keeps the 1024 smallest of all added hashes, and how often each was seen.
// The hashes are as good as random, so those that are kept are a fair sample,
// and the largest of them indicates how many there are (bottom-k, or KMV:
// Bar-Yossef, Jayram, Kumar, Sivakumar and Trevisan, RANDOM 2002). Two sketches
// are merged by taking the union and keeping the 1024 smallest again. Merging
// is commutative, associative and exact: a hash that is kept was never dropped
// before, since the 1024 smallest of a whole are among the 1024 smallest of its
// parts.

#ifndef CLOTHO_SIM_SEARCH_SKETCH_H_
#define CLOTHO_SIM_SEARCH_SKETCH_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace clotho::sim::internal {

class TraceSketch {
 public:
  static constexpr std::size_t kSize = 1024;

  struct Entry {
    std::uint64_t hash = 0;
    std::uint64_t count = 0;

    friend bool operator==(const Entry&, const Entry&) = default;
  };

  void Add(std::uint64_t hash, std::uint64_t count = 1);
  void Merge(const TraceSketch& other);

  // How many different hashes were added: exact up to 1024 of them, then an
  // estimate with a standard error of 3 %.
  std::uint64_t Distinct() const;

  // The probability that the next trace is new: the fraction of the added
  // hashes that were seen once (Good-Turing). 1 if nothing was added.
  double NewChance() const;

  // Sorted by hash.
  std::span<const Entry> entries() const { return entries_; }

  friend bool operator==(const TraceSketch&, const TraceSketch&) = default;

 private:
  std::vector<Entry> entries_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_SKETCH_H_
