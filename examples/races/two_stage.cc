// An update in two critical sections, with a gap between them.
//
// Writers set a first number under one lock and then, under another, a second
// number that depends on it. A reader reads the first under its lock, and then
// the second under its own.
//
// Breaks: the reader takes both locks after the first writer's first section
// and before any writer's second one. Depth 2; rare with many writers. Source:
// SCTBench (`twostage`, `twostage_20`, `_50`, `_100`).

#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/tracked.h"

namespace clotho::examples {
namespace {

struct Stages {
  Lock first_lock{"first"};
  Lock second_lock{"second"};
  sim::Tracked<int> first{"first", 0};
  sim::Tracked<int> second{"second", 0};
};

Coro<void> Write(Stages& stages, Form form, bool fixed) {
  co_await GiveWay(form);
  Lock::Guard first = co_await stages.first_lock.Acquire();
  co_await GiveWay(form);
  stages.first.Write() = 1;
  if (!fixed) first.Release();
  co_await GiveWay(form);
  Lock::Guard second = co_await stages.second_lock.Acquire();
  co_await GiveWay(form);
  stages.second.Write() = stages.first.Read() + 1;
}

Coro<void> Read(Stages& stages, Form form, bool fixed) {
  co_await GiveWay(form);
  Lock::Guard first = co_await stages.first_lock.Acquire();
  co_await GiveWay(form);
  const int seen = stages.first.Read();
  if (seen == 0) co_return;
  if (!fixed) first.Release();
  co_await GiveWay(form);
  Lock::Guard second = co_await stages.second_lock.Acquire();
  co_await GiveWay(form);
  Always(stages.second.Read() == seen + 1,
         "the second stage follows the first");
}

Coro<void> TwoStage(int tasks_count, Form form, bool fixed) {
  Stages stages;
  std::vector<Coro<void>> tasks;
  for (int i = 1; i < tasks_count; ++i) {
    tasks.push_back(Write(stages, form, fixed));
  }
  tasks.push_back(Read(stages, form, fixed));
  co_await Gather(std::move(tasks));
}

std::vector<Race> OfSize(int tasks, const Published& published) {
  return InBothForms(
      {.name = tasks == 2 ? "twostage" : absl::StrCat("twostage_", tasks),
       .depth = 2,
       .says = "the second stage follows the first",
       .published = published},
      [tasks](Form form, bool fixed) { return TwoStage(tasks, form, fixed); });
}

}  // namespace

std::vector<Race> TwoStageRaces() {
  std::vector<Race> races;
  for (const std::vector<Race>& some : {OfSize(2, {.surw = Figure{8},
                                                   .pct3 = Figure{13},
                                                   .pct10 = Figure{9},
                                                   .pos = Figure{15},
                                                   .random = Figure{464},
                                                   .rff = Figure{8}}),
                                        OfSize(20, {.surw = Figure{6},
                                                    .pct3 = Figure{159},
                                                    .pct10 = Figure{101},
                                                    .pos = Figure{156},
                                                    .random = kNever,
                                                    .rff = Figure{22}}),
                                        OfSize(50, {.surw = Figure{20},
                                                    .pct3 = Figure{1676},
                                                    .pct10 = Figure{692},
                                                    .pos = Figure{1637},
                                                    .random = kNever,
                                                    .rff = Figure{35}}),
                                        OfSize(100, {.surw = Figure{454},
                                                     .pct3 = Figure{7466, 3},
                                                     .pct10 = Figure{5726, 9},
                                                     .pos = Figure{6674, 3},
                                                     .random = kNever,
                                                     .rff = Figure{56}})}) {
    races.insert(races.end(), some.begin(), some.end());
  }
  return races;
}

}  // namespace clotho::examples
