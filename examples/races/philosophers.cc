// The dining philosophers, all of them right-handed.
//
// Each takes the fork at one hand, suspends, and takes that at the other. With
// two of them it is the deadlock of two locks that are taken in two orders.
//
// Breaks: all hold one fork. Depth N for N of them.
// The fixed version has a left-handed one.
// Source: SCTBench (`deadlock01`, `din_phil2` to `din_phil7`).

#include <deque>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"

namespace clotho::examples {
namespace {

Coro<void> Dine(Lock& first, Lock& second, Form form) {
  co_await GiveWay(form);
  Lock::Guard one = co_await first.Acquire();
  co_await GiveWay(form);
  Lock::Guard other = co_await second.Acquire();
}

Coro<void> Dinner(int philosophers, Form form, bool fixed) {
  std::deque<Lock> forks;
  for (int i = 0; i < philosophers; ++i) {
    forks.emplace_back(absl::StrCat("fork-", i));
  }
  std::vector<Coro<void>> tasks;
  for (int i = 0; i < philosophers; ++i) {
    Lock* right = &forks[i];
    Lock* left = &forks[(i + 1) % philosophers];
    if (fixed && i == 0) std::swap(right, left);
    tasks.push_back(Dine(*right, *left, form));
  }
  co_await Gather(std::move(tasks));
}

}  // namespace

std::vector<Race> PhilosophersRaces() {
  std::vector<Race> races;
  for (int n = 2; n <= 7; ++n) {
    Published published;
    if (n == 2) {
      published = {.surw = Figure{2},
                   .pct3 = Figure{13},
                   .pct10 = Figure{7},
                   .pos = Figure{4},
                   .random = Figure{3},
                   .rff = Figure{5},
                   .note = "of deadlock01"};
    }
    for (Race& race : InBothForms(
             {.name = absl::StrCat("philosophers_", n),
              .depth = n,
              .failure = sim::FailureKind::kDeadlock,
              .passes_in_fifo_order = false,
              .published = published},
             [n](Form form, bool fixed) { return Dinner(n, form, fixed); })) {
      races.push_back(std::move(race));
    }
  }
  return races;
}

}  // namespace clotho::examples
