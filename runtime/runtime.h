// The whole runtime, for user programs. The library's own files include only
// what they use.

#ifndef CLOTHO_RUNTIME_RUNTIME_H_
#define CLOTHO_RUNTIME_RUNTIME_H_

#include "clotho/runtime/as_completed.h"
#include "clotho/runtime/async_generator.h"
#include "clotho/runtime/barrier.h"
#include "clotho/runtime/blocking_sleep.h"
#include "clotho/runtime/claims.h"
#include "clotho/runtime/clock.h"
#include "clotho/runtime/concurrent_future.h"
#include "clotho/runtime/condition.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/current_loop.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/executor.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/generator.h"
#include "clotho/runtime/inspect.h"
#include "clotho/runtime/lock.h"
#include "clotho/runtime/outcome.h"
#include "clotho/runtime/queue.h"
#include "clotho/runtime/runner.h"
#include "clotho/runtime/semaphore.h"
#include "clotho/runtime/shield.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/staggered_race.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/task_group.h"
#include "clotho/runtime/threads.h"
#include "clotho/runtime/timed.h"
#include "clotho/runtime/timeout.h"
#include "clotho/runtime/wait.h"

#endif  // CLOTHO_RUNTIME_RUNTIME_H_
