// What the loop promises: timers fire in the order of their deadlines and never
// early; callbacks run in the order in which they were scheduled, each once,
// and each in its own context (rules L-02, L-07, L-08, F-07 to F-09, CX-01 to
// CX-03). Also loops that break these promises.

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/properties/runtime/invariant.h"
#include "clotho/properties/runtime/random_pause.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/run_until_idle.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {
namespace {

// The system under test: the running loop.
struct RealLoop {
  template <typename Function>
  static TimerHandle CallLater(absl::Duration delay, Function function) {
    return GetRunningLoop().CallLater(delay, std::move(function));
  }
  template <typename Function>
  static Handle CallSoon(Function function) {
    return GetRunningLoop().CallSoon(std::move(function));
  }
  template <typename Function>
  static void AddDoneCallback(const Future<void>& future, Function function) {
    future.AddDoneCallback(std::move(function));
  }
};

// ---- Timers. ----

struct Alarm {
  int ms = 0;
  std::optional<Pause> until_cancel;
};

struct Alarms {
  std::vector<Alarm> alarms;

  static rc::Gen<Alarms> Any();
};

std::ostream& operator<<(std::ostream& out, const Alarms& input) {
  for (const Alarm& alarm : input.alarms) {
    out << "{" << alarm.ms << " ms";
    if (alarm.until_cancel.has_value()) {
      out << ", cancelled after " << *alarm.until_cancel;
    }
    out << "} ";
  }
  return out;
}

rc::Gen<Alarms> Alarms::Any() {
  return rc::gen::build<Alarms>(rc::gen::set(
      &Alarms::alarms,
      UpTo(8, rc::gen::build<Alarm>(
                  rc::gen::set(&Alarm::ms, rc::gen::inRange(-1, 6)),
                  rc::gen::set(&Alarm::until_cancel, Maybe(Pauses()))))));
}

// L-03, L-07, L-08; I-10, I-11.
template <typename L>
Coro<void> TimersComeInOrderAndNeverEarly(const Alarms& input) {
  struct Timer {
    int fired = 0;
    bool cancelled = false;
  };
  std::vector<Timer> timers(input.alarms.size());
  std::vector<Task<void>> cancels;
  // Kept alive by whatever keeps a callback.
  const auto kept = std::make_shared<int>();
  int last_ms = -1;
  for (std::size_t i = 0; i < timers.size(); ++i) {
    const int ms = input.alarms[i].ms;
    TimerHandle handle = L::CallLater(absl::Milliseconds(ms), [&, i, ms, kept] {
      Always(GetRunningLoop().Time() >= absl::Milliseconds(ms),
             "no timer is early");
      Always(ms >= last_ms || ms <= 0, "deadlines come in their order");
      Always(!timers[i].cancelled, "a timer that is cancelled is silent");
      last_ms = std::max(last_ms, ms);
      ++timers[i].fired;
    });
    if (const auto& pause = input.alarms[i].until_cancel) {
      const auto cancel = [](Pause pause, TimerHandle handle,
                             Timer* timer) -> Coro<void> {
        co_await Take(pause);
        handle.Cancel();
        timer->cancelled = true;
      };
      auto cancelling = cancel(*pause, handle, &timers[i]);
      cancels.push_back(CreateTask(std::move(cancelling)));
    }
  }
  for (const Task<void>& cancel : cancels) co_await cancel;
  co_await sim::Advance(absl::Milliseconds(20));
  for (const Timer& timer : timers) {
    Always(timer.fired <= 1, "no timer comes twice");
    Always(timer.fired == 1 || timer.cancelled, "every timer comes");
  }
  cancels.clear();
  Always(kept.use_count() == 1, "no callback is kept");
}

// ---- Callbacks. ----

// Tasks that schedule callbacks on the loop, and on a future that becomes done
// at some time; several per step.
struct Giver {
  Pause before;
  int soon = 0;
  int when_done = 0;
  bool cancels_first = false;
};

struct Givers {
  std::vector<Giver> givers;
  Pause until_done;

