// A timeout that swallows a cancellation.
//
// `wait_for` as in Python 3.10 waits for a future that is released when the
// inner task ends or the time is up. When cancelled while it waits, it checks
// whether the inner task has ended, and if so returns its result: the caller
// was promised a cancellation, and it does not happen.
//
// Breaks: the inner task ends; then the outer one is cancelled; then the outer
// one continues. Depth 2. In the strict form the cancellation comes a
// millisecond too late, so it takes a step that lasts that long: a simulation
// whose time advances only when nothing is ready cannot get there. The fixed
// version is this runtime's WaitFor, whose rules are Python 3.12's. Source:
// bpo-42130 (python/cpython #86296).

#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"

namespace clotho::examples {
namespace {

Coro<int> WaitForOfPython310(Task<int> inner, absl::Duration timeout) {
  Future<void> released;
  const auto release = [released] {
    if (!released.Done()) released.SetResult();
  };
  Handle timer = GetRunningLoop().CallLater(timeout, release);
  const std::uint64_t callback =
      inner.AddDoneCallback([release](const Future<int>&) { release(); });
  std::exception_ptr cancelled;
  try {
    co_await released;
  } catch (const CancelledError&) {
    cancelled = std::current_exception();
  }
  timer.Cancel();
  if (inner.Done()) co_return inner.Result();  // Whether cancelled or not.
  inner.RemoveDoneCallback(callback);
  inner.Cancel();
  try {
    co_await inner;
  } catch (const CancelledError&) {
  }
  if (cancelled != nullptr) std::rethrow_exception(cancelled);
  throw TimeoutError();
}

Coro<int> Answer() {
  co_await Sleep(absl::Seconds(1));
  co_return 42;
}

Coro<int> Ask(bool fixed) {
  if (fixed) co_return co_await WaitFor(Answer(), absl::Seconds(2));
  Task<int> answer = CreateTask(Answer(), {.name = "answer"});
  co_return co_await WaitForOfPython310(answer, absl::Seconds(2));
}

// Something else that is ready at that time.
Coro<void> Tick() {
  co_await Sleep(absl::Seconds(1));
  for (int i = 0; i < 3; ++i) co_await Sleep(absl::ZeroDuration());
}

Coro<void> CancelWhenTheAnswerIsThere(Form form, bool fixed) {
  Task<void> tick = CreateTask(Tick(), {.name = "tick"});
  Task<int> ask = CreateTask(Ask(fixed), {.name = "ask"});
  co_await Sleep(absl::Seconds(1) + (form == Form::kStrict
                                         ? absl::Milliseconds(1)
                                         : absl::ZeroDuration()));
  const bool promised = ask.Cancel();
  try {
    co_await ask;
  } catch (const CancelledError&) {
  } catch (const TimeoutError&) {  // If everything took a second longer.
  }
  Always(!promised || ask.Cancelled(), "who is cancelled ends cancelled");
  co_await tick;
}

}  // namespace

std::vector<Race> SwallowedCancelRaces() {
  std::vector<Race> races =
      InBothForms({.name = "swallowed_cancel",
                   .depth = 2,
                   .says = "who is cancelled ends cancelled"},
                  &CancelWhenTheAnswerIsThere);
  races[0].passes_in_fifo_order =
      false;  // All of it happens at the same instant.
  return races;
}

}  // namespace clotho::examples
