#include "clotho/sim/threads/sync_table.h"

#include <cstdint>
#include <map>
#include <vector>

#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

using Kind = SyncObject::Kind;

const void* Address(std::uintptr_t number) {
  return reinterpret_cast<const void*>(number * 8);
}

TEST(SyncTable, FindsWhatItHas) {
  SyncTable table;
  bool is_new = false;
  SyncObject& mutex = table.At(Address(1), Kind::kMutex, is_new);
  EXPECT_TRUE(is_new);
  EXPECT_EQ(mutex.number, 1u);
  EXPECT_EQ(&table.At(Address(1), Kind::kMutex, is_new), &mutex);
  EXPECT_FALSE(is_new);
  EXPECT_EQ(table.Known(Address(1)), &mutex);
  EXPECT_EQ(table.Known(Address(2)), nullptr);
}

TEST(SyncTable, NumbersEachKind) {
  SyncTable table;
  bool is_new = false;
  EXPECT_EQ(table.At(Address(1), Kind::kMutex, is_new).number, 1u);
  EXPECT_EQ(table.At(Address(2), Kind::kMutex, is_new).number, 2u);
  EXPECT_EQ(table.At(Address(3), Kind::kCondition, is_new).number, 1u);
}

TEST(SyncTable, AnotherKindAtTheSameAddressIsAnotherObject) {
  SyncTable table;
  bool is_new = false;
  table.At(Address(1), Kind::kMutex, is_new).depth = 5;
  const SyncObject& other = table.At(Address(1), Kind::kSemaphore, is_new);
  EXPECT_TRUE(is_new);
  EXPECT_EQ(other.depth, 0u);
}

TEST(SyncTable, AnExecutionBeginsEmpty) {
  SyncTable table;
  bool is_new = false;
  table.At(Address(1), Kind::kMutex, is_new).depth = 5;
  table.BeginExecution();
  EXPECT_EQ(table.Known(Address(1)), nullptr);
  const SyncObject& mutex = table.At(Address(1), Kind::kMutex, is_new);
  EXPECT_TRUE(is_new);
  EXPECT_EQ(mutex.number, 1u);
  EXPECT_EQ(mutex.depth, 0u);
}

TEST(SyncTable, GrowsAndForgetsLikeAMap) {
  SyncTable table;
  for (int execution = 0; execution < 3; ++execution) {
    table.BeginExecution();
    std::map<std::uintptr_t, SyncObject*> expected;
    for (std::uintptr_t i = 1; i <= 5'000; ++i) {
      const std::uintptr_t number = i * 37 % 1'999;
      bool is_new = false;
      SyncObject& object = table.At(Address(number), Kind::kMutex, is_new);
      const auto [found, was_absent] = expected.try_emplace(number, &object);
      ASSERT_EQ(is_new, was_absent) << number;
      ASSERT_EQ(found->second, &object) << number;
    }
    for (const auto& [number, object] : expected) {
      ASSERT_EQ(table.Known(Address(number)), object);
    }
  }
}

}  // namespace
}  // namespace clotho::sim::internal
