#include "clotho/runtime/event_loop.h"

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/clock.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/internal/instrument.h"
#include "clotho/runtime/internal/ready_queue.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/scheduler.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Repr;
using internal::Thrown;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

static_assert(!std::is_copy_constructible_v<EventLoop>);
static_assert(!std::is_move_constructible_v<EventLoop>);
static_assert(std::is_copy_constructible_v<Handle>);
static_assert(std::is_convertible_v<TimerHandle, Handle>);

constexpr Delay kNow;

class EventLoopTest : public internal::RuntimeTest {
 protected:
  // A callback that logs `text`.
  auto Say(std::string text) {
    return [this, text = std::move(text)] { Log(text); };
  }
};

// ---- Callbacks: L-02 to L-10. ----

TEST_F(EventLoopTest, CallbacksRunInTheOrderInWhichTheyWereGiven) {
  loop_.CallSoon(Say("a"));
  loop_.CallSoon(Say("b"));
  loop_.CallSoon(Say("c"));
  EXPECT_THAT(log_, IsEmpty());
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i1 t=0 a", "i1 t=0 b", "i1 t=0 c"));
}

TEST_F(EventLoopTest, WhatIsScheduledByACallbackRunsInTheNextIteration) {
  loop_.CallSoon([this] {
    Log("a");
    loop_.CallSoon(Say("c"));
  });
  loop_.CallSoon(Say("b"));
  Iterate(2);
  EXPECT_THAT(log_, ElementsAre("i1 t=0 a", "i1 t=0 b", "i2 t=0 c"));
}

TEST_F(EventLoopTest, ACancelledCallbackIsNotCalledAndItsFunctionIsDropped) {
  auto witness = std::make_shared<int>(1);
  Handle handle = loop_.CallSoon([witness] { FAIL(); });
  EXPECT_EQ(witness.use_count(), 2);
  EXPECT_FALSE(handle.Cancelled());
  handle.Cancel();
  handle.Cancel();
  EXPECT_TRUE(handle.Cancelled());
  EXPECT_EQ(witness.use_count(), 1);
  Iterate();
}

TEST_F(EventLoopTest, ACancelledCallbackStillCostsAnIteration) {  // L-06.
  loop_.CallLater(absl::Seconds(1), Say("timer"));
  loop_.CallSoon(Say("never")).Cancel();
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i2 t=1 timer"));
}

TEST_F(EventLoopTest, CancellingWhileOrAfterItRunsHasNoEffect) {
  std::optional<Handle> handle;
  auto witness = std::make_shared<int>(1);
  handle = loop_.CallSoon([this, &handle, witness] {
    handle->Cancel();
    Log("still here", *witness);
  });
  Iterate();
  handle->Cancel();
  EXPECT_THAT(log_, ElementsAre("i1 t=0 still here 1"));
  EXPECT_EQ(witness.use_count(), 1);
}

TEST_F(EventLoopTest, ACallbackMayCancelAnotherOfTheSameIteration) {
  std::optional<Handle> second;
  loop_.CallSoon([&] { second->Cancel(); });
  second = loop_.CallSoon(Say("never"));
  Iterate();
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(EventLoopTest, AHandleMayBeDroppedAndMayOutliveTheLoop) {
  std::optional<Handle> soon;
  std::optional<TimerHandle> later;
  {
    EventLoop loop({.clock = &clock_});
    loop.CallSoon([] {});
    soon = loop.CallSoon([] {});
    later = loop.CallLater(absl::Seconds(1), [] {});
  }
  soon->Cancel();
  later->Cancel();
  EXPECT_EQ(later->When(), absl::Seconds(1));
}

TEST_F(EventLoopTest, CallbacksThatCannotBeCopiedAreFine) {
  loop_.CallSoon([this, owner = std::make_unique<int>(5)] { Log(*owner); });
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i1 t=0 5"));
}

// ---- Timers. ----

TEST_F(EventLoopTest, TimersRunByDeadlineAndEqualOnesInTheOrderSet) {
  loop_.CallLater(absl::Seconds(2), Say("c"));
  loop_.CallLater(absl::Seconds(1), Say("a"));
  loop_.CallAt(absl::Seconds(2), Say("d"));
  loop_.CallLater(absl::Milliseconds(1500), Say("b"));
  RunToStandstill();
  EXPECT_THAT(log_,
              ElementsAre("i1 t=1 a", "i2 t=1.5 b", "i3 t=2 c", "i3 t=2 d"));
}

TEST_F(EventLoopTest, TheClockMovesExactlyToTheNextDeadline) {
  for (int i = 0; i < 3; ++i) {
    loop_.CallLater(absl::Nanoseconds(100000001 * i + 1), [] {});
  }
  RunToStandstill();
  EXPECT_EQ(loop_.Time(), absl::Nanoseconds(200000003));
}

TEST_F(EventLoopTest, TheClockStandsStillWhileSomethingIsReady) {
  loop_.CallLater(absl::Nanoseconds(1), Say("timer"));
  int left = 3;
  std::function<void()> again = [&] {
    Log("ready");
    if (--left > 0) loop_.CallSoon([&] { again(); });
  };
  loop_.CallSoon([&] { again(); });
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i1 t=0 ready", "i2 t=0 ready", "i3 t=0 ready",
                                "i4 t=1e-09 timer"));
}

