#include "clotho/sim/search/shard.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using Environment = std::map<std::string, std::string>;

absl::StatusOr<Shard> Read(std::string_view flag,
                           const Environment& environment = {}) {
  return ReadShard(flag, "--clotho_shard",
                   [&](const char* name) -> std::optional<std::string> {
                     const auto found = environment.find(name);
                     if (found == environment.end()) return std::nullopt;
                     return found->second;
                   });
}

std::string Error(std::string_view flag, const Environment& environment = {}) {
  const absl::StatusOr<Shard> shard = Read(flag, environment);
  if (shard.ok()) return "no error: " + ShardText(*shard);
  return std::string(shard.status().message());
}

TEST(ShardTest, IsTheWholeUnlessSomebodySaysOtherwise) {
  EXPECT_EQ(*Read(""), Shard());
  EXPECT_EQ(*Read("", {{"TEST_TOTAL_SHARDS", "0"}}), Shard());
  EXPECT_EQ(*Read("", {{"TEST_TOTAL_SHARDS", "1"}, {"TEST_SHARD_INDEX", "0"}}),
            Shard());
}

TEST(ShardTest, TheFlagSaysIt) {
  EXPECT_EQ(*Read("0/1"), Shard());
  EXPECT_EQ(*Read("3/64"), (Shard{.index = 3, .count = 64}));
  for (const char* wrong : {"3", "/", "3/", "/3", "3/3", "-1/3", "a/3", "0/0",
                            "1/2/3", " 1/2", "0/1000000001", "Auto"}) {
    EXPECT_THAT(Error(wrong),
                AllOf(HasSubstr(std::string("--clotho_shard=\"") + wrong),
                      HasSubstr("expected INDEX/TOTAL")))
        << wrong;
  }
}

TEST(ShardTest, BazelAndGoogleTestAlwaysCount) {
  const Shard second = {.index = 1, .count = 5};
  EXPECT_EQ(*Read("", {{"TEST_SHARD_INDEX", "1"}, {"TEST_TOTAL_SHARDS", "5"}}),
            second);
  EXPECT_EQ(
      *Read("auto", {{"GTEST_SHARD_INDEX", "1"}, {"GTEST_TOTAL_SHARDS", "5"}}),
      second);
  // As Bazel sets it.
  EXPECT_EQ(*Read("", {{"TEST_SHARD_INDEX", "1"},
                       {"TEST_TOTAL_SHARDS", "5"},
                       {"GTEST_SHARD_INDEX", "1"},
                       {"GTEST_TOTAL_SHARDS", "5"}}),
            second);
  EXPECT_THAT(
      Error("", {{"TEST_SHARD_INDEX", "5"}, {"TEST_TOTAL_SHARDS", "5"}}),
      HasSubstr("TEST_SHARD_INDEX=5 with TEST_TOTAL_SHARDS=5: expected a "
                "number from 0 to 4"));
  EXPECT_THAT(Error("", {{"TEST_TOTAL_SHARDS", "5"}}),
              HasSubstr("TEST_SHARD_INDEX=\"\" is not a number"));
  EXPECT_THAT(Error("", {{"GTEST_TOTAL_SHARDS", "many"}}),
              HasSubstr("GTEST_TOTAL_SHARDS=\"many\" is not a number"));
}

TEST(ShardTest, SourcesThatDisagreeAreAnError) {
  EXPECT_THAT(
      Error("3/64", {{"TEST_SHARD_INDEX", "1"}, {"TEST_TOTAL_SHARDS", "5"}}),
      HasSubstr("--clotho_shard says 3/64, TEST_SHARD_INDEX and "
                "TEST_TOTAL_SHARDS says 1/5"));
  EXPECT_EQ(
      *Read("1/5", {{"TEST_SHARD_INDEX", "1"}, {"TEST_TOTAL_SHARDS", "5"}}),
      (Shard{.index = 1, .count = 5}));
}

TEST(ShardTest, WhatOthersSayCountsOnlyWithAuto) {
  const Environment slurm = {{"SLURM_ARRAY_TASK_ID", "7"},
                             {"SLURM_ARRAY_TASK_MIN", "1"},
                             {"SLURM_ARRAY_TASK_MAX", "9"},
                             {"SLURM_ARRAY_TASK_STEP", "2"},
                             {"SLURM_ARRAY_TASK_COUNT", "5"}};
  const Environment kubernetes = {{"JOB_COMPLETION_INDEX", "2"},
                                  {"CLOTHO_TOTAL_SHARDS", "9"}};
  const Environment gitlab = {{"CI_NODE_INDEX", "4"}, {"CI_NODE_TOTAL", "4"}};
  EXPECT_EQ(*Read("auto", slurm), (Shard{.index = 3, .count = 5}));
  EXPECT_EQ(*Read("auto", kubernetes), (Shard{.index = 2, .count = 9}));
  EXPECT_EQ(*Read("auto", gitlab), (Shard{.index = 3, .count = 4}));
  EXPECT_EQ(*Read("", slurm), Shard());
  EXPECT_EQ(*Read("", kubernetes), Shard());
  EXPECT_EQ(*Read("", gitlab), Shard());
  EXPECT_EQ(*Read("0/2", gitlab), (Shard{.index = 0, .count = 2}));
  Environment both = slurm;
  both.insert(gitlab.begin(), gitlab.end());
  EXPECT_THAT(Error("auto", both), HasSubstr("which shard is this?"));
  EXPECT_THAT(Error("auto"), HasSubstr("nothing says which shard this is"));
}

TEST(ShardTest, ASlurmArrayWithGapsIsRefused) {
  EXPECT_THAT(Error("auto", {{"SLURM_ARRAY_TASK_ID", "7"},
                             {"SLURM_ARRAY_TASK_MIN", "1"},
                             {"SLURM_ARRAY_TASK_MAX", "9"},
                             {"SLURM_ARRAY_TASK_STEP", "1"},
                             {"SLURM_ARRAY_TASK_COUNT", "5"}}),
              HasSubstr("the Slurm array has gaps"));
  EXPECT_THAT(Error("auto", {{"SLURM_ARRAY_TASK_ID", "7"}}),
              HasSubstr("SLURM_ARRAY_TASK_MIN=\"\" is not a number"));
}

TEST(ShardTest, KubernetesHasToBeToldTheTotal) {
  EXPECT_THAT(Error("auto", {{"JOB_COMPLETION_INDEX", "2"}}),
              HasSubstr("expected the variable CLOTHO_TOTAL_SHARDS"));
}

TEST(ShardTest, RunsOfBazelAreBlocks) {
  EXPECT_EQ(*Read("auto", {{"TEST_RANDOM_SEED", "3"}}), (Shard{.block = 2}));
  EXPECT_EQ(*Read("auto", {{"TEST_RANDOM_SEED", "3"},
                           {"TEST_SHARD_INDEX", "1"},
                           {"TEST_TOTAL_SHARDS", "5"}}),
            (Shard{.index = 1, .count = 5, .block = 2}));
  EXPECT_EQ(*Read("", {{"TEST_RANDOM_SEED", "3"}}), Shard());
  EXPECT_THAT(Error("auto", {{"TEST_RANDOM_SEED", "0"}}),
              HasSubstr("TEST_RANDOM_SEED=\"0\""));
}

}  // namespace
}  // namespace clotho::sim::internal