  static rc::Gen<Givers> Any();
};

std::ostream& operator<<(std::ostream& out, const Givers& input) {
  for (const Giver& giver : input.givers) {
    out << "{after " << giver.before << " " << giver.soon << " soon, "
        << giver.when_done << " when done"
        << (giver.cancels_first ? ", cancels the first" : "") << "} ";
  }
  return out << "done after " << input.until_done;
}

rc::Gen<Givers> Givers::Any() {
  const auto giver = rc::gen::build<Giver>(
      rc::gen::set(&Giver::before, Pauses()),
      rc::gen::set(&Giver::soon, rc::gen::inRange(0, 4)),
      rc::gen::set(&Giver::when_done, rc::gen::inRange(0, 4)),
      rc::gen::set(&Giver::cancels_first, rc::gen::arbitrary<bool>()));
  return rc::gen::build<Givers>(rc::gen::set(&Givers::givers, UpTo(4, giver)),
                                rc::gen::set(&Givers::until_done, Pauses()));
}

// The numbers of callbacks, in the expected order.
struct Expectation {
  std::vector<int> given;
  std::vector<int> came;
};

template <typename L>
Coro<void> GiveCallbacks(Giver giver, Future<void> future, Expectation* soon,
                         Expectation* before_done, Expectation* after_done,
                         std::shared_ptr<int> kept) {
  co_await Take(giver.before);
  for (int i = 0; i < giver.soon; ++i) {
    Handle handle = L::CallSoon([soon, i, kept] { soon->came.push_back(i); });
    if (i == 0 && giver.cancels_first) {
      handle.Cancel();
    } else {
      soon->given.push_back(i);
    }
  }
  for (int i = 0; i < giver.when_done; ++i) {
    // Callbacks that come too late are called soon, in the context of this
    // task.
    Expectation* const done = future.Done() ? after_done : before_done;
    const int number = static_cast<int>(done->given.size());
    done->given.push_back(number);
    L::AddDoneCallback(future, [=] { done->came.push_back(number); });
  }
}

// L-02, L-08, F-07 to F-09; I-6, I-10.
template <typename L>
Coro<void> CallbacksComeInOrderAndOnce(const Givers& input) {
  const auto kept = std::make_shared<int>();
  std::vector<Expectation> soon(input.givers.size());
  std::vector<Expectation> late(input.givers.size());
  Expectation before_done;
  {
    const Future<void> future;
    std::vector<Task<void>> tasks;
    for (std::size_t i = 0; i < input.givers.size(); ++i) {
      auto give = GiveCallbacks<L>(input.givers[i], future, &soon[i],
                                   &before_done, &late[i], kept);
      tasks.push_back(CreateTask(std::move(give)));
    }
    co_await Take(input.until_done);
    future.SetResult();
    for (const Task<void>& task : tasks) co_await task;
    co_await sim::RunUntilIdle();
  }
  for (std::size_t i = 0; i < soon.size(); ++i) {
    Always(soon[i].came == soon[i].given,
           "the callbacks of a task come in their order, and once");
    Always(late[i].came == late[i].given,
           "the callbacks of a future that is done come in their order");
  }
  Always(before_done.came == before_done.given,
         "the callbacks of a future come in their order, and once");
  Always(kept.use_count() == 1, "no callback is kept");
}

// ---- Contexts. ----

// A tree of tasks, each with its own value for the same variable.
struct Family {
  std::vector<Pause> parents;
  std::vector<Pause> children;  // For each parent.