TEST_F(EventLoopTest, ADelayOfNothingOrLessComesBehindWhatIsReady) {  // L-07.
  loop_.CallLater(absl::ZeroDuration(), Say("zero"));
  loop_.CallLater(absl::Seconds(-5), Say("negative"));
  loop_.CallSoon(Say("soon"));
  Iterate();
  EXPECT_THAT(log_,
              ElementsAre("i1 t=0 soon", "i1 t=0 negative", "i1 t=0 zero"));
}

TEST_F(EventLoopTest, AStepThatTakesTimeMakesTimersDue) {
  loop_.CallLater(absl::Seconds(1), Say("one"));
  loop_.CallLater(absl::Seconds(3), Say("three"));
  loop_.CallSoon([this] { clock_.Advance(absl::Seconds(2)); });
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i2 t=2 one", "i3 t=3 three"));
}

TEST_F(EventLoopTest, ACancelledTimerDoesNotMoveTheClock) {
  TimerHandle timer = loop_.CallLater(absl::Seconds(1), Say("never"));
  EXPECT_EQ(timer.When(), absl::Seconds(1));
  timer.Cancel();
  timer.Cancel();
  RunToStandstill();
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());
  EXPECT_EQ(timer.When(), absl::Seconds(1));
}

TEST_F(EventLoopTest, ATimerMayBeCancelledWhenItIsDueAndReady) {
  std::optional<TimerHandle> second;
  loop_.CallLater(absl::Seconds(1), [&] { second->Cancel(); });
  second = loop_.CallLater(absl::Seconds(1), Say("never"));
  RunToStandstill();
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_EQ(CoreOf(loop_).iterations(), 2u);
}

TEST_F(EventLoopTest, AnInfiniteDelayIsTheEndOfTime) {
  TimerHandle timer = loop_.CallLater(absl::InfiniteDuration(), [] {});
  loop_.CallSoon([this] { clock_.Advance(absl::Seconds(1)); });
  Iterate();
  TimerHandle later = loop_.CallLater(absl::InfiniteDuration(), [] {});
  EXPECT_EQ(timer.When(), later.When());
  timer.Cancel();
  later.Cancel();
}

// ---- Contexts: CX-01. ----

TEST_F(EventLoopTest, ACallbackRunsInACopyOfTheContextOrInTheOneGiven) {
  const ContextVar<int> variable("variable", 0);
  Context given;
  const auto note = [&] {
    Note(variable.Get());
    variable.Set(variable.Get() + 1);
  };
  Context caller;
  caller.Run([&] {
    variable.Set(5);
    loop_.CallSoon(note);
    loop_.CallLater(kNow, note);
    loop_.CallSoon(note, given);
    loop_.CallAt(kNow, note, given);
    variable.Set(7);
  });
  Iterate();
  EXPECT_THAT(log_, ElementsAre("5", "0", "5", "1"));
  EXPECT_EQ(caller.Run([&] { return variable.Get(); }), 7);
  EXPECT_EQ(given.Run([&] { return variable.Get(); }), 2);
  EXPECT_EQ(variable.Get(), 0);
}

// ---- Exceptions: L-25 to L-30. ----

TEST_F(EventLoopTest, WhatACallbackThrowsGoesToTheHandler) {
  loop_.CallSoon([] { throw ValueError("x"); });
  loop_.CallSoon([] { throw CancelledError(); });
  loop_.CallSoon([] { throw 5; });
  loop_.CallSoon(Say("runs"));
  Iterate();
  EXPECT_THAT(TakeReports(),
              ElementsAre("Exception in callback: ValueError: x",
                          "Exception in callback: CancelledError",
                          "Exception in callback: int: 5"));
  EXPECT_EQ(log_.back(), "i1 t=0 runs");
}

