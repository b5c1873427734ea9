// Small programs, and the exact order of their events in CPython 3.13: the
// iteration, the time, and the event (section 21 of the rules).
//
// A test says so where Clotho deliberately differs from CPython.

#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/lock.h"
#include "clotho/runtime/outcome.h"
#include "clotho/runtime/queue.h"
#include "clotho/runtime/shield.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "clotho/runtime/timeout.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using ::testing::ElementsAre;

class KeyError : public LookupError {
 public:
  using LookupError::LookupError;
};

constexpr Delay kNow;

// The arguments of a CancelledError, as Python prints them.
std::string Args(const CancelledError& error) {
  if (!error.message().has_value()) return "()";
  return absl::StrCat("('", *error.message(), "',)");
}

class TraceTest : public internal::RuntimeTest {};

// ---- Loop. ----

TEST_F(TraceTest, L1_CallbacksAndTimersOfNoDelay) {
  // Time is exact here: CPython runs timers early by up to its clock
  // resolution.
  std::function<void(int)> cb = [&](int n) {
    Log("cb", n);
    if (n < 3) loop_.CallSoon([&cb, n] { cb(n + 1); });
  };
  const auto main = [&]() -> Coro<void> {
    loop_.CallSoon([&cb] { cb(1); });
    loop_.CallLater(absl::ZeroDuration(), [this] { Log("later 0"); });
    loop_.CallLater(absl::Nanoseconds(1), [this] { Log("later 1ns"); });
    for (int n = 0; n < 4; ++n) {
      co_await Sleep(kNow);
      Log("main", n);
    }
    co_await Sleep(absl::Seconds(1));
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i2 t=0 cb 1",     //
                                "i2 t=0 main 0",   //
                                "i2 t=0 later 0",  //
                                "i3 t=0 cb 2",     //
                                "i3 t=0 main 1",   //
                                "i4 t=0 cb 3",     //
                                "i4 t=0 main 2",   //
                                "i5 t=0 main 3",   //
                                "i6 t=1e-09 later 1ns"));
}

TEST_F(TraceTest, L2_EqualDeadlinesAndAFarOne) {
  // Timers with equal deadlines fire in the order in which they were set; an
  // idle wait has no upper limit.
  const auto main = [&]() -> Coro<void> {
    loop_.CallSoon([this] { Log("never"); }).Cancel();  // Costs iteration 2.
    for (int n = 0; n < 6; ++n) {
      loop_.CallLater(absl::Seconds(1), [this, n] { Log(n); });
    }
    loop_.CallLater(absl::Seconds(100000), [this] { Log("far"); });
    co_await Sleep(absl::Seconds(100001));
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i3 t=1 0", "i3 t=1 1", "i3 t=1 2", "i3 t=1 3",
                                "i3 t=1 4", "i3 t=1 5", "i4 t=100000 far"));
}

TEST_F(TraceTest, L3_ACallbackThrows) {
  const auto main = [&]() -> Coro<void> {
    loop_.CallSoon([] { throw ValueError("x"); });
    loop_.CallSoon([this] { Log("next handle still runs"); });
    co_await Sleep(kNow);
    Log("main");
  };
  Run(main());
  EXPECT_THAT(log_,
              ElementsAre("i2 t=0 handler Exception in callback "
                          "ValueError('x')",
                          "i2 t=0 next handle still runs", "i2 t=0 main"));
  EXPECT_THAT(TakeReports(),
              ElementsAre("Exception in callback: ValueError: x"));
}

// ---- Future. ----

TEST_F(TraceTest, F1_AwaitersAndCallbacksInTheOrderOfRegistration) {
  const auto w = [&](std::string n, Future<std::string> f) -> Coro<void> {
    const std::string result = co_await f;
    Log("w", n, result);
  };
  const auto main = [&]() -> Coro<void> {
    Future<std::string> f;
    Task<void> a = CreateTask(w("a", f));
    Task<void> b = CreateTask(w("b", f));
    f.AddDoneCallback([this] { Log("callback"); });  // Before a and b start.
    co_await Sleep(kNow);
    f.SetResult("R");
    f.AddDoneCallback([this] { Log("late callback"); });
    Log("set");
    co_await Gather(a, b);
    Log("main");
  };
  Run(main());
  EXPECT_THAT(
      log_, ElementsAre("i2 t=0 set", "i3 t=0 callback", "i3 t=0 w a R",
                        "i3 t=0 w b R", "i3 t=0 late callback", "i5 t=0 main"));
}

