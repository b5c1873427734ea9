#include "clotho/properties/input.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clotho/sim/engine/schedule.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties::internal {
namespace {

using testing::AllOf;
using testing::HasSubstr;

absl::StatusOr<InputId> Parse(std::string_view text, std::uint64_t seed = 1) {
  return ParseInput({.program_seed = seed, .input = std::string(text)});
}

TEST(InputIdTest, ComesBackFromItsText) {
  for (const InputId& id : {
           InputId{.seed = 1, .size = 0},
           InputId{.seed = UINT32_MAX, .size = 1'000'000},
           InputId{.seed = 1, .size = 12, .shrinks = {{0, {0}}}},
           InputId{.seed = 1,
                   .size = 12,
                   .shrinks = {{0, {3, 0, 1'000'000}},
                               {7, {4}},
                               {UINT32_MAX, {0, 10}}}},
       }) {
    const std::string text = FormatInput(id);
    const absl::StatusOr<InputId> back = Parse(text, id.seed);
    ASSERT_TRUE(back.ok()) << text << ": " << back.status();
    EXPECT_EQ(*back, id) << text;
  }
  EXPECT_EQ(FormatInput({.size = 12, .shrinks = {{1, {3, 0}}, {0xab, {7}}}}),
            "12.1-3_0.ab-7");
}

TEST(InputIdTest, WhatIsWrongIsQuoted) {
  struct Bad {
    std::string_view text;
    std::string_view quoted;
  };
  for (const Bad& bad : {
           Bad{"x", "\"x\""},
           Bad{"-", "\"-\""},
           Bad{"1000001", "\"1000001\""},
           Bad{"012", "\"012\""},
           Bad{"99999999999999999999", "\"99999999999999999999\""},
           Bad{".", "\"\""},
           Bad{"12.", "\"\""},
           Bad{"12..", "\"\""},
           Bad{"12.0", "\"0\""},
           Bad{"12.0-", "\"0-\""},
           Bad{"12.0-1.", "\"\""},
           Bad{"12.g-1", "\"g-1\""},
           Bad{"12.0-1_", "\"0-1_\""},
           Bad{"12.0-_1", "\"0-_1\""},
           Bad{"12.0-1__2", "\"0-1__2\""},
           Bad{"12.0-1-2", "\"0-1-2\""},
           Bad{"12.0-1000001", "\"0-1000001\""},
           Bad{"12.1-1.0-1", "\"0-1\""},
           Bad{"12.1-1.1-1", "\"1-1\""},
           Bad{"12.100000000-1", "\"100000000-1\""},
       }) {
    const absl::StatusOr<InputId> id = Parse(bad.text);
    ASSERT_FALSE(id.ok()) << bad.text;
    EXPECT_THAT(std::string(id.status().message()),
                AllOf(HasSubstr("replay string: in the input "),
                      HasSubstr(bad.quoted), HasSubstr("expected ")))
        << bad.text;
  }
  EXPECT_THAT(std::string(Parse("12", 0x100000000).status().message()),
              HasSubstr("the seed \"100000000\" is of no input"));
  EXPECT_THAT(std::string(Parse("").status().message()),
              HasSubstr("a property needs an input"));
}

ValueGen Numbers() {
  return rc::gen::map(rc::gen::arbitrary<std::vector<int>>(),
                      &Value::of<std::vector<int>>);
}

std::vector<int> ValueOf(const InputId& id) {
  Input input({Numbers(), Numbers()}, id);
  return input.Begin()[0].get<std::vector<int>>();
}

TEST(InputTest, AValueFollowsFromSeedSizeAndPlace) {
  const InputId id = {.seed = 7, .size = 30};
  EXPECT_EQ(ValueOf(id), ValueOf(id));
  EXPECT_NE(ValueOf(id), ValueOf({.seed = 8, .size = 30}));
  EXPECT_NE(ValueOf(id), ValueOf({.seed = 7, .size = 60}));
  Input input({Numbers(), Numbers()}, id);
  std::vector<Value>& values = input.Begin();
  EXPECT_NE(values[0].get<std::vector<int>>(),
            values[1].get<std::vector<int>>());
  // Every execution gets a fresh copy.
  const std::vector<int> first = values[0].get<std::vector<int>>();
  values[0].get<std::vector<int>>().clear();
  EXPECT_EQ(input.Begin()[0].get<std::vector<int>>(), first);
}

TEST(InputTest, AShrinkIsOneOfRapidchecks) {
  const InputId id = {.seed = 7, .size = 30};
  Input input({Numbers(), Numbers()}, id);
  rc::Seq<ValueTree> smaller = input.arguments()[0].tree.shrinks();
  for (std::uint32_t i = 0; i < 5; ++i) {
    rc::Maybe<ValueTree> tree = smaller.next();
    ASSERT_TRUE(tree);
    EXPECT_EQ(ValueOf({.seed = 7, .size = 30, .shrinks = {{0, {i}}}}),
              tree->value().get<std::vector<int>>());
  }
  EXPECT_TRUE(input.fits());
  EXPECT_FALSE(Input({Numbers(), Numbers()},
                     {.seed = 7, .size = 30, .shrinks = {{0, {1'000'000}}}})
                   .fits());
}

TEST(InputTest, AShrinkOfAPlaceThatIsNotThereIsNotPassedOver) {
  Input input({Numbers()}, {.seed = 7, .size = 30, .shrinks = {{1, {0}}}});
  input.Begin();
  EXPECT_FALSE(input.fits());
}

}  // namespace
}  // namespace clotho::properties::internal
