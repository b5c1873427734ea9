// The programs shared by several benchmarks, so that their figures measure the
// same work.

#ifndef CLOTHO_BENCHMARKS_WORKLOADS_H_
#define CLOTHO_BENCHMARKS_WORKLOADS_H_

#include <cstdint>

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"

namespace clotho {

// Is always ready, and yields `times` times.
inline Coro<void> GiveWay(std::int64_t times) {
  for (std::int64_t i = 0; i < times; ++i) {
    co_await Sleep(absl::ZeroDuration());
  }
}

inline Coro<std::int64_t> Return(std::int64_t value) { co_return value; }

// Makes `depth` nested calls. Returns their number.
inline Coro<std::int64_t> Chain(std::int64_t depth) {
  if (depth == 0) co_return 1;
  co_return 1 + co_await Chain(depth - 1);
}

// Sleeps for a different time each time, up to `most_ms`.
inline Coro<void> SleepOften(std::uint32_t seed, std::int64_t times,
                             std::uint32_t most_ms) {
  for (std::int64_t i = 0; i < times; ++i) {
    seed = seed * 1664525 + 1013904223;
    co_await Sleep(absl::Milliseconds(1 + (seed >> 8) % most_ms));
  }
}

inline Coro<void> PutAll(Queue<std::int64_t>& queue, std::int64_t messages) {
  for (std::int64_t i = 0; i < messages; ++i) co_await queue.Put(i);
}

inline Coro<std::int64_t> SumOf(Queue<std::int64_t>& queue,
                                std::int64_t messages) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < messages; ++i) sum += co_await queue.Get();
  co_return sum;
}

inline Coro<void> Increment(std::int64_t& value) {
  for (int i = 0; i < 2; ++i) {
    const std::int64_t read = value;
    co_await Sleep(absl::ZeroDuration());
    value = read + 1;
  }
}

// Three tasks that read, yield and write, twice each. The result is not
// checked: whether an update is lost is not measured.
inline Coro<void> RaceBody() {
  std::int64_t value = 0;
  co_await Gather(Increment(value), Increment(value), Increment(value));
}

inline Coro<void> IncrementLocked(Lock& lock, std::int64_t& value) {
  for (int i = 0; i < 2; ++i) {
    const Lock::Guard guard = co_await lock.Acquire();
    const std::int64_t read = value;
    co_await Sleep(absl::ZeroDuration());
    value = read + 1;
  }
}

// The same program with a lock.
inline Coro<void> LockedRace() {
  std::int64_t value = 0;
  Lock lock;
  co_await Gather(IncrementLocked(lock, value), IncrementLocked(lock, value),
                  IncrementLocked(lock, value));
}

}  // namespace clotho

#endif  // CLOTHO_BENCHMARKS_WORKLOADS_H_
