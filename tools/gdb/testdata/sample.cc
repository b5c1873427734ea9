// A program for gdb_test.py to stop in: tasks in every state.

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"

// Where the debugger stops it.
extern "C" {
[[gnu::noinline]] void StopHere() { asm volatile(""); }
}

namespace sample {

using clotho::Coro;
using clotho::Lock;
using clotho::Task;

Coro<int> Innermost(Lock& lock) {
  const auto guard = co_await lock.Acquire();
  co_return 1;
}

Coro<int> Middle(Lock& lock) {
  const int result = co_await Innermost(lock);
  co_return result + 1;
}

Coro<void> Worker(Lock& lock) { static_cast<void>(co_await Middle(lock)); }

Coro<void> Unnamed(Lock& lock) { static_cast<void>(co_await Middle(lock)); }

Coro<void> WaitFor(Task<void>& task) { co_await task; }

Coro<void> Main() {
  Lock lock;
  const auto guard = co_await lock.Acquire();
  Task<void> worker = clotho::CreateTask(Worker(lock), {.name = "worker-1"});
  Task<void> unnamed = clotho::CreateTask(Unnamed(lock));
  Task<void> waiter = clotho::CreateTask(WaitFor(worker), {.name = "waiter"});
  co_await clotho::Sleep(absl::ZeroDuration());
  Task<void> ready = clotho::CreateTask(clotho::Sleep(absl::ZeroDuration()),
                                        {.name = "ready", .eager_start = true});
  Task<void> fresh = clotho::CreateTask(clotho::Sleep(absl::ZeroDuration()),
                                        {.name = "fresh"});
  StopHere();
  for (auto* task : {&worker, &unnamed, &waiter, &ready, &fresh}) {
    task->Cancel();
  }
}

}  // namespace sample

int main() { clotho::Run(sample::Main()); }
