// CPython's tests of futures (test_futures.py and test_futures2.py), ported to
// Future. Each test has the name and class of the original method.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "clotho/runtime/concurrent_future.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/executor.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/shield.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "clotho/runtime/threads.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Repr;
using internal::Thrown;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr Delay kNow;

class BaseFutureTests : public internal::RuntimeTest {
 protected:
  // A done future takes no outcome, and is not cancelled.
  static void ExpectFinal(const Future<int>& future) {
    EXPECT_TRUE(future.Done());
    EXPECT_THAT(Thrown([&] { future.SetResult(0); }),
                StartsWith("InvalidStateError: "));
    EXPECT_THAT(Thrown([&] { future.SetException(ValueError("x")); }),
                StartsWith("InvalidStateError: "));
    EXPECT_FALSE(future.Cancel());
  }

  // The handler got no reports.
  void ExpectNoReports() { EXPECT_THAT(TakeReports(), IsEmpty()); }

  // The report of a never retrieved exception contains it.
  void CheckNeverRetrieved(bool debug) {
    loop_.SetDebug(debug);
    const std::exception_ptr error = std::make_exception_ptr(ValueError("x"));
    std::exception_ptr reported;
    loop_.SetExceptionHandler([&](EventLoop&, const ExceptionContext& context) {
      Note(context.message);
      reported = context.exception;
      EXPECT_EQ(context.source, ExceptionContext::Source::kNeverRetrieved);
    });
    {
      Future<int> future(loop_);
      future.SetException(error);
    }
    EXPECT_THAT(log_, ElementsAre("Future exception was never retrieved"));
    EXPECT_EQ(reported, error);
  }
};

// ---- States. ----

TEST_F(BaseFutureTests, Isfuture) {
  struct Other {};
  static_assert(IsFuture<Future<int>>);
  static_assert(IsFuture<const Future<void>&>);
  static_assert(IsFuture<Task<int>>);
  static_assert(!IsFuture<int>);
  static_assert(!IsFuture<Other>);
  static_assert(!IsFuture<Coro<int>>);
}

TEST_F(BaseFutureTests, InitialState) {
  Future<int> future(loop_);
  EXPECT_FALSE(future.Cancelled());
  EXPECT_FALSE(future.Done());
  future.Cancel();
  EXPECT_TRUE(future.Cancelled());
}

TEST_F(BaseFutureTests, ConstructorWithoutLoop) {
  EXPECT_THAT(Thrown([] { Future<int> future; }),
              StartsWith("RuntimeError: no running event loop"));
}

TEST_F(BaseFutureTests, ConstructorUseRunningLoop) {
  const auto make = []() -> Coro<Future<int>> { co_return Future<int>(); };
  EXPECT_EQ(&Run(make()).GetLoop(), &loop_);
}

TEST_F(BaseFutureTests, FutureCancelMessageGetter) {
  Future<int> future(loop_);
  EXPECT_EQ(internal::ToString(future.state()->cancel_message()), std::nullopt);
  future.Cancel("my message");
  EXPECT_EQ(Run(Raised(future)), "CancelledError('my message')");
  EXPECT_EQ(internal::ToString(future.state()->cancel_message()), "my message");
}

TEST_F(BaseFutureTests, Cancel) {
  Future<int> future(loop_);
  EXPECT_TRUE(future.Cancel());
  EXPECT_TRUE(future.Cancelled());
  EXPECT_EQ(Thrown([&] { static_cast<void>(future.Result()); }),
            "CancelledError");
  EXPECT_EQ(Thrown([&] { static_cast<void>(future.GetException()); }),
            "CancelledError");
  ExpectFinal(future);
}

TEST_F(BaseFutureTests, Result) {
  Future<int> future(loop_);
  EXPECT_THAT(Thrown([&] { static_cast<void>(future.Result()); }),
              StartsWith("InvalidStateError: "));
  future.SetResult(42);
  EXPECT_FALSE(future.Cancelled());
  EXPECT_EQ(future.Result(), 42);
  EXPECT_EQ(future.GetException(), nullptr);
  ExpectFinal(future);
}

