// BlockingSleep: stops the thread, and all tasks of its loop with it.
//
//   co_await ToThread([] { BlockingSleep(absl::Seconds(1)); });
//
// Python's time.sleep. For code that is called in a thread of its own, and for
// tests of what happens if it is not: a coroutine awaits `Sleep` instead.

#ifndef CLOTHO_RUNTIME_BLOCKING_SLEEP_H_
#define CLOTHO_RUNTIME_BLOCKING_SLEEP_H_

#include "clotho/runtime/delay.h"

namespace clotho {

// Returns after `delay`; at once if that is zero or less. On a virtual clock
// the time passes, and nothing else happens. In an executor's job it is the
// job's time that passes, in a simulation, too.
void BlockingSleep(Delay delay);

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_BLOCKING_SLEEP_H_
