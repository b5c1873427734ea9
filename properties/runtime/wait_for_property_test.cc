// What WaitFor promises, whichever comes first: the value, the deadline, or a
// cancellation from outside, even at the same instant (rules WF-01 to WF-04,
// TO). Also how older algorithms break these promises.

#include <cstddef>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/properties/runtime/invariant.h"
#include "clotho/properties/runtime/random_pause.h"
#include "clotho/runtime/runtime.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {
namespace {

enum class End { kNone, kValue, kError, kTimeout, kCancelled };

struct Case {
  int inner_ms = 0;
  int timeout_ms = 0;
  int cleanup_ms = 0;            // Its duration when it is cancelled.
  bool fails = false;            // It throws instead of returning.
  bool swallows = false;         // It returns a value when it is cancelled.
  std::optional<int> cancel_ms;  // When the awaiting task is cancelled.

  static rc::Gen<Case> Any();
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  out << "inner " << c.inner_ms << " ms, timeout " << c.timeout_ms
      << " ms, cleanup " << c.cleanup_ms << " ms" << (c.fails ? ", fails" : "")
      << (c.swallows ? ", swallows" : "");
  if (c.cancel_ms.has_value())
    out << ", cancelled at " << *c.cancel_ms << " ms";
  return out;
}

rc::Gen<Case> Case::Any() {
  return rc::gen::build<Case>(
      rc::gen::set(&Case::inner_ms, rc::gen::inRange(0, 4)),
      rc::gen::set(&Case::timeout_ms, rc::gen::inRange(0, 4)),
      rc::gen::set(&Case::cleanup_ms, rc::gen::inRange(0, 3)),
      rc::gen::set(&Case::fails, rc::gen::arbitrary<bool>()),
      rc::gen::set(&Case::swallows, rc::gen::arbitrary<bool>()),
      rc::gen::set(&Case::cancel_ms, Maybe(rc::gen::inRange(0, 4))));
}

// The implementation under test.
struct RealWaitFor {
  template <typename T>
  static auto Wait(Coro<T> inner, Delay timeout) {
    return WaitFor(std::move(inner), timeout);
  }
};

struct Seen {
  int cancellations = 0;  // Of the outer task, accepted.
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

template <typename W>
Coro<End> Outer(Case c, Seen* seen) {
  End end = End::kNone;
  try {
    Coro<int> inner = Inner(c, seen);
    const int value =
        co_await W::Wait(std::move(inner), absl::Milliseconds(c.timeout_ms));
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
  Always(CurrentTask()->Cancelling() == seen->cancellations,
         "it takes back its own cancellation, and no other");
  co_return end;
}

// WF-01 to WF-03, TO-05, TO-06; I-1, I-3, I-5, I-7, I-8.
template <typename W>
Coro<void> EndsInOneWayAndLosesNothing(const Case& c) {
  Seen seen;
  Task<End> task = CreateTask(Outer<W>(c, &seen), {.name = "outer"});
  bool accepted = false;
  if (c.cancel_ms.has_value()) {
    co_await Sleep(absl::Milliseconds(*c.cancel_ms));
    accepted = task.Cancel();
    seen.cancellations += accepted ? 1 : 0;
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
    // It takes precedence over a deadline at the same time (TO-06), unless the
    // inner coroutine swallowed it.
    Always(
        end == End::kCancelled || (c.swallows && seen.inner_cancellations > 0 &&
                                   end != End::kTimeout),
        "a cancellation that was accepted is delivered");
  }
  if (end == End::kTimeout) {
    Always(GetRunningLoop().Time() >= absl::Milliseconds(c.timeout_ms),
           "it is never early");
  }
}

// Tasks that repeatedly wait for items with a timeout; one of them is
// cancelled.
struct Consumption {
  std::vector<Pause> puts;            // One before each item.
  std::vector<int> timeouts_ms;       // For each wait.
  std::optional<Pause> until_cancel;  // Of the consumer.

  static rc::Gen<Consumption> Any();
};

std::ostream& operator<<(std::ostream& out, const Consumption& c) {
  for (const Pause& pause : c.puts) out << "after " << pause << " an item; ";
  for (const int ms : c.timeouts_ms) out << "wait " << ms << " ms; ";
  if (c.until_cancel.has_value()) out << "cancelled after " << *c.until_cancel;
  return out;
}

rc::Gen<Consumption> Consumption::Any() {
  return rc::gen::build<Consumption>(
      rc::gen::set(&Consumption::puts, UpTo(4, Pauses())),
      rc::gen::set(&Consumption::timeouts_ms, UpTo(5, rc::gen::inRange(0, 4))),
      rc::gen::set(&Consumption::until_cancel, Maybe(Pauses())));
}

Coro<int> TakeFrom(Queue<int>* queue) { co_return co_await queue->Get(); }

template <typename W>
Coro<void> Consume(Queue<int>* queue, std::vector<int> timeouts_ms,
                   std::vector<int>* items) {
  for (const int ms : timeouts_ms) {
    try {
      Coro<int> take = TakeFrom(queue);
      const int item =
          co_await W::Wait(std::move(take), absl::Milliseconds(ms));
      items->push_back(item);
    } catch (const TimeoutError&) {
    }
  }
}

Coro<void> Produce(Queue<int>* queue, std::vector<Pause> puts) {
  int item = 0;
  for (const Pause& pause : puts) {
    co_await Take(pause);
    queue->PutNowait(item++);
  }
}

// WF-02, WF-03, Q-05; I-3.
template <typename W>
Coro<void> NoItemIsLostBetweenTheQueueAndTheCaller(const Consumption& c) {
  Queue<int> queue;
  std::vector<int> items;
  Task<void> producer = CreateTask(Produce(&queue, c.puts));
  Task<void> consumer = CreateTask(Consume<W>(&queue, c.timeouts_ms, &items));
  if (c.until_cancel.has_value()) {
    co_await Take(*c.until_cancel);
    consumer.Cancel();
  }
  const std::vector<Task<void>> tasks = {producer, consumer};
  co_await Wait(tasks);
  // Abandoned waits that still take an item take one of these.
  for (int i = 0; i < 5; ++i) queue.PutNowait(100);
  co_await Sleep(absl::Seconds(1));
  while (!queue.Empty()) items.push_back(queue.GetNowait());
  std::vector<int> expected;
  for (std::size_t i = 0; i < c.puts.size(); ++i) {
    expected.push_back(static_cast<int>(i));
  }
  expected.insert(expected.end(), 5, 100);
  Always(items == expected, "no item is lost");
}

CLOTHO_INVARIANT(WaitForProperty, EndsInOneWayAndLosesNothing, Case,
                 EndsInOneWayAndLosesNothing<RealWaitFor>)
CLOTHO_INVARIANT(WaitForProperty, NoItemIsLostBetweenTheQueueAndTheCaller,
                 Consumption,
                 NoItemIsLostBetweenTheQueueAndTheCaller<RealWaitFor>)

// ---- Waits that do not keep their promises. ----

// asyncio's former algorithm: the inner coroutine is a task, and the state at
// the end decides. Each fault is that of one of its versions.
enum class Fault {
  kSwallowsCancel,       // H-01: a result in time takes precedence.
  kDropsTheValue,        // H-02.
  kLeavesAtTheDeadline,  // H-03: while the inner is still cleaning up.
  kLeavesWhenCancelled,  // H-04.
  kAlwaysTimesOut,       // H-05: whatever the outcome of the inner.
};

template <Fault kFault>
struct OldWaitFor {
  template <typename T>
  static Coro<T> Wait(Coro<T> coro, Delay timeout) {
    Task<T> inner = CreateTask(std::move(coro));
    const std::vector<Task<T>> tasks = {inner};
    bool cancelled = false;
    try {
      co_await clotho::Wait(tasks, {.timeout = timeout});
    } catch (const CancelledError&) {
      cancelled = true;
    }
    const bool was_done = inner.Done();
    if (!was_done) inner.Cancel();
    if (kFault == Fault::kLeavesWhenCancelled && cancelled) {
      throw CancelledError();
    }
    if (kFault == Fault::kLeavesAtTheDeadline && !was_done && !cancelled) {
      throw TimeoutError();
    }
    if (!was_done) co_await clotho::Wait(tasks);
    if (kFault == Fault::kDropsTheValue && cancelled) throw CancelledError();
    if (kFault == Fault::kAlwaysTimesOut && !was_done && !cancelled) {
      throw TimeoutError();
    }
    if (inner.Cancelled() && !cancelled) throw TimeoutError();
    co_return inner.Result();
  }
};

struct WaitForThatIsEarly {
  template <typename T>
  static auto Wait(Coro<T> inner, Delay timeout) {
    return WaitFor(std::move(inner),
                   Delay(absl::Nanoseconds(timeout.ns() * 9 / 10)));
  }
};

// Its cancellation request is never taken back.
struct WaitForThatForgetsToUncancel {
  template <typename T>
  static Coro<T> Wait(Coro<T> inner, Delay timeout) {
    bool expired = false;
    TimerHandle timer =
        GetRunningLoop().CallLater(timeout, [&expired, task = *CurrentTask()] {
          expired = true;
          task.Cancel();
        });
    try {
      T value = co_await std::move(inner);
      timer.Cancel();
      co_return value;
    } catch (const CancelledError&) {
      timer.Cancel();
      if (!expired) throw;
    } catch (...) {
      timer.Cancel();
      throw;
    }
    throw TimeoutError();
  }
};

template <typename W>
std::string Refuted() {
  return Refutation(EndsInOneWayAndLosesNothing<W>);
}

// With an inner coroutine that is never done in time: if it could be, and the
// task is cancelled, the state at the end does not suffice to decide correctly.
template <typename W>
Coro<void> EndsInOneWayIfItTakesLong(const Case& c) {
  Case takes_long = c;
  takes_long.inner_ms = 9;
  co_await EndsInOneWayAndLosesNothing<W>(takes_long);
}

template <typename W>
std::string RefutedByWhatTakesLong() {
  return Refutation(EndsInOneWayIfItTakesLong<W>);
}

TEST(WaitForMutants, SwallowsCancel) {
  EXPECT_EQ(Refuted<OldWaitFor<Fault::kSwallowsCancel>>(),
            False("a cancellation that was accepted is delivered"));
}
TEST(WaitForMutants, DropsTheValue) {
  EXPECT_EQ(Refuted<OldWaitFor<Fault::kDropsTheValue>>(),
            False("a value is delivered if there is one"));
}
TEST(WaitForMutants, DropsTheItem) {
  EXPECT_EQ(Refutation(NoItemIsLostBetweenTheQueueAndTheCaller<
                       OldWaitFor<Fault::kDropsTheValue>>),
            False("no item is lost"));
}
TEST(WaitForMutants, LeavesAtTheDeadline) {
  EXPECT_EQ(RefutedByWhatTakesLong<OldWaitFor<Fault::kLeavesAtTheDeadline>>(),
            False("it never returns before what it waits for has ended"));
}
TEST(WaitForMutants, LeavesWhenCancelled) {
  EXPECT_EQ(RefutedByWhatTakesLong<OldWaitFor<Fault::kLeavesWhenCancelled>>(),
            False("it never returns before what it waits for has ended"));
}
TEST(WaitForMutants, AlwaysTimesOut) {
  EXPECT_EQ(RefutedByWhatTakesLong<OldWaitFor<Fault::kAlwaysTimesOut>>(),
            False("a value is delivered if there is one"));
}
TEST(WaitForMutants, IsEarly) {
  EXPECT_EQ(Refuted<WaitForThatIsEarly>(), False("it is never early"));
}
TEST(WaitForMutants, ForgetsToUncancel) {
  EXPECT_EQ(Refuted<WaitForThatForgetsToUncancel>(),
            False("it takes back its own cancellation, and no other"));
}

}  // namespace
}  // namespace clotho::properties
