// The current loop of a thread, for code that is not passed one.
//
//   std::unique_ptr<EventLoop> loop = NewEventLoop();
//   SetEventLoop(loop.get());
//   GetEventLoop().RunUntilComplete(Main());
//
// These are asyncio's functions of the same names, without its policies (rule
// L-36). Programs that call `Run` do not need them. Inside a coroutine, use
// `GetRunningLoop`.

#ifndef CLOTHO_RUNTIME_CURRENT_LOOP_H_
#define CLOTHO_RUNTIME_CURRENT_LOOP_H_

#include <memory>

#include "clotho/runtime/event_loop.h"

namespace clotho {

// The loop running in this thread, otherwise the one set by `SetEventLoop` in
// this thread. If `SetEventLoop` was never called in the main thread, creates a
// loop that lives as long as the thread. Throws RuntimeError if there is no
// loop.
EventLoop& GetEventLoop();

// Sets this thread's current loop; null: none. Not owned. When the loop is
// destroyed in this thread, the thread is left without a current loop.
void SetEventLoop(EventLoop* loop);

// Creates a loop on the real clock. Does not make it a current loop.
std::unique_ptr<EventLoop> NewEventLoop();

namespace internal {

// True in the thread in which the program started.
bool IsMainThread();

}  // namespace internal
}  // namespace clotho

#endif  // CLOTHO_RUNTIME_CURRENT_LOOP_H_
