// CPython's tests of asyncio.gather (test_tasks.py), ported to Gather. Each
// test has the name and class of the original method.

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/outcome.h"
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
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ZeroDivisionError : public Exception {};

class GatherTest : public internal::RuntimeTest {
 protected:
  using Futures = std::vector<Future<int>>;

  Futures NewFutures(int count) {
    Futures futures;
    for (int i = 0; i < count; ++i) futures.emplace_back(loop_);
    return futures;
  }
  static Coro<int> AwaitOne(Future<int> future) { co_return co_await future; }
  // Runs until nothing is ready; the clock has nothing to wait for.
  void RunReady() { Iterate(5); }
};

// ---- For futures, and for coroutines that await them. ----

enum class Kind { kFutures, kCoroutines };

class GatherTestsBase : public GatherTest,
                        public testing::WithParamInterface<Kind> {
 protected:
  // What `gather(list)` returns for a list of the parameter's kind.
  template <typename Function>
  auto GatherThem(const Futures& futures, Function gather) {
    if (GetParam() == Kind::kFutures) return gather(futures);
    std::vector<Coro<int>> coros;
    for (const auto& future : futures) coros.push_back(AwaitOne(future));
    const auto in_loop =
        [&]() -> Coro<decltype(gather(std::vector<Coro<int>>()))> {
      co_return gather(std::move(coros));
    };
    return Run(in_loop());
  }
  auto GatherPlain(const Futures& futures) {
    return GatherThem(futures,
                      [](auto list) { return Gather(std::move(list)); });
  }
  auto GatherOutcomes(const Futures& futures) {
    return GatherThem(futures, [](auto list) {
      return Gather(kReturnExceptions, std::move(list));
    });
  }
};

INSTANTIATE_TEST_SUITE_P(, GatherTestsBase,
                         testing::Values(Kind::kFutures, Kind::kCoroutines),
                         [](const auto& info) {
                           return info.param == Kind::kFutures ? "OfFutures"
                                                               : "OfCoroutines";
                         });

TEST_P(GatherTestsBase, Success) {
  const Futures f = NewFutures(3);
  Future<std::vector<int>> gather = GatherPlain(f);
  int calls = 0;
  gather.AddDoneCallback([&](const Future<std::vector<int>>& done) {
    EXPECT_TRUE(done == gather);
    ++calls;
  });
  f[1].SetResult(1);
  f[0].SetResult(2);
  RunReady();
  EXPECT_EQ(calls, 0);
  EXPECT_FALSE(gather.Done());
  f[2].SetResult(3);
  RunReady();
  EXPECT_EQ(calls, 1);
  EXPECT_THAT(gather.Result(), ElementsAre(2, 1, 3));
}

TEST_P(GatherTestsBase, ResultExceptionSuccess) {
  const Futures f = NewFutures(3);
  Future<std::vector<Outcome<int>>> gather = GatherOutcomes(f);
  int calls = 0;
  gather.AddDoneCallback([&] { ++calls; });
  f[1].SetResult(1);
  f[0].SetResult(2);
  RunReady();
  EXPECT_EQ(calls, 0);
  EXPECT_FALSE(gather.Done());
  f[2].SetResult(3);
  RunReady();
  EXPECT_EQ(calls, 1);
  std::vector<int> values;
  for (Outcome<int>& outcome : gather.Result()) {
    EXPECT_TRUE(outcome.ok());
    values.push_back(outcome.value());
  }
  EXPECT_THAT(values, ElementsAre(2, 1, 3));
}

TEST_P(GatherTestsBase, OneException) {
  const Futures f = NewFutures(5);
  Future<std::vector<int>> gather = GatherPlain(f);
  int calls = 0;
  gather.AddDoneCallback([&] { ++calls; });
  const auto error = std::make_exception_ptr(ZeroDivisionError());
  f[0].SetResult(1);
  f[1].SetException(error);
  RunReady();
  EXPECT_TRUE(gather.Done());
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(gather.GetException(), error);  // The same object.
  // What the others do changes nothing, and is not reported.
  f[2].SetResult(3);
  f[3].Cancel();
  f[4].SetException(RuntimeError());
  static_cast<void>(f[4].GetException());
  RunReady();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(gather.GetException(), error);
}

TEST_P(GatherTestsBase, ReturnExceptions) {
  const Futures f = NewFutures(4);
  Future<std::vector<Outcome<int>>> gather = GatherOutcomes(f);
  int calls = 0;
  gather.AddDoneCallback([&] { ++calls; });
  const auto error = std::make_exception_ptr(ZeroDivisionError());
  const auto error2 = std::make_exception_ptr(RuntimeError());
  f[1].SetResult(1);
  f[2].SetException(error);
  f[0].SetResult(3);
  RunReady();
  EXPECT_FALSE(gather.Done());
  f[3].SetException(error2);
  RunReady();
  EXPECT_TRUE(gather.Done());
  EXPECT_EQ(calls, 1);
  std::vector<Outcome<int>>& results = gather.Result();
  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(results[0].value(), 3);
  EXPECT_EQ(results[1].value(), 1);
  EXPECT_EQ(results[2].exception(), error);
  EXPECT_EQ(results[3].exception(), error2);
}

