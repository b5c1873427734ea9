#include "clotho/sim/engine/format.h"

#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

TEST(WrapTest, BreaksLongLinesAtSpaces) {
  EXPECT_EQ(Wrap("one two three four", 9, 2), "one two\n  three\n  four");
  EXPECT_EQ(Wrap("one two\nthree", 9, 2), "one two\nthree");
  EXPECT_EQ(Wrap("exactly 9", 9, 2), "exactly 9");
  EXPECT_EQ(Wrap("nowhere-to-break it", 9, 2), "nowhere-to-break\n  it");
  EXPECT_EQ(Wrap("a   bbbbbbbbb", 9, 2), "a\n  bbbbbbbbb");
  EXPECT_EQ(Wrap("", 9, 2), "");
}

TEST(TimeTextTest, IsExactInTheLargestUnitThatFits) {
  EXPECT_EQ(TimeText(0), "0 s");
  EXPECT_EQ(TimeText(1), "1 ns");
  EXPECT_EQ(TimeText(1'500), "1.5 us");
  EXPECT_EQ(TimeText(5'000'000), "5 ms");
  EXPECT_EQ(TimeText(90'000'000'000), "90 s");
  EXPECT_EQ(TimeText(-5'000'000), "-5 ms");
  EXPECT_EQ(TimeText(1'000'000'001), "1.000000001 s");
  EXPECT_EQ(TimeText(std::numeric_limits<std::int64_t>::max()),
            "9223372036.854775807 s");
  EXPECT_EQ(TimeText(std::numeric_limits<std::int64_t>::min()),
            "-9223372036.854775808 s");
}

}  // namespace
}  // namespace clotho::sim::internal
