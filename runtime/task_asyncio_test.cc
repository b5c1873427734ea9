// CPython's tests of tasks alone (test_tasks.py), ported to Task. Each test has
// the name and class of the original method. The tests of Wait, AsCompleted,
// Gather, Shield and Sleep in that file are in separate files here.

#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/generator.h"
#include "clotho/runtime/inspect.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "clotho/runtime/wait.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Repr;
using internal::Thrown;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr Delay kNow;

class BaseTaskTests : public internal::RuntimeTest {
 protected:
  Coro<void> Nothing() { co_return; }
  Coro<std::string> Ok() { co_return "ok"; }
  Coro<void> SleepFor(Delay delay) { co_await Sleep(delay); }
  Coro<int> WaitThen12(Future<void> future) {
    co_await future;
    co_return 12;
  }

  // What comes out of the loop that runs until `awaitable` is done, as
  // "CancelledError('m')"; "None" if it returns.
  template <typename A>
  std::string Raised(A awaitable) {
    try {
      loop_.RunUntilComplete(std::move(awaitable));
    } catch (...) {
      return Repr(std::current_exception());
    }
    return "None";
  }

  // Whether `task` is suspended at `future`.
  template <typename T, typename U>
  static bool WaitsFor(const Task<T>& task, const Future<U>& future) {
    return task.base().waiting_on() == future.state().get();
  }

  std::vector<AnyTask> TasksOfLoop() {
    std::vector<AnyTask> tasks;
    CoreOf(loop_).ForEachTask(
        [&](internal::TaskBase& task) { tasks.emplace_back(task); });
    return tasks;
  }
};

// ---- What a task is made of. ----

TEST_F(BaseTaskTests, OtherLoopFuture) {
  EventLoop other({.clock = &clock_});
  Future<void> future(other);
  EXPECT_THAT(Raised(WaitThen12(future)),
              StartsWith("RuntimeError('Task Task-1 got a future attached to a "
                         "different loop"));
  EXPECT_FALSE(future.Done());
}

TEST_F(BaseTaskTests, TaskAwaitsOnItself) {
  std::optional<Task<void>> task;
  const auto body = [&]() -> Coro<void> { co_await *task; };
  task = Start(body());
  EXPECT_THAT(Raised(*task),
              StartsWith("RuntimeError('Task cannot await on itself: Task-1"));
}

TEST_F(BaseTaskTests, TaskClass) {
  Task<std::string> task = Start(Ok());
  EXPECT_EQ(loop_.RunUntilComplete(task), "ok");
  EXPECT_TRUE(task.Done());
  EXPECT_EQ(task.Result(), "ok");
  EXPECT_EQ(&task.GetLoop(), &loop_);

  EventLoop other({.clock = &clock_});
  Task<std::string> elsewhere =
      internal::CreateTaskIn(other, Ok(), {}, std::source_location::current());
  EXPECT_EQ(&elsewhere.GetLoop(), &other);
  EXPECT_EQ(other.RunUntilComplete(elsewhere), "ok");
}

TEST_F(BaseTaskTests, EnsureFutureCoroutine) {
  testing::internal::CaptureStderr();
  EXPECT_THAT(Thrown([&] { EnsureFuture(Ok()); }),
              HasSubstr("RuntimeError: no running event loop"));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("never awaited"));

  const auto ensure = [&]() -> Coro<Future<std::string>> {
    co_return EnsureFuture(Ok());
  };
  Future<std::string> future = Run(ensure());
  EXPECT_EQ(&future.GetLoop(), &loop_);
  EXPECT_EQ(loop_.RunUntilComplete(future), "ok");
  EXPECT_TRUE(future.Done());
  EXPECT_EQ(future.Result(), "ok");
}

TEST_F(BaseTaskTests, EnsureFutureFuture) {
  Future<std::string> original(loop_);
  original.SetResult("ko");
  Future<std::string> future = EnsureFuture(original);  // Needs no loop.
  EXPECT_TRUE(future == original);
  EXPECT_EQ(loop_.RunUntilComplete(future), "ko");
  EXPECT_EQ(future.Result(), "ko");

  EventLoop other({.clock = &clock_});
  EXPECT_THROW(other.RunUntilComplete(EnsureFuture(original)), ValueError);
}

TEST_F(BaseTaskTests, EnsureFutureTask) {
  Task<std::string> original = Start(Ok());
  Future<std::string> future = EnsureFuture(original);
  EXPECT_TRUE(future == original);
  EXPECT_EQ(loop_.RunUntilComplete(future), "ok");
  EXPECT_EQ(original.Result(), "ok");

  EventLoop other({.clock = &clock_});
  EXPECT_THROW(other.RunUntilComplete(EnsureFuture(original)), ValueError);
}

// A class of the program's that can be awaited, made from a coroutine.
struct AwaitsACoro {
  Coro<std::string> Await() { return std::move(coro); }
  Coro<std::string> coro;
};

TEST_F(BaseTaskTests, EnsureFutureAwaitable) {
  const auto ensure = [&]() -> Coro<Future<std::string>> {
    AwaitsACoro awaitable{Ok()};
    co_return EnsureFuture(std::move(awaitable));
  };
  EXPECT_EQ(loop_.RunUntilComplete(Run(ensure())), "ok");
}