  static rc::Gen<Family> Any();
};

std::ostream& operator<<(std::ostream& out, const Family& input) {
  for (const Pause& pause : input.parents) out << "parent " << pause << "; ";
  for (const Pause& pause : input.children) out << "child " << pause << "; ";
  return out;
}

rc::Gen<Family> Family::Any() {
  return rc::gen::build<Family>(
      rc::gen::set(&Family::parents, UpTo(3, Pauses())),
      rc::gen::set(&Family::children, UpTo(3, Pauses())));
}

const ContextVar<int>& RealVariable() {
  static const ContextVar<int> variable("variable", 0);
  return variable;
}
struct RealContext {
  static int Get() { return RealVariable().Get(); }
  static void Set(int value) { RealVariable().Set(value); }
};

template <typename C>
Coro<void> BeChild(Pause pause, int inherited, int own) {
  Always(C::Get() == inherited, "a task inherits what was set before it");
  C::Set(own);
  co_await Take(pause);
  Always(C::Get() == own, "nobody else changes a task's value");
}

template <typename C>
Coro<void> AwaitedSets(int value) {
  co_await Sleep(absl::ZeroDuration());
  C::Set(value);
}

template <typename C>
Coro<void> BeParent(Pause pause, std::vector<Pause> children, int own) {
  Always(C::Get() == 0, "a task inherits what was set before it");
  C::Set(own);
  std::vector<Task<void>> tasks;
  int n = 0;
  for (const Pause& child : children) {
    // Each is created with another value, before the next is set.
    C::Set(own + n);
    auto be = BeChild<C>(child, own + n, own + 50 + n);
    tasks.push_back(CreateTask(std::move(be)));
    ++n;
  }
  C::Set(own + 1);
  co_await Take(pause);
  Always(C::Get() == own + 1, "nobody else changes a task's value");
  for (const Task<void>& task : tasks) co_await task;
  Always(C::Get() == own + 1, "nobody else changes a task's value");
  auto awaited = AwaitedSets<C>(own + 2);
  co_await std::move(awaited);
  Always(C::Get() == own + 2, "what a coroutine sets stays when it is awaited");
}

// CX-01, CX-02; I-11.
template <typename C>
Coro<void> ContextsDoNotLeak(const Family& input) {
  C::Set(0);
  std::vector<Task<void>> tasks;
  int n = 0;
  for (const Pause& pause : input.parents) {
    auto be = BeParent<C>(pause, input.children, ++n * 100);
    tasks.push_back(CreateTask(std::move(be)));
  }
  for (const Task<void>& task : tasks) co_await task;
  Always(C::Get() == 0, "nobody else changes a task's value");
}

// CX-01, CX-03; I-11.
template <typename C>
Coro<void> CallbacksSeeWhatWasSet(const Family& input) {
  std::vector<int> given;
  std::vector<int> seen;
  const Future<void> future;
  for (std::size_t i = 0; i < input.parents.size(); ++i) {
    C::Set(static_cast<int>(i));
    const auto callback = [&seen] {
      seen.push_back(C::Get());
      C::Set(-1);
    };
    future.AddDoneCallback(callback);
    given.push_back(static_cast<int>(i));
  }
  C::Set(100);
  for (const Pause& pause : input.children) co_await Take(pause);
  future.SetResult();
  co_await sim::RunUntilIdle();
  Always(C::Get() == 100, "what a callback sets stays with it");
  Always(seen == given, "a callback sees what was set when it was given");
}

CLOTHO_INVARIANT(LoopProperty, CallbacksSeeWhatWasSet, Family,
                 CallbacksSeeWhatWasSet<RealContext>)
CLOTHO_INVARIANT(LoopProperty, TimersComeInOrderAndNeverEarly, Alarms,
                 TimersComeInOrderAndNeverEarly<RealLoop>)
CLOTHO_INVARIANT(LoopProperty, CallbacksComeInOrderAndOnce, Givers,
                 CallbacksComeInOrderAndOnce<RealLoop>)
CLOTHO_INVARIANT(LoopProperty, ContextsDoNotLeak, Family,
                 ContextsDoNotLeak<RealContext>)

// ---- Loops that do not keep their promises. ----

struct LoopWithEarlyTimers : RealLoop {
  template <typename Function>
  static TimerHandle CallLater(absl::Duration delay, Function function) {
    return RealLoop::CallLater(delay - absl::Nanoseconds(1),
                               std::move(function));
  }
};

// Deadlines are rounded up by different amounts.
struct LoopWithRoundedTimers : RealLoop {
  template <typename Function>
  static TimerHandle CallLater(absl::Duration delay, Function function) {
    if (delay == absl::Milliseconds(2)) delay *= 2;
    return RealLoop::CallLater(delay, std::move(function));
  }
};

struct LoopThatCallsTwice : RealLoop {
  template <typename Function>
  static TimerHandle CallLater(absl::Duration delay, Function function) {
    return RealLoop::CallLater(delay, [function]() mutable {
      function();
      function();
    });
  }
  template <typename Function>
  static Handle CallSoon(Function function) {
    return RealLoop::CallSoon([function]() mutable {
      function();
      function();
    });
  }
};

struct LoopThatForgetsTimers : RealLoop {
  template <typename Function>
  static TimerHandle CallLater(absl::Duration delay, Function function) {
    TimerHandle handle = RealLoop::CallLater(delay, std::move(function));
    if (delay == absl::Milliseconds(3)) handle.Cancel();
    return handle;
  }
};

// The returned handle belongs to another callback.
struct LoopThatCannotCancel : RealLoop {
  template <typename Function>
  static TimerHandle CallLater(absl::Duration delay, Function function) {
    RealLoop::CallLater(delay, std::move(function));
    return RealLoop::CallLater(delay, [] {});
  }
};

struct LoopThatKeepsCallbacks : RealLoop {
  template <typename Function>
  static TimerHandle CallLater(absl::Duration delay, Function function) {
    // It is destroyed with the loop.
    RealLoop::CallLater(absl::Hours(1), function);
    return RealLoop::CallLater(delay, std::move(function));
  }
};

// Every second callback that a task schedules runs after the next one.
template <typename Function>
auto Delayed(Function function) {
  static const ContextVar<int> given("given", 0);
  given.Set(given.Get() + 1);
  const bool is_delayed = given.Get() % 2 == 1;
  return [=]() mutable {
    if (is_delayed) {
      RealLoop::CallSoon(function);
    } else {
      function();
    }
  };
}

struct LoopThatDelaysCallbacks : RealLoop {
  template <typename Function>
  static Handle CallSoon(Function function) {
    return RealLoop::CallSoon(Delayed(function));
  }
};

struct LoopThatDelaysDoneCallbacks : RealLoop {
  template <typename Function>
  static void AddDoneCallback(const Future<void>& future, Function function) {
    RealLoop::AddDoneCallback(future, Delayed(function));
  }
};

// One for all tasks.
struct ContextThatIsShared {
  static int& Value() {
    static int value = 0;
    return value;
  }
  static int Get() { return Value(); }
  static void Set(int value) { Value() = value; }
};

// One per task, inheriting nothing.
struct ContextThatIsOneTasks {
  static std::map<std::string, int>& Values() {
    static std::map<std::string, int> values;
    return values;
  }
  static std::string Name() {
    const std::optional<AnyTask> task = CurrentTask();
    return task.has_value() ? task->GetName() : "";
  }
  static int Get() { return Values()[Name()]; }
  static void Set(int value) {
    if (value == 0) Values().clear();  // The test starts.
    Values()[Name()] = value;
  }
};

TEST(LoopMutants, TimersAreEarly) {
  EXPECT_EQ(Refutation(TimersComeInOrderAndNeverEarly<LoopWithEarlyTimers>),
            False("no timer is early"));
}
TEST(LoopMutants, TimersAreRounded) {
  EXPECT_EQ(Refutation(TimersComeInOrderAndNeverEarly<LoopWithRoundedTimers>),
            False("deadlines come in their order"));
}
TEST(LoopMutants, TimersComeTwice) {
  EXPECT_EQ(Refutation(TimersComeInOrderAndNeverEarly<LoopThatCallsTwice>),
            False("no timer comes twice"));
}
TEST(LoopMutants, TimersAreForgotten) {
  EXPECT_EQ(Refutation(TimersComeInOrderAndNeverEarly<LoopThatForgetsTimers>),
            False("every timer comes"));
}
TEST(LoopMutants, TimersCannotBeCancelled) {
  EXPECT_EQ(Refutation(TimersComeInOrderAndNeverEarly<LoopThatCannotCancel>),
            False("a timer that is cancelled is silent"));
}
TEST(LoopMutants, CallbacksAreKept) {
  EXPECT_EQ(Refutation(TimersComeInOrderAndNeverEarly<LoopThatKeepsCallbacks>),
            False("no callback is kept"));
}
TEST(LoopMutants, CallbacksComeTwice) {
  EXPECT_EQ(Refutation(CallbacksComeInOrderAndOnce<LoopThatCallsTwice>),
            False("the callbacks of a task come in their order, and once"));
}
TEST(LoopMutants, CallbacksAreDelayed) {
  EXPECT_EQ(Refutation(CallbacksComeInOrderAndOnce<LoopThatDelaysCallbacks>),
            False("the callbacks of a task come in their order, and once"));
}
TEST(LoopMutants, DoneCallbacksAreDelayed) {
  EXPECT_EQ(
      Refutation(CallbacksComeInOrderAndOnce<LoopThatDelaysDoneCallbacks>),
      False("the callbacks of a future come in their order, and once"));
}
TEST(LoopMutants, CallbacksShareTheContext) {
  EXPECT_EQ(Refutation(CallbacksSeeWhatWasSet<ContextThatIsShared>),
            False("what a callback sets stays with it"));
}
TEST(LoopMutants, CallbacksInheritNothing) {
  EXPECT_EQ(Refutation(CallbacksSeeWhatWasSet<ContextThatIsOneTasks>),
            False("a callback sees what was set when it was given"));
}
TEST(LoopMutants, ContextsAreShared) {
  EXPECT_EQ(Refutation(ContextsDoNotLeak<ContextThatIsShared>),
            False("nobody else changes a task's value"));
}
TEST(LoopMutants, ContextsAreNotInherited) {
  EXPECT_EQ(Refutation(ContextsDoNotLeak<ContextThatIsOneTasks>),
            False("a task inherits what was set before it"));
}

}  // namespace
}  // namespace clotho::properties
