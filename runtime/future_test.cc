#include "clotho/runtime/future.h"

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
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

static_assert(std::copyable<Future<int>>);
static_assert(std::copyable<Future<std::unique_ptr<int>>>);
static_assert(Awaitable<Future<int>>);
static_assert(Awaitable<const Future<int>&>);
static_assert(std::is_same_v<AwaitResult<Future<int>>, int>);
static_assert(std::is_same_v<AwaitResult<Future<int&>>, int&>);
static_assert(std::is_same_v<AwaitResult<Future<void>>, void>);
static_assert(!std::is_move_constructible_v<internal::FutureAwaiter<int>>);
static_assert(!std::is_convertible_v<Future<int>, Future<long>>);

class FutureTest : public internal::RuntimeTest {
 protected:
  // Awaits `future` and logs the outcome.
  Coro<void> Watch(std::string name, Future<int> future) {
    try {
      const int value = co_await future;
      Note(name, value);
    } catch (...) {
      Note(name, Repr(std::current_exception()));
    }
  }
};

// ---- States: F-01 to F-06. ----

TEST_F(FutureTest, IsPendingUntilItHasAResult) {
  Future<int> f(loop_);
  EXPECT_FALSE(f.Done());
  EXPECT_FALSE(f.Cancelled());
  f.SetResult(1);
  EXPECT_TRUE(f.Done());
  EXPECT_FALSE(f.Cancelled());
  EXPECT_EQ(f.Result(), 1);
  EXPECT_EQ(f.GetException(), nullptr);
}

TEST_F(FutureTest, CopiesReferToTheSameFuture) {
  Future<int> f(loop_);
  Future<int> g = f;
  g.SetResult(2);
  EXPECT_EQ(f.Result(), 2);
  EXPECT_TRUE(f == g);
  EXPECT_FALSE(f == Future<int>(loop_));
}

TEST_F(FutureTest, HoldsWhatCannotBeCopiedReferencesAndNothing) {
  Future<std::unique_ptr<int>> owner(loop_);
  owner.SetResult(std::make_unique<int>(3));
  EXPECT_EQ(*owner.Result(), 3);

  int variable = 4;
  Future<int&> reference(loop_);
  reference.SetResult(variable);
  EXPECT_EQ(&reference.Result(), &variable);

  Future<void> nothing(loop_);
  nothing.SetResult();
  nothing.Result();
}

TEST_F(FutureTest, WhatCannotBeCopiedGoesToTheFirstWhoAwaitsIt) {
  const auto main = [&]() -> Coro<int> {
    Future<std::unique_ptr<int>> f;
    f.SetResult(std::make_unique<int>(5));
    std::unique_ptr<int> first = co_await f;
    std::unique_ptr<int> second = co_await f;
    EXPECT_EQ(second, nullptr);
    co_return *first;
  };
  EXPECT_EQ(Run(main()), 5);
}

TEST_F(FutureTest, TakesOneOutcomeOnly) {
  Future<int> f(loop_);
  f.SetResult(1);
  EXPECT_EQ(Thrown([&] { f.SetResult(2); }),
            "InvalidStateError: the future is done: it takes no second result; "
            "ask Done() "
            "first");
  EXPECT_EQ(Thrown([&] { f.SetException(ValueError("x")); }),
            "InvalidStateError: the future is done: it takes no second result; "
            "ask Done() "
            "first");
  EXPECT_FALSE(f.Cancel());
  EXPECT_EQ(f.Result(), 1);

  Future<int> g(loop_);
  EXPECT_TRUE(g.Cancel());
  EXPECT_FALSE(g.Cancel());
  EXPECT_EQ(Thrown([&] { g.SetResult(2); }),
            "InvalidStateError: the future was cancelled: it takes no result "
            "any more; ask Done() first");
}

TEST_F(FutureTest, ResultOfAPendingFutureIsAnError) {
  Future<int> f(loop_);
  EXPECT_EQ(
      Thrown([&] { static_cast<void>(f.Result()); }),
      "InvalidStateError: Result is not set: the future is pending; co_await "
      "it, or ask Done() first");
  EXPECT_EQ(Thrown([&] { static_cast<void>(f.GetException()); }),
            "InvalidStateError: Exception is not set: the future is pending; "
            "co_await it, or ask Done() first");
}

