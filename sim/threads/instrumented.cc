// What code compiled with -fsanitize=thread calls: each operation on an atomic
// object is a point.
//
// Clang and GCC put the same calls into a program as for ThreadSanitizer, whose
// runtime library is not linked: these functions take its place. Its interface
// is that of LLVM's compiler-rt (tsan_interface.h, tsan_interface_atomic.h).
//
// Plain reads and writes are not points: of a program without data races they
// would show nothing new. Memory orders are not weakened: each operation is
// sequentially consistent.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "clotho/sim/threads/thread_engine.h"

namespace clotho::sim::internal {
namespace {

void Before(const volatile void* address, bool write, const char* verb) {
  ThreadEngine* const engine = ThreadEngine::Here();
  if (engine == nullptr) return;
  const ThreadEngine::Inside inside(*engine);
  engine->AtomicPoint(const_cast<const void*>(address), write, verb);
}

using Wide = unsigned __int128;

// Stores `desired` if the value is `expected`. Sets `expected` to what it was.
bool CompareExchange(volatile Wide* address, Wide& expected, Wide desired) {
  bool done;
  std::uint64_t low = static_cast<std::uint64_t>(expected);
  std::uint64_t high = static_cast<std::uint64_t>(expected >> 64);
  asm volatile("lock cmpxchg16b %1"
               : "=@ccz"(done), "+m"(*address), "+a"(low), "+d"(high)
               : "b"(static_cast<std::uint64_t>(desired)),
                 "c"(static_cast<std::uint64_t>(desired >> 64))
               : "memory");
  expected = Wide{high} << 64 | low;
  return done;
}

// Changes the value by `change`. Returns what it was.
template <typename Change>
Wide Update(volatile Wide* address, Change change) {
  Wide seen = 0;
  while (!CompareExchange(address, seen, change(seen))) {
  }
  return seen;
}

}  // namespace
}  // namespace clotho::sim::internal

// The functions below are called by compiled code only.
#define CLOTHO_BEFORE_(write, verb) \
  ::clotho::sim::internal::Before(address, write, verb)

#define CLOTHO_ATOMIC_UPDATE_(bits, T, name)                                \
  T __tsan_atomic##bits##_fetch_##name(volatile T* address, T value, int) { \
    CLOTHO_BEFORE_(true, "updates");                                        \
    return __atomic_fetch_##name(address, value, __ATOMIC_SEQ_CST);         \
  }

#define CLOTHO_ATOMICS_(bits, T)                                            \
  T __tsan_atomic##bits##_load(const volatile T* address, int) {            \
    CLOTHO_BEFORE_(false, "reads");                                         \
    return __atomic_load_n(address, __ATOMIC_SEQ_CST);                      \
  }                                                                         \
  void __tsan_atomic##bits##_store(volatile T* address, T value, int) {     \
    CLOTHO_BEFORE_(true, "writes");                                         \
    __atomic_store_n(address, value, __ATOMIC_SEQ_CST);                     \
  }                                                                         \
  T __tsan_atomic##bits##_exchange(volatile T* address, T value, int) {     \
    CLOTHO_BEFORE_(true, "exchanges");                                      \
    return __atomic_exchange_n(address, value, __ATOMIC_SEQ_CST);           \
  }                                                                         \
  CLOTHO_ATOMIC_UPDATE_(bits, T, add)                                       \
  CLOTHO_ATOMIC_UPDATE_(bits, T, sub)                                       \
  CLOTHO_ATOMIC_UPDATE_(bits, T, and)                                       \
  CLOTHO_ATOMIC_UPDATE_(bits, T, or)                                        \
  CLOTHO_ATOMIC_UPDATE_(bits, T, xor)                                       \
  CLOTHO_ATOMIC_UPDATE_(bits, T, nand)                                      \
  int __tsan_atomic##bits##_compare_exchange_strong(                        \
      volatile T* address, T* expected, T value, int, int) {                \
    CLOTHO_BEFORE_(true, "compares");                                       \
    return __atomic_compare_exchange_n(address, expected, value, false,     \
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
  }                                                                         \
  int __tsan_atomic##bits##_compare_exchange_weak(                          \
      volatile T* address, T* expected, T value, int, int) {                \
    CLOTHO_BEFORE_(true, "compares");                                       \
    return __atomic_compare_exchange_n(address, expected, value, false,     \
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
  }                                                                         \
  T __tsan_atomic##bits##_compare_exchange_val(                             \
      volatile T* address, T expected, T value, int, int) {                 \
    CLOTHO_BEFORE_(true, "compares");                                       \
    __atomic_compare_exchange_n(address, &expected, value, false,           \
                                __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);        \
    return expected;                                                        \
  }

