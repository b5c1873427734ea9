// QuietWatch: notices that the test's body waits for nothing that still runs.
//
// Beside periodic work, such as a heartbeat, a deadlock does not stop the
// program. What distinguishes it from a long wait: neither the body nor any
// task that it waits for, directly or through others, has run for many steps,
// and no timer is set that one of the tasks that do not run has set.
//
// What does run may still wake one of them later, in a way that no wait shows:
// it may set an event, say. So the longer the watch, the surer the verdict.

#ifndef CLOTHO_SIM_ENGINE_QUIET_WATCH_H_
#define CLOTHO_SIM_ENGINE_QUIET_WATCH_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/future_base.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/engine/wait_graph.h"

namespace clotho::sim::internal {

// What waits for nothing that runs, and what runs meanwhile.
struct Quiet {
  WaitGraph graph;
  std::vector<bool> ran;  // For each of the graph's tasks.
};

class QuietWatch {
 public:
  // `loop` must outlive it.
  explicit QuietWatch(const EventLoop& loop) : loop_(loop) {}

  // A new execution begins.
  void Begin();

  // Between two steps, from time to time. `main` is the test's body. If it has
  // not been quiet since the watch began, the watch begins anew.
  std::optional<Quiet> Look(std::uint64_t step,
                            const clotho::internal::FutureBase& main,
                            std::span<const Chain> chains);

  // The step at which the watch began.
  std::uint64_t since() const { return since_; }

 private:
  bool HasRun(std::uint32_t chain, std::span<const Chain> chains) const {
    return chain >= steps_.size() || chains[chain].steps != steps_[chain];
  }
  std::optional<Quiet> FindQuiet(const clotho::internal::FutureBase& main,
                                 std::span<const Chain> chains) const;

  const EventLoop& loop_;
  std::uint64_t since_ = 0;
  // The steps of each chain when the watch began.
  std::vector<std::uint32_t> steps_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_ENGINE_QUIET_WATCH_H_
