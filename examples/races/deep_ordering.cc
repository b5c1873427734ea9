// A publication in two steps, seen half done twice.
//
// A writer publishes a pointer and, some steps later, that it is ready. A
// reader looks twice. Ten other tasks keep everybody waiting.
//
// Breaks: both looks fall between the two steps. Depth 3.
// The fixed writer publishes in one step.
// Source: simloom (`deep_ordering`).

#include <utility>
#include <vector>

#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/tracked.h"

namespace clotho::examples {
namespace {

constexpr int kDecoys = 10;

struct Page {
  sim::Tracked<bool> pointer{"pointer", false};
  sim::Tracked<bool> ready{"ready", false};
};

Coro<void> GiveWayTimes(int times, Form form) {
  for (int i = 0; i < times; ++i) co_await GiveWay(form);
}

Coro<void> Publish(Page& page, Form form, bool fixed) {
  co_await GiveWayTimes(2, form);
  if (!fixed) page.pointer.Write() = true;
  co_await GiveWayTimes(4, form);
  page.pointer.Write() = true;
  page.ready.Write() = true;
}

bool HalfDone(const Page& page) {
  return page.pointer.Read() && !page.ready.Read();
}

Coro<void> LookTwice(Page& page, Form form) {
  co_await GiveWayTimes(2, form);
  const bool first = HalfDone(page);
  co_await GiveWay(form);
  const bool second = HalfDone(page);
  Always(!(first && second), "no publication is seen half done twice");
}

Coro<void> DeepOrdering(Form form, bool fixed) {
  Page page;
  std::vector<Coro<void>> tasks;
  tasks.push_back(Publish(page, form, fixed));
  tasks.push_back(LookTwice(page, form));
  for (int i = 0; i < kDecoys; ++i) tasks.push_back(GiveWayTimes(8, form));
  co_await Gather(std::move(tasks));
}

}  // namespace

std::vector<Race> DeepOrderingRaces() {
  return InBothForms(
      {.name = "deep_ordering",
       .depth = 3,
       .says = "no publication is seen half done twice",
       .passes_in_fifo_order = false,
       .published = {.note = "simloom: 127 of 400 runs (random), 8 of 400 "
                             "(PCT, d = 2)"}},
      &DeepOrdering);
}

}  // namespace clotho::examples
