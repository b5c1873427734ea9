// Timeouts that leave something running, or lose its result.
//
// swallowed_cancel (gh-86296; Python 3.8 to 3.11) is one of the races: see
// examples/races/swallowed_cancel.cc.
//
// wait_for_loses_result (bpo-37658; Python 3.6 and 3.7): when cancelled, it
// cancels its inner task and leaves, even if that has just ended. Breaks: a
// task that gets an item from a queue has it; the task that awaits it is
// cancelled before it runs. The item is lost.
//
// wait_for_times_out_early (bpo-32751; Python 3.6): when the time is up it
// cancels the inner task, and does not wait for it. Breaks: an inner task that
// exceeds the timeout, and takes its time to clean up.
//
// wait_for_goes_early (gh-86057, gh-86766; Python 3.6 and 3.7): the same, when
// it is cancelled itself.
//
// wait_for_discards_result (bpo-40607, bpo-40672; Python 3.6 to 3.8): when the
// time is up, it throws TimeoutError, even if the inner task answers the
// cancellation with a result. Breaks: an inner task that exceeds the timeout,
// and returns what it has.
//
// The tests: an item that was taken is not lost, what was started has ended,
// and what was returned is seen. The fixed twin is this runtime's WaitFor
// (rules WF-01 to WF-05).

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/time/time.h"
#include "clotho/examples/asyncio_bugs/bug_programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"

namespace clotho::examples {
namespace {

enum class Mistake { kLosesResult, kTimesOutEarly, kGoesEarly, kDiscards };

template <Mistake mistake>
Coro<int> OldWaitFor(Coro<int> coro, absl::Duration timeout) {
  Task<int> inner = CreateTask(std::move(coro), {.name = "inner"});
  Future<void> released;
  const auto release = [released] {
    if (!released.Done()) released.SetResult();
  };
  Handle timer = GetRunningLoop().CallLater(timeout, release);
  const std::uint64_t callback = inner.AddDoneCallback(release);
  bool cancelled = false;
  try {
    co_await released;
  } catch (const CancelledError&) {
    cancelled = true;
  }
  timer.Cancel();
  if (inner.Done() && (!cancelled || mistake != Mistake::kLosesResult)) {
    co_return inner.Result();
  }
  inner.RemoveDoneCallback(callback);
  inner.Cancel();
  const bool goes_early = cancelled ? mistake == Mistake::kGoesEarly
                                    : mistake == Mistake::kTimesOutEarly;
  if (!goes_early) co_await Wait(std::vector{inner});
  if (cancelled) throw CancelledError();
  if (mistake != Mistake::kDiscards && inner.Done() && !inner.Cancelled()) {
    co_return inner.Result();
  }
  throw TimeoutError();
}

template <Mistake mistake>
Coro<int> AnyWaitFor(Coro<int> coro, bool fixed) {
  constexpr absl::Duration kTimeout = absl::Seconds(1);
  if (fixed) co_return co_await WaitFor(std::move(coro), kTimeout);
  co_return co_await OldWaitFor<mistake>(std::move(coro), kTimeout);
}

Coro<int> GetOne(Queue<int>& queue) { co_return co_await queue.Get(); }

Coro<void> Receive(Queue<int>& queue, int& received, bool fixed) {
  try {
    co_await AnyWaitFor<Mistake::kLosesResult>(GetOne(queue), fixed);
    ++received;
  } catch (const TimeoutError&) {
  }
}

Coro<void> AnItemAndACancellation(bool fixed) {
  Queue<int> queue;
  int received = 0;
  Coro<void> receive = Receive(queue, received, fixed);
  Task<void> receiver = CreateTask(std::move(receive), {.name = "receiver"});
  co_await Sleep(absl::ZeroDuration());
  Task<bool> canceller =
      CreateTask(CancelSometime(receiver), {.name = "canceller"});
  co_await queue.Put(1);
  co_await Join({receiver});
  co_await canceller;
  const int left = static_cast<int>(queue.Qsize());
  Always(received + left == 1, "an item is received or in the queue");
}

// Works for a while. When cancelled, takes its time to clean up, and if
// `returns` is set, returns what it has.
struct Work {
  bool running = false;
  bool returned = false;
};
Coro<int> Run(Work& work, Delay lasts, bool returns) {
  work.running = true;
  const absl::Cleanup ended = [&work] { work.running = false; };
  bool cancelled = false;
  try {
    co_await Sleep(lasts);
  } catch (const CancelledError&) {
    cancelled = true;
  }
  if (cancelled) co_await Sleep(absl::Milliseconds(10));
  if (cancelled && !returns) throw CancelledError();
  work.returned = true;
  co_return 42;
}

template <Mistake mistake>
Coro<void> Call(Work& work, bool fixed) {
  constexpr bool kReturns = mistake == Mistake::kDiscards;
  const Delay lasts = HalfASecondOrTwo();
  bool seen = false;
  bool cancelled = false;
  try {
    co_await AnyWaitFor<mistake>(Run(work, lasts, kReturns), fixed);
    seen = true;
  } catch (const TimeoutError&) {
  } catch (const CancelledError&) {
    cancelled = true;
  }
  Always(!work.running, "what was started has ended");
  if (cancelled) throw CancelledError();
  Always(seen || !work.returned, "what was returned is seen");
}

template <Mistake mistake>
Coro<void> CallAndMaybeCancel(bool fixed) {
  Work work;
  Coro<void> call = Call<mistake>(work, fixed);
  Task<void> caller = CreateTask(std::move(call), {.name = "caller"});
  if (mistake == Mistake::kGoesEarly) {
    co_await Sleep(absl::ZeroDuration());
    co_await CancelSometime(caller);
  }
  co_await Join({caller});
  co_await Sleep(absl::Seconds(1));  // Until everything is cleaned up.
}

}  // namespace

std::vector<Race> WaitForBugs() {
  return {*FindRace("swallowed_cancel", Form::kPortable),
          Bug({.name = "wait_for_loses_result",
               .says = "an item is received or in the queue",
               .published = {.note = "bpo-37658, 3.6 and 3.7"}},
              &AnItemAndACancellation),
          Bug({.name = "wait_for_times_out_early",
               .says = "what was started has ended",
               .published = {.note = "bpo-32751, 3.6"}},
              &CallAndMaybeCancel<Mistake::kTimesOutEarly>),
          Bug({.name = "wait_for_goes_early",
               .says = "what was started has ended",
               .published = {.note = "gh-86057, gh-86766, 3.6 and 3.7"}},
              &CallAndMaybeCancel<Mistake::kGoesEarly>),
          Bug({.name = "wait_for_discards_result",
               .says = "what was returned is seen",
               .published = {.note = "bpo-40607, bpo-40672, 3.6 to 3.8"}},
              &CallAndMaybeCancel<Mistake::kDiscards>)};
}

}  // namespace clotho::examples
