#include "clotho/runtime/task.h"

#include <concepts>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/outcome.h"
#include "clotho/runtime/shield.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Repr;
using internal::Thrown;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

static_assert(std::is_trivially_destructible_v<TaskOptions>);
static_assert(std::copyable<Task<int>>);
static_assert(std::derived_from<Task<int>, Future<int>>);
static_assert(std::is_convertible_v<Task<int>, AnyTask>);
static_assert(!std::is_default_constructible_v<Task<int>>);
static_assert(Awaitable<Task<int>>);
static_assert(Awaitable<Task<int>&>);
static_assert(IsFuture<Task<int>>);
static_assert(IsFuture<const Future<void>&>);
static_assert(!IsFuture<Coro<int>>);
static_assert(!IsFuture<int>);
template <typename T>
concept TakesResult = requires(T t) { t.SetResult(1); };
static_assert(TakesResult<Future<int>>);
static_assert(!TakesResult<Task<int>>);  // T-08.

constexpr Delay kNow;

class TaskTest : public internal::RuntimeTest {
 protected:
  Coro<void> SleepFor(Delay delay) { co_await Sleep(delay); }
  Coro<int> Return(int value) { co_return value; }
  Coro<int> Throw(std::string text) {
    throw ValueError(text);
    co_return 0;
  }
  // Waits for `future` and logs its outcome.
  Coro<void> Wait(Future<int> future) {
    try {
      const int value = co_await future;
      Note("value", value);
    } catch (...) {
      Note(Repr(std::current_exception()));
      throw;
    }
  }
};

// ---- Creation: T-01, T-22. ----

