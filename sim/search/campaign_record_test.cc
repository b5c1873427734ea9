#include "clotho/sim/search/campaign_record.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace clotho::sim::internal {
namespace {

using testing::HasSubstr;

Record Sample() {
  Record record;
  record.campaign = "0123456789abcdef";
  record.test = "All/Suite.Name/3";
  record.shard = {.index = 2, .count = 3, .block = 1};
  record.strategy = "pct:3";
  record.seed = UINT64_MAX;
  record.schedules = 100'000;
  record.next = 77;
  record.executions = 26;
  record.steps = 1'234;
  record.seconds = 12.25;
  record.steps_max = 99;
  record.tasks_max = 6;
  record.steps_of.Add(47, 26);
  record.tasks_of.Add(6, 20);
  record.tasks_of.Add(2, 6);
  record.parts = {{"pct:3", 20}, {"pos", 6}};
  record.budget_hits = 1;
  record.checked = 2;
  // A thousand years: more nanoseconds than 64 bits hold.
  record.virtual_time_ns = std::uint64_t{365 * 24 * 3'600} * 1'000'000'000;
  record.virtual_time_ns *= 1'000;
  record.sketch.Add(UINT64_MAX, 3);
  record.sketch.Add(1);
  record.goals = {
      {.goal = "later", .place = "raft.cc:9", .reached = 0, .first = {}},
      {.goal = "a \"leader\"",
       .place = "raft.cc:7",
       .reached = 12,
       .first = 7}};
  record.failures = {{.signature = "always raft.cc:25",
                      .kind = "always",
                      .what = "two\nlines",
                      .place = "raft.cc:25",
                      .first = 30,
                      .hits = 9,
                      .replay = "c1/0/4:1/b7e2",
                      .deviations = 1,
                      .part = "pct:3",
                      .folder = "Suite.Name/0123"},
                     Finding()};
  record.failures[1].signature = "deadlock";
  record.failures[1].first = 5;
  return record;
}

TEST(RecordTest, IsReadBackAsItWas) {
  const std::string text = FormatRecord(Sample());
  const absl::StatusOr<Record> record = ParseRecord(text);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(FormatRecord(*record), text);
  EXPECT_EQ(record->seed, UINT64_MAX);
  EXPECT_EQ(record->shard, Sample().shard);
  EXPECT_EQ(record->sketch, Sample().sketch);
  EXPECT_EQ(record->parts, Sample().parts);
  EXPECT_TRUE(record->virtual_time_ns == Sample().virtual_time_ns);
  EXPECT_THAT(text, HasSubstr("\"virtual_time_ns\": 31536000000000000000,"));
}

// Two records with the same contents in a different order are equal.
TEST(RecordTest, HasOneOrder) {
  Record record = Sample();
  std::swap(record.goals[0], record.goals[1]);
  std::swap(record.failures[0], record.failures[1]);
  EXPECT_EQ(FormatRecord(record), FormatRecord(Sample()));
  const auto json = nlohmann::json::parse(FormatRecord(record));
  EXPECT_EQ(json.at("failures").at(0).at("first"), 5);
  EXPECT_EQ(json.at("goals").at(0).at("first"), 7);
  EXPECT_TRUE(json.at("goals").at(1).at("first").is_null());
}

TEST(RecordTest, APartOfOneIsNone) {
  const std::string text = FormatRecord(Sample());
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {
    EXPECT_FALSE(ParseRecord(text.substr(0, size)).ok()) << size;
  }
}

TEST(RecordTest, WhatIsMissingOrOfAnotherKindIsNamed) {
  const auto whole = nlohmann::json::parse(FormatRecord(Sample()));
  for (const auto& [name, value] : whole.items()) {
    auto without = whole;
    without.erase(name);
    EXPECT_THAT(std::string(ParseRecord(without.dump()).status().message()),
                HasSubstr("\"" + name + "\" is missing"));
    auto other = whole;
    other[name] = nlohmann::json::array({nlohmann::json::object()});
    EXPECT_THAT(std::string(ParseRecord(other.dump()).status().message()),
                testing::AnyOf(HasSubstr("is no "), HasSubstr("is missing")))
        << name;
  }
}

TEST(RecordTest, HasAFileForEachShard) {
  EXPECT_EQ(RecordFile("out", "A.B", {.index = 3, .count = 64}),
            "out/A.B/shard-3-of-64.json");
  EXPECT_EQ(RecordFile("out", "All/A.B/3", Shard()),
            "out/All-A.B-3/shard-0-of-1.json");
  EXPECT_EQ(RecordFile("out", "A.B", {.block = 2}),
            "out/A.B/shard-0-of-1-block-2.json");
}

}  // namespace
}  // namespace clotho::sim::internal
