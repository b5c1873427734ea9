#include "clotho/runtime/internal/frame_pool.h"

#include <cstddef>
#include <mutex>

namespace clotho::internal {
namespace {

// What outlives threads: every slab ever made (in one list, so that leak
// checkers see that they are reachable), and the free blocks of threads that
// have ended, for whoever needs some next. A slab is never freed, since its
// blocks may live on in other threads.
struct Reserve {
  struct Slab {
    Slab* next;
  };
  std::mutex mutex;
  Slab* slabs = nullptr;
  void* free[FramePool::kSizeMax / FramePool::kGranularity + 1] = {};
};

Reserve& GetReserve() {
  static Reserve* const reserve = new Reserve;
  return *reserve;
}

}  // namespace

std::int64_t FramePool::GiveBackAll() noexcept {
  Reserve& reserve = GetReserve();
  std::lock_guard<std::mutex> lock(reserve.mutex);
  std::int64_t count = 0;
  for (std::size_t size_class = 0; size_class < kClasses; ++size_class) {
    while (Free* const node = free_[size_class]) {
      free_[size_class] = node->next;
      node->next = static_cast<Free*>(reserve.free[size_class]);
      reserve.free[size_class] = node;
      ++count;
    }
  }
  return count;
}

FramePool::~FramePool() { GiveBackAll(); }

void FramePool::DoGiveBackSurplus() noexcept {
  // What was this thread's own goes, too: it takes some back when it needs it.
  live_ += GiveBackAll();
}

void* FramePool::Carve(std::size_t size_class) {
  if (size_class == 0) size_class = 1;
  const std::size_t size = size_class * kGranularity;
  if (static_cast<std::size_t>(end_ - cursor_) < size) {
    Reserve& reserve = GetReserve();
    std::lock_guard<std::mutex> lock(reserve.mutex);
    if (void* const inherited = reserve.free[size_class]) {
      reserve.free[size_class] = nullptr;
      Free* const first = static_cast<Free*>(inherited);
      free_[size_class] = first->next;
      return first;
    }
    // What is left of the old slab serves a smaller size.
    const std::size_t rest = (end_ - cursor_) / kGranularity;
    if (rest > 0) {
      Free* const node = reinterpret_cast<Free*>(cursor_);
      node->next = free_[rest];
      free_[rest] = node;
    }
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