TEST_F(BaseFutureTests, Exception) {
  const std::exception_ptr error = std::make_exception_ptr(RuntimeError("x"));
  Future<int> future(loop_);
  EXPECT_THAT(Thrown([&] { static_cast<void>(future.GetException()); }),
              StartsWith("InvalidStateError: "));
  future.SetException(error);
  EXPECT_FALSE(future.Cancelled());
  EXPECT_EQ(Thrown([&] { static_cast<void>(future.Result()); }),
            "RuntimeError: x");
  EXPECT_EQ(future.GetException(), error);
  ExpectFinal(future);
}

TEST_F(BaseFutureTests, YieldFromTwice) {
  Future<int> future(loop_);
  const auto body = [&]() -> Coro<void> {
    Log("A");
    const int x = co_await future;
    Log("B", x);
    const int y = co_await future;  // Done by now: it does not suspend.
    Log("C", y);
  };
  Task<void> task = Start(body());
  Iterate(2);
  EXPECT_THAT(log_, ElementsAre("i1 t=0 A"));
  future.SetResult(42);
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i1 t=0 A", "i3 t=0 B 42", "i3 t=0 C 42"));
}

// A future takes over the outcome of another one: Shield does this.
TEST_F(BaseFutureTests, CopyState) {
  const std::exception_ptr error = std::make_exception_ptr(RuntimeError("x"));
  Future<int> finished(loop_), failed(loop_), cancelled(loop_);
  const auto main = [&]() -> Coro<void> {
    Future<int> finished_copy = Shield(finished);
    Future<int> failed_copy = Shield(failed);
    Future<int> cancelled_copy = Shield(cancelled);
    finished.SetResult(10);
    failed.SetException(error);
    cancelled.Cancel();
    co_await Sleep(kNow);
    EXPECT_TRUE(finished_copy.Done());
    EXPECT_EQ(finished_copy.Result(), 10);
    EXPECT_TRUE(failed_copy.Done());
    EXPECT_EQ(failed_copy.GetException(), error);  // The same object.
    EXPECT_TRUE(cancelled_copy.Cancelled());
  };
  Run(main());
}

// `EnsureFuture` does for futures what `wrap_future` does for those of asyncio.
TEST_F(BaseFutureTests, WrapFutureFuture) {
  Future<int> future(loop_);
  EXPECT_TRUE(EnsureFuture(future) == future);
}

// What comes from another thread.

TEST_F(BaseFutureTests, WrapFuture) {
  const auto run = [](std::string argument) {
    return std::pair(std::move(argument), std::this_thread::get_id());
  };
  ThreadPoolExecutor executor({.max_workers = 1});
  const auto source = executor.Submit([run] { return run("oi"); });
  const auto main = [&]() -> Coro<void> {
    const auto future = clotho::WrapFuture(source);
    static_assert(IsFuture<decltype(future)>);
    const auto [result, thread] = co_await future;
    EXPECT_EQ(result, "oi");
    EXPECT_NE(thread, std::this_thread::get_id());
  };
  EventLoop loop;  // On a clock that waits.
  loop.RunUntilComplete(main());
}

TEST_F(BaseFutureTests, WrapFutureWithoutLoop) {
  EXPECT_THAT(Thrown([] { clotho::WrapFuture(ConcurrentFuture<int>()); }),
              StartsWith("RuntimeError: no running event loop"));
}

TEST_F(BaseFutureTests, WrapFutureUseRunningLoop) {
  const ConcurrentFuture<int> source;
  const auto wrap = [&]() -> Coro<Future<int>> {
    co_return clotho::WrapFuture(source);
  };
  EXPECT_EQ(&Run(wrap()).GetLoop(), &loop_);
  source.SetResult(1);
}

TEST_F(BaseFutureTests, WrapFutureCancel) {
  const ConcurrentFuture<int> source;
  const auto main = [&]() -> Coro<void> {
    Future<int> future = clotho::WrapFuture(source);
    future.Cancel();
    co_await Sleep(kNow);
    EXPECT_TRUE(source.Cancelled());
    EXPECT_TRUE(future.Cancelled());
  };
  Run(main());
}

TEST_F(BaseFutureTests, WrapFutureCancel2) {
  const ConcurrentFuture<int> source;
  const auto main = [&]() -> Coro<void> {
    Future<int> future = clotho::WrapFuture(source);
    source.SetResult(42);
    future.Cancel();
    co_await Sleep(kNow);
    EXPECT_FALSE(source.Cancelled());
    EXPECT_EQ(source.Result(), 42);
    EXPECT_TRUE(future.Cancelled());
  };
  Run(main());
}

