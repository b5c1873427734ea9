// An answer that arrives too late, and is shown.
//
// A view requests one user, then another. It shows each answer when it
// arrives.
//
// Breaks: the first answer arrives after the second. Depth 1.
// The fixed view shows only the answer to its last request.
// Source: fast-check's examples (`userProfile`, `autocomplete`).

#include <utility>
#include <vector>

#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/tracked.h"

namespace clotho::examples {
namespace {

struct View {
  int asked = 0;
  sim::Tracked<int> shown{"shown", 0};
};

Coro<void> Load(View& view, int user, Form form, bool fixed) {
  view.asked = user;
  co_await GiveWay(form);  // The server gets the question,
  co_await GiveWay(form);  // and the view the answer.
  if (fixed && view.asked != user) co_return;
  view.shown.Write() = user;
}

Coro<void> LoadOneThenTheOther(Form form, bool fixed) {
  View view;
  Coro<void> load = Load(view, 1, form, fixed);
  Task<void> first = CreateTask(std::move(load), {.name = "user-1"});
  co_await GiveWay(form);
  load = Load(view, 2, form, fixed);
  Task<void> second = CreateTask(std::move(load), {.name = "user-2"});
  co_await Gather(first, second);
  Always(view.shown.Read() == view.asked, "what is shown was asked for last");
}

}  // namespace

std::vector<Race> StaleAnswerRaces() {
  return InBothForms({.name = "stale_answer",
                      .depth = 1,
                      .says = "what is shown was asked for last",
                      .published = {.note = "fast-check: within its 100 runs"}},
                     &LoadOneThenTheOther);
}

}  // namespace clotho::examples
