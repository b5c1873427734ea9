#include "clotho/sim/search/sketch.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "clotho/sim/engine/random.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

using Entry = TraceSketch::Entry;

TEST(TraceSketchTest, CountsExactlyWhileThereIsRoom) {
  TraceSketch sketch;
  EXPECT_EQ(sketch.Distinct(), 0);
  EXPECT_EQ(sketch.NewChance(), 1);
  for (const std::uint64_t hash : {5, 3, 5, 9, 5}) sketch.Add(hash);
  const std::vector<Entry> expected = {{3, 1}, {5, 3}, {9, 1}};
  EXPECT_EQ(
      std::vector<Entry>(sketch.entries().begin(), sketch.entries().end()),
      expected);
  EXPECT_EQ(sketch.Distinct(), 3);
  EXPECT_EQ(sketch.NewChance(), 2.0 / 5);
}

// Hashes of which some are frequent; it is known which of them are kept.
std::vector<std::uint64_t> Stream(std::uint64_t seed, int length) {
  Rng rng(seed);
  std::vector<std::uint64_t> hashes;
  for (int i = 0; i < length; ++i) {
    const std::uint64_t name =
        rng.Chance(1, 2) ? rng.Uniform(100) : rng.Uniform(1'000'000);
    hashes.push_back(DeriveSeed(name, "trace"));
  }
  return hashes;
}

TEST(TraceSketchTest, KeepsTheLeastAndTheirExactCounts) {
  const std::vector<std::uint64_t> hashes = Stream(1, 100'000);
  TraceSketch sketch;
  std::map<std::uint64_t, std::uint64_t> all;
  for (const std::uint64_t hash : hashes) {
    sketch.Add(hash);
    ++all[hash];
  }
  ASSERT_EQ(sketch.entries().size(), TraceSketch::kSize);
  auto expected = all.begin();
  for (const Entry& entry : sketch.entries()) {
    EXPECT_EQ(entry, (Entry{expected->first, expected->second}));
    ++expected;
  }
  const double distinct = static_cast<double>(all.size());
  EXPECT_GT(sketch.Distinct(), distinct * 0.85);
  EXPECT_LT(sketch.Distinct(), distinct * 1.15);
}

TEST(TraceSketchTest, AUnionIsThatOfTheStreams) {
  const std::vector<std::uint64_t> hashes = Stream(2, 60'000);
  TraceSketch whole;
  TraceSketch parts[3];
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    whole.Add(hashes[i]);
    parts[i % 3].Add(hashes[i]);
  }
  const auto join = [](TraceSketch a, const TraceSketch& b) {
    a.Merge(b);
    return a;
  };
  const TraceSketch& a = parts[0];
  const TraceSketch& b = parts[1];
  const TraceSketch& c = parts[2];
  EXPECT_EQ(join(join(a, b), c), whole);
  EXPECT_EQ(join(a, join(b, c)), whole);
  EXPECT_EQ(join(join(c, a), b), whole);
  EXPECT_EQ(join(a, b), join(b, a));
  EXPECT_EQ(join(a, TraceSketch()), a);
  EXPECT_EQ(join(TraceSketch(), a), a);
}

}  // namespace
}  // namespace clotho::sim::internal
