// Two locks that do not exclude each other.
//
// One task counts under the lock of the data, and assumes that no
// other task does meanwhile. Seven others count under a different
// lock.
//
// Breaks: one of the seven counts between the two accesses of the
// first. Depth 2. Source: SCTBench (`wronglock`, one and seven).

#include <vector>

#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/tracked.h"

namespace clotho::examples {
namespace {

constexpr int kOthers = 7;

struct Data {
  sim::Tracked<int> value{"value", 0};
  Lock data_lock{"data"};
  Lock task_lock{"tasks"};
};

Coro<void> CountAlone(Data& data, Form form) {
  co_await GiveWay(form);
  Lock::Guard guard = co_await data.data_lock.Acquire();
  co_await GiveWay(form);
  const int before = data.value.Read();
  co_await GiveWay(form);
  Always(++data.value.Write() == before + 1, "nobody else counts meanwhile");
}

Coro<void> Count(Data& data, Lock& lock, Form form) {
  co_await GiveWay(form);
  Lock::Guard guard = co_await lock.Acquire();
  co_await GiveWay(form);
  ++data.value.Write();
}

Coro<void> WrongLock(Form form, bool fixed) {
  Data data;
  std::vector<Coro<void>> tasks;
  tasks.push_back(CountAlone(data, form));
  for (int i = 0; i < kOthers; ++i) {
    tasks.push_back(Count(data, fixed ? data.data_lock : data.task_lock, form));
  }
  co_await Gather(std::move(tasks));
}

}  // namespace

std::vector<Race> WrongLockRaces() {
  return InBothForms({.name = "wronglock",
                      .depth = 2,
                      .says = "nobody else counts meanwhile",
                      .passes_in_fifo_order = false,
                      .published = {.surw = Figure{7},
                                    .pct3 = Figure{51},
                                    .pct10 = Figure{20},
                                    .pos = Figure{10},
                                    .random = Figure{36},
                                    .rff = Figure{1}}},
                     &WrongLock);
}

}  // namespace clotho::examples