TEST_F(FutureTest, CancelledIsThrownByResultAndByGetException) {
  Future<int> f(loop_);
  EXPECT_TRUE(f.Cancel("why"));
  EXPECT_TRUE(f.Cancelled());
  // Every reader gets the message (F-12), unlike with a task.
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Thrown([&] { static_cast<void>(f.Result()); }),
              "CancelledError: why");
    EXPECT_EQ(Thrown([&] { static_cast<void>(f.GetException()); }),
              "CancelledError: why");
  }
}

TEST_F(FutureTest, AnEmptyMessageIsNotTheSameAsNone) {
  Future<int> f(loop_);
  f.Cancel("");
  Future<int> g(loop_);
  g.Cancel();
  const auto message = [](const Future<int>& future) {
    try {
      static_cast<void>(future.Result());
    } catch (const CancelledError& e) {
      return e.message();
    }
    return std::optional<std::string>("not cancelled");
  };
  EXPECT_EQ(message(f), "");
  EXPECT_EQ(message(g), std::nullopt);
}

TEST_F(FutureTest, AllWhoAskForAFailedFutureGetTheSameException) {
  Future<int> f(loop_);
  f.SetException(ValueError("x"));
  std::vector<const ValueError*> seen;
  for (int i = 0; i < 2; ++i) {
    try {
      static_cast<void>(f.Result());
    } catch (const ValueError& e) {
      seen.push_back(&e);
    }
  }
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0], seen[1]);
  EXPECT_EQ(f.GetException(), f.GetException());
}

TEST_F(FutureTest, ACancelledErrorThatIsSetIsAFailureNotACancellation) {
  Future<int> f(loop_);
  f.SetException(CancelledError("m"));
  EXPECT_FALSE(f.Cancelled());
  EXPECT_EQ(Repr(f.GetException()), "CancelledError('m')");
  EXPECT_EQ(Thrown([&] { static_cast<void>(f.Result()); }),
            "CancelledError: m");
}

TEST_F(FutureTest, ANullExceptionIsRefused) {
  Future<int> f(loop_);
  EXPECT_EQ(Thrown([&] { f.SetException(std::exception_ptr()); }),
            "TypeError: SetException takes an exception, not a null pointer");
  EXPECT_FALSE(f.Done());
}

TEST_F(FutureTest, StaysPendingIfItsValueCannotBeMade) {
  struct Fragile {
    explicit Fragile(int) { throw ValueError("no"); }
  };
  Future<Fragile> f(loop_);
  EXPECT_THROW(f.SetResult(1), ValueError);
  EXPECT_FALSE(f.Done());
}

TEST_F(FutureTest, NeedsARunningLoop) {
  EXPECT_EQ(Thrown([] { Future<int> f; }),
            "RuntimeError: no running event loop: call this from a coroutine "
            "or a callback");
  Future<int> f = loop_.CreateFuture<int>();
  EXPECT_EQ(&f.GetLoop(), &loop_);
}

// ---- Callbacks: F-07 to F-10. ----

TEST_F(FutureTest, CallbacksRunInTheNextIterationInTheOrderOfRegistration) {
  Future<int> f(loop_);
  f.AddDoneCallback([this](Future<int> done) { Log("one", done.Result()); });
  f.AddDoneCallback([this] { Log("two"); });
  loop_.CallSoon([this] { Log("queued before"); });
  f.SetResult(7);
  loop_.CallSoon([this] { Log("queued after"); });
  EXPECT_THAT(log_, IsEmpty());
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i1 t=0 queued before", "i1 t=0 one 7",
                                "i1 t=0 two", "i1 t=0 queued after"));
}

TEST_F(FutureTest, ACallbackOfADoneFutureIsScheduledAtOnce) {
  Future<int> f(loop_);
  f.SetResult(1);
  f.AddDoneCallback([this] { Log("late"); });
  EXPECT_THAT(log_, IsEmpty());
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i1 t=0 late"));
}

TEST_F(FutureTest, CallbacksRunForAFailureAndForACancellation) {
  Future<int> failed(loop_);
  Future<int> cancelled(loop_);
  failed.AddDoneCallback([this] { Note("failed"); });
  cancelled.AddDoneCallback([this] { Note("cancelled"); });
  failed.SetException(ValueError("x"));
  cancelled.Cancel();
  Iterate();
  EXPECT_THAT(log_, ElementsAre("failed", "cancelled"));
  static_cast<void>(failed.GetException());
}

