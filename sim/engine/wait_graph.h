// The wait-for graph of a loop that is between two steps.

#ifndef CLOTHO_SIM_ENGINE_WAIT_GRAPH_H_
#define CLOTHO_SIM_ENGINE_WAIT_GRAPH_H_

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>
#include <vector>

#include "clotho/runtime/event_loop.h"

namespace clotho::sim::internal {

struct Wait {
  std::string task;
  bool background = false;
  std::string what;  // Lock "A"; empty: it waits for nothing, it is ready.
  // Where its coroutines are suspended, outermost first; empty if it has not
  // started.
  std::vector<std::source_location> stack;
  std::source_location created_at;
  std::source_location held_at;  // Where the holder acquired it, if known.
  // The tasks, as indices, that could end the wait; empty: none is known.
  std::vector<std::size_t> holders;
  bool holds_by_taking = false;  // The held object, like a lock, was taken.
};

struct WaitGraph {
  // Every task that is not done, oldest first.
  std::vector<Wait> waits;
  // A cycle of tasks, each waiting for the next one, and the last for the
  // first. Empty: there is no cycle.
  std::vector<std::size_t> cycle;
};

WaitGraph BuildWaitGraph(const EventLoop& loop);

// Where to look first: the innermost place outside the runtime. Null: there is
// none.
const std::source_location* PlaceOf(const Wait& wait);

// Whether the coroutine suspended there belongs to the runtime.
bool IsOfTheRuntime(const std::source_location& place);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_ENGINE_WAIT_GRAPH_H_