TEST_F(TraceTest, F2_NestedAwaitsCostNothing) {
  const auto c = [](Future<int> f) -> Coro<int> { co_return co_await f; };
  const auto b = [&](Future<int> f) -> Coro<int> { co_return co_await c(f); };
  const auto main = [&]() -> Coro<void> {
    Future<int> f;
    loop_.CallSoon([f] { f.SetResult(1); });
    Log("await");
    co_await b(f);
    Log("resumed");
    co_await f;
    Log("done future: no hop");
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i1 t=0 await", "i3 t=0 resumed",
                                "i3 t=0 done future: no hop"));
}

// ---- Task. ----

TEST_F(TraceTest, T1_CreateAndAwaitTwice) {
  const auto c = [&]() -> Coro<int> {
    Log("c");
    co_return 5;
  };
  const auto main = [&]() -> Coro<void> {
    Task<int> t = CreateTask(c());
    Log("created");
    const int first = co_await t;
    Log(first);
    const int second = co_await t;
    Log(second);
  };
  Run(main());
  EXPECT_THAT(
      log_, ElementsAre("i1 t=0 created", "i2 t=0 c", "i3 t=0 5", "i3 t=0 5"));
}

TEST_F(TraceTest, T2_CancelThroughAChainAndTheMessageOnce) {
  const auto inner = [&]() -> Coro<void> {
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError& e) {
      Log("inner", Args(e));
      throw;
    }
  };
  const auto outer = [&](Task<void> it) -> Coro<void> {
    try {
      co_await it;
    } catch (const CancelledError& e) {
      Log("outer", Args(e));
      throw;
    }
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> it = CreateTask(inner());
    Task<void> ot = CreateTask(outer(it));
    co_await Sleep(kNow);
    co_await Sleep(kNow);
    const bool accepted = ot.Cancel("m");
    Log(accepted, it.Cancelling(), ot.Cancelling());
    for (int i = 0; i < 2; ++i) {
      try {
        co_await ot;
      } catch (const CancelledError& e) {
        Log("main", Args(e));
      }
    }
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i3 t=0 True 1 1", "i4 t=0 inner ('m',)",
                                "i5 t=0 outer ('m',)", "i6 t=0 main ('m',)",
                                "i6 t=0 main ()"));
}

TEST_F(TraceTest, T3_CancelWhileTheWakeUpIsQueued) {
  const auto w = [&](Future<int> f) -> Coro<void> {
    try {
      co_await f;
      Log("result");
    } catch (const CancelledError& e) {
      Log("cancelled", Args(e));
    }
    co_await Sleep(kNow);
    Log("no second CancelledError");
  };
  const auto main = [&]() -> Coro<void> {
    Future<int> f;
    Task<void> t = CreateTask(w(f));
    co_await Sleep(kNow);
    f.SetResult(1);
    const bool a = t.Cancel("a");
    const bool b = t.Cancel("b");
    Log(a, b, t.Cancelling());
    co_await t;
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i2 t=0 True True 2", "i3 t=0 cancelled ('b',)",
                                "i4 t=0 no second CancelledError"));
}

TEST_F(TraceTest, T4_ATaskCancelsItself) {
  const auto w = [&]() -> Coro<void> {
    std::optional<AnyTask> me = CurrentTask();
    me->Cancel("x");
    Future<int> f;
    f.SetResult(1);
    co_await f;
    Log("done await: not delivered");
    try {
      co_await Sleep(kNow);
    } catch (const CancelledError& e) {
      Log("sleep(0)", Args(e));
    }
    me->Cancel("y");
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> t = CreateTask(w());
    try {
      co_await t;
    } catch (const CancelledError& e) {
      Log("main", Args(e), t.Cancelled());
    }
  };
  Run(main());
  EXPECT_THAT(log_,
              ElementsAre("i2 t=0 done await: not delivered",
                          "i3 t=0 sleep(0) ('x',)", "i4 t=0 main ('y',) True"));
}

