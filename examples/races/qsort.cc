// A parallel quicksort that wakes its workers before it assigns their work.
//
// Workers of a pool sort. One that has split its part in two looks for an idle
// worker, marks it as working, and then fills in the part to sort.
//
// Breaks: the worker checks its mark between the two (it was not waiting yet,
// or has just come back), and sorts its previous part again. The new part is
// never sorted. Depth 3. The fixed version fills in the part first and then
// marks, under the worker's lock. Source: SCTBench (`qsort_mt`: 32 numbers,
// parts above 4 are given away), which is FreeBSD's multithreaded qsort. The
// structure of its locks and conditions is kept; the sorting between two of
// their operations is one step.

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/tracked.h"

namespace clotho::examples {
namespace {

constexpr int kNumbers = 32;
constexpr int kWorkers = 2;
constexpr int kGiveAwayAbove = 4;
constexpr int kInsertionBelow = 7;

enum class State { kIdle, kWorking, kEnding };

struct Part {
  int begin = 0;
  int size = 0;
};

struct Worker {
  Lock lock{"worker"};
  Condition changed{lock, "changed"};
  sim::Tracked<State> state{"state", State::kIdle};
  sim::Tracked<Part> part{"part"};
};

struct Sort {
  Sort(Form form, bool fixed) : form(form), fixed(fixed) {
    sim::Rng rng(1);
    for (int& number : numbers)
      number = static_cast<int>(rng.Uniform(kNumbers));
  }

  const Form form;
  const bool fixed;
  std::array<int, kNumbers> numbers;
  std::array<Worker, kWorkers> workers;
  Lock pool_lock{"pool"};
  sim::Tracked<int> idle{"idle", kWorkers};
};

// Gives `part` to an idle worker. Returns false if there is none.
Coro<bool> GiveAway(Sort& sort, Part part) {
  co_await GiveWay(sort.form);
  Lock::Guard pool = co_await sort.pool_lock.Acquire();
  for (Worker& worker : sort.workers) {
    co_await GiveWay(sort.form);
    if (worker.state.Read() != State::kIdle) continue;
    --sort.idle.Write();
    if (!sort.fixed) {
      co_await GiveWay(sort.form);
      worker.state.Write() = State::kWorking;
    }
    co_await GiveWay(sort.form);
    Lock::Guard guard = co_await worker.lock.Acquire();
    co_await GiveWay(sort.form);
    pool.Release();
    co_await GiveWay(sort.form);
    worker.part.Write() = part;
    if (sort.fixed) {
      co_await GiveWay(sort.form);
      worker.state.Write() = State::kWorking;
    }
    co_await GiveWay(sort.form);
    worker.changed.Notify();
    co_return true;
  }
  co_return false;
}

Coro<void> SortPart(Sort& sort, Part part) {
  while (part.size > 0) {
    const auto begin = sort.numbers.begin() + part.begin;
    const auto end = begin + part.size;
    if (part.size < kInsertionBelow) {
      std::sort(begin, end);
      co_return;
    }
    const int pivot =
        std::max(std::min(begin[0], end[-1]),
                 std::min(std::max(begin[0], end[-1]), begin[part.size / 2]));
    const auto middle =
        std::partition(begin, end, [pivot](int n) { return n < pivot; });
    const auto after =
        std::partition(middle, end, [pivot](int n) { return n == pivot; });
    const Part left = {part.begin, static_cast<int>(middle - begin)};
    const Part right = {part.begin + static_cast<int>(after - begin),
                        static_cast<int>(end - after)};
    bool given_away = false;
    if (left.size > kGiveAwayAbove && right.size > kGiveAwayAbove) {
      given_away = co_await GiveAway(sort, left);
    }
    if (!given_away) co_await SortPart(sort, left);
    part = right;
  }
}

Coro<void> Serve(Sort& sort, Worker& self) {
  for (;;) {
    State state = State::kIdle;
    {
      co_await GiveWay(sort.form);
      Lock::Guard guard = co_await self.lock.Acquire();
      for (;;) {
        co_await GiveWay(sort.form);
        state = self.state.Read();
        if (state != State::kIdle) break;
        co_await self.changed.Wait();
      }
    }
    if (state == State::kEnding) co_return;
    co_await GiveWay(sort.form);
    const Part part = self.part.Read();
    co_await SortPart(sort, part);

    co_await GiveWay(sort.form);
    Lock::Guard pool = co_await sort.pool_lock.Acquire();
    co_await GiveWay(sort.form);
    self.state.Write() = State::kIdle;
    if (++sort.idle.Write() < kWorkers) continue;
    // All are done: sends the others home.
    for (Worker& other : sort.workers) {
      if (&other == &self) continue;
      co_await GiveWay(sort.form);
      Lock::Guard guard = co_await other.lock.Acquire();
      co_await GiveWay(sort.form);
      other.state.Write() = State::kEnding;
      other.changed.Notify();
    }
    co_return;
  }
}

Coro<void> SortAll(Form form, bool fixed) {
  Sort sort(form, fixed);
  std::vector<Coro<void>> tasks;
  for (Worker& worker : sort.workers) tasks.push_back(Serve(sort, worker));
  auto done = Gather(std::move(tasks));
  {
    Worker& first = sort.workers[0];
    co_await GiveWay(form);
    Lock::Guard guard = co_await first.lock.Acquire();
    first.part.Write() = {0, kNumbers};
    first.state.Write() = State::kWorking;
    --sort.idle.Write();
    first.changed.Notify();
  }
  co_await done;
  Always(std::is_sorted(sort.numbers.begin(), sort.numbers.end()),
         "the numbers are sorted");
}

}  // namespace

std::vector<Race> QsortRaces() {
  return InBothForms({.name = "qsort_mt",
                      .depth = 3,
                      .says = "the numbers are sorted",
                      .published = {.surw = Figure{3048, 19},
                                    .pct3 = Figure{4714, 14},
                                    .pct10 = Figure{3689, 15},
                                    .pos = Figure{3004, 18},
                                    .random = Figure{3442, 19},
                                    .rff = Figure{322}}},
                     &SortAll);
}

}  // namespace clotho::examples
