// The loop of a thread, for code that does not get one handed.
//
//   std::unique_ptr<EventLoop> loop = NewEventLoop();
//   SetEventLoop(loop.get());
//   GetEventLoop().RunUntilComplete(Main());
//
// asyncio's functions of these names, without its policies (rule L-36).
// Programs that call `Run` do not need them; inside of a coroutine
// `GetRunningLoop` says what is meant.

#ifndef CLOTHO_RUNTIME_CURRENT_LOOP_H_
#define CLOTHO_RUNTIME_CURRENT_LOOP_H_

#include <memory>

#include "clotho/runtime/event_loop.h"

namespace clotho {

// The loop that runs in this thread; else the one that `SetEventLoop` was given
// here. In the main thread, if that was never called, a new one, which lives as
// long as the thread. Throws RuntimeError if there is none.
EventLoop& GetEventLoop();

// Makes `loop` the one of this thread, or, if it is null, none. Not owned: a
// loop that is destroyed in the thread whose loop it is, leaves it without one.
void SetEventLoop(EventLoop* loop);

// A new loop on the real clock. It is nobody's current one yet.
std::unique_ptr<EventLoop> NewEventLoop();

namespace internal {

// Whether this is the thread that the program began with.
bool IsMainThread();

}  // namespace internal
}  // namespace clotho

#endif  // CLOTHO_RUNTIME_CURRENT_LOOP_H_