// The same, made from what a function of the library returns.
struct AwaitsASleep {
  Coro<std::string> Await() { return Sleep(kNow, std::string("ok")); }
};

TEST_F(BaseTaskTests, EnsureFutureTaskAwaitable) {
  const auto ensure = [&]() -> Coro<Future<std::string>> {
    co_return EnsureFuture(AwaitsASleep());
  };
  Future<std::string> future = Run(ensure());
  EXPECT_NE(future.state()->AsTask(), nullptr);  // A task drives it.
  EXPECT_EQ(loop_.RunUntilComplete(future), "ok");
  EXPECT_TRUE(future.Done());
  EXPECT_EQ(future.Result(), "ok");
}

TEST_F(BaseTaskTests, EnsureFutureErrorMsg) {
  EventLoop other({.clock = &clock_});
  Future<void> future(loop_);
  EXPECT_THAT(Thrown([&] { other.RunUntilComplete(EnsureFuture(future)); }),
              StartsWith("ValueError: the future belongs to another event "
                         "loop"));
}

TEST_F(BaseTaskTests, TaskBasics) {
  const auto inner1 = []() -> Coro<int> { co_return 42; };
  const auto inner2 = []() -> Coro<int> { co_return 1000; };
  const auto outer = [&]() -> Coro<int> {
    const int a = co_await inner1();
    const int b = co_await inner2();
    co_return a + b;
  };
  EXPECT_EQ(Run(outer()), 1042);
}

TEST_F(BaseTaskTests, TaskSetMethods) {
  Task<std::string> task = Start(Ok());
  Future<std::string> future = task;
  EXPECT_THAT(Thrown([&] { future.SetResult("no"); }),
              StartsWith("RuntimeError: Task does not support SetResult"));
  EXPECT_THAT(Thrown([&] { future.SetException(ValueError("no")); }),
              StartsWith("RuntimeError: Task does not support SetException"));
  EXPECT_EQ(loop_.RunUntilComplete(task), "ok");
}

TEST_F(BaseTaskTests, StepResultFuture) {
  Future<std::shared_ptr<int>> future(loop_);
  std::shared_ptr<int> seen;
  const auto wait = [&]() -> Coro<void> { seen = co_await future; };
  Task<void> task = Start(wait());
  Iterate();
  EXPECT_TRUE(WaitsFor(task, future));
  EXPECT_FALSE(future.state()->waiters().empty());

  const auto result = std::make_shared<int>(1);
  future.SetResult(result);
  Iterate();
  EXPECT_EQ(seen, result);  // The same object.
  EXPECT_TRUE(task.Done());
  task.Result();
}

TEST_F(BaseTaskTests, CoroutineNonGenFunction) {
  const auto function = []() -> Coro<std::string> { co_return "test"; };
  static_assert(IsCoroutineFunction<decltype(function)>);
  static_assert(IsCoroutine<decltype(function())>);
  EXPECT_EQ(Run(function()), "test");
}

TEST_F(BaseTaskTests, CoroutineNonGenFunctionReturnFuture) {
  Future<std::string> future(loop_);
  const auto give = [&]() -> Coro<Future<std::string>> { co_return future; };
  const auto set = [&]() -> Coro<void> {
    future.SetResult("test");
    co_return;
  };
  Task<Future<std::string>> t1 = Start(give());
  Task<void> t2 = Start(set());
  // The future is the result: it is not awaited.
  EXPECT_TRUE(loop_.RunUntilComplete(t1) == future);
  t2.Result();
  EXPECT_EQ(future.Result(), "test");
}

TEST_F(BaseTaskTests, CreateTaskWithAsyncFunction) {
  static_assert(std::is_same_v<decltype(Start(Nothing())), Task<void>>);
  for (int i = 0; i < 2; ++i) {
    Task<void> task = Start(Nothing());
    loop_.RunUntilComplete(task);
    EXPECT_TRUE(task.Done());
  }
}

TEST_F(BaseTaskTests, BareCreateTask) {
  const auto inner = []() -> Coro<int> { co_return 1; };
  const auto main = [&]() -> Coro<int> {
    Task<int> task = CreateTask(inner());
    EXPECT_FALSE(task.Done());
    co_return co_await task;
  };
  EXPECT_EQ(Run(main()), 1);
}

TEST_F(BaseTaskTests, BareCreateNamedTask) {
  const auto main = [&]() -> Coro<void> {
    Task<void> task = CreateTask(Nothing(), {.name = "No-op"});
    EXPECT_EQ(task.GetName(), "No-op");
    co_await task;
  };
  Run(main());
}

