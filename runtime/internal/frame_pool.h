// FramePool: memory for coroutine frames, futures and queue nodes.
//
// Each thread has one pool: free lists by size class over slabs that are never
// freed. An allocation is a pop and a release is a push. Exploring a small test
// a million times therefore does not call `malloc` in the steady state, and a
// coroutine call costs a few nanoseconds. A block may be released in another
// thread than the one that allocated it. It then serves that thread, which
// passes blocks on to the others when it has too many.
//
// Under AddressSanitizer every request goes to the global allocator instead,
// since a pool would hide a use after free.

#ifndef CLOTHO_RUNTIME_INTERNAL_FRAME_POOL_H_
#define CLOTHO_RUNTIME_INTERNAL_FRAME_POOL_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>

#include "absl/base/config.h"

namespace clotho::internal {

#if defined(ABSL_HAVE_ADDRESS_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
inline constexpr bool kFramePoolIsMalloc = true;
#else
inline constexpr bool kFramePoolIsMalloc = false;
#endif

class FramePool {
 public:
  static constexpr std::size_t kGranularity = 16;
  static constexpr std::size_t kSizeMax = 2048;  // Above: operator new.

  constexpr FramePool() = default;
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;

  void* Allocate(std::size_t size) {
    if (kFramePoolIsMalloc || size > kSizeMax) return ::operator new(size);
    const std::size_t size_class = (size + kGranularity - 1) / kGranularity;
    ++live_;
    if (Free* node = free_[size_class]) {
      free_[size_class] = node->next;
      return node;
    }
    return Carve(size_class);
  }

  void Release(void* memory, std::size_t size) noexcept {
    if (kFramePoolIsMalloc || size > kSizeMax) {
      ::operator delete(memory);
      return;
    }
    const std::size_t size_class = (size + kGranularity - 1) / kGranularity;
    --live_;
    Free* node = static_cast<Free*>(memory);
    node->next = free_[size_class];
    free_[size_class] = node;
  }

  // To be called occasionally by a thread that receives memory from others, as
  // a loop receives coroutines. Otherwise the surplus of released over
  // allocated blocks would pile up here while the other threads keep allocating
  // new memory. The thread's own free blocks are given back as well; it takes
  // some again when needed.
  void GiveBackSurplus() noexcept {
    if (!kFramePoolIsMalloc && live_ < -kSurplusMax) GiveBackAll();
  }

  // Makes the free blocks available to other threads. Called when a thread
  // ends.
  void GiveBackAll() noexcept;

  // The number of blocks allocated and not yet released in this thread since it
  // last gave blocks back. 0 if nothing leaks and no block crossed threads.
  // Meaningless under kFramePoolIsMalloc.
  std::int64_t live() const { return live_; }

  // A free block.
  struct Free {
    Free* next;
    Free* next_list;  // Used in the first block of a returned list.
  };
  static constexpr std::size_t kClasses = kSizeMax / kGranularity + 1;

 private:
  static constexpr std::size_t kSlabSize = 256 * 1024;
  static constexpr std::int64_t kSurplusMax = 1024;

  void* Carve(std::size_t size_class);

  Free* free_[kClasses] = {};
  char* cursor_ = nullptr;
  char* end_ = nullptr;
  std::int64_t live_ = 0;
};

// Has no destructor: it would add a call to every use.
inline thread_local constinit FramePool thread_frame_pool;

// Base class for the promises of coroutines whose frames are in the pool. (It
// has no placement form: a coroutine's parameters are passed to `operator new`
// if they fit.)
class PooledFrame {
 public:
  static void* operator new(std::size_t size) {
    return thread_frame_pool.Allocate(size);
  }
  static void operator delete(void* memory, std::size_t size) noexcept {
    thread_frame_pool.Release(memory, size);
  }
};

// Base class for objects in the pool. Deleting through a base class works if
// its destructor is virtual: the size passed is then that of the whole object.
class Pooled : public PooledFrame {
 public:
  using PooledFrame::operator new;
  using PooledFrame::operator delete;
  // Standard containers construct in place.
  static void* operator new(std::size_t, void* place) noexcept { return place; }
  static void operator delete(void*, void*) noexcept {}
};

// The pool as an allocator for standard containers.
template <typename T>
class PoolAllocator {
 public:
  using value_type = T;

  PoolAllocator() = default;
  template <typename U>
  PoolAllocator(const PoolAllocator<U>&) noexcept {}  // NOLINT: converts.

  T* allocate(std::size_t count) {
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) {
      throw std::bad_array_new_length();
    }
    return static_cast<T*>(thread_frame_pool.Allocate(count * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    thread_frame_pool.Release(memory, count * sizeof(T));
  }
  template <typename U>
  bool operator==(const PoolAllocator<U>&) const noexcept {
    return true;
  }
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_FRAME_POOL_H_