TEST_F(TaskTest, StartsInTheNextIterationInTheOrderOfCreation) {
  const auto c = [&](std::string name) -> Coro<void> {
    Log(name);
    co_return;
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> a = CreateTask(c("a"));
    Task<void> b = CreateTask(c("b"));
    Log("created");
    co_await b;
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i1 t=0 created", "i2 t=0 a", "i2 t=0 b"));
}

TEST_F(TaskTest, IsNamedByNumberUnlessItIsGivenAName) {
  Task<int> a = Start(Return(1));
  Task<int> b = Start(Return(2), {.name = "worker"});
  Task<int> c = Start(Return(3));
  EXPECT_EQ(a.GetName(), "Task-1");
  EXPECT_EQ(b.GetName(), "worker");
  EXPECT_EQ(c.GetName(), "Task-2");  // A given name uses up no number.
  a.SetName("renamed");
  EXPECT_EQ(a.GetName(), "renamed");
  Iterate();
  EXPECT_EQ(c.GetName(), "Task-2");
  loop_.Reset();
  EXPECT_EQ(Start(Return(4)).GetName(), "Task-1");
  loop_.Reset();
}

TEST_F(TaskTest, GivesItsResultToAllWhoAsk) {
  Task<int> t = Start(Return(5));
  EXPECT_EQ(
      Thrown([&] { static_cast<void>(t.Result()); }),
      "InvalidStateError: Result is not set: the future is pending; co_await "
      "it, or ask Done() first");
  Iterate();
  EXPECT_TRUE(t.Done());
  EXPECT_EQ(t.Result(), 5);
  EXPECT_EQ(t.Result(), 5);
  EXPECT_EQ(Run([&]() -> Coro<int> { co_return co_await t; }()), 5);
}

TEST_F(TaskTest, GivesItsExceptionToAllWhoAsk) {
  Task<int> t = Start(Throw("x"));
  Iterate();
  EXPECT_EQ(Repr(t.GetException()), "ValueError('x')");
  EXPECT_EQ(Thrown([&] { static_cast<void>(t.Result()); }), "ValueError: x");
  EXPECT_EQ(Thrown([&] { static_cast<void>(t.Result()); }), "ValueError: x");
}

TEST_F(TaskTest, ReturnsReferencesAndWhatCannotBeCopied) {
  int variable = 1;
  const auto reference = [&]() -> Coro<int&> { co_return variable; };
  const auto owner = []() -> Coro<std::unique_ptr<int>> {
    co_return std::make_unique<int>(2);
  };
  const auto main = [&]() -> Coro<void> {
    int& r = co_await CreateTask(reference());
    EXPECT_EQ(&r, &variable);
    std::unique_ptr<int> o = co_await CreateTask(owner());
    EXPECT_EQ(*o, 2);
  };
  Run(main());
}

TEST_F(TaskTest, MakesATaskOfALambdaThatCaptures) {
  const auto main = [&]() -> Coro<int> {
    auto owned = std::make_unique<int>(6);
    auto function = [owned = std::move(owned)]() -> Coro<int> {
      co_await Sleep(kNow);
      co_return *owned;
    };
    Task<int> t = CreateTask(std::move(function), {.name = "lambda"});
    EXPECT_EQ(t.GetName(), "lambda");
    co_return co_await t;
  };
  EXPECT_EQ(Run(main()), 6);
}

TEST_F(TaskTest, MakesATaskOfAnyAwaitable) {
  const auto main = [&]() -> Coro<void> {
    Task<void> t = CreateTask(Sleep(absl::Seconds(1)));
    co_await t;
    Log("slept");
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i5 t=1 slept"));
}

TEST_F(TaskTest, EnsureFutureLeavesFuturesAsTheyAre) {
  const auto main = [&]() -> Coro<void> {
    Future<int> f;
    EXPECT_TRUE(EnsureFuture(f) == f);
    Task<int> t = CreateTask(Return(1));
    EXPECT_TRUE(EnsureFuture(t) == t);
    Future<int> made = EnsureFuture(Return(2));
    EXPECT_FALSE(made.Done());
    co_await t;
    EXPECT_EQ(made.Result(), 2);
  };
  Run(main());
}

TEST_F(TaskTest, NeedsARunningLoopAndAFreshCoroutine) {
  Coro<int> coro = Return(1);
  EXPECT_EQ(Thrown([&] { CreateTask(std::move(coro)); }),
            "RuntimeError: no running event loop: call this from a coroutine "
            "or a callback");
  EXPECT_EQ(Thrown([&] { Start(std::move(coro)); }),
            "RuntimeError: cannot reuse already awaited coroutine: call its "
            "function again for a new one, or make it a task with CreateTask, "
            "which any number can await");
  testing::internal::CaptureStderr();
  loop_.Close();
  EXPECT_EQ(Thrown([&] { Start(Return(1)); }),
            "RuntimeError: Event loop is closed");
  testing::internal::GetCapturedStderr();
}

TEST_F(TaskTest, RefusesAResultEvenAsAFuture) {
  Task<int> t = Start(Return(1));
  Future<int> f = t;
  EXPECT_EQ(Thrown([&] { f.SetResult(2); }),
            "RuntimeError: Task does not support SetResult: how its "
            "coroutine ends is its result");
  EXPECT_EQ(Thrown([&] { f.SetException(ValueError("x")); }),
            "RuntimeError: Task does not support SetException: how its "
            "coroutine ends is its result");
  Iterate();
  EXPECT_EQ(t.Result(), 1);
}

// ---- Steps: T-05 to T-07. ----

TEST_F(TaskTest, RunsFromSuspensionToSuspensionInOneStep) {
  const auto inner = [&](std::string name) -> Coro<void> {
    Log(name, 1);
    co_await Sleep(kNow);
    Log(name, 2);
  };
  const auto outer = [&](std::string name) -> Coro<void> {
    co_await inner(name);
    Log(name, 3);
  };
  Task<void> a = Start(outer("a"));
  Task<void> b = Start(outer("b"));
  Iterate(2);
  EXPECT_THAT(log_, ElementsAre("i1 t=0 a 1", "i1 t=0 b 1", "i2 t=0 a 2",
                                "i2 t=0 a 3", "i2 t=0 b 2", "i2 t=0 b 3"));
}

TEST_F(TaskTest, IsCancelledIfCancelledErrorLeavesItWhoeverThrewIt) {
  const auto c = []() -> Coro<void> {
    throw CancelledError("mine");
    co_return;
  };
  Task<void> t = Start(c());
  Iterate();
  EXPECT_TRUE(t.Cancelled());
  EXPECT_EQ(t.Cancelling(), 0);
  EXPECT_EQ(Thrown([&] { t.Result(); }), "CancelledError: mine");
  EXPECT_EQ(Thrown([&] { t.Result(); }), "CancelledError");  // T-17.
}

TEST_F(TaskTest, ACriticalExceptionIsItsOutcomeAndLeavesTheLoop) {
  const auto c = []() -> Coro<void> {
    co_await Sleep(kNow);
    throw SystemExit(4);
  };
  Task<void> t = Start(c());
  const auto watch = [&]() -> Coro<void> {
    try {
      co_await t;
    } catch (const SystemExit& e) {
      Log("exit", e.code());
    }
  };
  Task<void> w = Start(watch());
  Iterate();
  EXPECT_THROW(Iterate(), SystemExit);
  EXPECT_TRUE(t.Done());
  EXPECT_FALSE(loop_.IsRunning());
  EXPECT_EQ(CoreOf(loop_).current_task(), nullptr);
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i3 t=0 exit 4"));
}

TEST_F(TaskTest, OtherThingsThatAreThrownAreItsOutcomeToo) {
  const auto c = []() -> Coro<void> {
    throw 5;
    co_return;
  };
  Task<void> t = Start(c());
  Iterate();
  EXPECT_THROW(t.Result(), int);
}

TEST_F(TaskTest, CannotAwaitItself) {
  std::optional<Task<int>> self;
  const auto c = [&]() -> Coro<int> { co_return co_await *self; };
  self = Start(c(), {.name = "loner"});
  Iterate(2);
  EXPECT_EQ(Thrown([&] { static_cast<void>(self->Result()); }),
            "RuntimeError: Task cannot await on itself: loner; it would "
            "wait for ever: await it in another one");
}

TEST_F(TaskTest, CancelledBetweenAwaitingItselfAndBeingTold) {
  std::optional<Task<int>> self;
  const auto c = [&]() -> Coro<int> { co_return co_await *self; };
  self = Start(c());
  Iterate();
  self->Cancel("m");
  Iterate();
  EXPECT_TRUE(self->Cancelled());
  EXPECT_EQ(Thrown([&] { static_cast<void>(self->Result()); }),
            "CancelledError: m");
}

// ---- Cancellation: T-10 to T-18. ----

TEST_F(TaskTest, CancelledBeforeItStartsItNeverRuns) {
  auto parameter = std::make_shared<int>(1);
  const auto c = [&](std::shared_ptr<int>) -> Coro<void> {
    Note("ran");
    co_return;
  };
  Task<void> t = Start(c(parameter));
  EXPECT_TRUE(t.Cancel("a"));
  EXPECT_TRUE(t.Cancel("b"));
  EXPECT_FALSE(t.Done());
  Iterate();
  EXPECT_TRUE(t.Cancelled());
  EXPECT_EQ(parameter.use_count(), 1);  // Its parameters are gone.
  EXPECT_EQ(Thrown([&] { t.Result(); }), "CancelledError: b");
  EXPECT_EQ(Thrown([&] { t.Result(); }), "CancelledError");
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(TaskTest, CancelledWhileItWaitsForAFuture) {
  Future<int> f(loop_);
  Task<void> t = Start(Wait(f));
  Iterate();
  EXPECT_TRUE(t.Cancel("first"));
  EXPECT_TRUE(f.Cancelled());
  EXPECT_TRUE(t.Cancel("second"));  // Sets only the flag: no second error.
  Iterate();
  EXPECT_THAT(log_, ElementsAre("CancelledError('first')"));
  EXPECT_TRUE(t.Cancelled());
  EXPECT_EQ(t.Cancelling(), 2);
}

TEST_F(TaskTest, CancelledWhileItWaitsForATaskItWaitsForThatToEnd) {
  const auto inner = [&]() -> Coro<int> {
    bool cancelled = false;
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError&) {
      cancelled = true;
    }
    Log("inner cleans up", cancelled);
    co_await Sleep(absl::Seconds(1));
    throw CancelledError("from inside");
  };
  Task<int> it = Start(inner());
  Task<void> t = Start(Wait(it));
  Iterate();
  EXPECT_TRUE(t.Cancel("m"));
  EXPECT_EQ(it.Cancelling(), 1);
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i2 t=0 inner cleans up True",
                                "CancelledError('from inside')"));
  EXPECT_TRUE(t.Cancelled());
}

