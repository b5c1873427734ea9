#include "clotho/runtime/clock.h"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "clotho/runtime/delay.h"

namespace clotho {
namespace {

std::int64_t SteadyNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

RealClock::RealClock() : Clock(Kind::kRuns), start_ns_(SteadyNs()) {}

std::int64_t RealClock::ReadNs() const { return SteadyNs() - start_ns_; }

bool RealClock::Wait(std::optional<std::int64_t> deadline_ns) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (deadline_ns.has_value()) {
    const std::chrono::steady_clock::time_point deadline{
        std::chrono::nanoseconds(
            internal::SaturatingAdd(*deadline_ns, start_ns_))};
    condition_.wait_until(lock, deadline, [this] { return woken_; });
  } else {
    condition_.wait(lock, [this] { return woken_; });
  }
  woken_ = false;
  return true;
}

void RealClock::Wake() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    woken_ = true;
  }
  condition_.notify_one();
}

}  // namespace clotho
