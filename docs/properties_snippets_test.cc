// The C++ of properties.md, compiled and run. What the page shows stands here
// word for word (//tools/docs:properties_test).

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "clotho/properties/arbitrary.h"
#include "clotho/properties/clients.h"
#include "clotho/properties/fault_plan.h"
#include "clotho/properties/property.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho {

struct Job {
  int priority = 0;
  absl::Duration takes;
};

std::ostream& operator<<(std::ostream& out, const Job& job) {
  return out << "Job(" << job.priority << ", " << job.takes << ")";
}

struct Add {
  int amount = 0;
};
struct Get {};

std::ostream& operator<<(std::ostream& out, const Add& add) {
  return out << "Add(" << add.amount << ")";
}
std::ostream& operator<<(std::ostream& out, const Get&) { return out << "Get"; }

}  // namespace clotho

template <>
struct rc::Arbitrary<clotho::Job> {
  static Gen<clotho::Job> arbitrary() {
    return gen::build<clotho::Job>(
        gen::set(&clotho::Job::priority, gen::inRange(0, 3)),
        gen::set(&clotho::Job::takes));
  }
};

template <>
struct rc::Arbitrary<clotho::Add> {
  static Gen<clotho::Add> arbitrary() {
    return gen::build<clotho::Add>(
        gen::set(&clotho::Add::amount, gen::inRange(1, 10)));
  }
};

template <>
struct rc::Arbitrary<clotho::Get> {
  static Gen<clotho::Get> arbitrary() { return gen::just(clotho::Get()); }
};

namespace clotho {
namespace {

Coro<void> Drain(Queue<int>& queue, std::vector<int>& got, std::size_t size) {
  while (got.size() < size) got.push_back(co_await queue.Get());
}

CLOTHO_PROPERTY(QueueTest, LosesAndReordersNothing,
                (const std::vector<int>& items, std::uint8_t size),
                sim::Fuzz{.schedules = 20}) {
  Queue<int> queue(1 + size % 4);
  std::vector<int> got;
  Task<void> consumer = CreateTask(Drain(queue, got, items.size()));
  for (const int item : items) co_await queue.Put(item);
  co_await consumer;
  EXPECT_EQ(got, items);
}

CLOTHO_PROPERTY(QueueTest, IsEmptyInTheEnd, (std::vector<int> items),
                properties::Cases{.cases = 50, .size_max = 3},
                sim::Exhaustive{.deviations_max = 1}) {
  Queue<int> queue;
  std::vector<int> got;
  Task<void> consumer = CreateTask(Drain(queue, got, items.size()));
  for (const int item : items) co_await queue.Put(item);
  co_await consumer;
  EXPECT_TRUE(queue.Empty());
}

Coro<void> Client(Queue<int>& queue) {
  const int item = *rc::gen::inRange(0, 100).as("item");
  co_await Sleep(*rc::gen::arbitrary<absl::Duration>().as("pause"));
  co_await queue.Put(item);
}

CLOTHO_PROPERTY(QueueTest, TakesFromSeveral, (), sim::Fuzz{.schedules = 20}) {
  Queue<int> queue;
  Task<void> first = CreateTask(Client(queue));
  Task<void> second = CreateTask(Client(queue));
  co_await first;
  co_await second;
  EXPECT_EQ(queue.Qsize(), 2u);
}

CLOTHO_PROPERTY(JobTest, TakesItsTime, (const Job& job)) {
  co_await Sleep(job.takes);
  EXPECT_EQ(GetRunningLoop().Time(), job.takes);
  EXPECT_LT(job.priority, 3);
}

CLOTHO_PROPERTY(ClientTest, TriesAgain, (properties::FaultPlan faults)) {
  int delivered = 0;
  while (delivered == 0) {
    const properties::Fault fault = faults.Next();
    if (fault.kind == properties::Fault::kDelay) co_await Sleep(fault.delay);
    if (fault.kind == properties::Fault::kRepeat) ++delivered;
    if (fault.kind != properties::Fault::kFail &&
        fault.kind != properties::Fault::kDrop) {
      ++delivered;
    }
  }
  EXPECT_LE(delivered, 2);
}

struct CounterModel {
  using State = int;
  using Operation = std::variant<Get, Add>;
  using Result = int;
  static Result Apply(State& state, const Operation& operation) {
    if (const auto* add = std::get_if<Add>(&operation)) state += add->amount;
    return state;
  }
};

class UnsafeCounter {
 public:
  Coro<int> Get() {
    co_await Sleep(absl::Milliseconds(1));
    co_return value_;
  }
  Coro<int> Add(int amount) {
    const int before = value_;
    co_await Sleep(absl::Milliseconds(1));
    value_ = before + amount;
    co_return value_;
  }

 private:
  int value_ = 0;
};

class Counter : public UnsafeCounter {
 public:
  Coro<int> Add(int amount) {
    const auto locked = co_await lock_.Acquire();
    co_return co_await UnsafeCounter::Add(amount);
  }

 private:
  Lock lock_;
};

CLOTHO_PROPERTY(CounterTest, IsLinearizable,
                (const properties::Clients<CounterModel>& clients),
                sim::Random{.schedules = 20}) {
  Counter counter;
  co_await clients.Run(
      "counter", [&](const CounterModel::Operation& operation) -> Coro<int> {
        const auto* add = std::get_if<Add>(&operation);
        return add != nullptr ? counter.Add(add->amount) : counter.Get();
      });
}

template <typename AnyCounter>
Coro<void> AddsInParallel(std::uint8_t amount) {
  AnyCounter counter;
  co_await Gather(counter.Add(amount), counter.Add(amount));
  const int sum = co_await counter.Get();
  Always(sum == 2 * amount, "nothing is lost");
}

TEST(CounterTest, AnUnsafeOneIsCaught) {
  const sim::Report report =
      properties::Check(&AddsInParallel<UnsafeCounter>, sim::Random());
  ASSERT_FALSE(report.passed());
  EXPECT_THAT(report.failure()->what, testing::HasSubstr("nothing is lost"));
}

TEST(CounterTest, ASafeOneIsNot) {
  EXPECT_TRUE(
      properties::Check(&AddsInParallel<Counter>, sim::Random{.schedules = 20})
          .passed());
}

}  // namespace
}  // namespace clotho
