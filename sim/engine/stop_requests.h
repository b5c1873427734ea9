// What signals request of the running search. The searching thread checks it
// where that costs nothing: between executions, and at the limit of an
// execution's steps, which a signal can lower (Simulator::Attend).

#ifndef CLOTHO_SIM_ENGINE_STOP_REQUESTS_H_
#define CLOTHO_SIM_ENGINE_STOP_REQUESTS_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace clotho::sim::internal {

struct StopRequests {
  // The task table is requested.
  std::atomic<bool> tasks{false};
  // The signal that ends the search: SIGINT or SIGTERM. 0: none.
  std::atomic<int> interrupted_by{0};
  // When that signal arrived, by the steady clock.
  std::atomic<std::int64_t> interrupted_at_ns{0};
};

inline constinit StopRequests stop_requests;

// The test that is being searched; empty: unknown. For the searching thread.
inline constinit std::string_view searched_test;

// Whether the search must end: no further execution begins.
inline bool Interrupted() {
  return stop_requests.interrupted_by.load(std::memory_order_relaxed) != 0;
}

// After an interrupt, shrinking and explaining must end by this time.
inline std::chrono::steady_clock::time_point InterruptDeadline() {
  return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(
             stop_requests.interrupted_at_ns.load(std::memory_order_relaxed))) +
         std::chrono::seconds(10);
}

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_ENGINE_STOP_REQUESTS_H_
