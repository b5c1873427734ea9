#include "clotho/runtime/internal/frame_pool.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

namespace clotho::internal {
namespace {

// Held for a few instructions, and rarely. It is not a std::mutex, because a
// simulation of threads (sim/threads/) would take that for a part of the
// program.
class SpinLock {
 public:
  void lock() noexcept {
    while (taken_.test_and_set(std::memory_order_acquire)) {
      std::this_thread::yield();
    }
  }
  void unlock() noexcept { taken_.clear(std::memory_order_release); }

 private:
  std::atomic_flag taken_;
};

// The state that outlives threads: every slab ever allocated (in one list, so
// that leak checkers find them reachable), and the free blocks of threads that
// have ended, for reuse by others. A slab is never freed, since its blocks may
// live on in other threads.
struct Reserve {
  struct Slab {
    Slab* next;
  };
  SpinLock lock;
  Slab* slabs = nullptr;
  // Lists of lists: a thread takes a whole list at a time.
  FramePool::Free* free[FramePool::kClasses] = {};
};

Reserve& GetReserve() {
  static Reserve* const reserve = new Reserve;
  return *reserve;
}

struct AtThreadEnd {
  ~AtThreadEnd() { thread_frame_pool.GiveBackAll(); }
};
thread_local AtThreadEnd at_thread_end;

}  // namespace

void FramePool::GiveBackAll() noexcept {
  Reserve& reserve = GetReserve();
  const std::lock_guard<SpinLock> lock(reserve.lock);
  for (std::size_t size_class = 0; size_class < kClasses; ++size_class) {
    Free* const list = std::exchange(free_[size_class], nullptr);
    if (list == nullptr) continue;
    list->next_list = reserve.free[size_class];
    reserve.free[size_class] = list;
  }
  live_ = 0;
}

void* FramePool::Carve(std::size_t size_class) {
  if (size_class == 0) size_class = 1;
  const std::size_t size = size_class * kGranularity;
  if (static_cast<std::size_t>(end_ - cursor_) < size) {
    Reserve& reserve = GetReserve();
    const std::lock_guard<SpinLock> lock(reserve.lock);
    if (Free* const inherited = reserve.free[size_class]) {
      reserve.free[size_class] = inherited->next_list;
      free_[size_class] = inherited->next;
      return inherited;
    }
    // The rest of the old slab serves a smaller size.
    const std::size_t rest = (end_ - cursor_) / kGranularity;
    if (rest > 0) {
      Free* const node = reinterpret_cast<Free*>(cursor_);
      node->next = free_[rest];
      free_[rest] = node;
    }
    if (this == &thread_frame_pool) (void)at_thread_end;  // Registers it.
    char* const slab = static_cast<char*>(::operator new(kSlabSize));
    auto* const link = reinterpret_cast<Reserve::Slab*>(slab);
    link->next = reserve.slabs;
    reserve.slabs = link;
    cursor_ = slab + kGranularity;
    end_ = slab + kSlabSize;
  }
  void* const memory = cursor_;
  cursor_ += size;
  return memory;
}

}  // namespace clotho::internal
