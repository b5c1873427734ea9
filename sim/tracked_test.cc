#include "clotho/sim/tracked.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/profile.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/findings.h"
#include "clotho/sim/report/findings_text.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(TrackedTest, OutsideOfASimulationIsAValue) {
  Tracked<int> number{"number", 3};
  EXPECT_EQ(number, 3);
  number = number + 1;
  EXPECT_EQ(number.Read(), 4);
  number.Write() *= 2;
  EXPECT_EQ(number, 8);

  Tracked<std::vector<int>> list{"list"};
  list->push_back(1);
  EXPECT_THAT(list.Read(), ElementsAre(1));
  const Tracked<std::vector<int>>& constant = list;
  EXPECT_EQ(constant->size(), 1);
  list = std::vector<int>{4, 5};
  EXPECT_THAT(list.Read(), ElementsAre(4, 5));
}

TEST(TrackedTest, ACopyIsAnotherObjectWithTheSameValue) {
  Tracked<std::string> first{"first", "a"};
  Tracked<std::string> second = first;
  second = "b";
  EXPECT_EQ(first.Read(), "a");
  first = second;
  EXPECT_EQ(first.Read(), "b");
}

TEST(TrackedTest, HoldsWhatCanOnlyBeMoved) {
  Tracked<std::unique_ptr<int>> owner{"owner"};
  owner.Write() = std::make_unique<int>(7);
  EXPECT_EQ(*owner.Read(), 7);
  Tracked<std::unique_ptr<int>> second = std::move(owner);
  EXPECT_EQ(*second.Read(), 7);
  EXPECT_EQ(owner.Read(), nullptr);  // NOLINT: moved from.
  owner = std::move(second);
  EXPECT_EQ(*owner.Read(), 7);
  static_assert(!std::is_copy_constructible_v<Tracked<std::unique_ptr<int>>>);
  static_assert(!std::is_copy_assignable_v<Tracked<std::unique_ptr<int>>>);
  static_assert(std::is_move_constructible_v<Tracked<std::unique_ptr<int>>>);
  static_assert(std::is_copy_constructible_v<Tracked<std::string>>);
}

// Two tasks that touch the same number, and one that touches its own.
Coro<void> Program() {
  struct State {
    Tracked<int> shared{"shared", 0};
    Tracked<int> own{"own", 0};
    Tracked<int> constant{"constant", 0};
  } state;
  const auto reader = [](State& s) -> Coro<void> {
    co_await Sleep(absl::ZeroDuration());
    Always(s.shared.Read() >= 0 && s.constant.Read() == 0, "never false");
  };
  const auto writer = [](State& s) -> Coro<void> {
    s.shared = s.constant + 1;
    co_await Sleep(absl::ZeroDuration());
    s.own = 2;
  };
  Task<void> a = CreateTask(reader(state), {.name = "reader"});
  Task<void> b = CreateTask(writer(state), {.name = "writer"});
  co_await a;
  co_await b;
}

// FIFO order; keeps the profile.
class Student final : public Strategy {
 public:
  explicit Student(Profile& learned) : learned_(learned) {}
  std::uint64_t warm_up() const override { return 3; }
  void Prepare(const Profile& profile) override { learned_ = profile; }
  void BeginExecution(Rng&) override {}
  std::size_t Choose(const ChoicePoint& point) override {
    for (const Chain& chain : point.chains()) {
      if (std::ranges::find(paths_, chain.path) == paths_.end()) {
        paths_.push_back(chain.path);
      }
    }
    return 0;
  }
  ~Student() override { Paths() = paths_; }
  static std::vector<std::uint64_t>& Paths() {
    static std::vector<std::uint64_t> paths;
    return paths;
  }

 private:
  Profile& learned_;
  std::vector<std::uint64_t> paths_;
};

Profile Learn(const Body& body) {
  Profile profile;
  const Report report = Explore(
      body, CustomStrategy{
                .make_strategy =
                    [&profile] { return std::make_unique<Student>(profile); },
                .schedules = 4});
  EXPECT_TRUE(report.passed()) << report;
  return profile;
}

TEST(ProfileTest, LearnsWhoTouchesWhatAndWhen) {
  const Profile profile = Learn(Program);
  // The chain without a task, main, reader, writer.
  EXPECT_EQ(profile.chains(), 4);
  EXPECT_THAT(profile.shared_objects(), SizeIs(1));
  // The chain without a task, main, reader and writer, in this order.
  const std::vector<std::uint64_t> paths = Student::Paths();
  ASSERT_THAT(paths, SizeIs(4));
  const std::uint64_t shared = profile.shared_objects()[0];
  EXPECT_EQ(profile.StepsTouching(shared, paths[2]), 1);
  EXPECT_EQ(profile.StepsTouching(shared, paths[3]), 1);
  EXPECT_EQ(profile.StepsTouching(shared, paths[1]), 2);  // Its children's.
  ASSERT_NE(profile.FootprintOf(paths[2], 1), nullptr);
  EXPECT_THAT(*profile.FootprintOf(paths[2], 1), IsEmpty());
  const Footprint* const reads = profile.FootprintOf(paths[2], 2);
  const Footprint* const writes = profile.FootprintOf(paths[3], 1);
  const Footprint* const own = profile.FootprintOf(paths[3], 2);
  ASSERT_TRUE(reads != nullptr && writes != nullptr && own != nullptr);
  EXPECT_THAT(*reads, SizeIs(2));
  EXPECT_THAT(*writes, SizeIs(2));
  EXPECT_THAT(*own, SizeIs(1));
  EXPECT_TRUE(Conflict(*reads, *writes));
  EXPECT_FALSE(Conflict(*reads, *reads));
  EXPECT_TRUE(Conflict(*writes, *writes));
  EXPECT_FALSE(Conflict(*writes, *own));
  EXPECT_EQ(profile.FootprintOf(paths[3], 3), nullptr);
  EXPECT_EQ(profile.StepsWithin(paths[3]), 2);
  EXPECT_GE(profile.StepsWithin(paths[1]), 4 + 1);
  EXPECT_EQ(profile.StepsWithin(12345), 1);
}

