#include "clotho/sim/report/vector_clock.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

TEST(VectorClockTest, KnowsNothingAtFirst) {
  const VectorClock clock;
  EXPECT_EQ(clock.Of(0), 0u);
  EXPECT_EQ(clock.Of(UINT32_MAX), 0u);
}

TEST(VectorClockTest, KnowsTheLastStepOfEachChain) {
  VectorClock clock;
  clock.Set(3, 10);
  clock.Set(UINT32_MAX, 11);
  clock.Set(3, 12);
  EXPECT_EQ(clock.Of(3), 12u);
  EXPECT_EQ(clock.Of(UINT32_MAX), 11u);
  EXPECT_EQ(clock.Of(4), 0u);
  clock.Clear();
  EXPECT_EQ(clock.Of(3), 0u);
}

TEST(VectorClockTest, ACopyIsIndependent) {
  VectorClock clock;
  clock.Set(1, 1);
  VectorClock copy = clock;
  copy.Set(1, 2);
  clock.Set(9, 3);
  EXPECT_EQ(clock.Of(1), 1u);
  EXPECT_EQ(copy.Of(1), 2u);
  EXPECT_EQ(copy.Of(9), 0u);
}

TEST(VectorClockTest, JoinsClocksOfDifferentHeights) {
  VectorClock low;
  low.Set(1, 5);
  VectorClock high;
  high.Set(1, 4);
  high.Set(100'000, 6);
  VectorClock both = low;
  both.Join(high);
  EXPECT_EQ(both.Of(1), 5u);
  EXPECT_EQ(both.Of(100'000), 6u);
  high.Join(low);
  EXPECT_EQ(high.Of(1), 5u);
  EXPECT_EQ(high.Of(100'000), 6u);
  EXPECT_EQ(low.Of(100'000), 0u);
}

TEST(VectorClockTest, JoinsWithAnEmptyOneAndWithItself) {
  VectorClock clock;
  clock.Set(70, 2);
  clock.Join(VectorClock());
  clock.Join(clock);
  EXPECT_EQ(clock.Of(70), 2u);
  VectorClock empty;
  empty.Join(clock);
  EXPECT_EQ(empty.Of(70), 2u);
}

// The same as maps, in random operations on a few clocks.
TEST(VectorClockTest, IsAMap) {
  constexpr std::size_t kClocks = 6;
  const std::uint32_t chains[] = {0, 1, 7, 8, 63, 64, 511, 4'096, 1u << 31};
  std::mt19937 random(1);
  std::vector<VectorClock> clocks(kClocks);
  std::vector<std::map<std::uint32_t, std::uint64_t>> maps(kClocks);
  for (std::uint64_t step = 1; step <= 5'000; ++step) {
    const std::size_t a = random() % kClocks;
    const std::size_t b = random() % kClocks;
    switch (random() % 4) {
      case 0:
        clocks[a] = clocks[b];
        maps[a] = maps[b];
        break;
      case 1:
        clocks[a].Join(clocks[b]);
        for (const auto& [chain, known] : maps[b]) {
          maps[a][chain] = std::max(maps[a][chain], known);
        }
        break;
      default: {
        const std::uint32_t chain = chains[random() % std::size(chains)];
        clocks[a].Set(chain, step);
        maps[a][chain] = step;
      }
    }
    for (const std::uint32_t chain : chains) {
      const auto known = maps[a].find(chain);
      ASSERT_EQ(clocks[a].Of(chain), known == maps[a].end() ? 0 : known->second)
          << "chain " << chain << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace clotho::sim::internal