TEST_F(BaseTaskTests, GetCoro) {
  const auto held = std::make_shared<int>(1);
  const auto hold = [](std::shared_ptr<int>) -> Coro<void> { co_return; };
  Coro<void> coro = hold(held);
  EXPECT_EQ(held.use_count(), 2);
  Task<void> task = Start(std::move(coro));
  // Only the task holds this coroutine, which was not copied.
  EXPECT_EQ(held.use_count(), 2);
  EXPECT_THAT(Thrown([&] { Start(std::move(coro)); }),
              StartsWith("RuntimeError: cannot reuse already awaited"));
  loop_.RunUntilComplete(task);
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(BaseTaskTests, TaskReprAutogenerated) {
  Task<void> t1 = Start(Nothing());
  Task<void> t2 = Start(Nothing());
  const auto number = [](const Task<void>& task) {
    const std::string name = task.GetName();
    EXPECT_THAT(name, StartsWith("Task-"));
    return std::stoi(name.substr(5));
  };
  EXPECT_LT(number(t1), number(t2));
  Iterate();
}

TEST_F(BaseTaskTests, TaskReprWaitFor) {
  Future<void> future(loop_);
  Task<int> task = Start(WaitThen12(future));
  Iterate();
  EXPECT_TRUE(WaitsFor(task, future));
  future.SetResult();
  EXPECT_EQ(loop_.RunUntilComplete(task), 12);
  EXPECT_EQ(task.base().waiting_on(), nullptr);
}

TEST_F(BaseTaskTests, TaskSourceTraceback) {
  Task<void> task = Start(Nothing());
  EXPECT_THAT(task.base().created_at().file_name(), HasSubstr("fixtures.h"));
  const auto main = [&]() -> Coro<void> {
    const std::source_location here = std::source_location::current();
    Task<void> made = CreateTask(Nothing());
    EXPECT_EQ(std::string_view(made.base().created_at().file_name()),
              here.file_name());
    EXPECT_EQ(made.base().created_at().line(), here.line() + 1);
    co_await made;
  };
  Run(main());
}

TEST_F(BaseTaskTests, GetStack) {
  Future<void> future(loop_);
  std::uint32_t line_of_bar = 0;
  std::uint32_t line_of_foo = 0;
  const auto bar = [&]() -> Coro<void> {
    line_of_bar = std::source_location::current().line() + 1;
    co_await future;
  };
  const auto foo = [&]() -> Coro<void> {
    line_of_foo = std::source_location::current().line() + 1;
    co_await bar();
  };
  Task<void> task = Start(foo());
  EXPECT_THAT(task.GetStack(), IsEmpty());  // It has not begun.
  Iterate();
  const std::vector<std::source_location> stack = task.GetStack();
  ASSERT_THAT(stack, SizeIs(2));
  EXPECT_EQ(stack[0].line(), line_of_foo);
  EXPECT_EQ(stack[1].line(), line_of_bar);
  // With a limit, only the innermost.
  const std::vector<std::source_location> last = task.GetStack(1);
  ASSERT_THAT(last, SizeIs(1));
  EXPECT_EQ(last[0].line(), line_of_bar);

  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  task.PrintStack(1, file);
  std::rewind(file);
  std::string text(1000, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  EXPECT_THAT(text, HasSubstr(absl::StrCat(":", line_of_bar, ",")));
  EXPECT_THAT(text, Not(HasSubstr(absl::StrCat(":", line_of_foo, ","))));

  future.SetResult();
  loop_.RunUntilComplete(task);
  EXPECT_THAT(task.GetStack(), IsEmpty());
}

TEST_F(BaseTaskTests, Iscoroutinefunction) {
  const auto plain = [] {};
  const auto returns_int = [] { return 1; };
  const auto generator = []() -> Generator<int> { co_yield 1; };
  const auto coroutine = []() -> Coro<void> { co_return; };
  static_assert(!IsCoroutineFunction<decltype(plain)>);
  static_assert(!IsCoroutineFunction<decltype(returns_int)>);
  static_assert(!IsCoroutineFunction<decltype(generator)>);
  static_assert(!IsCoroutineFunction<int>);
  static_assert(IsCoroutineFunction<decltype(coroutine)>);
  const auto main = [&]() -> Coro<void> { co_await CreateTask(coroutine); };
  Run(main());
}

TEST_F(BaseTaskTests, ErrorInCallSoon) {
  loop_.Close();  // Now no first step can be scheduled.
  testing::internal::CaptureStderr();
  EXPECT_EQ(Thrown([&] { Start(Nothing()); }),
            "RuntimeError: Event loop is closed");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("never awaited"));
  EXPECT_THAT(TasksOfLoop(), IsEmpty());
}

// ---- Cancellation: messages. ----

TEST_F(BaseTaskTests, TaskCancelMessageGetter) {
  Task<void> task = Start(Nothing());
  EXPECT_EQ(internal::ToString(task.base().requested_message()), std::nullopt);
  task.Cancel("my message");
  EXPECT_EQ(internal::ToString(task.base().requested_message()), "my message");
  EXPECT_EQ(Raised(task), "CancelledError('my message')");
}

// A message, and the CancelledError that its reader then gets.
struct MessageCase {
  std::optional<std::string_view> message;
  const char* raised;
};
constexpr MessageCase kMessageCases[] = {
    {std::nullopt, "CancelledError()"},
    {"", "CancelledError('')"},  // Not the same as none.
    {"my message", "CancelledError('my message')"},
};

TEST_F(BaseTaskTests, CancelWithMessageThenFutureResult) {
  for (const MessageCase& c : kMessageCases) {
    const auto main = [&]() -> Coro<void> {
      Task<void> task = CreateTask(Sleep(absl::Seconds(10)));
      co_await Sleep(kNow);
      task.Cancel(c.message);
      const std::vector tasks = {task};
      const auto result = co_await Wait(tasks);
      EXPECT_THAT(result.done, SizeIs(1));
      task.Result();
    };
    EXPECT_EQ(Raised(Start(main())), c.raised);
  }
}

TEST_F(BaseTaskTests, CancelWithMessageThenFutureException) {
  for (const MessageCase& c : kMessageCases) {
    const auto main = [&]() -> Coro<void> {
      Task<void> task = CreateTask(Sleep(absl::Seconds(10)));
      co_await Sleep(kNow);
      task.Cancel(c.message);
      const std::vector tasks = {task};
      const auto result = co_await Wait(tasks);
      EXPECT_THAT(result.done, SizeIs(1));
      static_cast<void>(task.GetException());
    };
    EXPECT_EQ(Raised(Start(main())), c.raised);
  }
}

TEST_F(BaseTaskTests, CancelWithMessageBeforeStartingTask) {
  const auto main = [&]() -> Coro<void> {
    Task<void> task = CreateTask(Sleep(absl::Seconds(10)));
    task.Cancel("my message");  // Deliberately before its first step.
    const std::vector tasks = {task};
    const auto result = co_await Wait(tasks);
    EXPECT_THAT(result.done, SizeIs(1));
    static_cast<void>(task.GetException());
  };
  EXPECT_EQ(Raised(Start(main())), "CancelledError('my message')");
}

// ---- Cancellation: counting the requests. ----

TEST_F(BaseTaskTests, Cancelling) {
  Task<void> task = Start(SleepFor(absl::Seconds(10)));
  EXPECT_EQ(task.Cancelling(), 0);
  EXPECT_TRUE(task.Cancel());
  EXPECT_EQ(task.Cancelling(), 1);
  EXPECT_TRUE(task.Cancel());  // Asked again, it still has to obey.
  EXPECT_EQ(task.Cancelling(), 2);
  EXPECT_EQ(Raised(task), "CancelledError()");
}

TEST_F(BaseTaskTests, UncancelBasic) {
  const auto sleep_twice = []() -> Coro<void> {
    try {
      co_await Sleep(absl::Seconds(10));
    } catch (const CancelledError&) {
      CurrentTask()->Uncancel();
    }
    co_await Sleep(absl::Seconds(10));
  };
  Task<void> task = Start(sleep_twice());
  Run(SleepFor(absl::Milliseconds(10)));

  EXPECT_TRUE(task.Cancel());
  EXPECT_EQ(task.Cancelling(), 1);
  EXPECT_FALSE(task.Cancelled());
  Run(SleepFor(absl::Milliseconds(10)));

  EXPECT_EQ(task.Cancelling(), 0);  // It took the request back.
  EXPECT_FALSE(task.Cancelled());

  EXPECT_TRUE(task.Cancel());
  EXPECT_EQ(task.Cancelling(), 1);
  EXPECT_FALSE(task.Cancelled());
  EXPECT_EQ(Raised(task), "CancelledError()");
  EXPECT_TRUE(task.Cancelled());
  EXPECT_TRUE(task.Done());

  task.Uncancel();  // Too late to matter.
  EXPECT_TRUE(task.Cancelled());
  EXPECT_TRUE(task.Done());
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(20));
}