TEST_F(TaskTest, AnInnerTaskThatSwallowsHidesTheCancellation) {
  const auto inner = [&]() -> Coro<int> {
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError&) {
    }
    co_return 1;
  };
  Task<int> it = Start(inner());
  Task<void> t = Start(Wait(it));
  Iterate();
  t.Cancel();
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("value 1"));
  EXPECT_FALSE(t.Cancelled());
  EXPECT_EQ(t.Cancelling(), 1);
}

TEST_F(TaskTest, CancelledWhileItsWakeUpIsQueuedTheResultIsDropped) {
  Future<int> f(loop_);
  Task<void> t = Start(Wait(f));
  Iterate();
  f.SetResult(1);
  t.Cancel("m");
  Iterate();
  EXPECT_THAT(log_, ElementsAre("CancelledError('m')"));
  EXPECT_EQ(f.Result(), 1);  // The future keeps it.
}

TEST_F(TaskTest, CancelledWhileItsWakeUpIsQueuedTheExceptionIsDropped) {
  Future<int> f(loop_);
  Task<void> t = Start(Wait(f));
  Iterate();
  f.SetException(ValueError("x"));
  t.Cancel("m");
  Iterate();
  EXPECT_THAT(log_, ElementsAre("CancelledError('m')"));
  // It counts as retrieved (T-04): nothing is reported when `f` goes.
}