TEST_F(EventLoopTest, TheHandlerIsToldWhatAndWhere) {
  std::vector<ExceptionContext> seen;
  loop_.SetExceptionHandler(
      [&](EventLoop& loop, const ExceptionContext& context) {
        EXPECT_EQ(&loop, &loop_);
        seen.push_back(context);
      });
  const unsigned line = __LINE__ + 1;
  loop_.CallSoon([] { throw ValueError("x"); });
  Iterate();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].source, ExceptionContext::Source::kCallback);
  EXPECT_EQ(seen[0].location.line(), line);
  EXPECT_EQ(seen[0].task, nullptr);
  EXPECT_EQ(Repr(seen[0].exception), "ValueError('x')");
}

TEST_F(EventLoopTest, TheDefaultHandlerWritesALineToStandardError) {
  loop_.SetExceptionHandler(nullptr);
  const unsigned line = __LINE__ + 1;
  loop_.CallSoon([] { throw ValueError("x"); });
  testing::internal::CaptureStderr();
  Iterate();
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            absl::StrCat("clotho: Exception in callback: ValueError: x (",
                         __FILE__, ":", line, ")\n"));
}

TEST_F(EventLoopTest, AHandlerThatThrowsIsReportedWithWhatItWasToldOf) {
  loop_.SetExceptionHandler([](EventLoop&, const ExceptionContext&) {
    throw ValueError("in the handler");
  });
  loop_.CallSoon([] { throw ValueError("x"); });
  loop_.CallSoon(Say("runs"));
  testing::internal::CaptureStderr();
  Iterate();
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::AllOf(
                  testing::HasSubstr("Unhandled error in exception handler: "
                                     "ValueError: in the handler\n"),
                  testing::HasSubstr("Exception in callback: ValueError: x")));
  EXPECT_THAT(log_, ElementsAre("i1 t=0 runs"));
}

TEST_F(EventLoopTest, ACriticalExceptionOfTheHandlerLeavesTheLoop) {
  loop_.SetExceptionHandler(
      [](EventLoop&, const ExceptionContext&) { throw KeyboardInterrupt(); });
  loop_.CallSoon([] { throw ValueError("x"); });
  EXPECT_THROW(Iterate(), KeyboardInterrupt);
}

