// CPython's tests of to_thread and run_coroutine_threadsafe (test_threads.py
// and part of test_tasks.py). Each test has the name and class of the original
// method. The threads are real. No test waits for time to pass, or depends on
// which thread is faster.

#include <atomic>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clotho/runtime/concurrent_future.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/runner.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "clotho/runtime/threads.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Thrown;
using ::testing::ElementsAre;

constexpr Delay kNow;

// ---- ToThread. ----

TEST(ToThreadTests, ToThread) {
  const auto sum = [](std::vector<int> numbers) {
    int total = 0;
    for (const int n : numbers) total += n;
    return total;
  };
  const auto main = [&]() -> Coro<int> {
    std::vector<int> numbers = {40, 2};
    co_return co_await ToThread(sum, std::move(numbers));
  };
  EXPECT_EQ(clotho::Run(main()), 42);
}

TEST(ToThreadTests, ToThreadException) {
  const auto fail = [] { throw RuntimeError("test"); };
  EXPECT_EQ(Thrown([&] { clotho::Run(ToThread(fail)); }), "RuntimeError: test");
}

TEST(ToThreadTests, ToThreadOnce) {
  int calls = 0;
  const auto count = [&calls] { ++calls; };
  clotho::Run(ToThread(count));
  EXPECT_EQ(calls, 1);
}

TEST(ToThreadTests, ToThreadConcurrent) {
  std::atomic<int> calls = 0;
  const auto count = [&calls] { ++calls; };
  const auto main = [&]() -> Coro<void> {
    std::vector<Coro<void>> coros;
    for (int i = 0; i < 10; ++i) coros.push_back(ToThread(count));
    co_await Gather(std::move(coros));
  };
  clotho::Run(main());
  EXPECT_EQ(calls, 10);
}

TEST(ToThreadTests, ToThreadArgsKwargs) {
  struct Options {  // Where Python has keywords.
    bool something = false;
  };
  const auto describe = [](std::string text, Options options) {
    return text + (options.something ? " something" : " nothing");
  };
  EXPECT_EQ(clotho::Run(ToThread(describe, std::string("test"),
                                 Options{.something = true})),
            "test something");
}

TEST(ToThreadTests, ToThreadContextvars) {
  const ContextVar<std::string> variable("variable");
  const auto get = [&variable] { return variable.Get(); };
  const auto main = [&]() -> Coro<std::string> {
    variable.Set("parrot");
    co_return co_await ToThread(get);
  };
  EXPECT_EQ(clotho::Run(main()), "parrot");
}

// ---- RunCoroutineThreadsafe. ----

class RunCoroutineThreadsafeTests : public testing::Test {
 protected:
  enum class Ending { kReturns, kFails, kCancelsItself, kNever };

  // A coroutine for the loop.
  Coro<int> Add(int a, int b, Ending ending) {
    co_await Sleep(kNow);
    switch (ending) {
      case Ending::kReturns:
        break;
      case Ending::kFails:
        throw RuntimeError("Fail!");
      case Ending::kCancelsItself:
        CurrentTask()->Cancel();
        co_await Sleep(kNow);
        break;
      case Ending::kNever:
        co_await Future<void>();
    }
    co_return a + b;
  }
  // Passes it to the loop, waits for it for a limited time, and does not leave
  // it behind. Runs in another thread.
  int AddFromOutside(Ending ending,
                     std::optional<Delay> timeout = std::nullopt) {
    const ConcurrentFuture<int> future =
        RunCoroutineThreadsafe(Add(1, 2, ending), loop_);
    struct Finally {
      const ConcurrentFuture<int>& future;
      ~Finally() {
        if (!future.Done()) future.Cancel();
      }
    } finally{future};
    return future.Result(timeout);
  }
  int RunFromOutside(Ending ending,
                     std::optional<Delay> timeout = std::nullopt) {
    return loop_.RunUntilComplete(loop_.RunInExecutor(
        nullptr, [=, this] { return AddFromOutside(ending, timeout); }));
  }

  EventLoop loop_;
};

TEST_F(RunCoroutineThreadsafeTests, RunCoroutineThreadsafe) {
  EXPECT_EQ(RunFromOutside(Ending::kReturns), 3);
}

TEST_F(RunCoroutineThreadsafeTests, RunCoroutineThreadsafeWithException) {
  EXPECT_EQ(Thrown([&] { RunFromOutside(Ending::kFails); }),
            "RuntimeError: Fail!");
}

TEST_F(RunCoroutineThreadsafeTests, RunCoroutineThreadsafeWithTimeout) {
  EXPECT_EQ(Thrown([&] { RunFromOutside(Ending::kNever, kNow); }),
            "TimeoutError");
  for (int i = 0; i < 3; ++i) {
    loop_.Stop();
    loop_.RunForever();
  }
  // The task was cancelled: none is left.
  CoreOf(loop_).ForEachTask([](internal::TaskBase& task) {
    ADD_FAILURE() << task.name() << " is still there";
  });
}

TEST_F(RunCoroutineThreadsafeTests, RunCoroutineThreadsafeTaskCancelled) {
  EXPECT_EQ(Thrown([&] { RunFromOutside(Ending::kCancelsItself); }),
            "CancelledError");
}

TEST_F(RunCoroutineThreadsafeTests,
       RunCoroutineThreadsafeTaskFactoryException) {
  class NameError : public Exception {};
  std::vector<std::exception_ptr> reported;
  loop_.SetExceptionHandler([&](EventLoop&, const ExceptionContext& context) {
    // The coroutine, which never ran, is reported as well.
    if (context.source == ExceptionContext::Source::kNeverAwaited) return;
    reported.push_back(context.exception);
  });
  loop_.SetTaskFactory([](EventLoop&, AnyCoro&, const TaskOptions&) -> AnyTask {
    throw NameError();
  });
  std::exception_ptr thrown;
  try {
    RunFromOutside(Ending::kReturns);
  } catch (const NameError&) {
    thrown = std::current_exception();
  }
  EXPECT_NE(thrown, nullptr);
  EXPECT_THAT(reported, ElementsAre(thrown));
}

}  // namespace
}  // namespace clotho
