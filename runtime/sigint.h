// SigintScope: handles Ctrl-C while a Runner runs (rule R-04).
//
// The first Ctrl-C cancels the main task, which may clean up. The second throws
// KeyboardInterrupt out of the loop before its next iteration. The third ends
// the process, as without a Runner, since the program may be in a function that
// does not return.

#ifndef CLOTHO_RUNTIME_SIGINT_H_
#define CLOTHO_RUNTIME_SIGINT_H_

#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/ref.h"

namespace clotho::internal {

// Handles SIGINT for the duration of a scope: only in the main thread, only on
// a real clock, and only if no other handler is installed.
class SigintScope final : public InterruptHandler {
 public:
  SigintScope(EventLoop& loop, FutureBase& main_task);
  ~SigintScope();
  SigintScope(const SigintScope&) = delete;
  SigintScope& operator=(const SigintScope&) = delete;

  // True if there was a Ctrl-C and nothing else cancelled the main task: the
  // Runner must then throw KeyboardInterrupt.
  bool interrupted() const noexcept { return count_ > 0; }

  void Interrupted() override;

 private:
  EventLoop& loop_;
  Ref<FutureBase> main_task_;
  int count_ = 0;
  bool is_installed_ = false;
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_SIGINT_H_
