// Histogram: the distribution of any number of values, in a few KiB.
//
// Values below 32 are exact; larger ones are grouped by their first five binary
// digits: a bucket is at most a sixteenth as wide as the values in it are
// large. Two histograms are merged by adding their counts.

#ifndef CLOTHO_SIM_SEARCH_HISTOGRAM_H_
#define CLOTHO_SIM_SEARCH_HISTOGRAM_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace clotho::sim::internal {

class Histogram {
 public:
  // A bucket with a count above 0.
  struct Entry {
    std::uint64_t least = 0;  // The smallest value of the bucket.
    std::uint64_t count = 0;

    friend bool operator==(const Entry&, const Entry&) = default;
  };

  void Add(std::uint64_t number, std::uint64_t count = 1);

  // Sorted by value.
  std::vector<Entry> entries() const;

  friend bool operator==(const Histogram&, const Histogram&) = default;

 private:
  std::vector<std::uint64_t> counts_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_HISTOGRAM_H_
