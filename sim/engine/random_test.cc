#include "clotho/sim/engine/random.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

std::vector<std::uint64_t> Draw(Rng rng, std::size_t count) {
  std::vector<std::uint64_t> numbers;
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(rng.Next());
  return numbers;
}

std::vector<std::uint64_t> DrawBelow(std::uint64_t bound, Rng rng) {
  std::vector<std::uint64_t> numbers;
  for (int i = 0; i < 8; ++i) numbers.push_back(rng.Uniform(bound));
  return numbers;
}

// The numbers in these tests come from a second implementation, in Python, that
// was checked against the authors' own test vectors. They must never change:
// seeds are stored in reports and in source code.
TEST(RngTest, DrawsTheSpecifiedNumbers) {
  using Numbers = std::vector<std::uint64_t>;
  EXPECT_EQ(Draw(Rng(0), 4), (Numbers{0x53175d61490b23df, 0x61da6f3dc380d507,
                                      0x5c0fdf91ec9a7bfc, 0x02eebf8c3bbe5e1a}));
  EXPECT_EQ(Draw(Rng(1), 4), (Numbers{0xcfc5d07f6f03c29b, 0xbf424132963fe08d,
                                      0x19a37d5757aaf520, 0xbf08119f05cd56d6}));
  EXPECT_EQ(Draw(Rng(0x8f21), 4),
            (Numbers{0x6479f823a323f67d, 0x8ba2e19df7867b34, 0xdefabd57f9fe2ea2,
                     0x61abde8f7a693d89}));
  EXPECT_EQ(Draw(Rng(UINT64_MAX), 4),
            (Numbers{0x56ccf8ce948e27b2, 0xe68588432e5a5b90, 0xe3e9b5a48119ca8b,
                     0x460f19495532ae73}));
  EXPECT_EQ(Draw(Rng(42), 1001).back(), 0xd43846214ce2d08d);
}

TEST(RngTest, StartsAgainWhenSeeded) {
  Rng rng(7);
  rng.Next();
  rng.Seed(1);
  EXPECT_EQ(Draw(rng, 10), Draw(Rng(1), 10));
}

TEST(RngTest, IsTheSameAtCompileTime) {
  constexpr std::uint64_t kFirst = Rng(0).Next();
  static_assert(kFirst == 0x53175d61490b23df);
  constexpr std::uint64_t kDie = Rng(7).Uniform(6);
  static_assert(kDie == 0);
}