// ---- For futures. ----

class FutureGatherTests : public GatherTest {};

TEST_F(FutureGatherTests, ConstructorEmptySequenceWithoutLoop) {
  EXPECT_THAT(Thrown([] { (void)Gather(); }),
              HasSubstr("RuntimeError: no running event loop"));
  EXPECT_THAT(Thrown([] { (void)Gather(Futures()); }),
              HasSubstr("RuntimeError: no running event loop"));
}

TEST_F(FutureGatherTests, ConstructorEmptySequenceUseRunningLoop) {
  const auto gather = [&]() -> Coro<Future<std::vector<int>>> {
    co_return Gather(Futures());
  };
  Future<std::vector<int>> future = Run(gather());
  EXPECT_EQ(&future.GetLoop(), &loop_);
  RunReady();
  EXPECT_TRUE(future.Done());
  EXPECT_THAT(future.Result(), IsEmpty());
}

TEST_F(FutureGatherTests, ConstructorHeterogenousFutures) {
  EventLoop other({.clock = &clock_});
  Future<int> future1(loop_);
  Future<int> future2(other);
  EXPECT_THROW((void)Gather(future1, future2), ValueError);
}

TEST_F(FutureGatherTests, ConstructorHomogenousFutures) {
  EventLoop other({.clock = &clock_});
  Futures children;
  for (int i = 0; i < 3; ++i) children.emplace_back(other);
  for (int i = 0; i < 2; ++i) {
    Future<std::vector<int>> gather = Gather(children);
    EXPECT_EQ(&gather.GetLoop(), &other);
    other.Stop();
    other.RunForever();
    EXPECT_FALSE(gather.Done());
  }
}

TEST_F(FutureGatherTests, OneCancellation) {
  const Futures f = NewFutures(5);
  Future<std::vector<int>> gather = Gather(f);
  int calls = 0;
  gather.AddDoneCallback([&] { ++calls; });
  f[0].SetResult(1);
  f[1].Cancel();
  RunReady();
  EXPECT_TRUE(gather.Done());
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(gather.Cancelled());
  EXPECT_EQ(Repr(gather.GetException()), "CancelledError()");
  // What the others do changes nothing.
  f[2].SetResult(3);
  f[3].Cancel();
  f[4].SetException(RuntimeError());
  static_cast<void>(f[4].GetException());
  RunReady();
  EXPECT_EQ(calls, 1);
}

TEST_F(FutureGatherTests, ResultExceptionOneCancellation) {
  const Futures f = NewFutures(6);
  Future<std::vector<Outcome<int>>> gather = Gather(kReturnExceptions, f);
  int calls = 0;
  gather.AddDoneCallback([&] { ++calls; });
  const auto error = std::make_exception_ptr(ZeroDivisionError());
  const auto error2 = std::make_exception_ptr(RuntimeError());
  f[0].SetResult(1);
  f[1].SetException(error);
  f[2].Cancel();
  RunReady();
  EXPECT_FALSE(gather.Done());
  f[3].SetResult(3);
  f[4].Cancel();
  f[5].SetException(error2);
  std::vector<Outcome<int>> results = loop_.RunUntilComplete(gather);
  ASSERT_EQ(results.size(), 6u);
  EXPECT_EQ(results[0].value(), 1);
  EXPECT_EQ(results[1].exception(), error);
  EXPECT_THROW(results[2].value(), CancelledError);
  EXPECT_EQ(results[3].value(), 3);
  EXPECT_THROW(results[4].value(), CancelledError);
  EXPECT_EQ(results[5].exception(), error2);
  EXPECT_EQ(calls, 1);
}

// ---- For coroutines. ----

class CoroutineGatherTests : public GatherTest {
 protected:
  static Coro<std::string> Echo(std::string text) { co_return text; }
};

TEST_F(CoroutineGatherTests, ConstructorWithoutLoop) {
  testing::internal::CaptureStderr();
  EXPECT_THAT(Thrown([] { (void)Gather(Echo("abc"), Echo("def")); }),
              HasSubstr("RuntimeError: no running event loop"));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("never awaited"));
}

TEST_F(CoroutineGatherTests, ConstructorUseRunningLoop) {
  using Both = std::tuple<std::string, std::string>;
  const auto gather = [&]() -> Coro<Future<Both>> {
    co_return Gather(Echo("abc"), Echo("def"));
  };
  Future<Both> future = Run(gather());
  EXPECT_EQ(&future.GetLoop(), &loop_);
  EXPECT_EQ(loop_.RunUntilComplete(future), Both("abc", "def"));
}

