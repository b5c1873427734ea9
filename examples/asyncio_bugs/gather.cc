// A gather that is not prepared for a failing call, and one that swallows a
// cancellation.
//
// gather_uses_unbound_outer (bpo-46672; Python 3.7 and 3.8): it attaches its
// callbacks to its arguments one by one, and creates the outer future last.
// Breaks: a later argument is rejected. The call fails, as it should, but the
// callbacks stay, and the first of them refers to a future that was never
// created. The fixed twin creates the future first.
//
// gather_swallows_cancel (bpo-32684; before Python 3.6.15): with
// return_exceptions, cancelling the outer future cancels the children, and then
// returns their CancelledErrors as if nothing had requested it to end. The
// fixed twin is this runtime's Gather (rule G-07).
//
// The tests: an invalid call has no effect except its error; a cancelled task
// ends cancelled.

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/examples/asyncio_bugs/bug_programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/choice.h"
#include "clotho/sim/engine/failure.h"

namespace clotho::examples {
namespace {

// ---- gather_uses_unbound_outer ----

Coro<void> Work(Delay lasts) { co_await Sleep(lasts); }

// An argument of the program: nullopt stands for something not awaitable.
using Argument = std::optional<Task<void>>;

Future<void> OldGather(const std::vector<Argument>& arguments, bool fixed) {
  auto outer = std::make_shared<std::optional<Future<void>>>();
  auto left = std::make_shared<std::size_t>(arguments.size());
  if (fixed) outer->emplace();
  for (const Argument& argument : arguments) {
    if (!argument.has_value()) throw TypeError("42 is not awaitable");
    argument->AddDoneCallback([outer, left] {
      if (!outer->has_value()) throw RuntimeError("outer is not bound");
      if (--*left == 0 && !(*outer)->Done()) (*outer)->SetResult();
    });
  }
  if (!fixed) outer->emplace();
  return **outer;
}

Coro<void> GatherWhatMayBeInvalid(bool fixed) {
  Task<void> work = CreateTask(Work(HalfASecondOrTwo()), {.name = "work"});
  std::vector<Argument> arguments = {work};
  const bool is_invalid = sim::Choose(2) == 1;
  if (is_invalid) arguments.push_back(std::nullopt);
  bool refused = false;
  try {
    co_await OldGather(arguments, fixed);
  } catch (const TypeError&) {
    refused = true;
  }
  Always(refused == is_invalid, "what is invalid is refused");
  co_await work;
  co_await Sleep(absl::ZeroDuration());
}

// ---- gather_swallows_cancel ----

Coro<void> OldGatherOutcomes(std::vector<Task<void>> children) {
  for (;;) {
    bool cancelled = false;
    try {
      co_await Wait(children);
    } catch (const CancelledError&) {
      cancelled = true;
    }
    if (!cancelled) co_return;
    for (const Task<void>& child : children) child.Cancel();
  }
}

Coro<void> NewGatherOutcomes(std::vector<Task<void>> children) {
  co_await Gather(kReturnExceptions, std::move(children));
}

Coro<void> GatherTwo(bool fixed) {
  std::vector<Task<void>> children;
  for (int i = 0; i < 2; ++i) {
    children.push_back(CreateTask(Work(HalfASecondOrTwo())));
  }
  if (fixed) {
    co_await NewGatherOutcomes(std::move(children));
  } else {
    co_await OldGatherOutcomes(std::move(children));
  }
}

Coro<void> GatherAndMaybeCancel(bool fixed) {
  Task<void> parent = CreateTask(GatherTwo(fixed), {.name = "parent"});
  co_await Sleep(absl::ZeroDuration());
  const bool promised = co_await CancelSometime(parent);
  co_await Join({parent});
  Always(!promised || parent.Cancelled(), "who is cancelled ends cancelled");
}

}  // namespace

std::vector<Race> GatherBugs() {
  return {Bug({.name = "gather_uses_unbound_outer",
               .depth = 1,
               .failure = sim::FailureKind::kCallback,
               .says = "outer is not bound",
               .published = {.note = "bpo-46672, 3.7 and 3.8"}},
              &GatherWhatMayBeInvalid),
          Bug({.name = "gather_swallows_cancel",
               .says = "who is cancelled ends cancelled",
               .published = {.note = "bpo-32684, before 3.6.15"}},
              &GatherAndMaybeCancel)};
}

}  // namespace clotho::examples