TEST_F(BaseTaskTests, UncancelStructuredBlocks) {
  // A hand-written timeout: takes back its own request, and turns the
  // CancelledError into TimeoutError if no other request is left.
  struct Outcome {
    bool timed_out = false;
    bool finished = false;
    bool reached_the_end = false;
  };
  const auto request = [&](Delay sleep, Delay timeout) -> Coro<Outcome> {
    Outcome outcome;
    const AnyTask task = *CurrentTask();
    TimerHandle alarm = loop_.CallLater(timeout, [&outcome, task] {
      outcome.timed_out = true;
      task.Cancel();
    });
    try {
      try {
        co_await Sleep(sleep);
        outcome.finished = true;
        alarm.Cancel();
      } catch (const CancelledError&) {
        alarm.Cancel();
        if (outcome.timed_out && task.Uncancel() == 0) throw TimeoutError();
        throw;
      }
    } catch (const TimeoutError&) {
      EXPECT_TRUE(outcome.timed_out);
    }
    outcome.reached_the_end = true;
    co_await Sleep(kNow);
    co_return outcome;
  };

  Task<Outcome> t1 = Start(request(absl::Seconds(10), absl::Milliseconds(100)));
  Outcome outcome = loop_.RunUntilComplete(t1);
  EXPECT_TRUE(outcome.timed_out);
  EXPECT_FALSE(outcome.finished);
  EXPECT_TRUE(outcome.reached_the_end);
  EXPECT_EQ(t1.Cancelling(), 0);
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(100));

  Task<Outcome> t2 = Start(request(kNow, absl::Seconds(10)));
  outcome = loop_.RunUntilComplete(t2);
  EXPECT_FALSE(outcome.timed_out);
  EXPECT_TRUE(outcome.finished);
  EXPECT_TRUE(outcome.reached_the_end);
  EXPECT_EQ(t2.Cancelling(), 0);
}