TEST_F(BaseFutureTests, SetResultUnlessCancelled) {
  internal::WaiterFuture future(loop_);
  future.Cancel(nullptr);
  EXPECT_FALSE(future.Wake());
  EXPECT_TRUE(future.cancelled());
}

// ---- Exceptions that are never retrieved. ----

TEST_F(BaseFutureTests, TbLoggerAbandoned) {
  {
    Future<int> future(loop_);
  }
  ExpectNoReports();
}

TEST_F(BaseFutureTests, TbLoggerNotCalledAfterCancel) {
  {
    Future<int> future(loop_);
    future.SetException(Exception("x"));
    future.Cancel();  // Too late, but it silences the report.
  }
  ExpectNoReports();
}

TEST_F(BaseFutureTests, TbLoggerResultUnretrieved) {
  {
    Future<int> future(loop_);
    future.SetResult(42);
  }
  ExpectNoReports();
}

TEST_F(BaseFutureTests, TbLoggerResultRetrieved) {
  {
    Future<int> future(loop_);
    future.SetResult(42);
    static_cast<void>(future.Result());
  }
  ExpectNoReports();
}

TEST_F(BaseFutureTests, TbLoggerExceptionUnretrieved) {
  {
    Future<int> future(loop_);
    future.SetException(RuntimeError("boom"));
  }
  EXPECT_THAT(TakeReports(), SizeIs(1));
}

TEST_F(BaseFutureTests, TbLoggerExceptionRetrieved) {
  {
    Future<int> future(loop_);
    future.SetException(RuntimeError("boom"));
    static_cast<void>(future.GetException());
  }
  ExpectNoReports();
}

TEST_F(BaseFutureTests, TbLoggerExceptionResultRetrieved) {
  {
    Future<int> future(loop_);
    future.SetException(RuntimeError("boom"));
    EXPECT_EQ(Thrown([&] { static_cast<void>(future.Result()); }),
              "RuntimeError: boom");
  }
  ExpectNoReports();
}

TEST_F(BaseFutureTests, FutureExceptionNeverRetrieved) {
  CheckNeverRetrieved(/*debug=*/false);
}

TEST_F(BaseFutureTests, FutureExceptionNeverRetrievedDebug) {
  CheckNeverRetrieved(/*debug=*/true);
}

// ---- Callbacks. ----

class BaseFutureDoneCallbackTests : public internal::RuntimeTest {
 protected:
  // Adds a callback that notes the number. The result removes it.
  std::uint64_t Add(int number) {
    return future_.AddDoneCallback([this, number] { Note(number); });
  }
  // Nothing has been called yet. Ends the future, and calls what is there.
  void SetResult() {
    EXPECT_THAT(log_, IsEmpty());
    future_.SetResult("foo");
    EXPECT_THAT(log_, IsEmpty());
    Iterate();
    EXPECT_EQ(future_.Result(), "foo");
  }

  Future<std::string> future_{loop_};
};

TEST_F(BaseFutureDoneCallbackTests, CallbacksRemoveFirstCallback) {
  const auto first = Add(42);
  Add(17);
  Add(100);
  EXPECT_EQ(future_.RemoveDoneCallback(first), 1);
  EXPECT_EQ(future_.RemoveDoneCallback(first), 0);
  SetResult();
  EXPECT_THAT(log_, ElementsAre("17", "100"));
}

TEST_F(BaseFutureDoneCallbackTests, CallbacksRemoveFirstAndSecondCallback) {
  const auto first = Add(42);
  const auto second = Add(17);
  Add(100);
  EXPECT_EQ(future_.RemoveDoneCallback(first), 1);
  EXPECT_EQ(future_.RemoveDoneCallback(second), 1);
  EXPECT_EQ(future_.RemoveDoneCallback(first), 0);
  SetResult();
  EXPECT_THAT(log_, ElementsAre("100"));
}

TEST_F(BaseFutureDoneCallbackTests, CallbacksRemoveThirdCallback) {
  Add(42);
  Add(17);
  const auto third = Add(100);
  EXPECT_EQ(future_.RemoveDoneCallback(third), 1);
  EXPECT_EQ(future_.RemoveDoneCallback(third), 0);
  SetResult();
  EXPECT_THAT(log_, ElementsAre("42", "17"));
}

