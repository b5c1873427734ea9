// Each kind of failure, in the smallest program that has it: what the report
// says, where, when, and its signature.

#include "clotho/sim/engine/failure.h"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/report/wait_report.h"
#include "clotho/sim/search/explore.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string Here(int line) {
  return absl::StrCat("sim/engine/failure_test.cc:", line);
}

// The whole failure, one line for each part.
std::string Story(const Report& report) {
  if (report.passed()) return "passed";
  const Failure& failure = *report.failure();
  std::string story = absl::StrCat(std::string(FailureKindName(failure.kind)),
                                   "\n", failure.what, "\nat ");
  if (failure.line == 0) {
    absl::StrAppend(&story, "no known place");
  } else {
    absl::StrAppend(&story, failure.file, ":", failure.line);
  }
  absl::StrAppend(&story, "\ntask \"", failure.task, "\", step ", failure.step,
                  ", ", failure.time_ns, " ns\nsignature ", failure.signature);
  return story;
}

TEST(FailureTest, AnExceptionOutOfTheBody) {
  const auto body = []() -> Coro<void> {
    co_await Sleep(absl::Milliseconds(1));
    throw ValueError("bad");
  };
  EXPECT_EQ(Story(Explore(body)),
            "exception\n"
            "The test's body ended with ValueError: bad\n"
            "at no known place\n"
            "task \"main\", step 2, 1000000 ns\n"
            "signature exception ValueError: bad");
}

// Fails in the background, unobserved.
Coro<void> FailUnseen() {
  co_await Sleep(absl::ZeroDuration());
  throw ValueError("unseen");
}

Coro<void> LoseAFailure() {
  CreateTask(FailUnseen());
  co_await Sleep(absl::Milliseconds(1));
}

TEST(FailureTest, AProgramsOwnHandlerDecides) {
  int handled = 0;
  const auto body = [&handled]() -> Coro<void> {
    GetRunningLoop().SetExceptionHandler(
        [&handled](EventLoop&, const ExceptionContext&) { ++handled; });
    co_await LoseAFailure();
  };
  EXPECT_EQ(Story(Explore(body, Random{.schedules = 10})), "passed");
  EXPECT_GE(handled, 10);
}

TEST(FailureTest, AHandlerMayLeaveItToTheDefault) {
  const auto body = []() -> Coro<void> {
    GetRunningLoop().SetExceptionHandler(
        [](EventLoop& loop, const ExceptionContext& context) {
          loop.DefaultExceptionHandler(context);
        });
    co_await LoseAFailure();
  };
  EXPECT_THAT(Story(Explore(body)), HasSubstr("ValueError: unseen"));
}

TEST(FailureTest, AHandlerIsGoneWithItsExecution) {
  int executions = 0;
  const auto body = [&executions]() -> Coro<void> {
    if (++executions == 1) {
      GetRunningLoop().SetExceptionHandler(
          [](EventLoop&, const ExceptionContext&) {});
    }
    co_await LoseAFailure();
  };
  Explore(body, Random{.schedules = 2});
  EXPECT_GE(executions, 3) << "the second fails, and is run again";
}

TEST(FailureTest, WithoutAHandlerItIsTheDefaultAgain) {
  const auto body = []() -> Coro<void> {
    GetRunningLoop().SetExceptionHandler(
        [](EventLoop&, const ExceptionContext&) {});
    GetRunningLoop().SetExceptionHandler(nullptr);
    co_await LoseAFailure();
  };
  EXPECT_THAT(Story(Explore(body)), HasSubstr("ValueError: unseen"));
}

TEST(FailureTest, AHandlerThatThrowsIsAFailure) {
  const auto body = []() -> Coro<void> {
    GetRunningLoop().SetExceptionHandler(
        [](EventLoop&, const ExceptionContext&) { throw ValueError("own"); });
    co_await LoseAFailure();
  };
  EXPECT_THAT(Story(Explore(body)),
              HasSubstr("Unhandled error in exception handler"));
}