TEST_F(BaseTaskTests, UncancelResetsMustCancel) {
  Future<void> future(loop_);
  Task<int> task = Start(WaitThen12(future));
  Iterate();
  future.SetResult();  // The task can run.
  task.Cancel();
  EXPECT_EQ(task.Cancelling(), 1);
  task.Uncancel();
  EXPECT_EQ(task.Cancelling(), 0);
  EXPECT_EQ(loop_.RunUntilComplete(task), 12);
}

// ---- Cancellation: where it arrives. ----

TEST_F(BaseTaskTests, Cancel) {
  const auto sleep = []() -> Coro<int> {
    co_await Sleep(absl::Seconds(10));
    co_return 12;
  };
  Task<int> task = Start(sleep());
  loop_.CallSoon([&] { task.Cancel(); });
  EXPECT_EQ(Raised(task), "CancelledError()");
  EXPECT_TRUE(task.Done());
  EXPECT_TRUE(task.Cancelled());
  EXPECT_FALSE(task.Cancel());
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());
}

TEST_F(BaseTaskTests, CancelYield) {
  const auto yield_twice = []() -> Coro<int> {
    co_await Sleep(kNow);
    co_await Sleep(kNow);
    co_return 12;
  };
  Task<int> task = Start(yield_twice());
  Iterate();
  task.Cancel();
  EXPECT_EQ(Raised(task), "CancelledError()");
  EXPECT_TRUE(task.Done());
  EXPECT_TRUE(task.Cancelled());
  EXPECT_FALSE(task.Cancel());
}

TEST_F(BaseTaskTests, CancelInnerFuture) {
  Future<void> future(loop_);
  Task<int> task = Start(WaitThen12(future));
  Iterate();
  future.Cancel();
  EXPECT_EQ(Raised(task), "CancelledError()");
  EXPECT_TRUE(future.Cancelled());
  EXPECT_TRUE(task.Cancelled());
}

TEST_F(BaseTaskTests, CancelBothTaskAndInnerFuture) {
  Future<void> future(loop_);
  Task<int> task = Start(WaitThen12(future));
  Iterate();
  future.Cancel();
  task.Cancel();
  EXPECT_EQ(Raised(task), "CancelledError()");
  EXPECT_TRUE(task.Done());
  EXPECT_TRUE(future.Cancelled());
  EXPECT_TRUE(task.Cancelled());
}

TEST_F(BaseTaskTests, CancelTaskCatching) {
  Future<void> first(loop_);
  Future<void> second(loop_);
  const auto body = [&]() -> Coro<int> {
    co_await first;
    try {
      co_await second;
    } catch (const CancelledError&) {
      co_return 42;
    }
    co_return 0;
  };
  Task<int> task = Start(body());
  Iterate();
  EXPECT_TRUE(WaitsFor(task, first));
  first.SetResult();
  Iterate();
  EXPECT_TRUE(WaitsFor(task, second));
  task.Cancel();
  EXPECT_TRUE(second.Cancelled());
  EXPECT_EQ(loop_.RunUntilComplete(task), 42);
  EXPECT_FALSE(task.Cancelled());
}

TEST_F(BaseTaskTests, CancelTaskIgnoring) {
  Future<void> first(loop_);
  Future<void> second(loop_);
  Future<int> third(loop_);
  const auto body = [&]() -> Coro<int> {
    co_await first;
    try {
      co_await second;
    } catch (const CancelledError&) {
    }
    co_return co_await third;
  };
  Task<int> task = Start(body());
  Iterate();
  EXPECT_TRUE(WaitsFor(task, first));
  first.SetResult();
  Iterate();
  EXPECT_TRUE(WaitsFor(task, second));
  task.Cancel();
  EXPECT_TRUE(second.Cancelled());
  Iterate();
  EXPECT_TRUE(WaitsFor(task, third));
  third.SetResult(42);
  EXPECT_EQ(loop_.RunUntilComplete(task), 42);
  EXPECT_FALSE(third.Cancelled());
  EXPECT_FALSE(task.Cancelled());
}

TEST_F(BaseTaskTests, CancelCurrentTask) {
  std::optional<Task<int>> task;
  const auto body = [&]() -> Coro<int> {
    EXPECT_TRUE(task->Cancel());
    co_await Sleep(absl::Seconds(100));  // Ends at once.
    co_return 12;
  };
  task = Start(body());
  EXPECT_FALSE(task->Cancelled());
  EXPECT_EQ(Raised(*task), "CancelledError()");
  EXPECT_TRUE(task->Done());
  EXPECT_TRUE(task->Cancelled());
  EXPECT_FALSE(task->Cancel());
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());
}

TEST_F(BaseTaskTests, CancelAtEnd) {
  std::optional<Task<int>> task;
  const auto body = [&]() -> Coro<int> {
    EXPECT_TRUE(task->Cancel());
    co_return 12;  // Too late for a result.
  };
  task = Start(body());
  EXPECT_FALSE(task->Cancelled());
  EXPECT_EQ(Raised(*task), "CancelledError()");
  EXPECT_TRUE(task->Done());
  EXPECT_TRUE(task->Cancelled());
  EXPECT_FALSE(task->Cancel());
}

