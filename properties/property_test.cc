// CLOTHO_PROPERTY: intended use, and what it finds.

#include "clotho/properties/property.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
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
  EXPECT_EQ(text.size(), size + 1);  // Anew in every execution.
}

// ---- rapidcheck's own words. ----

Coro<void> Require(bool condition) {
  co_await Sleep(absl::Milliseconds(1));
  RC_PRE(condition);
}

CLOTHO_PROPERTY(PropertyTest, APreconditionOfATaskDiscards, (int n)) {
  Task<void> task = CreateTask(Require(n % 2 == 0));
  Event never;  // A task that discards ends the execution.
  if (n % 2 != 0) co_await never.Wait();
  co_await task;
  EXPECT_EQ(n % 2, 0);
}

CLOTHO_PROPERTY(PropertyTest, ALaterPreconditionDiscardsTheScheduleOnly, (),
                sim::Random{.schedules = 20}) {
  std::vector<int> got;
  Task<void> one = CreateTask(Append(got, 1, 1));
  Task<void> two = CreateTask(Append(got, 2, 1));
  co_await one;
  co_await two;
  RC_PRE(got.front() == 1);  // As in FIFO order.
  EXPECT_EQ(got.back(), 2);
}

CLOTHO_PROPERTY(PropertyTest, ASuccessEndsTheExecution, (int n),
                sim::Random{.schedules = 3}) {
  RC_SUCCEED_IF(n >= 0);
  co_await Sleep(absl::Milliseconds(1));
  EXPECT_LT(n, 0);
}

CLOTHO_PROPERTY(PropertyTest, GoalsAreThoseOfAllInputs,
                (const std::vector<int>& items)) {
  Sometimes(items.empty(), "there is nothing");
  Sometimes(items.size() > 5, "there is much");
  co_return;
}

// The draws of a task do not depend on what other tasks did before.
Coro<void> DrawTwice(std::vector<int>& drawn) {
  drawn.push_back(*rc::gen::arbitrary<int>());
  co_await Sleep(absl::Milliseconds(1));
  drawn.push_back(*rc::gen::arbitrary<int>());
}

CLOTHO_PROPERTY(PropertyTest, DrawsAreTheSameInAllSchedules, (int n),
                sim::Random{.schedules = 30}) {
  // Statics survive executions: these belong to the input with this mark.
  static std::map<std::int64_t, std::vector<std::vector<int>>> first;
  std::vector<std::vector<int>> drawn(3);
  std::vector<Task<void>> tasks;
  for (std::vector<int>& one : drawn)
    tasks.push_back(CreateTask(DrawTwice(one)));
  for (const Task<void>& task : tasks) co_await task;
  const auto mark = *rc::gen::inRange<std::int64_t>(0, INT64_MAX).as("mark");
  drawn.push_back({n});
  first.try_emplace(mark, drawn);
  RC_ASSERT(first[mark] == drawn);
}

// ---- What fails. ----

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
  EXPECT_EQ(report.failure()->kind, FailureKind::kExpectation);
  EXPECT_THAT(report.failure()->what, HasSubstr("RC_ASSERT(got == items)"));
  EXPECT_THAT(report.failure()->file, HasSubstr("property_test.cc"));
  EXPECT_FALSE(report.input.values.empty());
}

TEST(PropertyReportTest, TheInputIsShrunkAndThenTheSchedule) {
  const Report report = Check(&TheFirstFails, sim::Random{.schedules = 20});
  ASSERT_FALSE(report.passed());
  EXPECT_THAT(report.input.values, testing::EndsWith(" = [1, 0]")) << report;
  EXPECT_GT(report.input.shrinks, 0);
  EXPECT_TRUE(report.shrinking.minimal);
  EXPECT_EQ(report.trace.deviations.size(), 1);
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
  EXPECT_EQ(again->failure()->signature, found.failure()->signature);
  EXPECT_EQ(again->input.values, found.input.values);
  EXPECT_EQ(again->trace_hash, found.trace_hash);
}

TEST(PropertyReportTest, AMalformedOrForeignInputIsAnError) {
  const auto error = [](std::string_view replay) {
    const auto report = Replay(&TheFirstFails, replay);
    return report.ok() ? "none" : std::string(report.status().message());
  };
  EXPECT_THAT(error("c1/0/4:1"), HasSubstr("a property needs an input"));
  EXPECT_THAT(error("c1/8f21.x/4:1"), HasSubstr("the size \"x\" is wrong"));
  EXPECT_THAT(error("c1/8f21.4.0-999999/4:1"),
              HasSubstr("the input \"4.0-999999\" does not fit"));
  EXPECT_THAT(error("c1/8f21.4.3-0/fifo"), HasSubstr("does not fit"));
  EXPECT_THAT(error("c1/8f21.4.80000000-0/fifo"), HasSubstr("does not fit"));
  // On a test that is not a property.
  const auto foreign = sim::Replay([] { return Require(true); }, "c1/0.4/fifo");
  ASSERT_FALSE(foreign.ok());
  EXPECT_THAT(std::string(foreign.status().message()),
              HasSubstr("the input \"4\" is of a property"));
}

