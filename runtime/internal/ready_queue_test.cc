#include "clotho/runtime/internal/ready_queue.h"

#include <cstddef>
#include <deque>
#include <vector>

#include "clotho/runtime/internal/runnable.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::internal {
namespace {

using ::testing::ElementsAre;

class Item final : public Runnable {
 public:
  explicit Item(int n, RunnableKind kind = RunnableKind::kTask)
      : Runnable(kind), value(n) {}
  void Run() override {}
  void Drop() noexcept override {}
  int value;
};

class ReadyQueueTest : public testing::Test {
 protected:
  void Push(int value, RunnableKind kind = RunnableKind::kTask) {
    items_.emplace_back(value, kind);
    queue_.PushBack(items_.back());
  }
  static int Value(Runnable& runnable) {
    return static_cast<Item&>(runnable).value;
  }
  std::vector<int> Values() {
    std::vector<int> values;
    for (std::size_t i = 0; i < queue_.size(); ++i) {
      values.push_back(Value(queue_[i]));
    }
    return values;
  }
  std::deque<Item> items_;
  ReadyQueue queue_;
};

TEST_F(ReadyQueueTest, IsFirstInFirstOut) {
  EXPECT_TRUE(queue_.empty());
  for (int i = 0; i < 3; ++i) Push(i);
  EXPECT_EQ(queue_.size(), 3u);
  EXPECT_EQ(Value(queue_.PopFront()), 0);
  EXPECT_THAT(Values(), ElementsAre(1, 2));
}

TEST_F(ReadyQueueTest, TakenFromAnyPlaceItKeepsTheOrderOfTheOthers) {
  for (std::size_t place = 0; place < 7; ++place) {
    // Starts at different places of the ring.
    for (int i = 0; i < 7; ++i) Push(i);
    EXPECT_EQ(Value(queue_.Take(place)), static_cast<int>(place));
    std::vector<int> expected;
    for (int i = 0; i < 7; ++i) {
      if (i != static_cast<int>(place)) expected.push_back(i);
    }
    EXPECT_EQ(Values(), expected);
    while (!queue_.empty()) queue_.PopFront();
  }
}

TEST_F(ReadyQueueTest, GrowsAndKeepsTheOrder) {
  int next_in = 0;
  int next_out = 0;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 100; ++i) Push(next_in++);
    for (int i = 0; i < 70; ++i) {
      ASSERT_EQ(Value(queue_.PopFront()), next_out++);
    }
  }
  EXPECT_EQ(queue_.size(), 600u);
  while (!queue_.empty()) ASSERT_EQ(Value(queue_.PopFront()), next_out++);
  EXPECT_EQ(next_out, next_in);
}

TEST_F(ReadyQueueTest, PutsOneInThePlaceOfAnother) {
  for (int i = 0; i < 100; ++i) Push(i);
  for (int i = 0; i < 60; ++i) queue_.PopFront();
  for (int i = 100; i < 103; ++i) Push(i);
  Item replacement(-1, RunnableKind::kTask);
  queue_.Replace(queue_[41], replacement);
  EXPECT_EQ(queue_.size(), 43u);
  EXPECT_EQ(Value(queue_[40]), 100);
  EXPECT_EQ(Value(queue_[41]), -1);
  EXPECT_EQ(Value(queue_[42]), 102);
}

TEST_F(ReadyQueueTest, CountsWhatIsNoStepOfATask) {
  Push(0, RunnableKind::kTask);
  Push(1, RunnableKind::kCallback);
  Push(2, RunnableKind::kInternal);
  EXPECT_EQ(queue_.others(), 2u);
  queue_.Take(1);
  EXPECT_EQ(queue_.others(), 1u);
  queue_.PopFront();
  queue_.PopFront();
  EXPECT_EQ(queue_.others(), 0u);
}

}  // namespace
}  // namespace clotho::internal
