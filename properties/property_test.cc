// CLOTHO_PROPERTY, used as it is meant to be, and what it finds.

#include "clotho/properties/property.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/failure.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {
namespace {

using sim::FailureKind;
using sim::FormatReplay;
using sim::Report;
using testing::HasSubstr;

Coro<void> Append(std::vector<int>& to, int value, int delay_ms) {
  co_await Sleep(absl::Milliseconds(delay_ms));
  to.push_back(value);
}

// ---- Properties that hold. ----

CLOTHO_PROPERTY(PropertyTest, WhatIsAwaitedInOrderStaysInOrder,
                (const std::vector<int>& items, std::uint8_t delay),
                sim::Random{.schedules = 20}) {
  std::vector<int> got;
  for (const int item : items) {
    co_await CreateTask(Append(got, item, delay % 4));
  }
  EXPECT_EQ(got, items);
}

CLOTHO_PROPERTY(PropertyTest, WithoutOptionsTheOrderIsPlain,
                (const std::vector<int>& items)) {
  std::vector<int> got;
  std::vector<Task<void>> tasks;
  for (const int item : items)
    tasks.push_back(CreateTask(Append(got, item, 1)));
  for (const Task<void>& task : tasks) co_await task;
  EXPECT_EQ(got, items);
}

CLOTHO_PROPERTY(PropertyTest, NeedsNoArguments, ()) {
  const int n = *rc::gen::inRange(0, 10);
  co_await Sleep(absl::Milliseconds(n));
  RC_ASSERT(GetRunningLoop().Time() == absl::Milliseconds(n));
}

CLOTHO_PROPERTY(PropertyTest, ArgumentsMayBeChangedAndMoved,
                (std::vector<int> copy, std::string& text),
                sim::Random{.schedules = 5}) {
  const std::size_t size = text.size();
  copy.clear();
  text += "x";
  co_await Sleep(absl::ZeroDuration());
  EXPECT_EQ(text.size(), size + 1);  // Of every execution anew.
}

// ---- rapidcheck's own words. ----

Coro<void> Require(bool condition) {
  co_await Sleep(absl::Milliseconds(1));
  RC_PRE(condition);
}

CLOTHO_PROPERTY(PropertyTest, APreconditionOfATaskDiscards, (int n)) {
  Task<void> task = CreateTask(Require(n % 2 == 0));
  Event never;  // A task that discards ends it all.
  if (n % 2 != 0) co_await never.Wait();
  co_await task;
  EXPECT_EQ(n % 2, 0);
}

Coro<void> TheFirstFails(const std::vector<int>& items) {
  std::vector<int> got;
  std::vector<Task<void>> tasks;
  for (const int item : items)
    tasks.push_back(CreateTask(Append(got, item, 1)));
  for (const Task<void>& task : tasks) co_await task;
  RC_ASSERT(got == items);
}

TEST(PropertyReportTest, AFailedAssertionIsReportedWithItsInput) {
  const Report report = Check(&TheFirstFails, sim::Random{.schedules = 20});
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure->kind, FailureKind::kExpectation);
  EXPECT_THAT(report.failure->what, HasSubstr("RC_ASSERT(got == items)"));
  EXPECT_THAT(report.failure->file, HasSubstr("property_test.cc"));
  EXPECT_FALSE(report.input.empty());
}

TEST(PropertyReportTest, TheInputIsShrunkAndThenTheSchedule) {
  const Report report = Check(&TheFirstFails, sim::Random{.schedules = 20});
  ASSERT_FALSE(report.passed());
  EXPECT_THAT(report.input, testing::EndsWith(" = [1, 0]")) << report;
  EXPECT_GT(report.input_shrinks, 0);
  EXPECT_TRUE(report.minimal);
  EXPECT_EQ(report.trace.departures.size(), 1);
}

TEST(PropertyReportTest, EverythingFollowsFromTheSeed) {
  const Report one = Check(&TheFirstFails, sim::Random{.schedules = 20});
  const Report two = Check(&TheFirstFails, sim::Random{.schedules = 20});
  const Report other =
      Check(&TheFirstFails, sim::Random{.schedules = 20, .seed = 2});
  EXPECT_EQ(one.Text(), two.Text());
  EXPECT_NE(FormatReplay(one.replay), FormatReplay(other.replay));
}

TEST(PropertyReportTest, AReplayBringsInputAndScheduleBack) {
  const Report found = Check(&TheFirstFails, sim::Random{.schedules = 20});
  const auto again = Replay(&TheFirstFails, FormatReplay(found.replay));
  ASSERT_TRUE(again.ok()) << again.status();
  ASSERT_FALSE(again->passed());
  EXPECT_EQ(again->failure->origin, found.failure->origin);
  EXPECT_EQ(again->input, found.input);
  EXPECT_EQ(again->trace_hash, found.trace_hash);
}

}  // namespace
}  // namespace clotho::properties