TEST(PropertyReportTest, AReplayOfAnUnshrunkExecutionWorks) {
  const Report found = Check(&TheFirstFails, sim::Random{.schedules = 20});
  sim::ReplayString replay = found.replay;
  replay.check.reset();
  bool failed = false;
  for (std::uint64_t j = 0; j < 20; ++j) {
    replay.schedule = sim::StrategyRun{.strategy = "random", .execution = j};
    const auto again = Replay(&TheFirstFails, FormatReplay(replay));
    ASSERT_TRUE(again.ok()) << again.status();
    if (!again->passed()) {
      failed = true;
      EXPECT_EQ(again->input.values, found.input.values);
    }
  }
  EXPECT_TRUE(failed);
}

// A saved input fails again before the search.
TEST(PropertyReportTest, ASavedInputIsRunFirst) {
  const Report found = Check(&TheFirstFails, sim::Random{.schedules = 20});
  const std::string replay = FormatReplay(found.replay);
  // FIFO order finds nothing.
  EXPECT_TRUE(Check(&TheFirstFails, sim::Fifo()).passed());
  const Report saved =
      Check(&TheFirstFails, sim::Fifo(), sim::ReplayFirst(replay, "a note"));
  ASSERT_FALSE(saved.passed());
  ASSERT_TRUE(saved.saved.has_value());
  EXPECT_EQ(saved.saved->replay, replay);
  EXPECT_EQ(saved.saved->note, "a note");
  EXPECT_EQ(saved.input.values, found.input.values);
  EXPECT_EQ(Check(&TheFirstFails, sim::ReplayFirst("c1/0/4:1")).verdict(),
            sim::Report::Verdict::kMisused);
  EXPECT_EQ(Check(&TheFirstFails, sim::ReplayFirst("c1/0.4.9/4:1")).verdict(),
            sim::Report::Verdict::kMisused);
  const Report drifted =
      Check(&TheFirstFails, sim::Fifo(), sim::ReplayFirst("c1/1.0/999:1"),
            sim::ReplayFirst("c1/1.0.0-999/fifo"));
  EXPECT_TRUE(drifted.passed()) << drifted;
  EXPECT_EQ(drifted.drifted.size(), 2);
}

Coro<void> DrawsThatDepend() {
  const int size = *rc::gen::inRange(0, 50).as("size");
  const auto items =
      *rc::gen::container<std::vector<int>>(size, rc::gen::inRange(0, 100))
           .as("items");
  co_await Sleep(absl::Milliseconds(1));
  Always(items.size() == static_cast<std::size_t>(size), "all are there");
  int large = 0;
  for (const int item : items) large += item >= 30 ? 1 : 0;
  RC_ASSERT(large < 2);
}

TEST(PropertyReportTest, DrawsShrinkOneAfterTheOther) {
  const Report report = Check(&DrawsThatDepend);
  ASSERT_FALSE(report.passed());
  EXPECT_THAT(report.failure()->what, HasSubstr("large < 2")) << report;
  EXPECT_THAT(report.input.values,
              testing::ContainsRegex("items = \\[.*30.*30.*\\]"))
      << report;
  const auto again = Replay(&DrawsThatDepend, FormatReplay(report.replay));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->input.values, report.input.values);
}

Coro<void> FailsInATaskGroup(int n) {
  TaskGroup group;
  co_await group.Run([&]() -> Coro<void> {
    group.CreateTask(Sleep(absl::Seconds(1)));
    co_await Sleep(absl::Milliseconds(1));
    RC_ASSERT(n < 10);
  });
}

TEST(PropertyReportTest, AnAssertionIsFoundWithinAGroupOfExceptions) {
  const Report report = Check(&FailsInATaskGroup);
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->kind, FailureKind::kExpectation);
  EXPECT_THAT(report.input.values, testing::EndsWith("int = 10"));
}

Coro<void> Swallows(int n) {
  Task<void> task = CreateTask(Require(n < 5));
  try {
    co_await task;
  } catch (...) {  // It has been noticed all the same.
  }
  Always(n < 5, "it was discarded");
}

TEST(PropertyReportTest, WhatATaskThrowsCannotBeHidden) {
  EXPECT_TRUE(Check(&Swallows).passed());
}

Coro<void> Rare(const std::vector<int>& items) {
  RC_PRE(items.size() > 1000);
  co_return;
}

TEST(PropertyReportTest, WhatIsDiscardedTooOftenIsIncomplete) {
  const Report report = Check(&Rare, Cases{.cases = 7});
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.verdict(), sim::Report::Verdict::kIncomplete);
  EXPECT_THAT(report.failure()->what, HasSubstr("71 inputs were discarded"));
}

