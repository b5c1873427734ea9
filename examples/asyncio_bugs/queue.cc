// Queues that lose a wake-up, or that keep cancelled waiters.
//
// queue_forgets_next_getter (bpo-23812; before Python 3.6.15): an item wakes
// the first getter, which takes it when it runs. If cancelled before that, it
// leaves without waking another getter. Breaks: two tasks wait for an item; one
// is put; the first of them is cancelled before it runs. There is an item, but
// the second one waits forever.
//
// queue_forgets_next_putter (the same): as above, for tasks that wait for a
// free slot.
//
// queue_keeps_cancelled_putters (bpo-32574; Python 3.6): a task that is
// cancelled while it waits for a free slot stays in line. Breaks: any such
// cancellation, repeatedly, while the queue is full.
//
// The test: two tasks wait, one of which may be cancelled. There is something
// for each task that has not left. The fixed twin is this runtime's Queue
// (rules ); for the last one, which inspects the line, the
// corrected algorithm.

#include <cstddef>
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

enum class Mistake { kNone, kNextGetter, kNextPutter, kKeepsPutters };

// With one slot.
template <Mistake mistake>
class OldQueue {
 public:
  Coro<int> Get() {
    while (items_.empty()) {
      Future<void> turn;
      getters_.push_back(turn);
      try {
        co_await turn;
      } catch (const CancelledError&) {
        turn.Cancel();
        std::erase(getters_, turn);
        if (mistake != Mistake::kNextGetter && !items_.empty()) {
          WakeNext(getters_);
        }
        throw;
      }
    }
    const int item = items_.front();
    items_.pop_front();
    WakeNext(putters_);
    co_return item;
  }

  Coro<void> Put(int item) {
    while (!items_.empty()) {
      Future<void> turn;
      putters_.push_back(turn);
      try {
        co_await turn;
      } catch (const CancelledError&) {
        turn.Cancel();
        if (mistake != Mistake::kKeepsPutters) std::erase(putters_, turn);
        if (mistake != Mistake::kNextPutter && items_.empty()) {
          WakeNext(putters_);
        }
        throw;
      }
    }
    items_.push_back(item);
    WakeNext(getters_);
  }

  // The number of waiting putters, as far as the queue knows.
  std::size_t Putters() const { return putters_.size(); }

 private:
  void WakeNext(std::deque<Future<void>>& line) {
    while (!line.empty()) {
      const Future<void> turn = line.front();
      line.pop_front();
      if (turn.Done()) continue;
      turn.SetResult();
      return;
    }
  }

  std::deque<int> items_;
  std::deque<Future<void>> getters_;
  std::deque<Future<void>> putters_;
};

class NewQueue {
 public:
  Coro<int> Get() { co_return co_await queue_.Get(); }
  Coro<void> Put(int item) { co_await queue_.Put(item); }

 private:
  Queue<int> queue_{1};
};

// Whether it was cancelled, and left without what it waited for.
Coro<bool> HasGone(Task<void> task, Task<bool> canceller) {
  const bool promised = co_await canceller;
  if (promised) co_await Wait(std::vector{task});
  co_return task.Done() && task.Cancelled();
}

template <typename AnyQueue>
Coro<void> GetOne(AnyQueue& queue) {
  co_await queue.Get();
}

template <typename AnyQueue>
Coro<void> TwoGetters() {
  AnyQueue queue;
  std::vector<Task<void>> getters;
  for (const char* const name : {"getter-1", "getter-2"}) {
    Coro<void> get = GetOne(queue);
    getters.push_back(CreateTask(std::move(get), {.name = name}));
  }
  co_await Sleep(absl::ZeroDuration());
  Task<bool> canceller =
      CreateTask(CancelSometime(getters[0]), {.name = "canceller"});
  co_await queue.Put(1);
  const bool gone = co_await HasGone(getters[0], canceller);
  if (!gone) co_await queue.Put(2);
  co_await Join(getters);
}

template <typename AnyQueue>
Coro<void> TwoPutters() {
  AnyQueue queue;
  co_await queue.Put(0);
  std::vector<Task<void>> putters;
  for (const char* const name : {"putter-1", "putter-2"}) {
    Coro<void> put = queue.Put(static_cast<int>(putters.size()) + 1);
    putters.push_back(CreateTask(std::move(put), {.name = name}));
  }
  co_await Sleep(absl::ZeroDuration());
  Task<bool> canceller =
      CreateTask(CancelSometime(putters[0]), {.name = "canceller"});
  co_await queue.Get();
  const bool gone = co_await HasGone(putters[0], canceller);
  if (!gone) co_await queue.Get();
  co_await Join(putters);
}

template <typename AnyQueue>
Coro<void> AFullQueue() {
  AnyQueue queue;
  co_await queue.Put(0);
  Coro<void> put = queue.Put(1);
  Task<void> putter = CreateTask(std::move(put), {.name = "putter"});
  Task<bool> canceller =
      CreateTask(CancelSometime(putter), {.name = "canceller"});
  const bool gone = co_await HasGone(putter, canceller);
  if (gone) Always(queue.Putters() == 0, "who has gone is not in line");
  co_await queue.Get();
  co_await Join({putter});
}

Coro<void> RunGetters(bool fixed) {
  return fixed ? TwoGetters<NewQueue>()
               : TwoGetters<OldQueue<Mistake::kNextGetter>>();
}

Coro<void> RunPutters(bool fixed) {
  return fixed ? TwoPutters<NewQueue>()
               : TwoPutters<OldQueue<Mistake::kNextPutter>>();
}

Coro<void> RunFullQueue(bool fixed) {
  return fixed ? AFullQueue<OldQueue<Mistake::kNone>>()
               : AFullQueue<OldQueue<Mistake::kKeepsPutters>>();
}

}  // namespace

std::vector<Race> QueueBugs() {
  return {Bug({.name = "queue_keeps_cancelled_putters",
               .says = "who has gone is not in line",
               .published = {.note = "bpo-32574, 3.6"}},
              &RunFullQueue),
          Bug({.name = "queue_forgets_next_getter",
               .failure = sim::FailureKind::kDeadlock,
               .published = {.note = "bpo-23812, before 3.6.15"}},
              &RunGetters),
          Bug({.name = "queue_forgets_next_putter",
               .failure = sim::FailureKind::kDeadlock,
               .published = {.note = "bpo-23812, before 3.6.15"}},
              &RunPutters)};
}

}  // namespace clotho::examples
