// Two halves of an update, and a reader that comes in between.
//
// Setters write a, suspend, and write b. A checker reads both, and must see
// neither or both.
//
// Breaks: some setter has done its first half and none its second when the
// checker reads a; and none its second when it reads b. Depth 2 for one setter,
// but with many of them it gets rare: each of the others is likely to have
// finished. This is where search strategies differ most.
// Source: SCTBench (`reorder_5`, `reorder_20`, `reorder_100`).

#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/tracked.h"

namespace clotho::examples {
namespace {

struct Pair {
  sim::Tracked<int> a{"a", 0};
  sim::Tracked<int> b{"b", 0};
  Lock lock{"pair"};
};

Coro<void> Set(Pair& pair, Form form, bool fixed) {
  std::optional<Lock::Guard> guard;
  if (fixed) guard = co_await pair.lock.Acquire();
  co_await GiveWay(form);
  pair.a.Write() = 1;
  co_await GiveWay(form);
  pair.b.Write() = -1;
}

Coro<void> Check(Pair& pair, Form form, bool fixed) {
  std::optional<Lock::Guard> guard;
  if (fixed) guard = co_await pair.lock.Acquire();
  co_await GiveWay(form);
  const int a = pair.a.Read();
  co_await GiveWay(form);
  const int b = pair.b.Read();
  Always((a == 0 && b == 0) || (a == 1 && b == -1), "both halves or neither");
}

Coro<void> Reorder(int tasks_count, Form form, bool fixed) {
  Pair pair;
  std::vector<Coro<void>> tasks;
  for (int i = 1; i < tasks_count; ++i) tasks.push_back(Set(pair, form, fixed));
  tasks.push_back(Check(pair, form, fixed));
  co_await Gather(std::move(tasks));
}

std::vector<Race> OfSize(int tasks, const Published& published) {
  return InBothForms(
      {.name = absl::StrCat("reorder_", tasks),
       .depth = 2,
       .says = "both halves or neither",
       .published = published},
      [tasks](Form form, bool fixed) { return Reorder(tasks, form, fixed); });
}

}  // namespace

std::vector<Race> ReorderRaces() {
  std::vector<Race> races;
  for (const std::vector<Race>& some : {OfSize(5, {.surw = Figure{10},
                                                   .pct3 = Figure{647},
                                                   .pct10 = Figure{1094},
                                                   .pos = Figure{2169},
                                                   .random = kNever,
                                                   .rff = Figure{6}}),
                                        OfSize(20, {.surw = Figure{6},
                                                    .pct3 = Figure{3005},
                                                    .pct10 = Figure{3297, 17},
                                                    .pos = kNever,
                                                    .random = kNever,
                                                    .rff = Figure{6}}),
                                        OfSize(100, {.surw = Figure{194},
                                                     .pct3 = kNever,
                                                     .pct10 = kNever,
                                                     .pos = kNever,
                                                     .random = kNever,
                                                     .rff = Figure{6}})}) {
    races.insert(races.end(), some.begin(), some.end());
  }
  return races;
}

}  // namespace clotho::examples