TEST_F(TaskTest, AFutureThatWasCancelledGivesItsOwnMessage) {
  Future<int> f(loop_);
  Task<void> t = Start(Wait(f));
  Iterate();
  f.Cancel("the future's");
  t.Cancel("the task's");
  Iterate();
  EXPECT_THAT(log_, ElementsAre("CancelledError('the future's')"));
}

TEST_F(TaskTest, ASetCancelledErrorIsNotDoubledEither) {
  Future<int> f(loop_);
  Task<void> t = Start(Wait(f));
  Iterate();
  f.SetException(CancelledError("set"));
  t.Cancel("the task's");
  Iterate();
  EXPECT_THAT(log_, ElementsAre("CancelledError('set')"));
}

TEST_F(TaskTest, CancelledWhileItGivesWay) {
  const auto c = [&]() -> Coro<void> {
    try {
      co_await Sleep(kNow);
    } catch (const CancelledError& e) {
      Log(*e.message());
    }
  };
  Task<void> t = Start(c());
  Iterate();
  t.Cancel("a");
  t.Cancel("b");
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i2 t=0 b"));
  EXPECT_FALSE(t.Cancelled());
}

TEST_F(TaskTest, CancellingItselfCancelsTheNextFutureThatItWaitsFor) {
  Future<int> f(loop_);
  const auto c = [&]() -> Coro<void> {
    CurrentTask()->Cancel("m");
    Log("goes on");
    try {
      co_await f;
    } catch (const CancelledError& e) {
      Log(*e.message());
    }
  };
  Task<void> t = Start(c());
  Iterate();
  EXPECT_TRUE(f.Cancelled());
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i1 t=0 goes on", "i2 t=0 m"));
}

TEST_F(TaskTest, CancellingItselfAndReturningCancelsAndLosesTheResult) {
  const auto c = []() -> Coro<int> {
    CurrentTask()->Cancel("m");
    co_return 1;
  };
  Task<int> t = Start(c());
  Iterate();
  EXPECT_TRUE(t.Cancelled());
  for (int i = 0; i < 2; ++i) {  // T-17: every reader gets this message.
    EXPECT_EQ(Thrown([&] { static_cast<void>(t.Result()); }),
              "CancelledError: m");
  }
}

TEST_F(TaskTest, CancellingItselfAndThrowingThrows) {
  const auto c = []() -> Coro<int> {
    CurrentTask()->Cancel();
    throw ValueError("x");
    co_return 1;
  };
  Task<int> t = Start(c());
  Iterate();
  EXPECT_FALSE(t.Cancelled());
  EXPECT_EQ(Thrown([&] { static_cast<void>(t.Result()); }), "ValueError: x");
}

TEST_F(TaskTest, AGatherWhoseChildrenAreDoneRefusesAndTheTaskIsFlagged) {
  Future<int> f(loop_);
  const auto c = [&]() -> Coro<void> {
    try {
      co_await Gather(f);
      Log("gathered");
    } catch (const CancelledError& e) {
      Log(*e.message());
    }
  };
  Task<void> t = Start(c());
  Iterate();
  f.SetResult(1);
  EXPECT_TRUE(t.Cancel("m"));
  Iterate(2);
  EXPECT_THAT(log_, ElementsAre("i3 t=0 m"));
}

TEST_F(TaskTest, OfADoneTaskCancelSaysFalseAndCountsNothing) {
  Task<int> t = Start(Return(1));
  Iterate();
  EXPECT_FALSE(t.Cancel());
  EXPECT_EQ(t.Cancelling(), 0);
  EXPECT_EQ(t.Result(), 1);
}

