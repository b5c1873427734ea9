// Locks that lose a wake-up, or that two tasks own.
//
// lock_forgets_next (bpo-27585; before Python 3.6.15): a release wakes the
// first waiter, which takes the lock when it runs. If cancelled before that,
// it leaves without waking another waiter. Breaks: two tasks wait; the lock
// is released; the first of them is cancelled before it runs. The other one
// waits forever for a free lock.
//
// lock_has_two_owners (bpo-32734; before Python 3.6.15): a task that requests
// a free lock gets it, even if a woken task is about to take it. Breaks: a
// task waits; the lock is released; another task requests it and gets it; the
// first one runs, and gets it, too.
//
// The test: three workers, one of which may be cancelled, all get their turn,
// one at a time. The fixed twin is this runtime's Lock (rules LK-01 to
// LK-05).

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/examples/asyncio_bugs/bug_programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/failure.h"

namespace clotho::examples {
namespace {

enum class Mistake { kForgetsNext, kBarges };

template <Mistake mistake>
class OldLock {
 public:
  Coro<void> Acquire() {
    if (!locked_ && (mistake == Mistake::kBarges || waiters_.empty())) {
      locked_ = true;
      co_return;
    }
    Future<void> turn;
    waiters_.push_back(turn);
    try {
      co_await turn;
    } catch (const CancelledError&) {
      std::erase(waiters_, turn);
      if (mistake != Mistake::kForgetsNext && !locked_) WakeFirst();
      throw;
    }
    std::erase(waiters_, turn);
    locked_ = true;
  }

  void Release() {
    locked_ = false;
    WakeFirst();
  }

 private:
  void WakeFirst() {
    if (waiters_.empty()) return;
    if (!waiters_.front().Done()) waiters_.front().SetResult();
  }

  bool locked_ = false;
  std::deque<Future<void>> waiters_;
};

class NewLock {
 public:
  Coro<void> Acquire() {
    Lock::Guard guard = co_await lock_.Acquire();
    guard.Detach();
  }
  void Release() { lock_.Release(); }

 private:
  Lock lock_;
};

template <typename AnyLock>
Coro<void> Work(AnyLock& lock, int& owners) {
  co_await lock.Acquire();
  Always(++owners == 1, "one task at a time has the lock");
  bool cancelled = false;
  try {
    co_await Sleep(absl::ZeroDuration());
  } catch (const CancelledError&) {
    cancelled = true;
  }
  --owners;
  lock.Release();
  if (cancelled) throw CancelledError();
}

template <typename AnyLock>
Coro<void> ThreeWorkers() {
  AnyLock lock;
  int owners = 0;
  std::vector<Task<void>> workers;
  for (const char* const name : {"worker-1", "worker-2", "worker-3"}) {
    Coro<void> work = Work(lock, owners);
    workers.push_back(CreateTask(std::move(work), {.name = name}));
  }
  Task<bool> canceller =
      CreateTask(CancelSometime(workers[1]), {.name = "canceller"});
  co_await Join(workers);
  co_await canceller;
}

template <Mistake mistake>
Coro<void> RunWorkers(bool fixed) {
  return fixed ? ThreeWorkers<NewLock>() : ThreeWorkers<OldLock<mistake>>();
}

}  // namespace

std::vector<Race> LockBugs() {
  return {Bug({.name = "lock_forgets_next",
               .failure = sim::FailureKind::kDeadlock,
               .published = {.note = "bpo-27585, before 3.6.15"}},
              &RunWorkers<Mistake::kForgetsNext>),
          Bug({.name = "lock_has_two_owners",
               .says = "one task at a time has the lock",
               .published = {.note = "bpo-32734, before 3.6.15"}},
              &RunWorkers<Mistake::kBarges>)};
}

}  // namespace clotho::examples
