// Timeouts that do not recognize their own cancellation.
//
// timeout_ignores_earlier_cancel (gh-102780; before Python 3.11.7): a scope
// whose time is up cancels its task, and turns that into TimeoutError if the
// task has no other cancellation request: it compares with zero instead of the
// number of requests when it was entered. Breaks: a cancelled task cleans up
// under a timeout, which expires. It throws CancelledError, not TimeoutError.
//
// The test: a service that may be cancelled, and takes its time to stop,
// records that it was stopped by force.
//
// timeout_wants_exact_class (gh-113848; Python 3.11 and 3.12): it checks
// whether the exception of its body is exactly CancelledError, and not a
// derived class. Breaks: the time runs out in a library that throws its own
// class.
//
// The test: what takes too long ends in a TimeoutError.
//
// The fixed twins are this runtime's Timeout (rules TO-03 to TO-06).

#include <exception>
#include <typeinfo>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/examples/asyncio_bugs/bug_programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"

namespace clotho::examples {
namespace {

Coro<void> OldTimeout(absl::Duration timeout, Coro<void> body) {
  const AnyTask task = *CurrentTask();
  bool expired = false;
  Handle timer = GetRunningLoop().CallLater(timeout, [task, &expired] {
    expired = true;
    task.Cancel();
  });
  bool cancelled = false;
  try {
    co_await std::move(body);
  } catch (const CancelledError&) {
    cancelled = true;
  }
  timer.Cancel();
  if (expired && task.Uncancel() == 0 && cancelled) throw TimeoutError();
  if (cancelled) throw CancelledError();
}

Coro<void> Stop(Delay lasts) { co_await Sleep(lasts); }

Coro<void> Serve(Future<void> closed, bool& started, bool& stopped,
                 bool fixed) {
  started = true;
  bool cancelled = false;
  try {
    co_await closed;
  } catch (const CancelledError&) {
    cancelled = true;
  }
  try {
    if (fixed) {
      co_await Timeout(absl::Seconds(1), Stop(HalfASecondOrTwo()));
    } else {
      co_await OldTimeout(absl::Seconds(1), Stop(HalfASecondOrTwo()));
    }
    stopped = true;
  } catch (const TimeoutError&) {
    stopped = true;  // By force.
  }
  if (cancelled) throw CancelledError();
}

Coro<void> ServeAndMaybeCancel(bool fixed) {
  Future<void> closed;
  bool started = false;
  bool stopped = false;
  Coro<void> serve = Serve(closed, started, stopped, fixed);
  Task<void> service = CreateTask(std::move(serve), {.name = "service"});
  co_await Sleep(absl::ZeroDuration());
  const bool promised = co_await CancelSometime(service);
  if (!promised) closed.SetResult();
  co_await Join({service});
  Always(stopped || !started, "a service is stopped, or stopped by force");
}

// The library's own class.
class QueryCancelled : public CancelledError {
 public:
  QueryCancelled() : CancelledError("query") {}
};

Coro<void> Query(Delay lasts) {
  try {
    co_await Sleep(lasts);
  } catch (const CancelledError&) {
    throw QueryCancelled();
  }
}

Coro<void> TimeoutOfExactClass(absl::Duration timeout, Coro<void> body) {
  const AnyTask task = *CurrentTask();
  bool expired = false;
  Handle timer = GetRunningLoop().CallLater(timeout, [task, &expired] {
    expired = true;
    task.Cancel();
  });
  std::exception_ptr cancelled;
  bool is_exact = false;
  try {
    co_await std::move(body);
  } catch (const CancelledError& error) {
    cancelled = std::current_exception();
    is_exact = typeid(error) == typeid(CancelledError);
  }
  timer.Cancel();
  if (expired && task.Uncancel() == 0 && is_exact) throw TimeoutError();
  if (cancelled != nullptr) std::rethrow_exception(cancelled);
}

Coro<void> QueryInTime(bool fixed) {
  const Delay lasts = HalfASecondOrTwo();
  bool answered = false;
  bool timed_out = false;
  try {
    if (fixed) {
      co_await Timeout(absl::Seconds(1), Query(lasts));
    } else {
      co_await TimeoutOfExactClass(absl::Seconds(1), Query(lasts));
    }
    answered = true;
  } catch (const TimeoutError&) {
    timed_out = true;
  } catch (const CancelledError&) {
  }
  Always(answered || timed_out, "what takes too long ends in a TimeoutError");
}

}  // namespace

std::vector<Race> TimeoutBugs() {
  return {Bug({.name = "timeout_ignores_earlier_cancel",
               .says = "a service is stopped, or stopped by force",
               .published = {.note = "gh-102780, before 3.11.7"}},
              &ServeAndMaybeCancel),
          Bug({.name = "timeout_wants_exact_class",
               .depth = 1,
               .says = "what takes too long ends in a TimeoutError",
               .published = {.note = "gh-113848, 3.11 and 3.12"}},
              &QueryInTime)};
}

}  // namespace clotho::examples
