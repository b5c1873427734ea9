// Waits that leave callbacks behind on the futures they waited for.
//
// wait_leaves_callbacks (gh-80794, bpo-36613; Python 3.6): it removes its
// callbacks when it is done, but not when it is cancelled. Breaks: any
// cancellation while it waits. A long-lived future, such as one that signals a
// server's shutdown, accumulates them.
//
// shield_leaves_callbacks (gh-79306, bpo-35125; Python 3.6): the same, for a
// shield whose outer future is cancelled.
//
// as_completed_leaves_callbacks (open; all releases up to 3.13): the same, for
// an iteration that is not finished.
//
// shield_hides_exception (changed with bpo-35125; Python 3.6): that callback
// retrieves the exception when the inner task eventually fails. Breaks: the
// outer future is cancelled, and the inner task fails later, unreported. The
// fixed twin is this runtime's Shield (rule SH-03).
//
// The test of the last one: an exception reaches the code that retrieves it, or
// the loop's exception handler. That of the others: a task waits for a future,
// and may be cancelled. When it has ended, nothing of it is left. Since a
// future hides its waiters, the fixed twin is the corrected algorithm.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "clotho/examples/asyncio_bugs/bug_programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/run_until_idle.h"

namespace clotho::examples {
namespace {

// Each callback holds a copy.
using Token = std::shared_ptr<int>;

Coro<void> WaitUntilDone(Future<void> future, Token token, bool fixed) {
  Future<void> released;
  const std::uint64_t callback = future.AddDoneCallback([released, token] {
    if (!released.Done()) released.SetResult();
  });
  try {
    co_await released;
  } catch (const CancelledError&) {
    if (fixed) future.RemoveDoneCallback(callback);
    throw;
  }
}

Future<void> Shielded(Future<void> inner, Token token, bool fixed) {
  Future<void> outer;
  const std::uint64_t callback = inner.AddDoneCallback([outer, token] {
    if (!outer.Done()) outer.SetResult();
  });
  if (fixed) {
    outer.AddDoneCallback(
        [inner, callback] { inner.RemoveDoneCallback(callback); });
  }
  return outer;
}

Coro<void> WaitForShield(Future<void> inner, Token token, bool fixed) {
  co_await Shielded(inner, std::move(token), fixed);
}

// The sequence to iterate over: completed futures in order of completion.
class Completed {
 public:
  Completed(std::vector<Future<void>> futures, const Token& token)
      : futures_(std::move(futures)) {
    for (const Future<void>& future : futures_) {
      callbacks_.push_back(future.AddDoneCallback(
          [done = done_, token] { done->PutNowait(1); }));
    }
  }
  Coro<void> Next() { co_await done_->Get(); }
  void Abandon() {
    for (std::size_t i = 0; i < futures_.size(); ++i) {
      futures_[i].RemoveDoneCallback(callbacks_[i]);
    }
  }

 private:
  std::vector<Future<void>> futures_;
  std::vector<std::uint64_t> callbacks_;
  std::shared_ptr<Queue<int>> done_ = std::make_shared<Queue<int>>();
};

Coro<void> Iterate(Future<void> future, Token token, bool fixed) {
  Completed completed({future}, token);
  token.reset();
  try {
    co_await completed.Next();
  } catch (const CancelledError&) {
    if (fixed) completed.Abandon();
    throw;
  }
}

// ---- shield_hides_exception ----

Future<void> ShieldThatTakesTheException(Task<void> inner) {
  Future<void> outer;
  inner.AddDoneCallback([outer, inner] {
    const std::exception_ptr error = inner.GetException();
    if (outer.Done()) return;
    if (error == nullptr) {
      outer.SetResult();
    } else {
      outer.SetException(error);
    }
  });
  return outer;
}

Coro<void> FailAfter(Future<void> signal) {
  co_await signal;
  throw RuntimeError("too late");
}

Coro<void> WaitForWhatFails(Task<void> inner, bool fixed) {
  co_await (fixed ? Shield(inner) : ShieldThatTakesTheException(inner));
}

Coro<void> ShieldWhatFails(bool fixed) {
  bool reported = false;
  GetRunningLoop().SetExceptionHandler(
      [&](EventLoop&, const ExceptionContext&) { reported = true; });
  bool caught = false;
  {
    Future<void> signal;
    Task<void> inner = CreateTask(FailAfter(signal), {.name = "inner"});
    Task<void> waiter =
        CreateTask(WaitForWhatFails(inner, fixed), {.name = "waiter"});
    co_await Sleep(absl::ZeroDuration());
    co_await CancelSometime(waiter);
    // Today's shield also takes a failure from the iteration in which the outer
    // future is cancelled (rule SH-04): fail later.
    co_await sim::RunUntilIdle();
    signal.SetResult();
    co_await Wait(std::vector{inner, waiter});
    caught = !waiter.Cancelled() && waiter.GetException() != nullptr;
  }
  co_await sim::RunUntilIdle();
  Always(caught || reported, "somebody hears of the exception");
}

// ---- The others. ----

using Waiting = Coro<void>(Future<void> future, Token token, bool fixed);

template <Waiting waiting>
Coro<void> WaitAndMaybeGo(bool fixed) {
  Token token = std::make_shared<int>(0);
  Future<void> shutdown;
  Coro<void> wait = waiting(shutdown, token, fixed);
  Task<void> waiter = CreateTask(std::move(wait), {.name = "waiter"});
  co_await Sleep(absl::ZeroDuration());
  const bool promised = co_await CancelSometime(waiter);
  if (!promised) shutdown.SetResult();
  co_await Join({waiter});
  // Callbacks remove what it has left.
  co_await sim::RunUntilIdle();
  Always(token.use_count() == 1, "nothing is left of who has gone");
  if (promised) shutdown.SetResult();
}

}  // namespace

std::vector<Race> CallbackBugs() {
  constexpr std::string_view kSays = "nothing is left of who has gone";
  return {Bug({.name = "shield_hides_exception",
               .says = "somebody hears of the exception",
               .published = {.note = "bpo-35125, 3.6"}},
              &ShieldWhatFails),
          Bug({.name = "shield_leaves_callbacks",
               .says = kSays,
               .published = {.note = "gh-79306, bpo-35125, 3.6"}},
              &WaitAndMaybeGo<&WaitForShield>),
          Bug({.name = "as_completed_leaves_callbacks",
               .says = kSays,
               .published = {.note = "open, up to 3.13"}},
              &WaitAndMaybeGo<&Iterate>),
          Bug({.name = "wait_leaves_callbacks",
               .says = kSays,
               .published = {.note = "gh-80794, bpo-36613, 3.6"}},
              &WaitAndMaybeGo<&WaitUntilDone>)};
}

}  // namespace clotho::examples