TEST_F(BaseTaskTests, CancelAwaitedTask) {
  // A task that runs is asked to end: the request reaches what it awaits next,
  // and what that awaits in turn.
  Future<void> future(loop_);
  std::optional<Task<int>> nested;
  std::optional<Task<void>> task;
  const auto body = [&]() -> Coro<void> {
    nested = CreateTask(WaitThen12(future));
    co_await Sleep(kNow);
    task->Cancel();
    co_await *nested;
  };
  task = Start(body());
  EXPECT_EQ(Raised(*task), "CancelledError()");
  EXPECT_TRUE(task->Cancelled());
  EXPECT_TRUE(nested->Cancelled());
  EXPECT_TRUE(future.Cancelled());
}

TEST_F(BaseTaskTests, TaskCancelSleepingTask) {
  const auto main = [&]() -> Coro<std::string> {
    Task<void> sleeper = CreateTask(SleepFor(absl::Seconds(5000)));
    loop_.CallLater(absl::Milliseconds(100), [&] { sleeper.Cancel(); });
    try {
      co_await sleeper;
    } catch (const CancelledError&) {
      co_return "cancelled";
    }
    co_return "slept in";
  };
  EXPECT_EQ(Run(main()), "cancelled");
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(100));
}

TEST_F(BaseTaskTests, TaskCancelWaiterFuture) {
  Future<void> future(loop_);
  Task<int> task = Start(WaitThen12(future));
  Iterate();
  EXPECT_TRUE(WaitsFor(task, future));
  task.Cancel();
  Iterate();
  EXPECT_EQ(Raised(task), "CancelledError()");
  EXPECT_EQ(task.base().waiting_on(), nullptr);
  EXPECT_TRUE(future.Cancelled());
}

TEST_F(BaseTaskTests, YieldFuturePassesCancel) {
  int proof = 0;
  Future<void> waiter(loop_);
  const auto inner = [&]() -> Coro<void> {
    try {
      co_await waiter;
      ADD_FAILURE() << "got past the await";
    } catch (const CancelledError&) {
      proof += 1;
      throw;
    }
  };
  const auto outer = [&]() -> Coro<void> {
    try {
      co_await inner();
      proof += 10;
    } catch (const CancelledError&) {
      proof += 100;
    }
  };
  Task<void> task = Start(outer());
  Iterate();
  task.Cancel();
  loop_.RunUntilComplete(task);
  EXPECT_EQ(proof, 101);
  EXPECT_TRUE(waiter.Cancelled());
}

TEST_F(BaseTaskTests, BaseexceptionDuringCancel) {
  const auto sleeper = []() -> Coro<void> {
    co_await Sleep(absl::Seconds(10));
  };
  const auto body = [&]() -> Coro<void> {
    try {
      co_await sleeper();
    } catch (const CancelledError&) {
      throw SystemExit(3);
    }
  };
  Task<void> task = Start(body());
  Iterate();
  task.Cancel();
  EXPECT_FALSE(task.Done());
  EXPECT_THROW(Iterate(), SystemExit);
  EXPECT_TRUE(task.Done());
  EXPECT_FALSE(task.Cancelled());
  EXPECT_THROW(std::rethrow_exception(task.GetException()), SystemExit);
}

// ---- The loop. ----

TEST_F(BaseTaskTests, StopWhileRunInComplete) {
  int x = 0;
  const auto body = [&]() -> Coro<void> {
    while (x < 10) {
      co_await Sleep(absl::Milliseconds(100));
      ++x;
      if (x == 2) loop_.Stop();
    }
  };
  Task<void> task = Start(body());
  EXPECT_THAT(Raised(task),
              StartsWith("RuntimeError('Event loop stopped before Future "
                         "completed."));
  EXPECT_FALSE(task.Done());
  EXPECT_EQ(x, 2);
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(200));
  task.Cancel();
  EXPECT_EQ(Raised(task), "CancelledError()");
}

TEST_F(BaseTaskTests, CurrentTask) {
  EXPECT_EQ(CoreOf(loop_).current_task(), nullptr);
  std::optional<Task<void>> task;
  const auto body = [&]() -> Coro<void> {
    EXPECT_EQ(CurrentTask(), AnyTask(*task));
    EXPECT_EQ(CoreOf(loop_).current_task(), &task->base());
    co_return;
  };
  task = Start(body());
  loop_.RunUntilComplete(*task);
  EXPECT_EQ(CoreOf(loop_).current_task(), nullptr);
}