TEST_F(TraceTest, T5_CancelledBeforeItStarts) {
  const auto never = [&]() -> Coro<void> {
    Log("not printed");
    co_return;
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> t = CreateTask(never());
    t.Cancel();
    try {
      co_await t;
    } catch (const CancelledError&) {
      Log("main");
    }
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i3 t=0 main"));
}

// ---- Sleep. ----

TEST_F(TraceTest, S1_SleepsOfAllKinds) {
  const auto sleeper = []() -> Coro<void> { co_await Sleep(absl::Seconds(5)); };
  const auto main = [&]() -> Coro<void> {
    Log("a");
    co_await Sleep(kNow);
    Log("sleep(0)");
    co_await Sleep(absl::Seconds(-1));
    Log("sleep(-1)");
    co_await Sleep(absl::Seconds(1));
    Log("sleep(1)");
    Task<void> t = CreateTask(sleeper());
    co_await Sleep(kNow);
    t.Cancel();
    co_await Gather(kReturnExceptions, t);  // As many hops as wait([t]).
    Log("cancelled sleep");
  };
  Run(main());
  EXPECT_THAT(log_,
              ElementsAre("i1 t=0 a", "i2 t=0 sleep(0)", "i3 t=0 sleep(-1)",
                          "i5 t=1 sleep(1)", "i9 t=1 cancelled sleep"));
}

// ---- Gather. ----

TEST_F(TraceTest, G1_ResultsInTheOrderOfTheArguments) {
  const auto c = [&](std::string n, int k) -> Coro<std::string> {
    for (int i = 0; i < k; ++i) co_await Sleep(kNow);
    Log(n);
    co_return n;
  };
  const auto main = [&]() -> Coro<void> {
    auto all = co_await Gather(c("a", 2), c("b", 0), c("c", 1));
    Log(std::get<0>(all), std::get<1>(all), std::get<2>(all));
    std::tuple<> nothing = co_await Gather();
    Log(std::tuple_size_v<decltype(nothing)>);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i2 t=0 b", "i3 t=0 c", "i4 t=0 a",
                                "i6 t=0 a b c", "i6 t=0 0"));
}

TEST_F(TraceTest, G2_TheFirstFailureLetsTheOthersGoOn) {
  const auto c = [&](std::string n, int k, bool fails) -> Coro<std::string> {
    for (int i = 0; i < k; ++i) co_await Sleep(kNow);
    Log(n);
    if (fails) throw KeyError(n);
    co_return n;
  };
  const auto main = [&]() -> Coro<void> {
    Task<std::string> a = CreateTask(c("a", 3, false));
    Task<std::string> b = CreateTask(c("b", 0, true));
    try {
      co_await Gather(a, b);
    } catch (const KeyError&) {
      Log("main", internal::Repr(std::current_exception()), a.Done());
    }
    const std::string result = co_await a;
    Log(result);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i2 t=0 b", "i4 t=0 main KeyError('b') False",
                                "i5 t=0 a", "i6 t=0 a"));
}

TEST_F(TraceTest, G3_CancellingAGather) {
  const auto c = [&](std::string n, bool swallow) -> Coro<void> {
    bool cancelled = false;
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError&) {
      Log(n, "cancelled");
      if (!swallow) throw;
      cancelled = true;
    }
    if (!cancelled) co_return;
    co_await Sleep(kNow);
    co_await Sleep(kNow);
    Log(n, "late");
  };
  const auto watch = [&](auto g) -> Coro<void> {
    co_await Sleep(kNow);
    const bool accepted = g.Cancel("m");
    Log(accepted, g.Cancelled());
    try {
      co_await g;
    } catch (const CancelledError& e) {
      Log("main", Args(e), g.Cancelled(), internal::Repr(g.GetException()));
    }
  };
  const auto main = [&]() -> Coro<void> {
    auto plain = Gather(c("a", false), c("b", true));
    co_await watch(std::move(plain));
    auto outcomes = Gather(kReturnExceptions, c("a", false), c("b", true));
    co_await watch(std::move(outcomes));
  };
  Run(main());
  EXPECT_THAT(
      log_, ElementsAre(
                "i2 t=0 True False", "i3 t=0 a cancelled", "i3 t=0 b cancelled",
                "i5 t=0 main ('m',) False CancelledError('m')", "i5 t=0 b late",
                "i6 t=0 True False", "i7 t=0 a cancelled", "i7 t=0 b cancelled",
                "i9 t=0 b late", "i11 t=0 main () False CancelledError()"));
}

