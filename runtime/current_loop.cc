#include "clotho/runtime/current_loop.h"

#include <memory>
#include <thread>

#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/thread_model.h"

namespace clotho {
namespace {

// Static initialization runs in the main thread.
const std::thread::id main_thread = std::this_thread::get_id();

// True if `SetEventLoop` was called in this thread.
thread_local constinit bool was_set = false;

}  // namespace

namespace internal {

bool IsMainThread() { return std::this_thread::get_id() == main_thread; }

}  // namespace internal

EventLoop& GetEventLoop() {
  if (internal::running_loop != nullptr) return *internal::running_loop;
  // A job of a simulated executor behaves as if it ran in its own thread.
  if (internal::thread_model == nullptr) {
    if (internal::current_loop == nullptr && !was_set &&
        internal::IsMainThread()) {
      thread_local std::unique_ptr<EventLoop> made_here;
      made_here = NewEventLoop();
      SetEventLoop(made_here.get());
    }
    if (internal::current_loop != nullptr) return *internal::current_loop;
  }
  throw RuntimeError(
      "There is no current event loop in this thread: call SetEventLoop first, "
      "or run the coroutine with Run");
}

void SetEventLoop(EventLoop* loop) {
  internal::current_loop = loop;
  was_set = true;
}

std::unique_ptr<EventLoop> NewEventLoop() {
  return std::make_unique<EventLoop>();
}

}  // namespace clotho