TEST_F(BaseTaskTests, CurrentTaskWithInterleavingTasks) {
  Future<void> future1(loop_);
  Future<void> future2(loop_);
  std::optional<Task<void>> task1;
  std::optional<Task<void>> task2;
  const auto body1 = [&]() -> Coro<void> {
    EXPECT_EQ(CurrentTask(), AnyTask(*task1));
    co_await future1;
    EXPECT_EQ(CurrentTask(), AnyTask(*task1));
    future2.SetResult();
  };
  const auto body2 = [&]() -> Coro<void> {
    EXPECT_EQ(CurrentTask(), AnyTask(*task2));
    future1.SetResult();
    co_await future2;
    EXPECT_EQ(CurrentTask(), AnyTask(*task2));
  };
  task1 = Start(body1());
  task2 = Start(body2());
  loop_.RunUntilComplete(Wait(std::vector{*task1, *task2}));
  task1->Result();
  task2->Result();
  EXPECT_EQ(CoreOf(loop_).current_task(), nullptr);
}

TEST_F(BaseTaskTests, LogDestroyedPendingTask) {
  Future<void> future(loop_);
  std::uint32_t line = 0;
  loop_.SetExceptionHandler([&](EventLoop&, const ExceptionContext& context) {
    Note(context.message, context.task->name());
    EXPECT_EQ(context.source, ExceptionContext::Source::kDestroyed);
    EXPECT_EQ(context.exception, nullptr);
    EXPECT_EQ(context.location.line(), line);
  });
  const auto main = [&]() -> Coro<void> {
    line = std::source_location::current().line() + 1;
    Task<int> task = CreateTask(WaitThen12(future), {.name = "kill me"});
    EXPECT_THAT(AllTasks(), ElementsAre(*CurrentTask(), AnyTask(task)));
    co_return;
  };
  Run(main());
  EXPECT_THAT(TasksOfLoop(), SizeIs(1));
  // Only the loop refers to the task, which is destroyed with the loop.
  EXPECT_THAT(log_, IsEmpty());
  loop_.Close();
  EXPECT_THAT(log_,
              ElementsAre("Task was destroyed but it is pending! kill me"));
  EXPECT_THAT(TasksOfLoop(), IsEmpty());
}

TEST_F(BaseTaskTests, TbLoggerNotCalledAfterCancel) {
  const auto fail = []() -> Coro<void> {
    throw TypeError("t");
    co_return;
  };
  const auto main = [&]() -> Coro<void> {
    {
      Task<void> task = CreateTask(fail());
      co_await Sleep(absl::Milliseconds(50));
      EXPECT_TRUE(task.Done());
      EXPECT_FALSE(task.Cancel());
    }
    EXPECT_THAT(log_, IsEmpty());
  };
  Run(main());
  EXPECT_THAT(TakeReports(), IsEmpty());
}

// ---- Context. ----

TEST_F(BaseTaskTests, Context1) {
  const ContextVar<std::string> variable("variable", "nope");
  const auto sub = [&]() -> Coro<void> {
    co_await Sleep(absl::Milliseconds(10));
    EXPECT_EQ(variable.Get(), "nope");
    variable.Set("something else");
  };
  const auto main = [&]() -> Coro<void> {
    EXPECT_EQ(variable.Get(), "nope");
    Task<void> task = CreateTask(sub());
    variable.Set("yes");
    EXPECT_EQ(variable.Get(), "yes");
    co_await task;
    EXPECT_EQ(variable.Get(), "yes");
  };
  Run(main());
}

TEST_F(BaseTaskTests, Context2) {
  const ContextVar<std::string> variable("variable", "nope");
  const auto main = [&]() -> Coro<void> {
    EXPECT_EQ(variable.Get(), "nope");
    for (int j = 0; j < 2; ++j) {
      Future<void> future;
      // Must not be seen by the task: it runs in a context of its own.
      future.AddDoneCallback([&] { variable.Set("something else"); });
      variable.Set(absl::StrCat("yes", j));
      loop_.CallSoon([future] { future.SetResult(); });
      co_await future;
      EXPECT_EQ(variable.Get(), absl::StrCat("yes", j));
      for (int i = 0; i < 3; ++i) {
        const std::string value = absl::StrCat("yes", i, "-", j);
        variable.Set(value);
        co_await Sleep(absl::Milliseconds(1));
        EXPECT_EQ(variable.Get(), value);
      }
    }
  };
  Run(main());
  EXPECT_EQ(variable.Get(), "nope");
}

TEST_F(BaseTaskTests, Context3) {
  // A hundred tasks set the same variable, at times that interleave.
  const ContextVar<int> variable("variable", -1);
  const auto sub = [&](int number) -> Coro<void> {
    for (int i = 0; i < 10; ++i) {
      variable.Set(number + i);
      co_await Sleep(absl::Milliseconds(1 + (number * 31 + i * 17) % 50));
      EXPECT_EQ(variable.Get(), number + i);
    }
  };
  const auto main = [&]() -> Coro<void> {
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 100; ++i) tasks.push_back(CreateTask(sub(i * 7)));
    co_await Gather(tasks);
  };
  Run(main());
  EXPECT_EQ(variable.Get(), -1);
}

// The value of `variable` in `context`; -1 if it has none there.
int ValueIn(Context context, const ContextVar<int>& variable) {
  try {
    return context.Run([&] { return variable.Get(); });
  } catch (const LookupError&) {
    return -1;
  }
}