TEST_F(TaskTest, CancelSilencesAnExceptionThatNobodySaw) {
  {
    Task<int> t = Start(Throw("x"));
    Iterate();
    EXPECT_FALSE(t.Cancel());
  }
  EXPECT_THAT(TakeReports(), IsEmpty());
}

TEST_F(TaskTest, SwallowingGoesOnAndLaterRequestsWorkAnew) {
  const auto c = [&]() -> Coro<void> {
    for (int i = 0; i < 2; ++i) {
      try {
        co_await Sleep(absl::Seconds(9));
      } catch (const CancelledError& e) {
        Log(*e.message());
      }
    }
  };
  Task<void> t = Start(c());
  Iterate();
  t.Cancel("a");
  Iterate();
  t.Cancel("b");
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i2 t=0 a", "i3 t=0 b"));
  EXPECT_FALSE(t.Cancelled());
  EXPECT_EQ(t.Cancelling(), 2);  // T-14: never reset automatically.
}

TEST_F(TaskTest, UncancelTakesAnUndeliveredRequestBack) {
  const auto c = [&]() -> Coro<void> {
    co_await Sleep(kNow);
    Log("went on");
  };
  Task<void> t = Start(c());
  Iterate();
  t.Cancel();
  t.Cancel();
  EXPECT_EQ(t.Uncancel(), 1);
  EXPECT_EQ(t.Uncancel(), 0);
  EXPECT_EQ(t.Uncancel(), 0);
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i2 t=0 went on"));
}

TEST_F(TaskTest, UncancelDoesNotTakeBackWhatWentOnToAFuture) {
  Future<int> f(loop_);
  Task<void> t = Start(Wait(f));
  Iterate();
  t.Cancel("m");
  EXPECT_EQ(t.Uncancel(), 0);
  Iterate();
  EXPECT_THAT(log_, ElementsAre("CancelledError('m')"));
}

TEST_F(TaskTest, UncancelBeforeTheStartLetsItRun) {
  Task<int> t = Start(Return(1));
  t.Cancel();
  t.Uncancel();
  Iterate();
  EXPECT_EQ(t.Result(), 1);
}

TEST_F(TaskTest, ARequestGoesDownAChainAndComesBackOneHopPerTask) {
  const auto leaf = [&]() -> Coro<int> {
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError&) {
      Log("leaf");
      throw;
    }
    co_return 0;
  };
  const auto link = [&](int n, Task<int> next) -> Coro<int> {
    try {
      co_return co_await next;
    } catch (const CancelledError&) {
      Log(n);
      throw;
    }
  };
  std::vector<Task<int>> chain = {Start(leaf())};
  for (int n = 1; n <= 3; ++n) chain.push_back(Start(link(n, chain.back())));
  Iterate();
  chain.back().Cancel();
  for (const Task<int>& t : chain) EXPECT_EQ(t.Cancelling(), 1);
  Iterate(4);
  EXPECT_THAT(log_,
              ElementsAre("i2 t=0 leaf", "i3 t=0 1", "i4 t=0 2", "i5 t=0 3"));
}

TEST_F(TaskTest, TheRequestFlagsTheLastTaskThatIsNotDone) {
  Future<int> f(loop_);
  Task<void> inner = Start(Wait(f));
  const auto outer = [&]() -> Coro<void> { co_await inner; };
  Task<void> t = Start(outer());
  Iterate();
  f.SetResult(1);
  Iterate();  // `inner` is done; the wake-up of `t` is queued.
  ASSERT_TRUE(inner.Done());
  EXPECT_TRUE(t.Cancel());
  EXPECT_EQ(inner.Cancelling(), 0);
  Iterate();
  EXPECT_TRUE(t.Cancelled());
}

TEST_F(TaskTest, ACircleOfTasksCannotBeCancelledAndSaysSo) {
  std::optional<Task<void>> a;
  const auto b_body = [&]() -> Coro<void> { co_await *a; };
  Task<void> b = Start(b_body());
  const auto a_body = [&]() -> Coro<void> { co_await b; };
  a = Start(a_body(), {.name = "a"});
  Iterate();
  EXPECT_EQ(Thrown([&] { a->Cancel(); }),
            "RuntimeError: cannot cancel task a: it waits in a circle of tasks "
            "that await each other");
  loop_.Reset();
}