TEST_F(FutureTest, ACallbackCanBeTakenBackUntilItIsScheduled) {
  Future<int> f(loop_);
  const auto note = [this] { Note("called"); };
  const auto one = f.AddDoneCallback(note);
  const auto two = f.AddDoneCallback(note);
  EXPECT_EQ(f.RemoveDoneCallback(one), 1);
  EXPECT_EQ(f.RemoveDoneCallback(one), 0);
  f.SetResult(1);
  EXPECT_EQ(f.RemoveDoneCallback(two), 0);
  Iterate();
  EXPECT_THAT(log_, ElementsAre("called"));
}

TEST_F(FutureTest, ACallbackThatThrowsDisturbsNoOther) {
  Future<int> f(loop_);
  f.AddDoneCallback([] { throw ValueError("x"); });
  f.AddDoneCallback([] { throw CancelledError("y"); });
  f.AddDoneCallback([this] { Note("called"); });
  f.SetResult(1);
  Iterate();
  EXPECT_THAT(TakeReports(),
              ElementsAre("Exception in callback: ValueError: x",
                          "Exception in callback: CancelledError: y"));
  EXPECT_EQ(log_.back(), "called");
}

TEST_F(FutureTest, ACriticalExceptionInACallbackLeavesTheLoop) {
  Future<int> f(loop_);
  f.AddDoneCallback([] { throw SystemExit(3); });
  f.AddDoneCallback([this] { Note("called"); });
  f.SetResult(1);
  EXPECT_THROW(Iterate(), SystemExit);
  EXPECT_THAT(log_, IsEmpty());
  Iterate();
  EXPECT_THAT(log_, ElementsAre("called"));
}

TEST_F(FutureTest, ACallbackKeepsTheFutureUntilItHasRun) {
  {
    Future<int> f(loop_);
    f.AddDoneCallback([this](Future<int> done) { Note(done.Result()); });
    f.SetResult(1);
  }
  Iterate();
  EXPECT_THAT(log_, ElementsAre("1"));
}

TEST_F(FutureTest, CallbacksMayAddCallbacksAndCompleteFutures) {
  Future<int> f(loop_);
  Future<int> g(loop_);
  g.AddDoneCallback([this] { Log("g"); });
  f.AddDoneCallback([this, g](Future<int> done) {
    Log("f");
    done.AddDoneCallback([this] { Log("again"); });
    g.SetResult(1);
  });
  f.SetResult(1);
  Iterate(2);
  EXPECT_THAT(log_, ElementsAre("i1 t=0 f", "i2 t=0 again", "i2 t=0 g"));
}

TEST_F(FutureTest, CallbacksOfADroppedPendingFutureAreDropped) {
  auto witness = std::make_shared<int>(1);
  {
    Future<int> f(loop_);
    f.AddDoneCallback([witness] {});
    EXPECT_EQ(witness.use_count(), 2);
  }
  EXPECT_EQ(witness.use_count(), 1);
}

// CX-01, CX-03.
TEST_F(FutureTest, ACallbackRunsInTheContextOfItsRegistrationOrTheOneGiven) {
  const ContextVar<int> variable("variable", 0);
  Future<int> f(loop_);
  Context given;
  given.Run([&] { variable.Set(9); });
  Context outer;
  outer.Run([&] {
    variable.Set(1);
    f.AddDoneCallback([&] {
      Note("copy", variable.Get());
      variable.Set(100);
    });
    f.AddDoneCallback(
        [&] {
          Note("given", variable.Get());
          variable.Set(10);
        },
        given);
    variable.Set(2);
  });
  f.SetResult(1);
  Iterate();
  EXPECT_THAT(log_, ElementsAre("copy 1", "given 9"));
  EXPECT_EQ(outer.Run([&] { return variable.Get(); }), 2);
  EXPECT_EQ(given.Run([&] { return variable.Get(); }), 10);
}

// ---- Awaiting: F-11, F-12. ----

TEST_F(FutureTest, ADoneFutureDoesNotSuspendWhoAwaitsIt) {
  const auto main = [&]() -> Coro<void> {
    Future<int> f;
    f.SetResult(1);
    co_await f;
    Log("value");
    Future<int> g;
    g.SetException(ValueError("x"));
    try {
      co_await g;
    } catch (const ValueError&) {
      Log("failure");
    }
    Future<int> h;
    h.Cancel();
    try {
      co_await h;
    } catch (const CancelledError&) {
      Log("cancellation");
    }
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i1 t=0 value", "i1 t=0 failure",
                                "i1 t=0 cancellation"));
}

