// A task of one step against one of twenty-five.
//
// Breaks: the single step comes after all the others. Depth 1. A random walk
// over the tasks almost never delays it that long; a walk that makes all
// interleavings equally likely needs 26 tries on average. The fixed long task
// waits for the short one before its last step. Source: Shuttle (its test of an
// uneven workload).

#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/tracked.h"

namespace clotho::examples {
namespace {

constexpr int kStores = 25;

struct Workload {
  sim::Tracked<int> value{"value", 0};
  int stores = 0;
  Event stored{"stored"};
};

// In the strict form each has a latency that hides the race in FIFO order.
Coro<void> StoreOnce(Workload& work, Form form) {
  if (form == Form::kStrict) co_await Sleep(absl::Milliseconds(kStores / 2));
  Always(work.stores < kStores, "the short task is not the last");
  work.value.Write() = -1;
  work.stored.Set();
}

Coro<void> StoreOften(Workload& work, Form form, bool fixed) {
  for (int i = 0; i < kStores; ++i) {
    if (fixed && i == kStores - 1) co_await work.stored.Wait();
    work.value.Write() = i;
    ++work.stores;
    co_await Sleep(form == Form::kStrict ? absl::Milliseconds(1)
                                         : absl::ZeroDuration());
  }
}

Coro<void> Uneven(Form form, bool fixed) {
  Workload work;
  Coro<void> once = StoreOnce(work, form);
  Task<void> one = CreateTask(std::move(once), {.name = "short"});
  Coro<void> often = StoreOften(work, form, fixed);
  Task<void> other = CreateTask(std::move(often), {.name = "long"});
  co_await Gather(one, other);
}

}  // namespace

std::vector<Race> UnevenRaces() {
  return InBothForms(
      {.name = "uneven",
       .depth = 1,
       .says = "the short task is not the last",
       .published = {.note = "Shuttle: never in 10,000 (random), within 1,000 "
                             "(URW)"}},
      &Uneven);
}

}  // namespace clotho::examples