TEST_F(BaseFutureDoneCallbackTests, CallbacksInvokedOnSetResult) {
  Add(42);
  Add(17);
  SetResult();
  EXPECT_THAT(log_, ElementsAre("42", "17"));
}

TEST_F(BaseFutureDoneCallbackTests, CallbacksInvokedOnSetException) {
  const std::exception_ptr error = std::make_exception_ptr(RuntimeError("x"));
  Add(100);
  future_.SetException(error);
  EXPECT_THAT(log_, IsEmpty());
  Iterate();
  EXPECT_THAT(log_, ElementsAre("100"));
  EXPECT_EQ(future_.GetException(), error);
}

// One function may be added several times. In contrast to Python, where the
// function names what is to be removed, each time has a number of its own.
TEST_F(BaseFutureDoneCallbackTests, RemoveDoneCallback) {
  std::vector<std::uint64_t> ones = {Add(1)};
  EXPECT_EQ(future_.RemoveDoneCallback(Add(2)), 1);
  Future<std::string> other(loop_);
  const std::uint64_t elsewhere = other.AddDoneCallback([] {});
  EXPECT_EQ(future_.RemoveDoneCallback(elsewhere), 0);

  Add(2);
  for (int i = 0; i < 5; ++i) ones.push_back(Add(1));
  int removed = 0;
  for (const auto one : ones) removed += future_.RemoveDoneCallback(one);
  EXPECT_EQ(removed, 6);
  SetResult();
  EXPECT_THAT(log_, ElementsAre("2"));
}

TEST_F(BaseFutureDoneCallbackTests, ScheduleCallbacksListMutation1) {
  std::vector<std::uint64_t> others;
  future_.AddDoneCallback([&](Future<std::string> future) {
    Note("first");
    // Those are scheduled already.
    for (const auto id : others) EXPECT_EQ(future.RemoveDoneCallback(id), 0);
  });
  others = {Add(1), Add(2)};
  SetResult();
  EXPECT_THAT(log_, ElementsAre("first", "1", "2"));
}

// What is removed is destroyed, and may use the future while that happens: what
// of the program's runs inside of a removal.
TEST_F(BaseFutureDoneCallbackTests, ScheduleCallbacksListMutation2) {
  struct Evil {
    std::function<void()> at_end;
    ~Evil() { at_end(); }
  };
  std::vector<std::uint64_t> ids;
  const auto mutate = [&] {
    for (int i = 0; i < 100; ++i) ids.push_back(Add(i));
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      future_.RemoveDoneCallback(ids[i]);
    }
  };
  Add(-1);
  auto evil = std::make_unique<Evil>();
  evil->at_end = mutate;
  const std::uint64_t evil_id =
      future_.AddDoneCallback([evil = std::move(evil)] {});
  for (int i = 0; i < 63; ++i) ids.push_back(Add(-2));
  EXPECT_EQ(future_.RemoveDoneCallback(evil_id), 1);
  SetResult();
  EXPECT_THAT(log_, ElementsAre("-1", "99"));
}

// ---- test_futures2.py: an exception handler runs in the context of what has
// failed. ----

class Futures2FutureTests : public internal::RuntimeTest {
 protected:
  void ExpectReportIn(std::string_view value) {
    loop_.SetExceptionHandler(
        [this, value](EventLoop&, const ExceptionContext& context) {
          Note(context.message);
          EXPECT_EQ(name_.Get(), value);
        });
  }

  const ContextVar<std::string> name_{"name", "foo"};
};

TEST_F(Futures2FutureTests, TaskExcHandlerCorrectContext) {
  ExpectReportIn("bar");
  const auto fail = [&]() -> Coro<void> {
    name_.Set("bar");
    throw ValueError("x");
    co_return;
  };
  const auto main = [&]() -> Coro<void> {
    CreateTask(fail());
    co_await Sleep(kNow);
    EXPECT_THAT(log_, ElementsAre("Task exception was never retrieved"));
  };
  Run(main());
}

TEST_F(Futures2FutureTests, HandleExcHandlerCorrectContext) {
  ExpectReportIn("bar");
  const auto main = [&]() -> Coro<void> {
    loop_.CallSoon([&] {
      name_.Set("bar");
      throw ValueError("x");
    });
    co_await Sleep(kNow);
    EXPECT_THAT(log_, ElementsAre("Exception in callback"));
  };
  Run(main());
}

}  // namespace
}  // namespace clotho