#define CLOTHO_WIDE_UPDATE_(name, result)                                \
  Wide __tsan_atomic128_fetch_##name(volatile Wide* address, Wide value, \
                                     int) {                              \
    CLOTHO_BEFORE_(true, "updates");                                     \
    return Update(address, [value](Wide seen) { return Wide{result}; }); \
  }

#define CLOTHO_PLAIN_(size)                           \
  void __tsan_read##size(void*) {}                    \
  void __tsan_write##size(void*) {}                   \
  void __tsan_unaligned_read##size(void*) {}          \
  void __tsan_unaligned_write##size(void*) {}         \
  void __tsan_read_write##size(void*) {}              \
  void __tsan_unaligned_read_write##size(void*) {}    \
  void __tsan_volatile_read##size(void*) {}           \
  void __tsan_volatile_write##size(void*) {}          \
  void __tsan_unaligned_volatile_read##size(void*) {} \
  void __tsan_unaligned_volatile_write##size(void*) {}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-declarations"

using clotho::sim::internal::CompareExchange;
using clotho::sim::internal::Update;
using clotho::sim::internal::Wide;

extern "C" {

CLOTHO_ATOMICS_(8, std::uint8_t)
CLOTHO_ATOMICS_(16, std::uint16_t)
CLOTHO_ATOMICS_(32, std::uint32_t)
CLOTHO_ATOMICS_(64, std::uint64_t)

Wide __tsan_atomic128_load(const volatile Wide* address, int) {
  CLOTHO_BEFORE_(false, "reads");
  return Update(const_cast<volatile Wide*>(address),
                [](Wide seen) { return seen; });
}

void __tsan_atomic128_store(volatile Wide* address, Wide value, int) {
  CLOTHO_BEFORE_(true, "writes");
  Update(address, [value](Wide) { return value; });
}

Wide __tsan_atomic128_exchange(volatile Wide* address, Wide value, int) {
  CLOTHO_BEFORE_(true, "exchanges");
  return Update(address, [value](Wide) { return value; });
}

CLOTHO_WIDE_UPDATE_(add, seen + value)
CLOTHO_WIDE_UPDATE_(sub, seen - value)
CLOTHO_WIDE_UPDATE_(and, seen& value)
CLOTHO_WIDE_UPDATE_(or, seen | value)
CLOTHO_WIDE_UPDATE_(xor, seen ^ value)
CLOTHO_WIDE_UPDATE_(nand, ~(seen& value))

int __tsan_atomic128_compare_exchange_strong(volatile Wide* address,
                                             Wide* expected, Wide value, int,
                                             int) {
  CLOTHO_BEFORE_(true, "compares");
  return CompareExchange(address, *expected, value);
}

int __tsan_atomic128_compare_exchange_weak(volatile Wide* address,
                                           Wide* expected, Wide value, int,
                                           int) {
  CLOTHO_BEFORE_(true, "compares");
  return CompareExchange(address, *expected, value);
}

Wide __tsan_atomic128_compare_exchange_val(volatile Wide* address,
                                           Wide expected, Wide value, int,
                                           int) {
  CLOTHO_BEFORE_(true, "compares");
  CompareExchange(address, expected, value);
  return expected;
}

void __tsan_atomic_thread_fence(int) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
void __tsan_atomic_signal_fence(int) {
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_ignore_thread_begin() {}
void __tsan_ignore_thread_end() {}
void __tsan_vptr_read(void**) {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_read_range(void*, std::size_t) {}
void __tsan_write_range(void*, std::size_t) {}
CLOTHO_PLAIN_(1)
CLOTHO_PLAIN_(2)
CLOTHO_PLAIN_(4)
CLOTHO_PLAIN_(8)
CLOTHO_PLAIN_(16)

void* __tsan_memcpy(void* to, const void* from, std::size_t size) {
  return std::memcpy(to, from, size);
}
void* __tsan_memmove(void* to, const void* from, std::size_t size) {
  return std::memmove(to, from, size);
}
void* __tsan_memset(void* to, int value, std::size_t size) {
  return std::memset(to, value, size);
}

}  // extern "C"

#pragma GCC diagnostic pop