// Tasks that are ready then would run in a broken state.
TEST(FailureTest, NobodyGoesOnAfterABodyThatHasFailed) {
  const auto body = []() -> Coro<void> {
    const auto other = []() -> Coro<void> {
      co_await Sleep(absl::ZeroDuration());
      throw RuntimeError("the consequence");
    };
    Task<void> task = CreateTask(other());
    co_await Sleep(absl::ZeroDuration());
    throw ValueError("the cause");
  };
  EXPECT_THAT(Story(Explore(body, Fifo{})),
              HasSubstr("The test's body ended with ValueError: the cause\n"));
}

TEST(FailureTest, AnExceptionOfTheStandardLibrary) {
  const auto body = []() -> Coro<void> {
    co_await Sleep(absl::ZeroDuration());
    throw std::out_of_range("7");
  };
  EXPECT_THAT(Story(Explore(body)),
              HasSubstr("The test's body ended with out_of_range: 7\n"));
}

TEST(FailureTest, ACancellationOfTheBody) {
  const auto body = []() -> Coro<void> {
    co_await Sleep(absl::ZeroDuration());
    throw CancelledError("gone");
  };
  EXPECT_EQ(Story(Explore(body)),
            "exception\n"
            "The test's body ended with CancelledError: gone\n"
            "at no known place\n"
            "task \"main\", step 2, 0 ns\n"
            "signature exception CancelledError: gone");
}

TEST(FailureTest, AnExceptionThatLeavesTheLoop) {
  const auto body = []() -> Coro<void> {
    co_await Sleep(absl::ZeroDuration());
    throw KeyboardInterrupt();
  };
  const Report report = Explore(body);
  EXPECT_EQ(report.failure()->kind, FailureKind::kException);
  EXPECT_THAT(report.failure()->what,
              HasSubstr("KeyboardInterrupt left the event loop"));
  EXPECT_EQ(report.failure()->signature, "critical KeyboardInterrupt");
}

TEST(FailureTest, AFalseAlways) {
  static int line = 0;
  const auto body = []() -> Coro<void> {
    const auto worker = []() -> Coro<void> {
      co_await Sleep(absl::Milliseconds(2));
      line = __LINE__ + 1;
      Always(1 + 1 == 3, "sums are right");
    };
    Task<void> task = CreateTask(worker(), {.name = "worker"});
    co_await task;
  };
  const std::string story = Story(Explore(body));
  EXPECT_EQ(story, absl::StrCat("always\n"
                                "Always \"sums are right\" is false\n"
                                "at ",
                                Here(line),
                                "\n"
                                "task \"worker\", step 3, 2000000 ns\n"
                                "signature always ",
                                Here(line)));
}

Coro<void> Both(Lock& first, Lock& second) {
  Lock::Guard one = co_await first.Acquire();
  co_await Sleep(absl::Milliseconds(1));
  Lock::Guard two = co_await second.Acquire();
}
constexpr int kSecondAcquire = __LINE__ - 2;

Coro<void> BothOrders() {
  Lock a("a");
  Lock b("b");
  Task<void> forth = CreateTask(Both(a, b), {.name = "forth"});
  Task<void> back = CreateTask(Both(b, a), {.name = "back"});
  co_await forth;
  co_await back;
}

TEST(FailureTest, ADeadlockWithACircle) {
  const Report report = Explore(BothOrders);
  const std::string place = Here(kSecondAcquire);
  EXPECT_EQ(Story(report),
            absl::StrCat("deadlock\n"
                         "Deadlock at t = 1 ms, step 5: nothing is ready, no "
                         "timer is set, main has not finished\n"
                         "at ",
                         place,
                         "\n"
                         "task \"\", step 5, 1000000 ns\n"
                         "signature deadlock ",
                         place));
  EXPECT_THAT(
      internal::WaitsText(report.trace),
      AllOf(HasSubstr("+-> forth  waits for  Lock \"b\"  held by  back \n"
                      "|   back   waits for  Lock \"a\"  held by  forth --+\n"),
            HasSubstr("main   task forth")));
}