// ---- WaitFor. ----

TEST_F(TraceTest, W2_WaitForRunsInTheTaskThatAwaits) {
  std::optional<AnyTask> me;
  const auto c = [&]() -> Coro<int> {
    Log("inner in task", CurrentTask() == me);
    co_return 3;
  };
  const auto main = [&]() -> Coro<void> {
    me = CurrentTask();
    const int result = co_await WaitFor(c(), absl::Seconds(1));
    Log(result);
    try {
      co_await WaitFor(c(), absl::ZeroDuration());
    } catch (const TimeoutError&) {
      Log("never started");
    }
    Future<int> f;
    try {
      co_await WaitFor(f, absl::Seconds(1));
    } catch (const TimeoutError&) {
      Log("timeout", f.Cancelled());
    }
    me.reset();
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i1 t=0 inner in task True", "i1 t=0 3",
                                "i4 t=0 never started", "i6 t=1 timeout True"));
}

TEST_F(TraceTest, W3_TheDeadlineWinsAndCleaningUpIsWaitedFor) {
  const auto slow = [&]() -> Coro<void> {
    bool cancelled = false;
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError&) {
      cancelled = true;
    }
    if (!cancelled) co_return;
    Log("cleanup");
    co_await Sleep(absl::Seconds(3));
    Log("cleaned");
    throw CancelledError();
  };
  const auto stubborn = [&]() -> Coro<std::string> {
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError&) {
      co_return "value";
    }
    co_return "slept";
  };
  const auto main = [&]() -> Coro<void> {
    Future<std::string> f;
    loop_.CallAt(absl::Seconds(1), [f] { f.SetResult("v"); });
    try {
      const std::string result = co_await WaitFor(f, absl::Seconds(1));
      Log(result);
    } catch (const TimeoutError&) {
      Log("timeout wins", f.Result());
    }
    try {
      co_await WaitFor(slow(), absl::Seconds(1));
    } catch (const TimeoutError&) {
      Log("timeout");
    }
    const std::string result = co_await WaitFor(stubborn(), absl::Seconds(1));
    Log(result);
  };
  Run(main());
  EXPECT_THAT(log_,
              ElementsAre("i3 t=1 timeout wins v", "i5 t=2 cleanup",
                          "i7 t=5 cleaned", "i7 t=5 timeout", "i9 t=6 value"));
}

// ---- Timeout. ----

TEST_F(TraceTest, O1_NestedDeadlinesAndNoSuspension) {
  const auto inner = [&](TimeoutScope& o) -> Coro<void> {
    std::optional<AnyTask> me = CurrentTask();
    TimeoutScope i(absl::Seconds(1));
    try {
      co_await i.Run(Sleep(absl::Seconds(9)));
    } catch (const CancelledError&) {
      Log("inner lets CancelledError through", o.Expired(), i.Expired(),
          me->Cancelling());
      throw;
    }
  };
  const auto nothing = [&](TimeoutScope&) -> Coro<void> {
    Log("no suspension");
    co_return;
  };
  const auto main = [&]() -> Coro<void> {
    std::optional<AnyTask> me = CurrentTask();
    try {
      co_await Timeout(absl::Seconds(1), inner);
    } catch (const TimeoutError&) {
      Log("outer", me->Cancelling());
    }
    TimeoutScope cm(loop_.Time());
    co_await cm.Run(nothing(cm));
    Log(cm.Expired());
    try {
      co_await Timeout(absl::ZeroDuration(), Sleep(kNow));
    } catch (const TimeoutError&) {
      Log("sleep(0) inside timeout(0)");
    }
  };
  Run(main());
  EXPECT_THAT(
      log_, ElementsAre("i3 t=1 inner lets CancelledError through True True 1",
                        "i3 t=1 outer 0", "i3 t=1 no suspension",
                        "i3 t=1 False", "i4 t=1 sleep(0) inside timeout(0)"));
}