TEST_F(TaskTest, ACircleThroughGathersSaysSoToo) {
  std::optional<Task<void>> a;
  const auto b_body = [&]() -> Coro<void> { co_await Gather(*a); };
  Task<void> b = Start(b_body());
  const auto a_body = [&]() -> Coro<void> { co_await Gather(b); };
  a = Start(a_body(), {.name = "a"});
  Iterate();
  EXPECT_EQ(Thrown([&] { a->Cancel(); }),
            "RuntimeError: cannot cancel a Gather: it waits, through others, "
            "for itself");
  loop_.Reset();
}

// ---- Inspecting tasks: T-20 to T-22. ----

TEST_F(TaskTest, CurrentTaskIsTheOneThatRuns) {
  std::optional<AnyTask> seen;
  const auto c = [&]() -> Coro<void> {
    seen = CurrentTask();
    co_await Sleep(kNow);
    EXPECT_TRUE(CurrentTask() == seen);
  };
  Task<void> t = Start(c());
  loop_.CallSoon([&] { EXPECT_EQ(CurrentTask(), std::nullopt); });
  Iterate(2);
  EXPECT_TRUE(*seen == AnyTask(t));
  EXPECT_EQ(Thrown([] { CurrentTask(); }),
            "RuntimeError: no running event loop: call this from a coroutine "
            "or a callback");
}

TEST_F(TaskTest, AllTasksAreThoseThatAreNotDoneOldestFirst) {
  const auto main = [&]() -> Coro<void> {
    Task<int> a = CreateTask(Return(1), {.name = "a"});
    Task<int> b = CreateTask(Return(1), {.name = "b"});
    for (const AnyTask& task : AllTasks()) Note(task.GetName());
    co_await b;
    for (const AnyTask& task : AllTasks()) Note(task.GetName());
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("Task-1", "a", "b", "Task-1"));
  EXPECT_THROW(AllTasks(), RuntimeError);
}

TEST_F(TaskTest, TheStackIsWhereItsCoroutinesAwaitInnermostLast) {
  unsigned inner_line = 0;
  unsigned outer_line = 0;
  const auto inner = [&]() -> Coro<void> {
    inner_line = __LINE__ + 1;
    co_await Sleep(absl::Seconds(1));
  };
  const auto outer = [&]() -> Coro<void> {
    EXPECT_THAT(CurrentTask()->GetStack(), IsEmpty());
    outer_line = __LINE__ + 1;
    co_await inner();
  };
  Task<void> t = Start(outer());
  EXPECT_THAT(t.GetStack(), IsEmpty());  // It has not started.
  Iterate();
  ASSERT_THAT(t.GetStack(), SizeIs(2));
  EXPECT_EQ(t.GetStack()[0].line(), outer_line);
  EXPECT_EQ(t.GetStack()[1].line(), inner_line);
  ASSERT_THAT(t.GetStack(1), SizeIs(1));
  EXPECT_EQ(t.GetStack(1)[0].line(), inner_line);
  EXPECT_THAT(t.GetStack(0), IsEmpty());
  EXPECT_THAT(t.GetStack(3), SizeIs(2));
  RunToStandstill();
  EXPECT_THAT(t.GetStack(), IsEmpty());
}

Coro<void> Deep(int levels) {
  if (levels == 0) {
    co_await Sleep(absl::Seconds(1));
  } else {
    co_await Deep(levels - 1);
  }
}

TEST_F(TaskTest, TheStackIsPrintedMostRecentCallLast) {
  const auto printed = [](const auto& task,
                          std::optional<std::size_t> limit = std::nullopt) {
    std::FILE* const file = std::tmpfile();
    task.PrintStack(limit, file);
    std::rewind(file);
    std::string text(1000, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file));
    std::fclose(file);
    return text;
  };
  Task<void> t = Start(Deep(1), {.name = "deep"});
  EXPECT_EQ(printed(t), "No stack for task deep\n");
  Iterate();
  EXPECT_THAT(
      printed(t),
      MatchesRegex("Stack for task deep \\(most recent call last\\):\n"
                   "  [^\n]*runtime/task_test\\.cc:[0-9]+, in clotho::Deep\n"
                   "  [^\n]*runtime/task_test\\.cc:[0-9]+, in clotho::Deep\n"));
  EXPECT_EQ(printed(AnyTask(t)), printed(t));
  EXPECT_THAT(
      printed(t, 1),
      MatchesRegex("Stack for task deep \\(most recent call last\\):\n"
                   "  [^\n]*runtime/task_test\\.cc:[0-9]+, in clotho::Deep\n"));
  RunToStandstill();
  EXPECT_EQ(printed(t), "No stack for task deep\n");
  Task<int> failed = Start(Throw("x"), {.name = "failed"});
  Iterate();
  EXPECT_EQ(printed(failed), "No stack for task failed\nValueError: x\n");
  EXPECT_THROW(static_cast<void>(failed.Result()), ValueError);
}