// However many tasks wait at a place, it is the same deadlock.
TEST(FailureTest, ADeadlockIsASetOfPlaces) {
  const auto signature_with = [](int tasks) {
    const auto body = [tasks]() -> Coro<void> {
      const auto worker = []() -> Coro<void> {
        Future<void> nobody_sets;
        co_await nobody_sets;
      };
      std::vector<Coro<void>> workers;
      for (int i = 0; i < tasks; ++i) workers.push_back(worker());
      co_await Gather(std::move(workers));
    };
    return Explore(body).failure()->signature;
  };
  EXPECT_EQ(signature_with(1), signature_with(3));
}

TEST(SignatureTextTest, IsOneLineOfAsciiWithoutNumbers) {
  EXPECT_EQ(SignatureText("id 7 of 1000 at 0x7ffeA0, -3.5 s"),
            "id # of # at #, -#.# s");
  EXPECT_EQ(SignatureText("two\nlines\tK\xc3\xb6"), "two lines K??");
  EXPECT_EQ(SignatureText("0x"), "#");
  EXPECT_EQ(SignatureText(""), "");
  EXPECT_EQ(SignatureText(std::string(1'000, 'x')), std::string(200, 'x'));
}

TEST(FailureTest, ACircleOfTasksThatAwaitEachOther) {
  const auto body = []() -> Coro<void> {
    auto other = std::make_shared<std::optional<Task<void>>>();
    const auto wait =
        [](std::shared_ptr<std::optional<Task<void>>> task) -> Coro<void> {
      co_await Sleep(absl::ZeroDuration());
      Task<void> awaited = **task;
      co_await awaited;
    };
    const auto own = [](std::shared_ptr<std::optional<Task<void>>> task,
                        Coro<void> coro) -> Coro<void> {
      Task<void> inner = CreateTask(std::move(coro), {.name = "inner"});
      co_await inner;
      task->reset();
    };
    Task<void> outer = CreateTask(own(other, wait(other)), {.name = "outer"});
    other->emplace(outer);
    co_await outer;
  };
  const Report report = Explore(body);
  EXPECT_EQ(report.failure()->kind, FailureKind::kDeadlock);
  EXPECT_THAT(internal::WaitsText(report.trace),
              HasSubstr("outer  waits for  task inner  that is  inner"));
}

TEST(FailureTest, ALostWakeUp) {
  static int line = 0;
  const auto body = []() -> Coro<void> {
    const auto worker = []() -> Coro<void> {
      Future<void> nobody_sets;
      line = __LINE__ + 1;
      co_await nobody_sets;
    };
    Task<void> task = CreateTask(worker(), {.name = "worker"});
    co_await task;
  };
  const Report report = Explore(body);
  EXPECT_EQ(report.failure()->kind, FailureKind::kDeadlock);
  EXPECT_EQ(report.failure()->what,
            "Deadlock (lost wake-up) at t = 0 s, step 2: nothing is ready, no "
            "timer is set, main has not finished");
  EXPECT_EQ(absl::StrCat(report.failure()->file, ":", report.failure()->line),
            Here(line));
  EXPECT_THAT(internal::WaitsText(report.trace),
              HasSubstr("nobody is known to end this wait"));
}

// ---- Deadlocks beside periodic work. ----

Coro<void> Beat(absl::Duration period) {
  while (true) co_await Sleep(period);
}

Task<void> StartHeartbeat(absl::Duration period) {
  return CreateTask(Beat(period), {.name = "heartbeat", .background = true});
}

TEST(QuietTest, ADeadlockBesideAHeartbeatIsADeadlock) {
  const auto body = []() -> Coro<void> {
    StartHeartbeat(absl::Seconds(1));
    co_await BothOrders();
  };
  const Report report = Explore(body);
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->kind, FailureKind::kDeadlock);
  EXPECT_EQ(report.failure()->what,
            "Deadlock at t = 1995 s, step 2000: main waits for nothing that "
            "still runs\n(what runs: heartbeat)");
  EXPECT_EQ(report.failure()->signature,
            absl::StrCat("deadlock ", Here(kSecondAcquire)));
  EXPECT_THAT(internal::WaitsText(report.trace),
              HasSubstr("+-> forth  waits for  Lock \"b\""));
  const auto again = Replay(body, FormatReplay(report.replay));
  ASSERT_TRUE(again.ok());
  EXPECT_NE(again->verdict(), Report::Verdict::kDiverged) << *again;
  EXPECT_EQ(again->failure()->signature, report.failure()->signature);
}

TEST(QuietTest, ALostWakeUpIsFoundShrunkAndReplayedBesideAHeartbeat) {
  const auto body = []() -> Coro<void> {
    StartHeartbeat(absl::Milliseconds(100));
    Future<void> wake;
    bool waits = false;
    const auto waker = [](Future<void>& future,
                          bool& is_waiting) -> Coro<void> {
      co_await Sleep(absl::ZeroDuration());
      if (is_waiting) future.SetResult();
    };
    Task<void> task = CreateTask(waker(wake, waits), {.name = "waker"});
    co_await Sleep(absl::ZeroDuration());
    waits = true;
    co_await wake;
  };
  const Report report = Explore(body, Fuzz());
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->kind, FailureKind::kDeadlock);
  EXPECT_EQ(std::get<Deviations>(report.replay.schedule).size(), 1u);
  EXPECT_TRUE(report.shrinking.minimal);
  EXPECT_LE(report.failure()->step, 3'000u);
  const auto again = Replay(body, FormatReplay(report.replay));
  ASSERT_TRUE(again.ok());
  EXPECT_NE(again->verdict(), Report::Verdict::kDiverged) << *again;
  EXPECT_EQ(again->failure()->signature, report.failure()->signature);
}

// What runs may wake the body much later, in a way that no wait shows.
TEST(QuietTest, ALongWaitIsNoDeadlock) {
  const auto body = []() -> Coro<void> {
    Event done;
    const auto work = [](Event& event) -> Coro<void> {
      for (int i = 0; i < 60'000; ++i) co_await Sleep(absl::Milliseconds(1));
      event.Set();
    };
    Task<void> worker = CreateTask(work(done), {.name = "worker"});
    co_await done.Wait();
    co_await worker;
  };
  const Report report = Explore(body);
  EXPECT_TRUE(report.passed()) << report;
}

TEST(QuietTest, ATimeoutThatIsStillSetIsNoDeadlock) {
  const auto body = []() -> Coro<void> {
    StartHeartbeat(absl::Milliseconds(1));
    Event never;
    bool timed_out = false;
    try {
      co_await WaitFor(never.Wait(), absl::Seconds(20));
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    Always(timed_out, "it ends");
  };
  const Report report = Explore(body);
  EXPECT_TRUE(report.passed()) << report;
}

// The body waits for a task that polls: that is a livelock.
TEST(QuietTest, APollingTaskThatTheBodyAwaitsIsALivelock) {
  const auto body = []() -> Coro<void> {
    Task<void> poller = CreateTask(Beat(absl::Milliseconds(1)));
    co_await poller;
  };
  EXPECT_EQ(Explore(body).failure()->kind, FailureKind::kLivelock);
}

TEST(QuietTest, BesideRareWorkVirtualTimeEndsFirst) {
  const auto body = []() -> Coro<void> {
    StartHeartbeat(absl::Hours(24));
    Future<void> nobody_sets;
    co_await nobody_sets;
  };
  const Report report = Explore(body);
  EXPECT_EQ(report.failure()->kind, FailureKind::kDeadlock);
  EXPECT_EQ(report.failure()->step, 2'000u);
}

Coro<void> WaitForMore(Condition& more) {
  const auto guard = co_await more.Acquire();
  co_await more.WaitFor([] { return false; });
}
constexpr int kWaitForMore = __LINE__ - 2;

Coro<void> CallWaitForMore(Condition& more) { co_await WaitForMore(more); }

TEST(FailureTest, ADeadlockIsWhereTheInnermostCoroutineOfTheUserWaits) {
  const auto body = []() -> Coro<void> {
    Condition more;
    Task<void> task = CreateTask(CallWaitForMore(more), {.name = "worker"});
    co_await task;
  };
  const Report report = Explore(body);
  EXPECT_EQ(report.failure()->kind, FailureKind::kDeadlock);
  EXPECT_EQ(absl::StrCat(report.failure()->file, ":", report.failure()->line),
            Here(kWaitForMore));
  EXPECT_THAT(report.failure()->signature, HasSubstr(Here(kWaitForMore)));
}

constexpr int kGoesRound = __LINE__ + 2;
Coro<void> GoRound() {
  while (true) co_await Sleep(absl::ZeroDuration());
}

TEST(FailureTest, ALivelock) {
  const Report report = Explore(GoRound, Limits{.steps_max = 500});
  EXPECT_EQ(
      Story(report),
      absl::StrCat(
          "livelock\n"
          "Livelock: 500 steps without an end\n"
          "main took 500 steps, the last one: gives way (",
          Here(kGoesRound),
          ")\n"
          "(a test that needs more says so: sim::Limits{.steps_max = ...})\n"
          "at no known place\n"
          "task \"\", step 500, 0 ns\n"
          "signature livelock"));
}

TEST(FailureTest, ALivelockNamesThoseWhoKeepItGoing) {
  const auto body = []() -> Coro<void> {
    Event ping;
    Event pong;
    const auto relay = [](Event& mine, Event& other) -> Coro<void> {
      while (true) {
        co_await mine.Wait();
        mine.Clear();
        other.Set();
      }
    };
    const auto rare = []() -> Coro<void> {
      co_await Sleep(absl::ZeroDuration());
      co_await Sleep(absl::Hours(1));
    };
    Task<void> left = CreateTask(relay(ping, pong), {.name = "left"});
    Task<void> right = CreateTask(relay(pong, ping), {.name = "right"});
    Task<void> other = CreateTask(rare(), {.name = "other"});
    ping.Set();
    co_await Gather(left, right, other);
  };
  const std::string what =
      Explore(body, Limits{.steps_max = 500}).failure()->what;
  EXPECT_THAT(what,
              HasSubstr("\nleft took 249 steps, the last one: wakes "
                        "right, await Event (sim/engine/failure_test.cc:"));
  EXPECT_THAT(what,
              HasSubstr("\nright took 248 steps, the last one: wakes "
                        "left, await Event (sim/engine/failure_test.cc:"));
  EXPECT_THAT(what, Not(HasSubstr("other")));
  EXPECT_THAT(what, Not(HasSubstr("main")));
}

TEST(FailureTest, ABodyThatUsesUpItsStepsExactlyIsNoLivelock) {
  const auto body = []() -> Coro<void> {
    for (int i = 0; i < 99; ++i) co_await Sleep(absl::ZeroDuration());
  };
  EXPECT_EQ(Story(Explore(body, Limits{.steps_max = 100})), "passed");
  EXPECT_EQ(Explore(body, Limits{.steps_max = 99}).failure()->kind,
            FailureKind::kLivelock);
}

TEST(FailureTest, TooMuchVirtualTime) {
  constexpr int kLine = __LINE__ + 1;
  const auto body = []() -> Coro<void> { co_await Sleep(absl::Hours(2)); };
  EXPECT_EQ(
      Story(Explore(body, Limits{.virtual_time_max = absl::Hours(1)})),
      absl::StrCat(
          "virtual time\n"
          "The test's body has not ended after 3600 s of virtual time\n"
          "main took 1 step, the last one: starts, await Sleep(7200 s) (",
          Here(kLine),
          ")\n(a test that needs more says so: sim::Limits{.virtual_time_max = "
          "...})\n"
          "at no known place\n"
          "task \"\", step 1, 0 ns\n"
          "signature virtual time"));
  EXPECT_EQ(Story(Explore(body, Limits{.virtual_time_max = absl::Hours(2)})),
            "passed");
}

TEST(FailureTest, ADeadlineBeyondTheBudgetNeverFiresEarly) {
  const auto body = []() -> Coro<void> {
    Coro<void> quick = []() -> Coro<void> {
      for (int i = 0; i < 5; ++i) co_await Sleep(absl::ZeroDuration());
    }();
    co_await WaitFor(std::move(quick), absl::InfiniteDuration());
  };
  EXPECT_EQ(Story(Explore(body, Random{.schedules = 100})), "passed");
}

TEST(FailureTest, ALeakedTask) {
  static int created = 0;
  static int awaits = 0;
  const auto body = []() -> Coro<void> {
    const auto beat = []() -> Coro<void> {
      awaits = __LINE__ + 1;
      co_await Sleep(absl::Seconds(10));
    };
    created = __LINE__ + 1;
    Task<void> task = CreateTask(beat(), {.name = "heartbeat"});
    co_await Sleep(absl::Seconds(1));
  };
  const Report report = Explore(body);
  EXPECT_EQ(
      Story(report),
      absl::StrCat(
          "leaked task\n"
          "Leaked task: heartbeat is still pending after the test's body "
          "returned\n"
          "created at ",
          Here(created), "\nawaiting Sleep(10 s) at ", Here(awaits),
          "\n"
          "Await it or cancel it; to let it outlive the test, create it with "
          "{.background = true}.\n"
          "at ",
          Here(created),
          "\n"
          "task \"heartbeat\", step 3, 1000000000 ns\n"
          "signature leaked task ",
          Here(created)));
}

TEST(FailureTest, ABackgroundTaskMayOutliveTheBody) {
  const auto body = []() -> Coro<void> {
    CreateTask(GoRound(), {.name = "daemon", .background = true});
    CreateTask(Sleep(absl::Hours(1)), {.background = true});
    co_await Sleep(absl::ZeroDuration());
  };
  EXPECT_EQ(Story(Explore(body)), "passed");
}

TEST(FailureTest, ATaskThatOnlyHasToRunIsNotLeaked) {
  const auto body = []() -> Coro<void> {
    CreateTask(Sleep(absl::ZeroDuration()), {.name = "as good as done"});
    co_return;
  };
  EXPECT_EQ(Story(Explore(body)), "passed");
}

TEST(FailureTest, ATaskThatIsCancelledAtTheEndIsNotLeaked) {
  const auto body = []() -> Coro<void> {
    Task<void> task = CreateTask(Sleep(absl::Hours(1)));
    co_await Sleep(absl::ZeroDuration());
    task.Cancel();
  };
  EXPECT_EQ(Story(Explore(body)), "passed");
}

Coro<void> Throw() {
  co_await Sleep(absl::ZeroDuration());
  throw TimeoutError("after 2 s");
}

TEST(FailureTest, AnExceptionOfATaskThatNobodyRetrieved) {
  static int created = 0;
  const auto body = []() -> Coro<void> {
    created = __LINE__ + 1;
    CreateTask(Throw(), {.name = "prefetch"});
    co_await Sleep(absl::Milliseconds(1));
  };
  const std::string story = Story(Explore(body));
  EXPECT_EQ(story,
            absl::StrCat("unretrieved exception\n"
                         "Exception nobody retrieved: task prefetch raised "
                         "TimeoutError: after 2 s\n"
                         "created at ",
                         Here(created),
                         "\n"
                         "at ",
                         Here(created),
                         "\n"
                         "task \"prefetch\", step 3, 0 ns\n"
                         "signature unretrieved exception ",
                         Here(created), " TimeoutError: after # s"));
}

TEST(FailureTest, AnExceptionThatIsFoundOnlyWhenTheBodyHasEnded) {
  const auto body = []() -> Coro<void> {
    Task<void> task = CreateTask(Throw(), {.name = "prefetch"});
    co_await Sleep(absl::Milliseconds(1));
  };
  EXPECT_EQ(Explore(body).failure()->kind, FailureKind::kUnretrieved);
}

TEST(FailureTest, AnExceptionOfAFutureThatNobodyRetrieved) {
  const auto body = []() -> Coro<void> {
    Future<int> future;
    future.SetException(ValueError("bad"));
    co_return;
  };
  const Report report = Explore(body);
  EXPECT_EQ(report.failure()->kind, FailureKind::kUnretrieved);
  EXPECT_EQ(report.failure()->what,
            "Exception nobody retrieved: ValueError: bad, set on a Future");
}

Coro<void> Flush() { co_return; }

TEST(FailureTest, ACoroutineThatWasNeverAwaited) {
  const auto body = []() -> Coro<void> {
    {
      const Coro<void> forgotten = Flush();
    }
    co_await Sleep(absl::ZeroDuration());
  };
  const Report report = Explore(body);
  EXPECT_EQ(report.failure()->kind, FailureKind::kNeverAwaited);
  EXPECT_THAT(report.failure()->what,
              AllOf(HasSubstr("Never awaited: "), HasSubstr("Flush"),
                    HasSubstr("CreateTask() starts one")));
  EXPECT_EQ(report.failure()->task, "main");
  EXPECT_EQ(report.failure()->step, 1);
}

TEST(FailureTest, AnExceptionOutOfACallback) {
  static int line = 0;
  const auto body = []() -> Coro<void> {
    line = __LINE__ + 1;
    GetRunningLoop().CallLater(absl::Milliseconds(1),
                               [] { throw ValueError("bad"); });
    co_await Sleep(absl::Milliseconds(2));
  };
  const std::string story = Story(Explore(body));
  EXPECT_EQ(story, absl::StrCat("callback\n"
                                "Exception out of a callback: ValueError: bad\n"
                                "scheduled at ",
                                Here(line),
                                "\n"
                                "at ",
                                Here(line),
                                "\n"
                                "task \"\", step 2, 1000000 ns\n"
                                "signature callback ",
                                Here(line), " ValueError: bad"));
}

TEST(FailureTest, AnExceptionOutOfADoneCallback) {
  const auto body = []() -> Coro<void> {
    Future<void> future;
    future.AddDoneCallback([] { throw ValueError("bad"); });
    future.SetResult();
    co_await Sleep(absl::ZeroDuration());
  };
  const Report report = Explore(body);
  EXPECT_EQ(report.failure()->kind, FailureKind::kCallback);
  EXPECT_EQ(report.failure()->what,
            "Exception out of a callback: ValueError: bad");
}

TEST(FailureTest, TheFirstFailureIsNotHiddenByWhatFollowsFromIt) {
  static bool went_on = false;
  went_on = false;
  const auto body = []() -> Coro<void> {
    Lock lock("a");
    lock.Locked();
    const auto worker = []() -> Coro<void> {
      co_await Sleep(absl::Milliseconds(1));
      Always(false, "the first");
    };
    CreateTask(worker(), {.name = "worker"});
    CreateTask(Sleep(absl::Hours(1)), {.name = "leaked"});
    Task<void> thrower = CreateTask(Throw());
    Future<void> never;
    co_await never;
    went_on = true;
  };
  const Report report = Explore(body);
  EXPECT_EQ(report.failure()->what, "Always \"the first\" is false");
  EXPECT_FALSE(went_on);
}

TEST(FailureTest, WhoeverCatchesAFailureDoesNotHideIt) {
  static int steps_after = 0;
  steps_after = 0;
  const auto body = []() -> Coro<void> {
    try {
      Always(false, "cannot be caught");
    } catch (...) {
    }
    co_await Sleep(absl::ZeroDuration());
    ++steps_after;
  };
  const Report report = Explore(body);
  EXPECT_EQ(report.failure()->what, "Always \"cannot be caught\" is false");
  EXPECT_EQ(steps_after, 0);
}

TEST(FailureTest, KindsHaveNames) {
  EXPECT_EQ(FailureKindName(FailureKind::kException), "exception");
  EXPECT_EQ(FailureKindName(FailureKind::kExpectation), "expectation");
  EXPECT_EQ(FailureKindName(FailureKind::kVirtualTime), "virtual time");
}

}  // namespace
}  // namespace clotho::sim