TEST_F(TraceTest, O2_CancelledFromOutsideAtTheDeadlineAndSwallowed) {
  const auto w = [&]() -> Coro<void> {
    TimeoutScope cm(absl::Seconds(1));
    try {
      co_await cm.Run(Sleep(absl::Seconds(9)));
    } catch (...) {
      Log(internal::Repr(std::current_exception()), cm.Expired(),
          CurrentTask()->Cancelling());
    }
  };
  const auto swallow = [&]() -> Coro<void> {
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError&) {
      Log("swallowed");
    }
  };
  const auto v = [&]() -> Coro<void> {
    TimeoutScope cm(loop_.Time() + absl::Seconds(1));
    co_await cm.Run(swallow());
    Log(cm.Expired(), CurrentTask()->Cancelling());
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> t = CreateTask(w());
    co_await Sleep(kNow);
    loop_.CallLater(absl::Seconds(1), [t] { t.Cancel("user"); });
    co_await t;
    co_await v();
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i4 t=1 CancelledError() True 1",
                                "i7 t=2 swallowed", "i7 t=2 True 0"));
}

// ---- Shield. ----

TEST_F(TraceTest, H1_CancellingTheOuterLeavesTheInner) {
  const auto c = [&]() -> Coro<int> {
    co_await Sleep(kNow);
    Log("inner");
    co_return 1;
  };
  const auto w = [&](Task<int> it) -> Coro<void> {
    try {
      co_await Shield(it);
    } catch (const CancelledError& e) {
      Log("w", Args(e));
    }
  };
  const auto main = [&]() -> Coro<void> {
    Task<int> it = CreateTask(c());
    Task<void> t = CreateTask(w(it));
    co_await Sleep(kNow);
    t.Cancel("m");
    co_await t;
    const int one = co_await it;
    Log(one);
    Future<int> f;
    loop_.CallSoon([f] { f.SetResult(2); });
    const int two = co_await Shield(f);
    Log(two);
    Log(Shield(f) == f);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i3 t=0 inner", "i3 t=0 w ('m',)", "i4 t=0 1",
                                "i7 t=0 2", "i7 t=0 True"));
}

TEST_F(TraceTest, H2_AFailureAfterTheOuterIsGoneIsReported) {
  const auto c = [&]() -> Coro<void> {
    co_await Sleep(kNow);
    co_await Sleep(kNow);
    throw KeyError("late");
  };
  const auto main = [&]() -> Coro<void> {
    std::optional<Task<void>> it = CreateTask(c());
    std::optional<Future<void>> o = Shield(*it);
    co_await Sleep(kNow);
    o->Cancel();
    for (int i = 0; i < 5; ++i) co_await Sleep(kNow);
    Log("inner done", it->Done());
    it.reset();
    o.reset();
    Log("end");
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i7 t=0 inner done True",
                                "i7 t=0 handler Task exception was never "
                                "retrieved KeyError('late')",
                                "i7 t=0 end"));
  EXPECT_THAT(TakeReports(), ElementsAre("Task exception was never retrieved: "
                                         "KeyError: late"));
}

// ---- Synchronization. ----

