#include "clotho/runtime/sigint.h"

#include <signal.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "clotho/runtime/clock.h"
#include "clotho/runtime/current_loop.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/mailbox.h"

namespace clotho::internal {
namespace {

// The mailbox to notify. The handler may run in any thread, and may still be
// running when the scope ends, which then waits for it.
std::atomic<Mailbox*> target = nullptr;
std::atomic<int> handlers_running = 0;
std::atomic<int> signals = 0;

static_assert(std::atomic<Mailbox*>::is_always_lock_free);
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void ClothoHandleSigint(int) {
  ++handlers_running;
  if (Mailbox* const mailbox = target) mailbox->Interrupt();
  if (++signals == 2) signal(SIGINT, SIG_DFL);
  --handlers_running;
}

bool HandlerIs(void (*handler)(int)) {
  struct sigaction action;
  return sigaction(SIGINT, nullptr, &action) == 0 &&
         (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == handler;
}

void SetHandler(void (*handler)(int)) {
  struct sigaction action;
  std::memset(&action, 0, sizeof(action));
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
}

}  // namespace

SigintScope::SigintScope(EventLoop& loop, FutureBase& main_task)
    : loop_(loop), main_task_(&main_task) {
  if (!IsMainThread() || !CoreOf(loop).clock().runs() || !HandlerIs(SIG_DFL))
    return;
  is_installed_ = true;
  CoreOf(loop).set_interrupt_handler(this);
  signals = 0;
  target = CoreOf(loop).mailbox().get();
  SetHandler(ClothoHandleSigint);
}

SigintScope::~SigintScope() {
  if (!is_installed_) return;
  if (HandlerIs(ClothoHandleSigint)) SetHandler(SIG_DFL);
  target = nullptr;
  while (handlers_running > 0) std::this_thread::yield();
  CoreOf(loop_).mailbox()->TakeInterrupts();
  CoreOf(loop_).set_interrupt_handler(nullptr);
}

void SigintScope::Interrupted() {
  if (++count_ == 1 && !main_task_->done()) {
    main_task_->Cancel(nullptr);
    return;
  }
  throw KeyboardInterrupt();
}

}  // namespace clotho::internal
