// The graph of who waits for whom, of a loop that stands still.

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
  // Where its coroutines are suspended, outermost first; empty before its
  // start.
  std::vector<std::source_location> stack;
  std::source_location created_at;
  std::source_location held_at;  // Where the holder took hold of it, if known.
  // The tasks, as indices, that could end the wait; empty: nobody is known to.
  std::vector<std::size_t> holders;
  bool holds_by_taking = false;  // What is held, like a lock, was taken.
};

struct WaitGraph {
  // Every task that is not done, oldest first.
  std::vector<Wait> waits;
  // Tasks that wait for each other in a circle: each for the next one, and the
  // last for the first. Empty: there is none.
  std::vector<std::size_t> cycle;
};

WaitGraph BuildWaitGraph(const EventLoop& loop);

// Where a person looks first: the innermost of its places that is none of the
// runtime's own. Null: there is none.
const std::source_location* PlaceOf(const Wait& wait);

// Whether a coroutine of the runtime's is suspended there.
bool IsOfTheRuntime(const std::source_location& place);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_ENGINE_WAIT_GRAPH_H_