TEST(TrackedTest, IsSeenInTheReport) {
  const auto body = []() -> Coro<void> {
    Tracked<int> number{"number", 1};
    number = 2;
    Always(number.Read() == 1, "it is 1");
    co_return;
  };
  const Report report = Explore(body, Fifo());
  std::vector<std::string> touched;
  for (const TraceEvent& event : report.trace.events) {
    if (event.kind == TraceEvent::Kind::kRead ||
        event.kind == TraceEvent::Kind::kWrite) {
      touched.push_back(event.text);
    }
  }
  EXPECT_THAT(touched, ElementsAre("| writes number", "| reads number"));
}

// ---- The RACE block. ----

struct Counter {
  Tracked<int> value{"value", 0};
  Lock lock;
};

Coro<void> Increment(Counter& counter) {
  const int before = counter.value.Read();
  co_await Sleep(absl::ZeroDuration());
  counter.value.Write() = before + 1;
}

TEST(RaceTest, NamesTheAccessInTheGap) {
  const auto body = []() -> Coro<void> {
    Counter counter;
    Task<void> a = CreateTask(Increment(counter), {.name = "a"});
    Task<void> b = CreateTask(Increment(counter), {.name = "b"});
    co_await a;
    co_await b;
    Always(counter.value.Read() == 2, "no update is lost");
  };
  const Report report = Explore(body, Fuzz());
  ASSERT_FALSE(report.passed());
  ASSERT_TRUE(report.found.race.has_value());
  const Race& race = *report.found.race;
  EXPECT_EQ(race.object, "value");
  EXPECT_EQ(race.before.task, race.after.task);
  EXPECT_NE(race.between.task, race.after.task);
  EXPECT_TRUE(race.between.write);
  EXPECT_THAT(report.Text(), testing::HasSubstr("\nRACE      on value\n"));
}

// Fails at the end, to obtain the report.
std::string RaceOf(const std::function<Coro<void>(Counter&)>& program) {
  const auto body = [&program]() -> Coro<void> {
    Counter counter;
    co_await program(counter);
    Always(false, "the end");
  };
  const std::optional<Race> race = Explore(body).found.race;
  return race.has_value() ? internal::RaceText(*race) : "";
}

TEST(RaceTest, WhatIsOrderedIsNone) {
  // Handed back and forth through a queue and a future.
  EXPECT_EQ(RaceOf([](Counter& counter) -> Coro<void> {
              Queue<int> queue;
              Future<void> answer = GetRunningLoop().CreateFuture<void>();
              Task<void> other = CreateTask(
                  [](Counter& c, Queue<int>& q, Future<void> a) -> Coro<void> {
                    co_await q.Get();
                    c.value = c.value + 1;
                    a.SetResult();
                  }(counter, queue, answer));
              counter.value = 1;
              queue.PutNowait(1);
              co_await answer;
              counter.value = counter.value + 1;
              co_await other;
            }),
            "");
  // Under a lock.
  EXPECT_EQ(RaceOf([](Counter& counter) -> Coro<void> {
              const auto use = [](Counter& c) -> Coro<void> {
                for (int i = 0; i < 3; ++i) {
                  auto guard = co_await c.lock.Acquire();
                  const int before = c.value.Read();
                  co_await Sleep(absl::ZeroDuration());
                  c.value = before + 1;
                }
              };
              co_await Gather(use(counter), use(counter));
              Always(counter.value.Read() == 6, "all are counted");
            }),
            "");
  // After Gather has returned; and through a task group.
  EXPECT_EQ(RaceOf([](Counter& counter) -> Coro<void> {
              const auto set = [](Counter& c, int to) -> Coro<void> {
                c.value = to;
                co_return;
              };
              counter.value = 1;
              co_await Gather(set(counter, 2));
              counter.value = counter.value + 1;
              TaskGroup group;
              co_await group.Run([&]() -> Coro<void> {
                group.CreateTask(set(counter, 4));
                co_return;
              });
              counter.value = counter.value + 1;
            }),
            "");
  // Read by many.
  EXPECT_EQ(RaceOf([](Counter& counter) -> Coro<void> {
              const auto read = [](Counter& c) -> Coro<void> {
                for (int i = 0; i < 3; ++i) {
                  Always(c.value.Read() == 0, "zero");
                  co_await Sleep(absl::ZeroDuration());
                }
              };
              co_await Gather(read(counter), read(counter));
            }),
            "");
}

}  // namespace
}  // namespace clotho::sim
