#include "clotho/runtime/internal/timer_queue.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "clotho/runtime/internal/runnable.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::internal {
namespace {

using ::testing::ElementsAre;

class Alarm final : public Timer {
 public:
  explicit Alarm(int n) : Timer(RunnableKind::kInternal), value(n) {}
  void Run() override {}
  void Drop() noexcept override {}
  int value;
};

class TimerQueueTest : public testing::Test {
 protected:
  Alarm& Add(int value, std::int64_t when_ns) {
    alarms_.emplace_back(value);
    queue_.Add(alarms_.back(), when_ns);
    return alarms_.back();
  }
  std::vector<int> PopAll() {
    std::vector<int> values;
    while (!queue_.empty()) {
      values.push_back(static_cast<Alarm&>(queue_.PopFront()).value);
    }
    return values;
  }
  std::deque<Alarm> alarms_;
  TimerQueue queue_;
};

TEST_F(TimerQueueTest, IsOrderedByDeadlineThenByTheOrderSet) {
  Add(3, 20);
  Add(1, 10);
  Add(4, 20);
  Add(2, 10);
  Add(0, -5);
  EXPECT_EQ(queue_.next_ns(), -5);
  EXPECT_EQ(queue_.size(), 5u);
  EXPECT_THAT(PopAll(), ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(TimerQueueTest, ATimerKnowsWhetherItIsArmed) {
  Alarm& alarm = Add(0, 10);
  EXPECT_TRUE(alarm.armed());
  EXPECT_EQ(alarm.when_ns(), 10);
  queue_.PopFront();
  EXPECT_FALSE(alarm.armed());
  EXPECT_EQ(alarm.when_ns(), 10);
  queue_.Add(alarm, 20);
  EXPECT_TRUE(alarm.armed());
  queue_.Remove(alarm);
  EXPECT_FALSE(alarm.armed());
  EXPECT_TRUE(queue_.empty());
}

TEST_F(TimerQueueTest, TakesTheEndsOfTime) {
  Add(2, std::numeric_limits<std::int64_t>::max());
  Add(1, 0);
  Add(0, std::numeric_limits<std::int64_t>::min());
  EXPECT_THAT(PopAll(), ElementsAre(0, 1, 2));
}

TEST_F(TimerQueueTest, ThoseOfOneDeadlineGoInAnyOrder) {
  std::vector<Alarm*> alarms;
  for (int i = 0; i < 100; ++i) alarms.push_back(&Add(i, 10));
  // Most are removed, the first of them last: the others are compacted, and
  // keep their order.
  for (int i = 98; i >= 0; --i) {
    if (i % 9 != 0) queue_.Remove(*alarms[i]);
  }
  Add(100, 10);
  queue_.Remove(*alarms[0]);
  EXPECT_EQ(queue_.size(), 12u);
  EXPECT_THAT(PopAll(),
              ElementsAre(9, 18, 27, 36, 45, 54, 63, 72, 81, 90, 99, 100));
}

// Compares with a sorted list, with few deadlines and with more deadlines than
// the table of the newest moments has entries.
class TimerQueueModelTest : public TimerQueueTest,
                            public testing::WithParamInterface<unsigned> {};

TEST_P(TimerQueueModelTest, AgreesWithASortedListOverRandomOperations) {
  std::mt19937 random(1);  // Its output is specified.
  std::vector<std::pair<std::int64_t, Alarm*>> model;
  int next = 0;
  for (int step = 0; step < 20000; ++step) {
    const unsigned operation = random() % 10;
    if (operation < 5 || model.empty()) {
      Alarm& alarm = Add(next++, random() % GetParam());
      const auto place =
          std::upper_bound(model.begin(), model.end(), alarm.when_ns(),
                           [](std::int64_t when, const auto& entry) {
                             return when < entry.first;
                           });
      model.insert(place, {alarm.when_ns(), &alarm});
    } else if (operation < 8) {
      const std::size_t place = random() % model.size();
      queue_.Remove(*model[place].second);
      model.erase(model.begin() + place);
    } else {
      ASSERT_EQ(&queue_.PopFront(), model.front().second);
      model.erase(model.begin());
    }
    ASSERT_EQ(queue_.size(), model.size());
    if (!model.empty()) {
      ASSERT_EQ(&queue_.front(), model.front().second);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Deadlines, TimerQueueModelTest,
                         testing::Values(3u, 50u, 4'000u));

}  // namespace
}  // namespace clotho::internal
