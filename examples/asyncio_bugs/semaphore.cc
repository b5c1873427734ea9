// Semaphores that lose a wake-up, that let others jump the queue, or that stay
// closed forever.
//
// semaphore_forgets_next (python/asyncio#270; Python 3.5): a release wakes the
// first waiter, which looks for a permit when it runs. If cancelled before
// that, it leaves without waking another waiter. Breaks: two tasks wait; a
// release; the first of them is cancelled before it runs. There is a permit,
// but the second one waits forever.
//
// semaphore_is_unfair (gh-90155, bpo-45997; Python 3.6 to 3.8): a task that
// requests an available permit gets it, even if another was woken for it, which
// then moves to the back of the line. Breaks: two tasks wait; a release; a
// third one requests it before the first of them runs.
//
// semaphore_stays_closed (gh-90155; Python 3.9, the first attempt to fix the
// one above): a release records that it has woken a task, and only that task
// clears the record; meanwhile no task can enter. Breaks: one task waits; a
// release; that task is cancelled before it runs. The record stays.
//
// The tests: a few workers, one of which may be cancelled, all get their turn;
// if none is cancelled, in the order of their requests. The fixed twin is this
// runtime's Semaphore (rules SM-01 to SM-03).

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

enum class Mistake { kForgetsNext, kUnfair, kStaysClosed };

// With one permit.
template <Mistake mistake>
class OldSemaphore {
 public:
  Coro<void> Acquire() {
    while (someone_is_woken_ || permits_ == 0) {
      Future<void> turn;
      waiters_.push_back(turn);
      try {
        co_await turn;
      } catch (const CancelledError&) {
        turn.Cancel();  // A waiter still in line is skipped.
        if (mistake != Mistake::kForgetsNext && permits_ > 0) WakeNext();
        throw;
      }
      someone_is_woken_ = false;
    }
    --permits_;
  }

  void Release() {
    ++permits_;
    WakeNext();
  }

 private:
  void WakeNext() {
    while (!waiters_.empty()) {
      const Future<void> turn = waiters_.front();
      waiters_.pop_front();
      if (turn.Done()) continue;
      turn.SetResult();
      someone_is_woken_ = mistake == Mistake::kStaysClosed;
      return;
    }
  }

  int permits_ = 1;
  bool someone_is_woken_ = false;
  std::deque<Future<void>> waiters_;
};

class NewSemaphore {
 public:
  Coro<void> Acquire() {
    Semaphore::Guard guard = co_await semaphore_.Acquire();
    guard.Detach();
  }
  void Release() { semaphore_.Release(); }

 private:
  Semaphore semaphore_{1};
};

// Tasks that have requested a permit and have not entered yet.
using Line = std::deque<int>;

template <typename AnySemaphore>
Coro<void> Work(AnySemaphore& semaphore, int number, Line& line, bool fair) {
  line.push_back(number);
  co_await semaphore.Acquire();
  if (fair) {
    Always(line.front() == number, "who asks first gets in first");
    line.pop_front();
  }
  bool cancelled = false;
  try {
    co_await Sleep(absl::ZeroDuration());
  } catch (const CancelledError&) {
    cancelled = true;
  }
  semaphore.Release();
  if (cancelled) throw CancelledError();
}

template <typename AnySemaphore>
Coro<void> WorkersAndALateOne(std::vector<const char*> names, bool fair) {
  AnySemaphore semaphore;
  Line line;
  std::vector<Task<void>> workers;
  for (const char* const name : names) {
    Coro<void> work =
        Work(semaphore, static_cast<int>(workers.size()), line, fair);
    workers.push_back(CreateTask(std::move(work), {.name = name}));
  }
  if (!fair) {
    co_await Sleep(absl::ZeroDuration());
    co_await CancelSometime(workers[1]);
  }
  co_await Join(workers);
  co_await Work(semaphore, static_cast<int>(workers.size()), line, fair);
}

// The fairness test cancels no task.
template <Mistake mistake>
Coro<void> RunWorkers(bool fixed) {
  constexpr bool kFair = mistake == Mistake::kUnfair;
  std::vector<const char*> names = {"worker-1", "worker-2"};
  if (mistake != Mistake::kStaysClosed) names.push_back("worker-3");
  return fixed ? WorkersAndALateOne<NewSemaphore>(names, kFair)
               : WorkersAndALateOne<OldSemaphore<mistake>>(names, kFair);
}

}  // namespace

std::vector<Race> SemaphoreBugs() {
  return {Bug({.name = "semaphore_is_unfair",
               .says = "who asks first gets in first",
               .published = {.note = "gh-90155, 3.6 to 3.8"}},
              &RunWorkers<Mistake::kUnfair>),
          Bug({.name = "semaphore_stays_closed",
               .failure = sim::FailureKind::kDeadlock,
               .published = {.note = "gh-90155, 3.9"}},
              &RunWorkers<Mistake::kStaysClosed>),
          Bug({.name = "semaphore_forgets_next",
               .failure = sim::FailureKind::kDeadlock,
               .published = {.note = "python/asyncio#270, 3.5"}},
              &RunWorkers<Mistake::kForgetsNext>)};
}

}  // namespace clotho::examples