TEST_F(FutureTest, AllAwaitersGetTheOutcomeInTheOrderInWhichTheyCame) {
  for (const std::string outcome : {"value", "failure", "cancellation"}) {
    Future<int> f(loop_);
    Task<void> a = Start(Watch("a", f));
    Task<void> b = Start(Watch("b", f));
    Iterate();
    if (outcome == "value") f.SetResult(1);
    if (outcome == "failure") f.SetException(ValueError("x"));
    if (outcome == "cancellation") f.Cancel("m");
    Iterate();
    EXPECT_TRUE(a.Done() && b.Done());
  }
  EXPECT_THAT(
      log_, ElementsAre("a 1", "b 1", "a ValueError('x')", "b ValueError('x')",
                        "a CancelledError('m')", "b CancelledError('m')"));
}

TEST_F(FutureTest, OneOfSeveralAwaitersIsCancelledAndWithItTheFuture) {
  Future<int> f(loop_);
  Task<void> a = Start(Watch("a", f));
  Task<void> b = Start(Watch("b", f));
  Iterate();
  a.Cancel("m");
  EXPECT_TRUE(f.Cancelled());  // T-12: the request is passed on to the future.
  Iterate();
  EXPECT_THAT(log_,
              ElementsAre("a CancelledError('m')", "b CancelledError('m')"));
  // T-18: b only waited for a future that was cancelled.
  EXPECT_EQ(a.Cancelling(), 1);
  EXPECT_EQ(b.Cancelling(), 0);
}