TEST_F(TaskTest, AnyTaskDoesWhatATaskDoes) {
  Future<int> f(loop_);
  Task<void> t = Start(Wait(f));
  AnyTask any = t;
  any.SetName("any");
  EXPECT_EQ(t.GetName(), "any");
  Iterate();
  EXPECT_THAT(any.GetStack(), SizeIs(1));
  EXPECT_TRUE(any.Cancel("m"));
  EXPECT_EQ(any.Cancelling(), 1);
  EXPECT_EQ(any.Uncancel(), 0);
  Iterate();
  EXPECT_TRUE(any.Done());
  EXPECT_TRUE(any.Cancelled());
  EXPECT_EQ(Thrown([&] { static_cast<void>(any.GetException()); }),
            "CancelledError: m");
}

// ---- Lifetime: T-23, CD-02. ----

TEST_F(TaskTest, TheLoopKeepsATaskThatNobodyElseDoes) {
  const auto c = [&]() -> Coro<void> {
    co_await Sleep(absl::Seconds(1));
    Log("done");
  };
  Start(c());
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i3 t=1 done"));
}

TEST_F(TaskTest, AnExceptionThatNobodySawIsReportedWhenTheTaskGoes) {
  Start(Throw("x"));
  Iterate();
  EXPECT_THAT(TakeReports(), ElementsAre("Task exception was never retrieved: "
                                         "ValueError: x"));
}

TEST_F(TaskTest, OneThatIsPendingWhenTheLoopIsClosedIsReported) {
  auto witness = std::make_shared<int>(1);
  const auto c = [&](std::shared_ptr<int>) -> Coro<void> {
    co_await Sleep(absl::Seconds(1));
    Note("not reached");
  };
  Task<void> waiting = Start(c(witness));
  Iterate();
  Task<void> unstarted = Start(c(witness));
  EXPECT_EQ(witness.use_count(), 3);
  loop_.Close();
  EXPECT_EQ(witness.use_count(), 1);
  EXPECT_FALSE(waiting.Done());
  EXPECT_THAT(TakeReports(),
              ElementsAre("Task was destroyed but it is pending!",
                          "Task was destroyed but it is pending!"));
}

TEST_F(TaskTest, TheTasksOfGatherAndOfTheRunItselfAreNotReported) {
  const auto main = [&]() -> Coro<void> {
    co_await Gather(SleepFor(absl::Seconds(1)), SleepFor(absl::Seconds(2)));
  };
  loop_.CallSoon([&] { loop_.Stop(); });
  EXPECT_EQ(Thrown([&] { Run(main()); }),
            "RuntimeError: Event loop stopped before Future completed.");
  loop_.Close();
  EXPECT_THAT(TakeReports(), IsEmpty());
}

TEST_F(TaskTest, DestructorsMayUseTheLoopWhileItIsClosed) {
  Future<int> f(loop_);
  struct Busy {
    EventLoop& loop;
    Future<int> future;
    ~Busy() {
      future.AddDoneCallback([] {});
      future.SetResult(1);
      future.AddDoneCallback([] {});
      loop.CallSoon([] {});
      loop.CallLater(absl::Seconds(1), [] {});
    }
  };
  // The younger task is destroyed first, while the older still waits for it.
  Task<void> older = Start(Wait(f));
  const auto c = [&]() -> Coro<void> {
    Busy busy{loop_, f};
    co_await Sleep(absl::Seconds(1));
  };
  Task<void> younger = Start(c());
  Iterate();
  loop_.Close();
  EXPECT_EQ(f.Result(), 1);
  EXPECT_THAT(log_, SizeIs(2));
  EXPECT_THAT(TakeReports(), SizeIs(2));
}

