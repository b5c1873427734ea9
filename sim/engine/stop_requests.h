// What signals ask of the search that runs. The searching thread looks at it
// where that costs nothing: between executions, and at the limit of an
// execution's steps, which a signal can bring near (Simulator::Attend).

#ifndef CLOTHO_SIM_ENGINE_STOP_REQUESTS_H_
#define CLOTHO_SIM_ENGINE_STOP_REQUESTS_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace clotho::sim::internal {

struct StopRequests {
  // Somebody wants to see the tasks.
  std::atomic<bool> tasks{false};
  // The signal that ends the search: SIGINT or SIGTERM. 0: none.
  std::atomic<int> interrupted_by{0};
  // When that was, by the steady clock.
  std::atomic<std::int64_t> interrupted_at_ns{0};
};

inline constinit StopRequests stop_requests;

// The test that is searched, for who asks; empty: not known. Of the searching
// thread.
inline constinit std::string_view searched_test;

// Whether the search is to come to its end: no execution begins any more.
inline bool Interrupted() {
  return stop_requests.interrupted_by.load(std::memory_order_relaxed) != 0;
}

// What is shrunk or looked into then ends by this time.
inline std::chrono::steady_clock::time_point InterruptDeadline() {
  return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(
             stop_requests.interrupted_at_ns.load(std::memory_order_relaxed))) +
         std::chrono::seconds(10);
}

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_ENGINE_STOP_REQUESTS_H_
