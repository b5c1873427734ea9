// What WaitFor promises, whatever comes first: the value, the deadline, or a
// cancellation from outside, in any legal order of steps (rules WF-01 to WF-04,
// TO).

#include <optional>
#include <ostream>
#include <stdexcept>
#include <utility>

#include "absl/time/time.h"
#include "clotho/properties/checking.h"
#include "clotho/runtime/runtime.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"

namespace clotho::properties {
namespace {

enum class End { kNone, kValue, kError, kTimeout, kCancelled };

struct Case {
  int inner_ms = 0;
  int timeout_ms = 0;
  int cleanup_ms = 0;            // What the inner awaits when it is cancelled.
  bool fails = false;            // It throws in place of returning.
  bool swallows = false;         // It returns a value when it is cancelled.
  std::optional<int> cancel_ms;  // When the awaiting task is cancelled.
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  out << "inner " << c.inner_ms << " ms, timeout " << c.timeout_ms
      << " ms, cleanup " << c.cleanup_ms << " ms" << (c.fails ? ", fails" : "")
      << (c.swallows ? ", swallows" : "");
  if (c.cancel_ms.has_value())
    out << ", cancelled at " << *c.cancel_ms << " ms";
  return out;
}

rc::Gen<Case> Cases() {
  return rc::gen::build<Case>(
      rc::gen::set(&Case::inner_ms, rc::gen::inRange(0, 4)),
      rc::gen::set(&Case::timeout_ms, rc::gen::inRange(0, 4)),
      rc::gen::set(&Case::cleanup_ms, rc::gen::inRange(0, 3)),
      rc::gen::set(&Case::fails, rc::gen::arbitrary<bool>()),
      rc::gen::set(&Case::swallows, rc::gen::arbitrary<bool>()),
      rc::gen::set(&Case::cancel_ms,
                   rc::gen::map(rc::gen::inRange(-2, 4),
                                [](int ms) -> std::optional<int> {
                                  if (ms < 0) return std::nullopt;
                                  return ms;
                                })));
}

struct Seen {
  bool inner_running = false;
  int inner_cancellations = 0;
  bool inner_gave_value = false;
};

Coro<int> Inner(Case c, Seen* seen) {
  seen->inner_running = true;
  bool cancelled = false;
  try {
    if (c.inner_ms > 0) co_await Sleep(absl::Milliseconds(c.inner_ms));
  } catch (const CancelledError&) {
    cancelled = true;
  }
  if (cancelled) {
    ++seen->inner_cancellations;
    try {
      if (c.cleanup_ms > 0) co_await Sleep(absl::Milliseconds(c.cleanup_ms));
    } catch (const CancelledError&) {
      ++seen->inner_cancellations;
    }
  }
  seen->inner_running = false;
  if (cancelled && !c.swallows) throw CancelledError();
  if (c.fails) throw std::runtime_error("inner");
  seen->inner_gave_value = true;
  co_return 7;
}

Coro<End> Outer(Case c, Seen* seen) {
  End end = End::kNone;
  try {
    Coro<int> inner = Inner(c, seen);
    const int value =
        co_await WaitFor(std::move(inner), absl::Milliseconds(c.timeout_ms));
    Always(value == 7, "a value is the inner's");
    end = End::kValue;
  } catch (const TimeoutError&) {
    end = End::kTimeout;
  } catch (const CancelledError&) {
    end = End::kCancelled;
  } catch (const std::runtime_error&) {
    end = End::kError;
  }
  Always(!seen->inner_running,
         "it never returns before what it waits for has ended");
  co_return end;
}

RC_GTEST_PROP(WaitForProperty, EndsInOneWayAndLosesNothing, ()) {
  const Case c = *Cases();
  const auto body = [&]() -> Coro<void> {
    Seen seen;
    Task<End> task = CreateTask(Outer(c, &seen), {.name = "outer"});
    bool accepted = false;
    if (c.cancel_ms.has_value()) {
      co_await Sleep(absl::Milliseconds(*c.cancel_ms));
      accepted = task.Cancel();
    }
    while (!task.Done()) co_await Sleep(absl::Milliseconds(1));
    if (task.Cancelled()) {
      // Before its first step, or in its last one, after the value.
      Always(accepted, "only a cancellation cancels the task");
      co_return;
    }
    const End end = task.Result();
    Always(end != End::kNone, "it ends in one way");
    Always((end == End::kValue) == seen.inner_gave_value,
           "a value is delivered if there is one");
    if (end == End::kCancelled) {
      Always(accepted, "CancelledError comes out only of a cancellation");
    }
    if (accepted) {
      // It stands above a deadline that came as well (TO-06), unless the inner
      // one swallowed it.
      Always(end == End::kCancelled ||
                 (c.swallows && seen.inner_cancellations > 0 &&
                  end != End::kTimeout),
             "a cancellation that was accepted is delivered");
    }
    if (end == End::kTimeout) {
      Always(GetRunningLoop().Time() >= absl::Milliseconds(c.timeout_ms),
             "it is never early");
    }
  };
  RC_ASSERT(Holds(body));
}

}  // namespace
}  // namespace clotho::properties