TEST_F(TaskTest, ResetDestroysTasksInWhateverStateTheyAre) {
  Future<int> f(loop_);
  Future<int> g(loop_);
  Start(Wait(f));
  Start(Wait(g));
  Start(SleepFor(absl::Seconds(1)));
  Start(SleepFor(kNow));
  Task<void> inner = Start(Wait(f));
  const auto outer = [&]() -> Coro<void> { co_await inner; };
  Start(outer());
  Iterate();
  g.SetResult(1);
  Start(Return(1));  // Has not started.
  Start(Return(1)).Cancel();
  loop_.Reset();
  Iterate();
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(TaskTest, ADoneTaskMayOutliveItsLoop) {
  std::optional<Task<int>> done;
  std::optional<Task<int>> failed;
  std::optional<Task<int>> pending;
  {
    EventLoop loop({.clock = &clock_});
    loop.SetExceptionHandler([](EventLoop&, const ExceptionContext&) {});
    const auto start = [&](Coro<int> coro) {
      return internal::CreateTaskIn(loop, std::move(coro), {},
                                    std::source_location::current());
    };
    done = start(Return(1));
    failed = start(Throw("x"));
    loop.Stop();
    loop.RunForever();
    pending = start(Return(1));
  }
  EXPECT_EQ(done->Result(), 1);
  EXPECT_THROW(done->GetLoop(), RuntimeError);
  EXPECT_TRUE(pending->Cancel());
  EXPECT_THAT(pending->GetStack(), IsEmpty());
  testing::internal::CaptureStderr();
  failed.reset();
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "clotho: Task exception was never retrieved: task Task-2: "
            "ValueError: x\n");
}

TEST_F(TaskTest, TheFramesAreGoneBeforeTheResultIsSeen) {
  auto witness = std::make_shared<int>(1);
  const auto c = [](std::shared_ptr<int>) -> Coro<int> { co_return 1; };
  Task<int> t = Start(c(witness));
  t.AddDoneCallback([&] { EXPECT_EQ(witness.use_count(), 1); });
  Iterate(2);
}

// ---- Context: CX-02. ----

TEST_F(TaskTest, HasAHashThatIsTheSameInEachRun) {
  const auto nothing = []() -> Coro<void> { co_return; };
  const auto main = [&]() -> Coro<std::size_t> {
    std::unordered_set<Task<void>> tasks;
    Task<void> a = CreateTask(nothing());
    Task<void> b = CreateTask(nothing());
    tasks.insert(a);
    tasks.insert(b);
    tasks.insert(a);
    EXPECT_EQ(tasks.size(), 2u);
    EXPECT_TRUE(tasks.contains(b));
    EXPECT_EQ(std::hash<AnyTask>()(a), std::hash<Task<void>>()(a));
    EXPECT_NE(std::hash<Task<void>>()(a), std::hash<Task<void>>()(b));
    co_return std::hash<Task<void>>()(b);
  };
  EXPECT_EQ(internal::RunVirtual(main()), internal::RunVirtual(main()));
}

TEST_F(TaskTest, RunsInACopyOfTheContextOrInTheOneGiven) {
  const ContextVar<int> variable("variable", 0);
  Context given;
  const auto c = [&](int value) -> Coro<void> {
    Note(variable.Get());
    variable.Set(value);
    co_await Sleep(kNow);
    Note(variable.Get());
  };
  const auto main = [&]() -> Coro<void> {
    variable.Set(1);
    Task<void> copy = CreateTask(c(10));
    Task<void> shared = CreateTask(c(20), {.context = &given});
    co_await Gather(copy, shared);
    Note("main", variable.Get());
    co_await c(30);  // Awaited, not a task: in this context.
    Note("main", variable.Get());
  };
  Run(main());
  EXPECT_THAT(
      log_, ElementsAre("1", "0", "10", "20", "main 1", "1", "30", "main 30"));
  EXPECT_EQ(given.Run([&] { return variable.Get(); }), 20);
}

TEST_F(TaskTest, CoInvokeKeepsTheFunctionAndItsArguments) {
  auto witness = std::make_shared<int>(20);
  const auto length = [](const std::string& text, int& calls) -> Coro<int> {
    co_await Sleep(absl::Seconds(1));
    ++calls;
    co_return static_cast<int>(text.size());
  };
  int calls = 0;
  const auto main = [&]() -> Coro<int> {
    Coro<int> a = CoInvoke([witness]() -> Coro<int> {
      co_await Sleep(absl::Seconds(1));
      co_return *witness;
    });
    Coro<int> b = CoInvoke(length, std::string(100, 'x'), std::ref(calls));
    const Task<int> task = CreateTask(std::move(b));
    const int value = co_await std::move(a);
    co_return value + co_await task;
  };
  EXPECT_EQ(Run(main()), 120);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(witness.use_count(), 1);
}

}  // namespace
}  // namespace clotho
