#include "clotho/runtime/threads.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/concurrent_future.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/executor.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/timeout.h"

namespace clotho {

Coro<void> EventLoop::ShutdownDefaultExecutor(std::optional<Delay> timeout) {
  default_executor_is_shut_down_ = true;
  if (default_executor_ == nullptr) co_return;
  const ConcurrentFuture<void> drained =
      default_executor_->ShutdownInBackground();
  Future<void> done = WrapFuture(drained);
  try {
    co_await WaitFor(done, timeout);
  } catch (const TimeoutError&) {
    CallExceptionHandler(
        {.source = ExceptionContext::Source::kWarning,
         .message = absl::StrCat("The executor did not finish joining its "
                                 "threads within ",
                                 timeout->ToString())});
    co_return;
  }
  default_executor_->Shutdown();  // The threads have ended.
}

}  // namespace clotho