TEST(RngTest, UniformDrawsTheSpecifiedNumbers) {
  using Numbers = std::vector<std::uint64_t>;
  EXPECT_EQ(DrawBelow(1, Rng(7)), (Numbers{0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(DrawBelow(2, Rng(7)), (Numbers{0, 0, 1, 0, 1, 0, 1, 0}));
  EXPECT_EQ(DrawBelow(6, Rng(7)), (Numbers{0, 1, 4, 2, 5, 2, 4, 1}));
  EXPECT_EQ(DrawBelow(1000, Rng(7)),
            (Numbers{55, 172, 717, 427, 963, 465, 723, 329}));
  EXPECT_EQ(DrawBelow(std::uint64_t{1} << 32, Rng(7)),
            (Numbers{237771264, 739231965, 3081966003, 1834852202, 4138886130,
                     2000182114, 3109157299, 1416649562}));
  EXPECT_EQ(DrawBelow(UINT64_MAX, Rng(7)),
            (Numbers{1021219803524665660u, 3174977118032272915u,
                     13236943193235544177u, 7880630202246103355u,
                     17776380574336353141u, 8590716767756797064u,
                     13353728918970868607u, 6084463542373836071u}));
}

// The worst bound: nearly half of the draws must be rejected.
TEST(RngTest, UniformDrawsAgainWhatWouldBeBiased) {
  constexpr std::uint64_t kBound = (std::uint64_t{1} << 63) + 1;
  EXPECT_EQ(DrawBelow(kBound, Rng(7)),
            (std::vector<std::uint64_t>{
                510609901762332830u, 6618471596617772089u, 8888190287168176571u,
                4295358383878398532u, 6676864459485434304u, 675923669047871734u,
                1053689437146024220u, 1043032115172937299u}));
  Rng rng(7);
  for (int i = 0; i < 8; ++i) rng.Uniform(kBound);
  EXPECT_EQ(rng.Next(), Draw(Rng(7), 15).back());  // 14 draws for 8 numbers.
}

TEST(RngTest, UniformStaysBelowItsBoundAndReachesEverything) {
  Rng rng(1);
  for (std::uint64_t bound = 1; bound <= 64; ++bound) {
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 2000; ++i) seen.insert(rng.Uniform(bound));
    EXPECT_EQ(seen.size(), bound);
    EXPECT_EQ(*seen.rbegin(), bound - 1);
  }
}

TEST(RngTest, ChanceKeepsItsOdds) {
  Rng rng(1);
  int hits = 0;
  for (int i = 0; i < 100'000; ++i) hits += rng.Chance(1, 10) ? 1 : 0;
  EXPECT_NEAR(hits, 10'000, 400);  // A little over four standard deviations.
}

TEST(RngTest, ChanceOfNothingAndOfEverythingAreCertain) {
  Rng rng(1);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(rng.Chance(0, 3));
    EXPECT_TRUE(rng.Chance(3, 3));
    EXPECT_TRUE(rng.Chance(5, 3));
  }
}

TEST(RngTest, ChanceDrawsTheSameWhateverTheOdds) {
  Rng never(1);
  Rng always(1);
  for (int i = 0; i < 100; ++i) {
    never.Chance(0, 100);
    always.Chance(100, 100);
  }
  EXPECT_EQ(never.Next(), always.Next());
}

TEST(RngTest, ShufflesInTheSpecifiedOrder) {
  Rng rng(3);
  std::vector<int> items(10);
  std::iota(items.begin(), items.end(), 0);
  rng.Shuffle(std::span(items));
  EXPECT_EQ(items, (std::vector<int>{7, 2, 1, 4, 9, 3, 8, 6, 5, 0}));
  EXPECT_EQ(rng.Next(), 0x0681d72a072e1e0f);  // Nine draws for ten items.
}

TEST(RngTest, ShufflesNothingWithoutDrawing) {
  Rng rng(3);
  std::vector<std::string> items;
  rng.Shuffle(std::span(items));
  items = {"a"};
  rng.Shuffle(std::span(items));
  EXPECT_EQ(items, std::vector<std::string>{"a"});
  EXPECT_EQ(rng.Next(), Rng(3).Next());
}

TEST(RngTest, ShuffleGivesEveryOrderTheSameChance) {
  Rng rng(1);
  std::map<std::array<int, 4>, int> counts;
  for (int i = 0; i < 24'000; ++i) {
    std::array<int, 4> items = {0, 1, 2, 3};
    rng.Shuffle(std::span(items));
    ++counts[items];
  }
  EXPECT_EQ(counts.size(), 24);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(RngDeathTest, ThereIsNoNumberBelowZero) {
  Rng rng(1);
  EXPECT_DEATH(rng.Uniform(0), "must be at least 1");
  EXPECT_DEATH(rng.Chance(1, 0), "must be at least 1");
}

TEST(DeriveSeedTest, NamedStreamsHaveTheSpecifiedSeeds) {
  EXPECT_EQ(DeriveSeed(0, "schedule"), 0x04fc78410579607a);
  EXPECT_EQ(DeriveSeed(0, "faults"), 0xa134d31ee6783641);
  EXPECT_EQ(DeriveSeed(1, "schedule"), 0xf11e391c2ac64c65);
  EXPECT_EQ(DeriveSeed(0, ""), 0xed3596ef10e10c81);
  EXPECT_EQ(DeriveSeed(UINT64_MAX, "program"), 0x6aefca9c766c9508);
}

TEST(DeriveSeedTest, ExecutionsHaveTheSpecifiedSeeds) {
  EXPECT_EQ(DeriveSeed(1, "JobQueueTest.NoJobIsLost", 0), 0x41888b3c74a0a035);
  EXPECT_EQ(DeriveSeed(1, "JobQueueTest.NoJobIsLost", 1), 0x5c633cf69f2d33fa);
  EXPECT_EQ(DeriveSeed(1, "JobQueueTest.NoJobIsLost", 118), 0x038026ff27d7828e);
  EXPECT_EQ(DeriveSeed(2, "JobQueueTest.NoJobIsLost", 118), 0x215aadb15cd7ec19);
}

TEST(DeriveSeedTest, NoTwoExecutionsOfATestShareASeed) {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    seeds.insert(DeriveSeed(1, "T.X", i));
  }
  EXPECT_EQ(seeds.size(), 100'000);
}

// Neighbouring executions and neighbouring base seeds: what the first draw
// decides must not correlate with their numbers.
TEST(DeriveSeedTest, NeighboursStartIndependently) {
  std::array<int, 16> counts{};
  for (std::uint64_t base = 0; base < 40; ++base) {
    for (std::uint64_t i = 0; i < 400; ++i) {
      const std::uint64_t a = Rng(DeriveSeed(base, "T.X", i)).Uniform(4);
      const std::uint64_t b = Rng(DeriveSeed(base, "T.X", i + 1)).Uniform(4);
      ++counts[4 * a + b];
    }
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
}

}  // namespace
}  // namespace clotho::sim
