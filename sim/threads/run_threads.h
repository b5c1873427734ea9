// The body of a test whose execution consists of threads.

#ifndef CLOTHO_SIM_THREADS_RUN_THREADS_H_
#define CLOTHO_SIM_THREADS_RUN_THREADS_H_

#include <functional>

#include "clotho/sim/engine/simulator.h"

namespace clotho::sim::internal {

// A body that runs `function` as the first thread, "main". The execution ends
// when it and all threads that it has started have ended. Threads, locks and
// clocks in it are simulated (see interpose.cc).
Body ThreadsBody(std::function<void()> function);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_THREADS_RUN_THREADS_H_