TEST_F(TraceTest, P1_LockOrderAfterACancellation) {
  Lock k;
  const auto w = [&](std::string n) -> Coro<void> {
    try {
      auto guard = co_await k.Acquire();
      Log(n, "got");
    } catch (const CancelledError&) {
      Log(n, "cancelled", k.Locked());
      throw;
    }
  };
  const auto main = [&]() -> Coro<void> {
    std::optional<Lock::Guard> guard = co_await k.Acquire();
    Task<void> a = CreateTask(w("a"));
    Task<void> b = CreateTask(w("b"));
    Task<void> c = CreateTask(w("c"));
    co_await Sleep(kNow);
    guard.reset();
    a.Cancel();
    Log("released", k.Locked());
    {
      auto again = co_await k.Acquire();
      Log("main got");
    }
    co_await Gather(kReturnExceptions, a, b, c);
  };
  Run(main());
  EXPECT_THAT(log_,
              ElementsAre("i2 t=0 released False", "i3 t=0 a cancelled False",
                          "i4 t=0 b got", "i5 t=0 c got", "i6 t=0 main got"));
}

TEST_F(TraceTest, P4_AnEventSetAndClearedWakesItsWaiters) {
  Event e;
  const auto v = [&](std::string n) -> Coro<void> {
    const bool woken = co_await e.Wait();
    Log(n, woken, e.IsSet());
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> t = CreateTask(v("v"));
    co_await Sleep(kNow);
    e.Set();
    e.Clear();
    co_await t;
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i3 t=0 v True False"));
}

// ---- Queue. ----

TEST_F(TraceTest, Q1_ProducerAndConsumerOverOnePlace) {
  Queue<int> q(1);
  const auto put = [&]() -> Coro<void> {
    for (int n = 0; n < 3; ++n) {
      co_await q.Put(n);
      Log("put", n);
    }
  };
  const auto get = [&]() -> Coro<void> {
    for (int i = 0; i < 3; ++i) {
      const int n = co_await q.Get();
      Log("got", n);
      q.TaskDone();
    }
  };
  const auto main = [&]() -> Coro<void> {
    co_await Gather(put(), get());
    co_await q.Join();
    Log("joined");
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i2 t=0 put 0", "i2 t=0 got 0", "i3 t=0 put 1",
                                "i4 t=0 got 1", "i5 t=0 put 2", "i6 t=0 got 2",
                                "i8 t=0 joined"));
}

TEST_F(TraceTest, Q2_NothingIsLostAndShutdown) {
  Queue<std::string> q;
  const auto g = [&](std::string n) -> Coro<void> {
    try {
      const std::string item = co_await q.Get();
      Log(n, item);
    } catch (const CancelledError&) {
      Log(n, "cancelled", q.Qsize());
      throw;
    } catch (const QueueShutDown&) {
      Log(n, "shut down");
    }
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> a = CreateTask(g("a"));
    Task<void> b = CreateTask(g("b"));
    Task<void> c = CreateTask(g("c"));
    co_await Sleep(kNow);
    q.PutNowait("x");
    a.Cancel();
    co_await Gather(kReturnExceptions, a, b);
    q.PutNowait("y");
    Log("stolen", q.GetNowait());
    co_await Sleep(kNow);
    Task<void> d = CreateTask(g("d"));
    co_await Sleep(kNow);
    q.PutNowait("z");
    q.Shutdown();
    co_await Gather(c, d);
  };
  Run(main());
  EXPECT_THAT(
      log_, ElementsAre("i3 t=0 a cancelled 1", "i4 t=0 b x", "i6 t=0 stolen y",
                        "i9 t=0 c z", "i9 t=0 d shut down"));
}

// ---- Context. ----

TEST_F(TraceTest, X1_TasksAndCallbacksHaveCopies) {
  const ContextVar<std::string> v("v");
  const auto c = [&]() -> Coro<void> {
    Log("task sees", v.Get());
    v.Set("task");
    co_return;
  };
  const auto main = [&]() -> Coro<void> {
    v.Set("main");
    Task<void> t = CreateTask(c());
    v.Set("later");
    co_await t;
    Log("main sees", v.Get());
    Future<int> f;
    f.AddDoneCallback([&] { Log("callback sees", v.Get()); });
    v.Set("at SetResult");
    f.SetResult(1);
    co_await Sleep(kNow);
  };
  Run(main());
  EXPECT_THAT(log_,
              ElementsAre("i2 t=0 task sees main", "i3 t=0 main sees later",
                          "i4 t=0 callback sees later"));
}

}  // namespace
}  // namespace clotho
