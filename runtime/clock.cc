#include "clotho/runtime/clock.h"

#include <semaphore.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>

#include "clotho/runtime/delay.h"

namespace clotho {
namespace {

std::int64_t SteadyNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// A point in time of CLOCK_MONOTONIC, the steady clock.
timespec ToTimespec(std::int64_t ns) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  ns = std::max<std::int64_t>(ns, 0);
  timespec time;
  time.tv_sec = ns / kSecond;
  time.tv_nsec = ns % kSecond;
  return time;
}

}  // namespace

RealClock::RealClock() : Clock(Kind::kRuns), start_ns_(SteadyNs()) {
  sem_init(&semaphore_, /*pshared=*/0, /*value=*/0);
}

RealClock::~RealClock() { sem_destroy(&semaphore_); }

std::int64_t RealClock::ReadNs() const { return SteadyNs() - start_ns_; }

bool RealClock::Wait(std::optional<std::int64_t> deadline_ns) {
  int result = 0;
  if (deadline_ns.has_value()) {
    const timespec deadline =
        ToTimespec(internal::SaturatingAdd(*deadline_ns, start_ns_));
    result = sem_clockwait(&semaphore_, CLOCK_MONOTONIC, &deadline);
  } else {
    result = sem_wait(&semaphore_);
  }
  // Otherwise the deadline passed, or a signal ended the wait. This must be an
  // exchange, to synchronize with a thread that found `woken_` already set.
  if (result == 0) woken_.exchange(false, std::memory_order_acq_rel);
  return true;
}

void RealClock::Wake() noexcept {
  if (!woken_.exchange(true, std::memory_order_acq_rel)) sem_post(&semaphore_);
}

void RealClock::Block(std::int64_t duration_ns) {
  std::this_thread::sleep_for(std::chrono::nanoseconds(duration_ns));
}

}  // namespace clotho
