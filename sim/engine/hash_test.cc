#include "clotho/sim/engine/hash.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <string_view>

#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

constexpr std::uint64_t HashOf(std::initializer_list<std::uint64_t> words) {
  StreamHash hash;
  for (const std::uint64_t word : words) hash.Add(word);
  return hash.Finish();
}

constexpr std::uint64_t HashOfTexts(
    std::initializer_list<std::string_view> texts) {
  StreamHash hash;
  for (const std::string_view text : texts) hash.Add(text);
  return hash.Finish();
}

// The numbers in these tests come from a second implementation, in Python, of
// the definition in the header. They must never change: hashes are stored.
TEST(StreamHashTest, WordsHashToTheSpecifiedValues) {
  EXPECT_EQ(HashOf({}), 0xe9e0033e3badaf36);
  EXPECT_EQ(HashOf({0}), 0xc930074e93b8aad8);
  EXPECT_EQ(HashOf({0, 0}), 0xed3596ef10e10c81);
  EXPECT_EQ(HashOf({1}), 0x355e2b2109cea879);
  EXPECT_EQ(HashOf({UINT64_MAX}), 0xcf6b41118e1507af);

  StreamHash hash;
  for (std::uint64_t i = 0; i < 1000; ++i) hash.Add(i);
  EXPECT_EQ(hash.Finish(), 0x4277cff038f917e8);
}

TEST(StreamHashTest, StringsHashToTheSpecifiedValues) {
  EXPECT_EQ(HashOfTexts({"a"}), 0x930e10be6a7036cd);
  EXPECT_EQ(HashOfTexts({"abcdefgh"}), 0xc4b1cda382e329e4);
  EXPECT_EQ(HashOfTexts({"abcdefghi"}), 0x812faf3423497732);
  // Bytes above 127 are unsigned, whatever the sign of char.
  EXPECT_EQ(HashOfTexts({"h\xc3\xa9"}), 0xf4fffc70af52d9b4);

  StreamHash hash;
  hash.Add(7);
  hash.Add("JobQueueTest.NoJobIsLost");
  hash.Add(118);
  EXPECT_EQ(hash.Finish(), 0x37504445885f68e1);
}

TEST(StreamHashTest, IsTheSameAtCompileTime) {
  static_assert(HashOf({1, 2}) == 0x1cfe119614c08a3d);
  static_assert(HashOfTexts({"ab", "c"}) == 0xff946fd02add928e);
}

TEST(StreamHashTest, DependsOnTheOrder) {
  EXPECT_EQ(HashOf({1, 2}), 0x1cfe119614c08a3d);
  EXPECT_EQ(HashOf({2, 1}), 0x69c78c7d45c7f9f3);
}

TEST(StreamHashTest, KnowsWhereOneStringEndsAndTheNextBegins) {
  EXPECT_EQ(HashOfTexts({"ab", "c"}), 0xff946fd02add928e);
  EXPECT_EQ(HashOfTexts({"a", "bc"}), 0xe3e66f32b22cc051);
  EXPECT_NE(HashOfTexts({std::string_view("a\0", 2)}), HashOfTexts({"a"}));
}

// A string is equivalent to its length and its bytes, as words.
TEST(StreamHashTest, AStringIsASequenceOfWords) {
  EXPECT_EQ(HashOfTexts({""}), HashOf({0}));
  EXPECT_EQ(HashOfTexts({"abcdefghi"}), HashOf({9, 0x6867666564636261, 0x69}));
}

// Finishing does not disturb what is added afterwards.
TEST(StreamHashTest, CanBeReadAtAnyTime) {
  StreamHash hash;
  hash.Add(1);
  EXPECT_EQ(hash.Finish(), HashOf({1}));
  hash.Add(2);
  EXPECT_EQ(hash.Finish(), HashOf({1, 2}));
}

TEST(StreamHashTest, DoesNotCollideOnAllShortSequencesOfSmallWords) {
  std::set<std::uint64_t> seen;
  std::size_t sequences = 0;
  for (std::uint64_t a = 0; a < 40; ++a) {
    seen.insert(HashOf({a}));
    ++sequences;
    for (std::uint64_t b = 0; b < 40; ++b) {
      seen.insert(HashOf({a, b}));
      ++sequences;
      for (std::uint64_t c = 0; c < 40; ++c) {
        // Low bits and high ones.
        seen.insert(HashOf({a, b, c}));
        seen.insert(HashOf({a << 58 | 1, b << 58 | 1, c << 58 | 2, a, b, c}));
        sequences += 2;
      }
    }
  }
  EXPECT_EQ(seen.size(), sequences);
}

}  // namespace
}  // namespace clotho::sim