TEST_F(BaseTaskTests, Context4) {
  const ContextVar<int> variable("variable");
  const auto set = [&](int value) -> Coro<void> {
    co_await Sleep(kNow);
    variable.Set(value);
  };
  const auto main = [&]() -> Coro<void> {
    const Context context = CopyContext();
    Note(ValueIn(context, variable));
    // As a loop's own method, which does not ask which loop is running.
    co_await internal::CreateTaskIn(GetRunningLoop(), set(1),
                                    {.context = &context},
                                    std::source_location::current());
    Note(ValueIn(context, variable));
    co_await internal::CreateTaskIn(GetRunningLoop(), set(2),
                                    {.context = &context},
                                    std::source_location::current());
    Note(ValueIn(context, variable));
    EXPECT_THROW(variable.Get(), LookupError);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("-1", "1", "2"));
}

TEST_F(BaseTaskTests, Context5) {
  const ContextVar<int> variable("variable");
  const auto set = [&](int value) -> Coro<void> {
    co_await Sleep(kNow);
    variable.Set(value);
  };
  const auto main = [&]() -> Coro<void> {
    const Context context = CopyContext();
    Note(ValueIn(context, variable));
    co_await CreateTask(set(1), {.context = &context});
    Note(ValueIn(context, variable));
    co_await CreateTask(set(2), {.context = &context});
    Note(ValueIn(context, variable));
    EXPECT_THROW(variable.Get(), LookupError);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("-1", "1", "2"));
}

TEST_F(BaseTaskTests, Context6) {
  // The tasks are made outside of the loop.
  const ContextVar<int> variable("variable");
  const auto set = [&](int value) -> Coro<void> {
    co_await Sleep(kNow);
    variable.Set(value);
  };
  const Context context = CopyContext();
  EXPECT_EQ(ValueIn(context, variable), -1);
  loop_.RunUntilComplete(Start(set(1), {.context = &context}));
  EXPECT_EQ(ValueIn(context, variable), 1);
  loop_.RunUntilComplete(Start(set(2), {.context = &context}));
  EXPECT_EQ(ValueIn(context, variable), 2);
  EXPECT_THROW(variable.Get(), LookupError);
}

TEST_F(BaseTaskTests, GetContext) {
  const Context context = CopyContext();
  Task<void> task = Start(Nothing(), {.context = &context});
  EXPECT_TRUE(task.base().context() == internal::SlotOf(context));
  loop_.RunUntilComplete(task);
  EXPECT_TRUE(task.base().context() == internal::SlotOf(context));
}

// ---- A result from outside. ----

// In CPython, `Future.set_result(task, ...)` bypasses the task's check, and the
// task's next step finds an impossible state. Here the check cannot be
// bypassed: a task used as a future refuses as well (T-08), and continues.
class SetMethodsTest : public BaseTaskTests {
 protected:
  Coro<int> SleepThenTen() {
    co_await Sleep(absl::Milliseconds(100));
    co_return 10;
  }
};

TEST_F(SetMethodsTest, SetResultCausesInvalidState) {
  Task<int> task = Start(SleepThenTen());
  EXPECT_THROW(static_cast<const Future<int>&>(task).SetResult(5),
               RuntimeError);
  EXPECT_FALSE(task.Done());
  EXPECT_EQ(loop_.RunUntilComplete(task), 10);
  // A future that is no task does take one, and then no second.
  Future<int> future(loop_);
  future.SetResult(1);
  EXPECT_THROW(future.SetResult(2), InvalidStateError);
  EXPECT_EQ(future.Result(), 1);
}

TEST_F(SetMethodsTest, SetExceptionCausesInvalidState) {
  Task<int> task = Start(SleepThenTen());
  EXPECT_THROW(
      static_cast<const Future<int>&>(task).SetException(ValueError("x")),
      RuntimeError);
  EXPECT_FALSE(task.Done());
  EXPECT_EQ(loop_.RunUntilComplete(task), 10);
  Future<int> future(loop_);
  future.SetException(ValueError("x"));
  EXPECT_THROW(future.SetException(ValueError("y")), InvalidStateError);
  EXPECT_EQ(Repr(future.GetException()), "ValueError('x')");
}

// ---- The current task and its loop. ----

class BaseCurrentLoopTests : public internal::RuntimeTest {};

TEST_F(BaseCurrentLoopTests, CurrentTaskNoRunningLoop) {
  EXPECT_EQ(CoreOf(loop_).current_task(), nullptr);
}

TEST_F(BaseCurrentLoopTests, CurrentTaskNoRunningLoopImplicit) {
  EXPECT_THAT(Thrown([] { CurrentTask(); }),
              HasSubstr("RuntimeError: no running event loop"));
}

TEST_F(BaseCurrentLoopTests, CurrentTaskWithImplicitLoop) {
  std::optional<Task<void>> task;
  const auto body = [&]() -> Coro<void> {
    EXPECT_EQ(CoreOf(loop_).current_task(), &task->base());
    EXPECT_EQ(CurrentTask(), AnyTask(*task));
    co_return;
  };
  task = Start(body());
  loop_.RunUntilComplete(*task);
  EXPECT_EQ(CoreOf(loop_).current_task(), nullptr);
}

}  // namespace
}  // namespace clotho
