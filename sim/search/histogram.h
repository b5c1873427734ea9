// Histogram: how large the numbers were, of any number of them, in a few KiB.
//
// Numbers below 32 are told apart; of larger ones the first five binary digits
// count: a bucket is at most a sixteenth as wide as what is in it is large. Two
// histograms are joined by adding their counts.

#ifndef CLOTHO_SIM_SEARCH_HISTOGRAM_H_
#define CLOTHO_SIM_SEARCH_HISTOGRAM_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace clotho::sim::internal {

class Histogram {
 public:
  // A bucket that is not empty.
  struct Entry {
    std::uint64_t least = 0;  // The least number that belongs there.
    std::uint64_t count = 0;

    friend bool operator==(const Entry&, const Entry&) = default;
  };

  void Add(std::uint64_t number, std::uint64_t count = 1);

  // By rising number.
  std::vector<Entry> entries() const;

  friend bool operator==(const Histogram&, const Histogram&) = default;

 private:
  std::vector<std::uint64_t> counts_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_HISTOGRAM_H_