TEST_F(EventLoopTest, TheHandlerRunsInTheContextOfWhatItIsToldOf) {  // L-28.
  const ContextVar<int> variable("variable", 0);
  std::vector<int> seen;
  loop_.SetExceptionHandler([&](EventLoop&, const ExceptionContext&) {
    seen.push_back(variable.Get());
  });
  const auto failing = [&]() -> Coro<void> {
    variable.Set(2);
    throw ValueError("x");
    co_return;
  };
  loop_.CallSoon([&] {
    variable.Set(1);
    throw ValueError("x");
  });
  Start(failing());
  Iterate();
  EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST_F(EventLoopTest, ACriticalExceptionLeavesAtOnceAndTheRestStaysQueued) {
  loop_.CallSoon([this] {
    loop_.Stop();
    throw SystemExit(2);
  });
  loop_.CallSoon(Say("later"));
  EXPECT_THROW(loop_.RunForever(), SystemExit);
  EXPECT_FALSE(loop_.IsRunning());
  EXPECT_THROW(GetRunningLoop(), RuntimeError);
  RunToStandstill();  // The request to stop is forgotten (L-27).
  EXPECT_THAT(log_, ElementsAre("i2 t=0 later"));
}

// ---- Running and stopping: L-31 to L-33. ----

TEST_F(EventLoopTest, StopLetsTheIterationComeToItsEnd) {
  loop_.CallSoon([this] {
    Log("stops");
    loop_.Stop();
    loop_.CallSoon(Say("next time"));
  });
  loop_.CallSoon(Say("same iteration"));
  loop_.RunForever();
  EXPECT_THAT(log_, ElementsAre("i1 t=0 stops", "i1 t=0 same iteration"));
  RunToStandstill();
  EXPECT_EQ(log_.back(), "i2 t=0 next time");
}

TEST_F(EventLoopTest, StopBeforehandMakesOneIterationOfNoTime) {
  loop_.CallLater(absl::Seconds(1), Say("never"));
  loop_.Stop();
  loop_.RunForever();
  EXPECT_EQ(CoreOf(loop_).iterations(), 1u);
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(EventLoopTest, KnowsWhetherItRuns) {
  EXPECT_FALSE(loop_.IsRunning());
  loop_.CallSoon([this] {
    EXPECT_TRUE(loop_.IsRunning());
    EXPECT_EQ(&GetRunningLoop(), &loop_);
  });
  Iterate();
  EXPECT_FALSE(loop_.IsRunning());
}

TEST_F(EventLoopTest, CannotRunWhileItOrAnotherRuns) {
  EventLoop other({.clock = &clock_});
  const auto nothing = []() -> Coro<void> { co_return; };
  loop_.CallSoon([&] {
    Note(Thrown([&] { loop_.RunForever(); }));
    Note(Thrown([&] { other.RunForever(); }));
    Coro<void> coro = nothing();
    Note(Thrown([&] { loop_.RunUntilComplete(Future<void>(loop_)); }));
    Note(Thrown([&] { other.RunUntilComplete(Future<void>(other)); }));
    coro.Close();
    EXPECT_EQ(&GetRunningLoop(), &loop_);  // Nothing was disturbed.
    EXPECT_TRUE(loop_.IsRunning());
    EXPECT_FALSE(other.IsRunning());
  });
  Iterate();
  const std::string already =
      "RuntimeError: This event loop is already running: inside of it, "
      "co_await what it should run";
  const std::string another =
      "RuntimeError: Cannot run the event loop while another loop is running: "
      "co_await in the one that runs, or run the other in a thread of its own";
  EXPECT_THAT(log_, ElementsAre(already, another, already, another));
}

TEST_F(EventLoopTest, LoopsMayRunOneAfterTheOther) {
  EventLoop other({.clock = &clock_});
  const auto seven = []() -> Coro<int> { co_return 7; };
  EXPECT_EQ(Run(seven()), 7);
  EXPECT_EQ(other.RunUntilComplete(seven()), 7);
  EXPECT_EQ(Run(seven()), 7);
}

TEST_F(EventLoopTest, RunUntilCompleteGivesTheOutcome) {
  const auto fails = []() -> Coro<int> {
    throw ValueError("x");
    co_return 1;
  };
  const auto cancelled = []() -> Coro<int> {
    throw CancelledError("m");
    co_return 1;
  };
  const auto owner = []() -> Coro<std::unique_ptr<int>> {
    co_return std::make_unique<int>(3);
  };
  EXPECT_EQ(Thrown([&] { Run(fails()); }), "ValueError: x");
  EXPECT_EQ(Thrown([&] { Run(cancelled()); }), "CancelledError: m");
  EXPECT_EQ(*Run(owner()), 3);
  int variable = 4;
  const auto reference = [&]() -> Coro<int&> { co_return variable; };
  EXPECT_EQ(&loop_.RunUntilComplete(reference()), &variable);
}

TEST_F(EventLoopTest, RunUntilCompleteTakesHT24Iterations) {
  const auto nothing = []() -> Coro<void> { co_return; };
  Future<int> done(loop_);
  done.SetResult(1);
  EXPECT_EQ(loop_.RunUntilComplete(done), 1);
  EXPECT_EQ(CoreOf(loop_).iterations(), 1u);
  Run(nothing());
  EXPECT_EQ(CoreOf(loop_).iterations(), 3u);
}

TEST_F(EventLoopTest, RunUntilCompleteTakesWhateverCanBeAwaited) {
  loop_.RunUntilComplete(Sleep(absl::Seconds(1)));
  EXPECT_EQ(loop_.Time(), absl::Seconds(1));
}

TEST_F(EventLoopTest, WhatIsReadyWhenTheFutureIsDoneStaysForTheNextRun) {
  Future<int> f(loop_);
  loop_.CallSoon([&] { f.SetResult(1); });
  f.AddDoneCallback([this] { loop_.CallSoon(Say("later")); });
  loop_.RunUntilComplete(f);
  EXPECT_THAT(log_, IsEmpty());
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i3 t=0 later"));
}

TEST_F(EventLoopTest, StoppedBeforeTheFutureIsDoneItSaysSo) {
  const auto main = [&]() -> Coro<void> {
    co_await Sleep(kNow);
    Log("done");
  };
  Task<void> t = Start(main());
  loop_.Stop();
  EXPECT_EQ(Thrown([&] { loop_.RunUntilComplete(t); }),
            "RuntimeError: Event loop stopped before Future completed.");
  // Nothing stops the loop now when the future is done.
  loop_.CallLater(absl::Seconds(1), Say("still running"));
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i2 t=0 done", "i3 t=1 still running"));
}

TEST_F(EventLoopTest, AnAbandonedRunDoesNotStopALaterOne) {
  // The future is done and its callback queued when an exception propagates.
  Future<int> f(loop_);
  loop_.CallSoon([&] { f.SetResult(1); });
  loop_.CallSoon([] { throw SystemExit(1); });
  EXPECT_THROW(loop_.RunUntilComplete(f), SystemExit);
  loop_.CallLater(absl::Seconds(1), Say("still running"));
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i3 t=1 still running"));
}

TEST_F(EventLoopTest, ACriticalExceptionOfTheMainTaskIsRetrieved) {
  const auto main = []() -> Coro<void> {
    throw SystemExit(3);
    co_return;
  };
  EXPECT_THROW(Run(main()), SystemExit);
  loop_.Reset();
  EXPECT_THAT(TakeReports(), IsEmpty());
}

TEST_F(EventLoopTest, AFutureOfAnotherLoopIsRefused) {
  EventLoop other({.clock = &clock_});
  EXPECT_EQ(Thrown([&] { loop_.RunUntilComplete(Future<int>(other)); }),
            "ValueError: the future belongs to another event loop: run that "
            "loop instead");
}

TEST_F(EventLoopTest, WaitingForWhatCannotComeIsADeadlock) {  // V-06.
  const auto main = []() -> Coro<void> {
    Future<void> never;
    co_await never;
  };
  EXPECT_EQ(Thrown([&] { Run(main()); }),
            "DeadlockError: Deadlock: nothing is ready, no timer is set, and "
            "nothing can come from outside");
  EXPECT_FALSE(loop_.IsRunning());
}

// ---- The end: L-34, L-37. ----

TEST_F(EventLoopTest, CloseDropsWhatIsReadyAndAllTimers) {
  auto witness = std::make_shared<int>(1);
  loop_.CallSoon([witness] { FAIL(); });
  loop_.CallLater(absl::Seconds(1), [witness] { FAIL(); });
  EXPECT_FALSE(loop_.IsClosed());
  loop_.Close();
  loop_.Close();
  EXPECT_TRUE(loop_.IsClosed());
  EXPECT_EQ(witness.use_count(), 1);
}

TEST_F(EventLoopTest, AClosedLoopRefusesWork) {
  loop_.Close();
  const std::string closed = "RuntimeError: Event loop is closed";
  EXPECT_EQ(Thrown([&] { loop_.CallSoon([] {}); }), closed);
  EXPECT_EQ(Thrown([&] { loop_.CallLater(kNow, [] {}); }), closed);
  EXPECT_EQ(Thrown([&] { loop_.CallAt(kNow, [] {}); }), closed);
  EXPECT_EQ(Thrown([&] { loop_.RunForever(); }), closed);
  EXPECT_EQ(Thrown([&] { loop_.RunUntilComplete(Future<int>(loop_)); }),
            closed);
  loop_.Stop();
  EXPECT_FALSE(loop_.IsRunning());
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());
}

TEST_F(EventLoopTest, CannotBeClosedOrResetWhileItRuns) {
  loop_.CallSoon([this] {
    Note(Thrown([&] { loop_.Close(); }));
    Note(Thrown([&] { loop_.Reset(); }));
  });
  Iterate();
  EXPECT_THAT(log_,
              ElementsAre("RuntimeError: Cannot close a running event loop",
                          "RuntimeError: Cannot reset a running event loop"));
}

TEST_F(EventLoopTest, ResetMakesItAsNew) {
  const auto program = [&]() -> Coro<void> {
    const std::string name = CurrentTask()->GetName();
    co_await Sleep(kNow);
    loop_.CallLater(absl::Seconds(1), [] {});
    Log(name);
  };
  Run(program());
  loop_.Close();
  loop_.Reset();
  EXPECT_FALSE(loop_.IsClosed());
  EXPECT_EQ(CoreOf(loop_).iterations(), 0u);
  Run(program());
  EXPECT_THAT(log_, ElementsAre("i2 t=0 Task-1", "i2 t=0 Task-1"));
}

// ---- The seams. ----

// Runs the last ready item first, or makes the given decisions.
class LastFirst : public internal::Scheduler {
 public:
  Decision Choose(const internal::ReadyQueue& ready,
                  const internal::Timer* next_timer) override {
    if (fire_timers && next_timer != nullptr) return kTimer;
    if (steps_left == 0) return kStop;
    --steps_left;
    return static_cast<Decision>(ready.size()) - 1;
  }
  bool BeforeWait(const internal::Timer* next_timer) override {
    return next_timer != nullptr;
  }

  bool fire_timers = false;
  int steps_left = 1000;
};

class SchedulerTest : public internal::RuntimeTest {
 protected:
  SchedulerTest() {
    CoreOf(loop).set_scheduler(&scheduler);
    for (const std::string name : {"a", "b", "c"}) {
      loop.CallSoon([this, name] { Note(name); });
    }
  }
  void TearDown() override {
    loop.Close();
    RuntimeTest::TearDown();
  }
  LastFirst scheduler;
  EventLoop loop{{.clock = &clock_}};
};

TEST_F(SchedulerTest, PicksWhatRunsNext) {
  loop.RunForever();
  EXPECT_THAT(log_, ElementsAre("c", "b", "a"));
}

TEST_F(SchedulerTest, StopsTheLoopWithWhatIsReady) {
  scheduler.steps_left = 1;
  loop.RunForever();
  EXPECT_THAT(log_, ElementsAre("c"));
  EXPECT_FALSE(loop.IsRunning());
  scheduler.steps_left = 1000;
  loop.RunForever();
  EXPECT_THAT(log_, ElementsAre("c", "b", "a"));
}

TEST_F(SchedulerTest, LetsATimerFireBeforeWhatIsReady) {
  loop.CallLater(absl::Seconds(1), [this] { Note("timer", clock_.NowNs()); });
  scheduler.fire_timers = true;
  loop.RunForever();
  EXPECT_THAT(log_, ElementsAre("timer 1000000000", "c", "b", "a"));
}

TEST_F(SchedulerTest, StopsTheLoopInPlaceOfWaitingForEver) {
  const auto main = []() -> Coro<void> {
    Future<void> never;
    co_await never;
  };
  EXPECT_EQ(Thrown([&] { loop.RunUntilComplete(main()); }),
            "RuntimeError: Event loop stopped before Future completed.");
}

TEST(InstrumentTest, SeesTasksAndSteps) {
  struct Counter : internal::Instrument {
    void TaskCreated(const internal::TaskBase&) override { ++created; }
    void TaskDone(const internal::TaskBase&) override { ++done; }
    void BecameReady(const internal::Runnable&) override { ++ready; }
    void StepBegins(const internal::Runnable&) override { ++begun; }
    void StepEnds() override { ++ended; }
    void TaskWaits(const internal::TaskBase&,
                   const internal::FutureBase* future) override {
      ++(future == nullptr ? yields : waits);
    }
    int created = 0, done = 0, ready = 0, begun = 0, ended = 0, yields = 0,
        waits = 0;
  } counter;
  internal::JumpingClock clock;
  EventLoop loop({.clock = &clock});
  CoreOf(loop).set_instrument(&counter);
  const auto child = []() -> Coro<void> { co_await Sleep(absl::Seconds(1)); };
  const auto main = [&]() -> Coro<void> {
    Task<void> t = CreateTask(child());
    co_await Sleep(kNow);
    co_await t;
    Task<void> cancelled = CreateTask(child());
    cancelled.Cancel();
    try {
      co_await cancelled;
    } catch (const CancelledError&) {
    }
  };
  loop.RunUntilComplete(main());
  EXPECT_EQ(counter.created, 3);
  EXPECT_EQ(counter.done, 3);
  EXPECT_EQ(counter.yields, 1);
  EXPECT_EQ(counter.waits, 3);
  EXPECT_EQ(counter.begun, counter.ended);
  EXPECT_EQ(counter.begun, counter.ready);
}

TEST(InstrumentTest, AStepThatThrowsOutOfTheLoopEndsToo) {
  struct Counter : internal::Instrument {
    void StepBegins(const internal::Runnable&) override { ++depth; }
    void StepEnds() override { --depth; }
    int depth = 0;
  } counter;
  internal::JumpingClock clock;
  EventLoop loop({.clock = &clock});
  CoreOf(loop).set_instrument(&counter);
  loop.CallSoon([] { throw SystemExit(1); });
  EXPECT_THROW(loop.RunForever(), SystemExit);
  EXPECT_EQ(counter.depth, 0);
}

}  // namespace
}  // namespace clotho
