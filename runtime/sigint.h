// SigintScope: what Ctrl-C does while a Runner runs (rule R-04).
//
// The first one cancels the main task, which may clean up. The second one
// throws KeyboardInterrupt out of the loop before its next iteration; a third
// one ends the process, as it does without a Runner, since the program may be
// in a function that does not return.

#ifndef CLOTHO_RUNTIME_SIGINT_H_
#define CLOTHO_RUNTIME_SIGINT_H_

#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/ref.h"

namespace clotho::internal {

// Takes SIGINT over for the length of a scope: in the main thread only, on a
// real clock only, and only if nobody else has said what it shall do.
class SigintScope final : public InterruptHandler {
 public:
  SigintScope(EventLoop& loop, FutureBase& main_task);
  ~SigintScope();
  SigintScope(const SigintScope&) = delete;
  SigintScope& operator=(const SigintScope&) = delete;

  // There was one, and it is not up to anybody else that the main task was
  // cancelled: what comes out of the Runner is KeyboardInterrupt.
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