TEST_F(CoroutineGatherTests, DuplicateCoroutines) {
  const auto main = [&]() -> Coro<void> {
    // A coroutine cannot be given twice. Its task can, and runs once.
    Task<std::string> abc = CreateTask(Echo("abc"));
    Task<std::string> def = CreateTask(Echo("def"));
    const std::vector tasks = {abc, abc, def, abc};
    const std::vector<std::string> all = co_await Gather(tasks);
    EXPECT_THAT(all, ElementsAre("abc", "abc", "def", "abc"));
  };
  Run(main());
}

TEST_F(CoroutineGatherTests, CancellationBroadcast) {
  int proof = 0;
  Future<void> waiter(loop_);
  const auto inner = [&]() -> Coro<int> {
    co_await waiter;
    proof += 1;
    co_return 0;
  };
  Task<int> child1 = Start(inner());
  Task<int> child2 = Start(inner());
  std::optional<Future<std::tuple<int, int>>> gather;
  const auto outer = [&]() -> Coro<void> {
    gather = Gather(child1, child2);
    co_await *gather;
    proof += 100;
  };
  Task<void> task = Start(outer());
  Iterate();
  EXPECT_TRUE(task.Cancel());
  EXPECT_THROW(loop_.RunUntilComplete(task), CancelledError);
  EXPECT_FALSE(gather->Cancel());
  EXPECT_TRUE(waiter.Cancelled());
  EXPECT_TRUE(child1.Cancelled());
  EXPECT_TRUE(child2.Cancelled());
  Iterate();
  EXPECT_EQ(proof, 0);
}

TEST_F(CoroutineGatherTests, ExceptionMarking) {
  // The second failure, which cannot be seen, is not reported.
  const auto inner = [](Future<int> future) -> Coro<int> {
    co_await future;
    throw RuntimeError("should not be ignored");
  };
  const Futures f = NewFutures(2);
  const auto outer = [&]() -> Coro<void> {
    co_await Gather(inner(f[0]), inner(f[1]));
  };
  Task<void> task = Start(outer());
  Iterate(2);
  f[0].SetResult(0);
  Iterate(2);
  f[1].SetResult(0);
  Iterate(2);
  EXPECT_EQ(Repr(task.GetException()), "RuntimeError('should not be ignored')");
  EXPECT_THAT(TakeReports(), IsEmpty());
}

template <typename... A>
concept CanBeGathered = requires(A... a) { Gather(std::move(a)...); };

TEST_F(CoroutineGatherTests, Issue46672) {
  // What cannot be awaited is refused when it is compiled.
  static_assert(CanBeGathered<Coro<std::string>, Coro<int>>);
  static_assert(!CanBeGathered<Coro<std::string>, int>);
  // An argument that is found unusable only at the call does not affect the
  // others, and nothing is reported.
  const auto main = [&]() -> Coro<void> {
    Coro<std::string> spent = Echo("");
    spent.Close();
    EXPECT_THROW((void)Gather(Echo("abc"), std::move(spent)), RuntimeError);
    co_return;
  };
  Run(main());
  RunReady();
  EXPECT_THAT(TakeReports(), IsEmpty());
}

// ---- Cancelling what Gather returned. ----

class BaseTaskTests : public GatherTest {};

TEST_F(BaseTaskTests, CancelGather1) {
  // It refuses once all of its children are done, even if it is not done.
  Future<int> future(loop_);
  const auto create = [&]() -> Coro<Future<std::tuple<int>>> {
    co_return EnsureFuture(Gather(AwaitOne(future)));
  };
  Future<std::tuple<int>> gather = Run(create());
  Iterate();
  std::optional<bool> accepted;
  future.AddDoneCallback([&] { accepted = gather.Cancel(); });
  future.SetResult(42);
  EXPECT_EQ(loop_.RunUntilComplete(gather), std::tuple(42));
  EXPECT_EQ(accepted, false);
  EXPECT_FALSE(gather.Cancelled());
}

TEST_F(BaseTaskTests, CancelGather2) {
  struct Case {
    std::optional<std::string_view> message;
    const char* raised;
  };
  constexpr Case kCases[] = {
      {std::nullopt, "CancelledError()"},
      {"", "CancelledError('')"},  // Not the same as none.
      {"my message", "CancelledError('my message')"},
  };
  for (const Case& c : kCases) {
    // A request comes out of the gather, though that returns exceptions.
    const auto gather_often = []() -> Coro<void> {
      for (int i = 0; i < 20; ++i) {
        co_await Gather(kReturnExceptions, Sleep(absl::Milliseconds(50)));
      }
    };
    const auto main = [&]() -> Coro<void> {
      Task<void> task = CreateTask(gather_often());
      co_await Sleep(absl::Milliseconds(200));
      task.Cancel(c.message);
      co_await task;
    };
    std::string raised = "None";
    try {
      Run(main());
    } catch (...) {
      raised = Repr(std::current_exception());
    }
    EXPECT_EQ(raised, c.raised);
  }
}

}  // namespace
}  // namespace clotho
