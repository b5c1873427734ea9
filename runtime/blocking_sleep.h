// BlockingSleep: blocks the thread, and with it all tasks of its loop.
//
//   co_await ToThread([] { BlockingSleep(absl::Seconds(1)); });
//
// Python's time.sleep. For code that runs in a thread of its own, and for tests
// of what happens when it does not. Coroutines await `Sleep` instead.

#ifndef CLOTHO_RUNTIME_BLOCKING_SLEEP_H_
#define CLOTHO_RUNTIME_BLOCKING_SLEEP_H_

#include "clotho/runtime/delay.h"

namespace clotho {

// Returns after `delay`, or at once if it is zero or less. On a virtual clock,
// time advances and nothing else happens. In an executor's job, even in a
// simulation, only the job is blocked.
void BlockingSleep(Delay delay);

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_BLOCKING_SLEEP_H_
