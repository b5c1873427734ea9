#include "clotho/sim/engine/virtual_clock.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <ctime>

#include "clotho/sim/engine/stop_requests.h"

namespace clotho::sim {

void VirtualClock::Sleep(std::int64_t virtual_ns) const {
  // Longer than anyone watches.
  constexpr double kMostNs = 1e18;
  const auto real_ns = static_cast<std::int64_t>(
      std::min(static_cast<double>(virtual_ns) / rate_, kMostNs));
  timespec left = {.tv_sec = real_ns / 1'000'000'000,
                   .tv_nsec = real_ns % 1'000'000'000};
  // Signals do not affect the program; one that ends the search also ends this
  // wait.
  while (!internal::Interrupted() &&
         clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
  }
}

}  // namespace clotho::sim
