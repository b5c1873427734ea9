#include "clotho/sim/search/histogram.h"

#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

using testing::ElementsAre;

using Entry = Histogram::Entry;

std::uint64_t BucketOf(std::uint64_t number) {
  Histogram histogram;
  histogram.Add(number);
  const std::vector<Entry> entries = histogram.entries();
  EXPECT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].count, 1u);
  return entries[0].least;
}

TEST(HistogramTest, TellsSmallNumbersApart) {
  for (std::uint64_t number = 0; number < 32; ++number) {
    EXPECT_EQ(BucketOf(number), number);
  }
  EXPECT_EQ(BucketOf(33), 32u);
  EXPECT_EQ(BucketOf(34), 34u);
}

// A bucket begins with its value, or up to a sixteenth below; and its beginning
// belongs to it.
TEST(HistogramTest, TakesTheFirstFiveDigitsOfLargeOnes) {
  for (unsigned shift = 0; shift < 64; ++shift) {
    for (const std::uint64_t below : {0u, 1u, 3u}) {
      const std::uint64_t number = (UINT64_MAX >> shift) - below;
      if (number > UINT64_MAX >> shift) continue;  // (Below 0.)
      const std::uint64_t least = BucketOf(number);
      EXPECT_LE(least, number);
      EXPECT_LE(number - least, number / 16);
      EXPECT_EQ(BucketOf(least), least);
    }
  }
  EXPECT_EQ(BucketOf(UINT64_MAX), std::uint64_t{31} << 59);
}

TEST(HistogramTest, CountsByRisingNumber) {
  Histogram histogram;
  EXPECT_THAT(histogram.entries(), ElementsAre());
  histogram.Add(1'000);
  histogram.Add(3, 5);
  histogram.Add(1'001);
  histogram.Add(3);
  EXPECT_THAT(histogram.entries(),
              ElementsAre(Entry{.least = 3, .count = 6},
                          Entry{.least = 992, .count = 2}));
}

TEST(HistogramTest, IsReadBackFromItsEntries) {
  Histogram histogram;
  for (std::uint64_t number = 1; number < 1'000'000; number += number / 3 + 1) {
    histogram.Add(number, number % 5 + 1);
  }
  Histogram again;
  for (const Entry& entry : histogram.entries()) {
    again.Add(entry.least, entry.count);
  }
  EXPECT_EQ(again, histogram);
}

}  // namespace
}  // namespace clotho::sim::internal