Coro<void> GeneratesNothing() {
  const int n =
      *rc::gen::suchThat(rc::gen::just(1), [](int i) { return i > 1; });
  Always(n > 1, "never drawn");
  co_return;
}

TEST(PropertyReportTest, AGeneratorThatFindsNothingDiscards) {
  const Report report = Check(&GeneratesNothing);
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.verdict(), sim::Report::Verdict::kIncomplete);
}

Coro<void> DependsOnAStatic(int n) {
  static int runs = 0;
  if (++runs % 2 == 0) co_await Sleep(absl::Milliseconds(1));
  co_await Sleep(absl::Milliseconds(n & 1));
}

TEST(PropertyReportTest, WhatIsNotDeterministicIsReportedAsThat) {
  const Report report = Check(&DependsOnAStatic);
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.verdict(), sim::Report::Verdict::kNondeterministic);
  EXPECT_FALSE(report.input.values.empty());
}

Coro<void> NeverReaches(int n) {
  Sometimes(n == 1234567, "it is that number");
  co_return;
}

TEST(PropertyReportTest, AGoalThatNoInputReachesIsIncomplete) {
  const Report report = Check(&NeverReaches);
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.verdict(), sim::Report::Verdict::kGoalMissed);
  EXPECT_THAT(report.failure()->what, HasSubstr("false in all 100 executions"));
}

int calls = 0;
Coro<void> CountsCalls(int) {
  ++calls;
  co_return;
}

TEST(PropertyOptionsTest, CasesAndSchedulesAreRun) {
  calls = 0;
  const Report report =
      Check(&CountsCalls, Cases{.cases = 12}, sim::Random{.schedules = 5});
  EXPECT_TRUE(report.passed());
  EXPECT_EQ(report.search.executions, 60);
  EXPECT_EQ(report.Text(),
            "no failure in 60 executions of 12 inputs (random, base seed 1)\n");
  EXPECT_EQ(calls, 72);  // One per input runs twice and is compared.
  EXPECT_EQ(Check(&CountsCalls, Cases{.cases = 0}).verdict(),
            sim::Report::Verdict::kMisused);
  EXPECT_EQ(Check(&CountsCalls, Cases{.size_max = 1'000'001}).verdict(),
            sim::Report::Verdict::kMisused);
}

std::size_t largest = 0;
Coro<void> NotesItsSize(const std::vector<int>& items) {
  largest = std::max(largest, items.size());
  co_return;
}

TEST(PropertyOptionsTest, InputsGrow) {
  largest = 0;
  EXPECT_TRUE(Check(&NotesItsSize, Cases{.size_max = 3}).passed());
  EXPECT_LE(largest, 3);
  EXPECT_GT(largest, 0);
  EXPECT_TRUE(Check(&NotesItsSize, Cases{.size_max = 200}).passed());
  EXPECT_GT(largest, 50);
}

Coro<void> NeedsADueTimer(bool) {
  Task<void> sleeper = CreateTask(Sleep(absl::Milliseconds(1)));
  for (int i = 0; i < 3; ++i) co_await Sleep(absl::ZeroDuration());
  Always(!sleeper.Done(), "no time passes");
  co_await sleeper;
}

TEST(PropertyOptionsTest, OrderingAndStrategyAreThoseOfTheOptions) {
  EXPECT_TRUE(Check(&NeedsADueTimer).passed());
  const Report strict =
      Check(&NeedsADueTimer, sim::Random{.schedules = 50}, sim::FifoOnly());
  ASSERT_FALSE(strict.passed());
  EXPECT_THAT(FormatReplay(strict.replay), HasSubstr(":d"));
  const Report all = Check(&NeedsADueTimer, sim::Exhaustive());
  ASSERT_FALSE(all.passed());
  EXPECT_THAT(FormatReplay(all.replay), HasSubstr(":t"));
  EXPECT_TRUE(Check(&CountsCalls, sim::Exhaustive()).passed());
}

TEST(ParameterNamesTest, AreTheLastWordsOfTheDeclarations) {
  using internal::ParameterNames;
  using testing::ElementsAre;
  EXPECT_THAT(ParameterNames("()"), ElementsAre());
  EXPECT_THAT(ParameterNames("(int n)"), ElementsAre("n"));
  EXPECT_THAT(ParameterNames("( int n , int&m )"), ElementsAre("n", "m"));
  EXPECT_THAT(ParameterNames("(const std::map<int, std::string>& m, int* p)"),
              ElementsAre("m", "p"));
  EXPECT_THAT(ParameterNames("(std::array<int, (1 > 0)> a, bool b_2)"),
              ElementsAre("a", "b_2"));
}

}  // namespace
}  // namespace clotho::properties