TEST_F(FutureTest, TheAwaitersOfAFutureMayBeDestroyedWhileTheyWait) {
  Future<int> f(loop_);
  {
    Task<void> a = Start(Watch("a", f));
    Task<void> b = Start(Watch("b", f));
    Iterate();
  }
  loop_.Reset();
  f.SetResult(1);
  Iterate();
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(FutureTest, TheLastReferenceMayBeThatOfAnAwaiter) {
  const auto waiter = [](Future<std::shared_ptr<int>> f) -> Coro<int> {
    std::shared_ptr<int> value = co_await std::move(f);
    EXPECT_EQ(value.use_count(), 1);  // Moved, not copied.
    co_return *value;
  };
  std::optional<Future<std::shared_ptr<int>>> f(loop_);
  Task<int> t = Start(waiter(*f));
  Iterate();
  f->SetResult(std::make_shared<int>(6));
  f.reset();
  Iterate();
  EXPECT_EQ(t.Result(), 6);
}

TEST_F(FutureTest, AnExceptionThatSomeoneElseHoldsIsTheSame) {
  Future<int> f(loop_);
  f.SetException(std::make_exception_ptr(ValueError("x")));
  const std::exception_ptr first = f.GetException();
  const auto main = [&]() -> Coro<bool> {
    try {
      co_await f;
    } catch (const ValueError&) {
      co_return std::current_exception() == first;
    }
    co_return false;
  };
  EXPECT_TRUE(Run(main()));
}

// ---- Never retrieved: F-13. ----

TEST_F(FutureTest, AnExceptionThatNobodySawIsReportedWhenTheFutureGoes) {
  {
    Future<int> f(loop_);
    f.AddDoneCallback([] {});  // Does not count as retrieval.
    f.SetException(ValueError("x"));
    Iterate();
    EXPECT_THAT(TakeReports(), IsEmpty());
  }
  EXPECT_THAT(TakeReports(),
              ElementsAre("Future exception was never retrieved: "
                          "ValueError: x"));
}

TEST_F(FutureTest, EvenASetCancelledErrorIsReported) {
  {
    Future<int>(loop_).SetException(CancelledError("m"));
  }
  EXPECT_THAT(TakeReports(),
              ElementsAre("Future exception was never retrieved: "
                          "CancelledError: m"));
}

TEST_F(FutureTest, WhatWasRetrievedIsNotReported) {
  {
    Future<int> f(loop_);
    f.SetException(ValueError("x"));
    Thrown([&] { static_cast<void>(f.Result()); });
  }
  {
    Future<int> f(loop_);
    f.SetException(ValueError("x"));
    static_cast<void>(f.GetException());
  }
  {
    Future<int> f(loop_);
    f.SetException(ValueError("x"));
    EXPECT_FALSE(f.Cancel());  // F-03: still silences it.
  }
  {
    Future<int> f(loop_);
    Task<void> t = Start(Watch("t", f));
    Iterate();
    f.SetException(ValueError("x"));
    Iterate();
  }
  EXPECT_THAT(TakeReports(), IsEmpty());
}

TEST_F(FutureTest, PendingAndCancelledFuturesGoSilently) {
  {
    Future<int> f(loop_);
    Future<int> g(loop_);
    g.Cancel();
  }
  EXPECT_THAT(TakeReports(), IsEmpty());
}

TEST_F(FutureTest, AHandlerMayKeepTheFutureThatItIsToldOf) {
  std::optional<std::string> text;
  loop_.SetExceptionHandler([&](EventLoop&, const ExceptionContext& context) {
    ASSERT_NE(context.future, nullptr);
    text = Repr(context.future->exception());
  });
  {
    Future<int>(loop_).SetException(ValueError("x"));
  }
  EXPECT_EQ(text, "ValueError('x')");
}

TEST_F(FutureTest, AHandlerThatThrowsWhenAFutureGoesIsReportedAndNoMore) {
  loop_.SetExceptionHandler([](EventLoop&, const ExceptionContext&) {
    throw SystemExit(1);  // It cannot propagate: this is a destructor.
  });
  testing::internal::CaptureStderr();
  {
    Future<int>(loop_).SetException(ValueError("x"));
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr("ValueError: x"));
}

// ---- Without a loop: L-34. ----

TEST_F(FutureTest, WithoutCallbacksItWorksOnAClosedLoop) {
  Future<int> f(loop_);
  loop_.Close();
  Future<int> g(loop_);
  f.SetResult(1);
  g.Cancel();
  EXPECT_EQ(f.Result(), 1);
}

TEST_F(FutureTest, CompletingOneThatHasCallbacksOnAClosedLoopIsAnError) {
  Future<int> f(loop_);
  loop_.Close();
  f.AddDoneCallback([this] { Note("called"); });
  EXPECT_EQ(Thrown([&] { f.SetResult(1); }),
            "RuntimeError: Event loop is closed");
  EXPECT_EQ(f.Result(), 1);  // The state has still changed.
  EXPECT_EQ(Thrown([&] { f.AddDoneCallback([] {}); }),
            "RuntimeError: Event loop is closed");
}

TEST_F(FutureTest, MayOutliveItsLoop) {
  std::optional<Future<int>> pending;
  std::optional<Future<int>> failed;
  {
    EventLoop loop;
    pending.emplace(loop);
    failed.emplace(loop);
    failed->SetException(ValueError("x"));
  }
  EXPECT_EQ(Thrown([&] { pending->GetLoop(); }),
            "RuntimeError: Event loop is closed");
  pending->SetResult(1);
  EXPECT_EQ(pending->Result(), 1);
  EXPECT_EQ(Thrown([&] { pending->AddDoneCallback([] {}); }),
            "RuntimeError: Event loop is closed");
  testing::internal::CaptureStderr();
  failed.reset();
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "clotho: Future exception was never retrieved: ValueError: x\n");
}

TEST_F(FutureTest, OfAnotherLoopCannotBeAwaited) {
  EventLoop other;
  Future<int> f(other);
  const auto main = [&]() -> Coro<void> { co_await f; };
  EXPECT_EQ(Thrown([&] { Run(main()); }),
            "RuntimeError: Task Task-1 got a future attached to a different "
            "loop: make the future in the loop in which it is awaited");
  f.SetResult(1);  // A done future can be awaited on any loop.
  EXPECT_EQ(Thrown([&] { Run(main()); }), "nothing");
}

TEST_F(FutureTest, OfALoopThatIsGoneCannotBeAwaited) {
  std::optional<Future<int>> f;
  {
    EventLoop other;
    f.emplace(other);
  }
  const auto main = [&]() -> Coro<void> { co_await *f; };
  EXPECT_EQ(Thrown([&] { Run(main()); }),
            "RuntimeError: Task Task-1 got a future attached to a different "
            "loop: make the future in the loop in which it is awaited");
}

}  // namespace
}  // namespace clotho
