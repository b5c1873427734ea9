#include "clotho/runtime/internal/frame_pool.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <new>
#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"

namespace clotho::internal {
namespace {

static_assert(!std::is_copy_constructible_v<FramePool>);

TEST(FramePoolTest, GivesMemoryThatIsAlignedAndOnesOwn) {
  FramePool& pool = thread_frame_pool;
  std::vector<std::pair<char*, std::size_t>> blocks;
  for (std::size_t size = 0; size <= FramePool::kSizeMax + 100; size += 7) {
    char* const block = static_cast<char*>(pool.Allocate(size));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 16, 0u);
    std::memset(block, static_cast<int>(size % 251), size);
    blocks.emplace_back(block, size);
  }
  for (const auto& [block, size] : blocks) {
    for (std::size_t i = 0; i < size; ++i) {
      ASSERT_EQ(static_cast<unsigned char>(block[i]), size % 251);
    }
    pool.Release(block, size);
  }
}

TEST(FramePoolTest, GivesAnyAmount) {
  FramePool pool;
  constexpr std::size_t kSize = 2'000;
  std::vector<char*> blocks;
  for (std::size_t i = 0; i < 10'000; ++i) {  // 20 MB.
    blocks.push_back(static_cast<char*>(pool.Allocate(kSize)));
    std::memset(blocks.back(), static_cast<int>(i % 251), kSize);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    ASSERT_EQ(static_cast<unsigned char>(blocks[i][0]), i % 251);
    ASSERT_EQ(static_cast<unsigned char>(blocks[i][kSize - 1]), i % 251);
    pool.Release(blocks[i], kSize);
  }
  pool.GiveBackAll();
}

TEST(FramePoolTest, CountsWhatIsTaken) {
  if (kFramePoolIsMalloc) GTEST_SKIP() << "it does not count";
  FramePool& pool = thread_frame_pool;
  const std::int64_t before = pool.live();
  void* const a = pool.Allocate(100);
  void* const b = pool.Allocate(FramePool::kSizeMax);
  void* const large = pool.Allocate(FramePool::kSizeMax + 1);
  EXPECT_EQ(pool.live(), before + 2);
  pool.Release(a, 100);
  pool.Release(b, FramePool::kSizeMax);
  pool.Release(large, FramePool::kSizeMax + 1);
  EXPECT_EQ(pool.live(), before);
}

TEST(FramePoolTest, GivesBackWhatWasReleasedLast) {
  if (kFramePoolIsMalloc) GTEST_SKIP() << "it reuses nothing";
  FramePool& pool = thread_frame_pool;
  void* const a = pool.Allocate(100);
  pool.Release(a, 100);
  void* const b = pool.Allocate(97);  // Of the same class.
  EXPECT_EQ(a, b);
  pool.Release(b, 97);
}

TEST(FramePoolTest, MemoryMayBeReleasedOnAnotherThread) {
  void* block = nullptr;
  std::thread taker([&] {
    block = thread_frame_pool.Allocate(64);
    std::memset(block, 1, 64);
  });
  taker.join();
  std::memset(block, 2, 64);  // The memory outlives its thread.
  thread_frame_pool.Release(block, 64);
  if (kFramePoolIsMalloc) return;
  void* const again = thread_frame_pool.Allocate(64);
  EXPECT_EQ(again, block);
  thread_frame_pool.Release(again, 64);
}

TEST(FramePoolTest, TheBlocksOfAThreadThatEndedServeOthers) {
  if (kFramePoolIsMalloc) GTEST_SKIP() << "it keeps nothing";
  std::map<void*, bool> theirs;
  std::thread first([&] {
    std::vector<void*> blocks;
    for (int i = 0; i < 1000; ++i) {
      blocks.push_back(thread_frame_pool.Allocate(480));
    }
    for (void* const block : blocks) {
      theirs[block] = true;
      thread_frame_pool.Release(block, 480);
    }
  });
  first.join();
  int inherited = 0;
  std::thread second([&] {
    std::vector<void*> blocks;
    for (int i = 0; i < 1000; ++i) {
      blocks.push_back(thread_frame_pool.Allocate(480));
      inherited += theirs.count(blocks.back());
    }
    for (void* const block : blocks) thread_frame_pool.Release(block, 480);
  });
  second.join();
  EXPECT_EQ(inherited, 1000);
}

TEST(FramePoolTest, WhatAThreadReleasesForOthersDoesNotPileUp) {
  if (kFramePoolIsMalloc) GTEST_SKIP() << "it keeps nothing";
  constexpr std::size_t kSize = 496;
  std::vector<void*> blocks;
  std::thread first([&] {
    for (int i = 0; i < 2000; ++i) {
      blocks.push_back(thread_frame_pool.Allocate(kSize));
    }
  });
  first.join();
  int inherited = 0;
  std::thread second([&] {  // It releases only.
    for (void* const block : blocks) {
      thread_frame_pool.Release(block, kSize);
    }
    EXPECT_EQ(thread_frame_pool.live(), -2000);
    thread_frame_pool.GiveBackSurplus();
    EXPECT_EQ(thread_frame_pool.live(), 0);
    const std::set<void*> theirs(blocks.begin(), blocks.end());
    std::thread third([&] {
      std::vector<void*> again;
      for (int i = 0; i < 2000; ++i) {
        again.push_back(thread_frame_pool.Allocate(kSize));
        inherited += theirs.count(again.back());
      }
      for (void* const block : again) thread_frame_pool.Release(block, kSize);
    });
    third.join();
  });
  second.join();
  EXPECT_EQ(inherited, 2000);
}

TEST(FramePoolTest, ALittleSurplusIsKept) {
  if (kFramePoolIsMalloc) GTEST_SKIP() << "it keeps nothing";
  std::thread other([] {
    void* const block = thread_frame_pool.Allocate(64);
    thread_frame_pool.Release(block, 64);
    thread_frame_pool.GiveBackSurplus();
    void* const again = thread_frame_pool.Allocate(64);
    EXPECT_EQ(again, block);
    thread_frame_pool.Release(again, 64);
  });
  other.join();
}

TEST(PoolAllocatorTest, ServesContainers) {
  const std::int64_t before = thread_frame_pool.live();
  {
    std::vector<int, PoolAllocator<int>> numbers;
    for (int i = 0; i < 10000; ++i) numbers.push_back(i);
    EXPECT_EQ(numbers[9999], 9999);
    std::map<int, std::string, std::less<>,
             PoolAllocator<std::pair<const int, std::string>>>
        map;
    for (int i = 0; i < 100; ++i) map[i] = "text";
  }
  EXPECT_EQ(thread_frame_pool.live(), before);
}

TEST(PoolAllocatorTest, RefusesWhatCannotBe) {
  EXPECT_THROW(PoolAllocator<int>().allocate(SIZE_MAX / 2),
               std::bad_array_new_length);
}

TEST(PooledTest, ObjectsLiveInThePoolWhateverTheirType) {
  struct Base : Pooled {
    virtual ~Base() = default;
  };
  struct Derived : Base {
    char bytes[200] = {};
  };
  const std::int64_t before = thread_frame_pool.live();
  Base* const object = new Derived;
  if (!kFramePoolIsMalloc) {
    EXPECT_EQ(thread_frame_pool.live(), before + 1);
  }
  delete object;
  EXPECT_EQ(thread_frame_pool.live(), before);
}

}  // namespace
}  // namespace clotho::internal
