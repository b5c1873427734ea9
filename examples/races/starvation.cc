// A worker that makes no progress while a hog is busy.
//
// Breaks: the hog takes all of its fifteen steps before the worker takes its
// second. Depth 1: a matter of priorities, hopeless for a random walk, and
// worse for one over all interleavings. The fixed hog waits for the worker's
// progress. Source: simloom (`starvation`).

#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/tracked.h"

namespace clotho::examples {
namespace {

constexpr int kHogSteps = 14;
constexpr int kWorkerSteps = 20;

struct Lease {
  sim::Tracked<int> progress{"progress", 0};
  Event alive{"alive"};
};

Coro<void> Hog(Lease& lease, Form form, bool fixed) {
  for (int i = 0; i < kHogSteps; ++i) {
    // Many short requests in the strict form,
    co_await Sleep(form == Form::kStrict ? absl::Milliseconds(1)
                                         : absl::ZeroDuration());
  }
  if (fixed) co_await lease.alive.Wait();
  Always(lease.progress.Read() > 0, "the worker renews its lease");
}

Coro<void> Work(Lease& lease, Form form) {
  for (int i = 0; i < kWorkerSteps; ++i) {
    // and a long one.
    co_await Sleep(form == Form::kStrict ? absl::Milliseconds(10)
                                         : absl::ZeroDuration());
    ++lease.progress.Write();
    lease.alive.Set();
  }
}

Coro<void> Starvation(Form form, bool fixed) {
  Lease lease;
  Coro<void> hog = Hog(lease, form, fixed);
  Task<void> one = CreateTask(std::move(hog), {.name = "hog"});
  Coro<void> work = Work(lease, form);
  Task<void> other = CreateTask(std::move(work), {.name = "worker"});
  co_await Gather(one, other);
}

}  // namespace

std::vector<Race> StarvationRaces() {
  return InBothForms(
      {.name = "starvation",
       .depth = 1,
       .says = "the worker renews its lease",
       .published = {.note = "simloom: 0 of 400 runs (random), 151 of 400 "
                             "(PCT, d = 2)"}},
      &Starvation);
}

}  // namespace clotho::examples
