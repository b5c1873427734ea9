// CPython's tests of event loops (test_base_events.py and test_events.py),
// ported to EventLoop, except those that need sockets. Each test has the name
// and class of the original method.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/async_generator.h"
#include "clotho/runtime/clock.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/current_loop.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/executor.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "clotho/runtime/threads.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Thrown;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr Delay kNow;

// A virtual clock that records the waits of its loop.
class WaitRecorder final : public Clock {
 public:
  WaitRecorder() : Clock(Kind::kStandsStill) {}
  bool Wait(std::optional<std::int64_t> deadline_ns) override {
    if (!deadline_ns.has_value()) return false;
    waits.push_back(absl::Nanoseconds(*deadline_ns));
    now_ns_ = *deadline_ns;
    return true;
  }
  void Block(std::int64_t duration_ns) override { now_ns_ += duration_ns; }

  std::vector<absl::Duration> waits;  // The deadlines.
};

// What is written to standard error while `function` runs.
template <typename Function>
std::string WrittenBy(Function function) {
  testing::internal::CaptureStderr();
  function();
  return testing::internal::GetCapturedStderr();
}

// ---- test_base_events.py ----

class BaseEventLoopTests : public internal::RuntimeTest {
 protected:
  static Coro<void> Nothing() { co_return; }
  static void Fail() { throw ValueError("zero"); }
};

TEST_F(BaseEventLoopTests, Close) {
  Future<void> future(loop_);
  EXPECT_FALSE(loop_.IsClosed());
  for (int i = 0; i < 3; ++i) {  // Closing twice is not an error.
    loop_.Close();
    EXPECT_TRUE(loop_.IsClosed());
  }
  EXPECT_EQ(Thrown([&] { loop_.RunForever(); }),
            "RuntimeError: Event loop is closed");
  EXPECT_EQ(Thrown([&] { loop_.RunUntilComplete(future); }),
            "RuntimeError: Event loop is closed");
}

TEST_F(BaseEventLoopTests, AddCallbackHandle) {
  Handle handle = loop_.CallSoon([&] { Note("called"); });
  EXPECT_FALSE(handle.Cancelled());
  Iterate();
  EXPECT_THAT(log_, ElementsAre("called"));
}

TEST_F(BaseEventLoopTests, AddCallbackCancelledHandle) {
  Handle handle = loop_.CallSoon([&] { Note("called"); });
  handle.Cancel();
  Iterate();
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(BaseEventLoopTests, SetDefaultExecutor) {
  EventLoop loop;
  auto executor = std::make_unique<ThreadPoolExecutor>();
  const ThreadPoolExecutor* const address = executor.get();
  loop.SetDefaultExecutor(std::move(executor));
  EXPECT_EQ(&CoreOf(loop).DefaultExecutor(), address);
}

TEST_F(BaseEventLoopTests, ShutdownDefaultExecutorTimeout) {
  EventLoop loop;
  std::string report;
  loop.SetExceptionHandler([&](EventLoop&, const ExceptionContext& context) {
    report = context.message;
  });
  std::mutex gate;
  gate.lock();
  const auto main = [&]() -> Coro<void> {
    const auto job = [&] { std::lock_guard<std::mutex> lock(gate); };
    Future<void> future = loop.RunInExecutor(nullptr, job);
    co_await loop.ShutdownDefaultExecutor(absl::Milliseconds(10));
    EXPECT_FALSE(future.Done());
    gate.unlock();
    co_await future;
  };
  loop.RunUntilComplete(main());
  EXPECT_THAT(report, HasSubstr("executor"));
}

TEST_F(BaseEventLoopTests, CallSoon) {
  loop_.CallSoon([&] { Log("called"); });
  EXPECT_THAT(log_, IsEmpty());
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i1 t=0 called"));
}

TEST_F(BaseEventLoopTests, CallLater) {
  TimerHandle handle = loop_.CallLater(absl::Seconds(10), [&] { Log("late"); });
  loop_.CallSoon([&] { Log("soon"); });
  EXPECT_EQ(handle.When(), absl::Seconds(10));
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i1 t=0 soon", "i2 t=10 late"));
}

TEST_F(BaseEventLoopTests, CallLaterNegativeDelays) {
  loop_.CallLater(-absl::Seconds(1), [&] { Note("a"); });
  loop_.CallLater(-absl::Seconds(2), [&] { Note("b"); });
  Iterate();
  EXPECT_THAT(log_, ElementsAre("b", "a"));
}

TEST_F(BaseEventLoopTests, TimeAndCallAt) {
  clock_.Advance(absl::Seconds(5));
  const absl::Duration before = loop_.Time();
  loop_.CallAt(before + absl::Milliseconds(100), [&] { loop_.Stop(); });
  loop_.RunForever();
  EXPECT_EQ(loop_.Time() - before, absl::Milliseconds(100));
}

// The loop waits once, for the first timer that was not cancelled.
TEST_F(BaseEventLoopTests, UnderscoreRunOnce) {
  WaitRecorder clock;
  EventLoop loop({.clock = &clock});
  TimerHandle first = loop.CallLater(absl::Seconds(5), [] {});
  TimerHandle second = loop.CallLater(absl::Seconds(10), [&] { loop.Stop(); });
  first.Cancel();
  loop.RunForever();
  EXPECT_THAT(clock.waits, ElementsAre(absl::Seconds(10)));
  EXPECT_EQ(CoreOf(loop).iterations(), 1u);
  EXPECT_FALSE(second.Cancelled());
}

TEST_F(BaseEventLoopTests, SetDebug) {
  loop_.SetDebug(true);
  EXPECT_TRUE(loop_.GetDebug());
  loop_.SetDebug(false);
  EXPECT_FALSE(loop_.GetDebug());
}

TEST_F(BaseEventLoopTests, EnvVarDebug) {
  // Only of loops on the real clock: others do not depend on where they run.
  const char* const old = std::getenv("CLOTHO_DEBUG");
  const std::optional<std::string> saved =
      old == nullptr ? std::nullopt : std::optional<std::string>(old);
  unsetenv("CLOTHO_DEBUG");
  EXPECT_FALSE(EventLoop().GetDebug());
  setenv("CLOTHO_DEBUG", "", 1);
  EXPECT_FALSE(EventLoop().GetDebug());
  setenv("CLOTHO_DEBUG", "1", 1);
  EXPECT_TRUE(EventLoop().GetDebug());
  EXPECT_FALSE(EventLoop({.debug = false}).GetDebug());
  EXPECT_FALSE(EventLoop({.clock = &clock_}).GetDebug());
  if (saved.has_value()) {
    setenv("CLOTHO_DEBUG", saved->c_str(), 1);
  } else {
    unsetenv("CLOTHO_DEBUG");
  }
}

// What another thread must not do throws there, in debug mode. (Without it, the
// same is a data race: there is nothing to be tested.)
TEST_F(BaseEventLoopTests, CheckThread) {
  for (const bool has_loop : {false, true}) {
    const auto check = [&] {
      std::optional<EventLoop> loop_of_thread;
      if (has_loop) SetEventLoop(&loop_of_thread.emplace());
      const auto nothing = [] {};
      const auto wrong_thread = StartsWith(
          "RuntimeError: Non-thread-safe operation invoked on an "
          "event loop other than the current one");
      EXPECT_THAT(Thrown([&] { loop_.CallSoon(nothing); }), wrong_thread);
      EXPECT_THAT(Thrown([&] { loop_.CallLater(absl::Minutes(1), nothing); }),
                  wrong_thread);
      EXPECT_THAT(Thrown([&] { loop_.CallAt(absl::Minutes(1), nothing); }),
                  wrong_thread);
    };
    loop_.SetDebug(true);
    // While the loop runs: it waits, in the callback, for the other thread.
    loop_.CallSoon([&] { std::thread(check).join(); });
    Iterate();
  }
}

TEST_F(BaseEventLoopTests, RunOnceScheduleHandle) {
  loop_.CallAt(-absl::Seconds(1), [&] {  // Is due.
    Log("timer");
    loop_.CallSoon([&] { Log("next"); });
  });
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i1 t=0 timer"));
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i1 t=0 timer", "i2 t=0 next"));
}

// CPython lets cancelled timers pile up and removes them from time to time.
// Here they are removed at once, wherever they are, with their functions.
TEST_F(BaseEventLoopTests, RunOnceCancelledEventCleanup) {
  WaitRecorder clock;
  EventLoop loop({.clock = &clock});
  const auto token = std::make_shared<int>();
  const auto add = [&](absl::Duration delay) {
    return loop.CallLater(delay, [token] {});
  };
  loop.CallLater(absl::Seconds(3000), [&] { loop.Stop(); });
  int kept = 0;
  for (int i = 0; i < 100; ++i) {
    // Some before that one, some behind.
    for (const absl::Duration delay :
         {absl::Seconds(100), absl::Seconds(3600)}) {
      add(delay).Cancel();
      EXPECT_EQ(token.use_count(), 1 + kept);
    }
    add(absl::Seconds(3600));
    ++kept;
  }
  EXPECT_EQ(token.use_count(), 1 + kept);
  loop.RunForever();
  EXPECT_THAT(clock.waits, ElementsAre(absl::Seconds(3000)));
}

TEST_F(BaseEventLoopTests, RunUntilCompleteLoop) {
  Future<void> future(loop_);
  EventLoop other({.clock = &clock_});
  EXPECT_THAT(Thrown([&] { other.RunUntilComplete(future); }),
              StartsWith("ValueError: "));
}

TEST_F(BaseEventLoopTests, RunUntilCompleteLoopOrphanFutureCloseLoop) {
  const auto sleep = [](Delay delay) -> Coro<void> { co_await Sleep(delay); };
  loop_.CallSoon([] { throw SystemExit(1); });
  EXPECT_EQ(Thrown([&] { Run(sleep(absl::Milliseconds(100))); }), "SystemExit");
  // The task of the first call ends during the second, and does not stop it.
  Run(sleep(absl::Milliseconds(200)));
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(200));
}

TEST_F(BaseEventLoopTests, DefaultExcHandlerCallback) {
  loop_.SetExceptionHandler(nullptr);
  for (const bool later : {false, true}) {
    Future<bool> future(loop_);
    future.AddDoneCallback([&] { loop_.Stop(); });
    const auto fail = [&] {
      future.SetResult(true);
      Fail();
    };
    const std::string written = WrittenBy([&] {
      if (later) {
        loop_.CallLater(absl::Milliseconds(10), fail);
      } else {
        loop_.CallSoon(fail);
      }
      loop_.RunForever();
    });
    EXPECT_THAT(written, HasSubstr("Exception in callback: ValueError: zero"));
  }
}

TEST_F(BaseEventLoopTests, DefaultExcHandlerCoro) {
  loop_.SetExceptionHandler(nullptr);
  const auto body = []() -> Coro<void> {
    co_await Sleep(absl::Milliseconds(10));
    Fail();
  };
  const std::string written = WrittenBy([&] {
    Task<void> task = Start(body());
    task.AddDoneCallback([&] { loop_.Stop(); });
    loop_.RunForever();
  });
  EXPECT_THAT(written, AllOf(HasSubstr("exception was never retrieved"),
                             HasSubstr("ValueError: zero")));
}

TEST_F(BaseEventLoopTests, SetExcHandlerCustom) {
  std::vector<ExceptionContext> contexts;
  loop_.SetExceptionHandler(
      [&](EventLoop& loop, const ExceptionContext& context) {
        EXPECT_EQ(&loop, &loop_);
        contexts.push_back(context);
      });
  loop_.CallSoon(Fail);
  const int line = std::source_location::current().line() - 1;
  Iterate();
  ASSERT_THAT(contexts, SizeIs(1));
  EXPECT_EQ(contexts[0].source, ExceptionContext::Source::kCallback);
  EXPECT_EQ(contexts[0].message, "Exception in callback");
  EXPECT_EQ(DescribeException(contexts[0].exception), "ValueError: zero");
  EXPECT_EQ(contexts[0].location.line(), line);  // Of the handle.

  loop_.SetExceptionHandler(nullptr);
  const std::string written = WrittenBy([&] {
    loop_.CallSoon(Fail);
    Iterate();
  });
  EXPECT_THAT(written, HasSubstr("Exception in callback: ValueError: zero"));
  EXPECT_THAT(contexts, SizeIs(1));
}

TEST_F(BaseEventLoopTests, SetExcHandlerBroken) {
  loop_.SetExceptionHandler(
      [](EventLoop&, const ExceptionContext&) { throw LookupError("spam"); });
  const std::string written = WrittenBy([&] {
    loop_.CallSoon(Fail);
    Iterate();
  });
  EXPECT_THAT(written, HasSubstr("Unhandled error in exception handler: "
                                 "LookupError: spam"));
}

// The default handler is no part of the program, and does not break. What it
// must not do is to lose the report that a broken handler was given.
TEST_F(BaseEventLoopTests, DefaultExcHandlerBroken) {
  loop_.SetExceptionHandler([](EventLoop&, const ExceptionContext&) {
    throw std::logic_error("ham");
  });
  const std::string written = WrittenBy([&] {
    loop_.CallSoon(Fail);
    loop_.CallSoon([&] { Note("goes on"); });
    Iterate();
  });
  EXPECT_THAT(written, AllOf(HasSubstr("logic_error: ham"),
                             HasSubstr("Exception in callback"),
                             HasSubstr("ValueError: zero")));
  EXPECT_THAT(log_, ElementsAre("goes on"));
}

TEST_F(BaseEventLoopTests, SetTaskFactory) {
  EXPECT_TRUE(loop_.GetTaskFactory() == nullptr);
  loop_.SetTaskFactory(
      [&](EventLoop& loop, AnyCoro& coro, const TaskOptions& options) {
        EXPECT_EQ(&loop, &loop_);
        Note("factory");
        return NewTask(loop, coro, options);
      });
  EXPECT_TRUE(loop_.GetTaskFactory() != nullptr);
  Run(Nothing());
  EXPECT_THAT(log_, ElementsAre("factory"));

  loop_.SetTaskFactory(nullptr);
  EXPECT_TRUE(loop_.GetTaskFactory() == nullptr);
  Run(Nothing());
  EXPECT_THAT(log_, ElementsAre("factory"));
}

// Whatever makes a task asks the loop for it.
TEST_F(BaseEventLoopTests, CreateTask) {
  loop_.SetTaskFactory(
      [&](EventLoop& loop, AnyCoro& coro, const TaskOptions& options) {
        AnyTask task = NewTask(loop, coro, options);
        task.SetName("of the factory");
        return task;
      });
  const auto main = [&]() -> Coro<void> {
    Future<void> future = EnsureFuture(Nothing());
    EXPECT_EQ(future.state()->AsTask()->name(), "of the factory");
    co_await future;
  };
  Run(main());
}

TEST_F(BaseEventLoopTests, CreateTaskErrorClosesCoro) {
  // Nothing is said of a coroutine that was never awaited.
  const auto create = [&] {
    internal::EnsureFutureIn(loop_, Nothing(), std::source_location::current());
  };
  loop_.SetTaskFactory([](EventLoop&, AnyCoro&, const TaskOptions&) -> AnyTask {
    throw RuntimeError("no");
  });
  std::string error;
  std::string written = WrittenBy([&] { error = Thrown(create); });
  EXPECT_EQ(error, "RuntimeError: no");
  EXPECT_EQ(written, "");

  loop_.SetTaskFactory(nullptr);
  loop_.Close();
  written = WrittenBy([&] { error = Thrown(create); });
  EXPECT_EQ(error, "RuntimeError: Event loop is closed");
  EXPECT_EQ(written, "");
}

TEST_F(BaseEventLoopTests, CreateNamedTaskWithDefaultFactory) {
  Task<void> task = Start(Nothing(), {.name = "test_task"});
  EXPECT_EQ(task.GetName(), "test_task");
  Iterate();
}

TEST_F(BaseEventLoopTests, CreateNamedTaskWithCustomFactory) {
  // It ignores the options.
  loop_.SetTaskFactory([](EventLoop& loop, AnyCoro& coro, const TaskOptions&) {
    return NewTask(loop, coro, {});
  });
  Task<void> task = Start(Nothing(), {.name = "test_task"});
  EXPECT_EQ(task.GetName(), "test_task");
  Iterate();
}

TEST_F(BaseEventLoopTests, RunForeverKeyboardInterrupt) {
  const auto interrupted = []() -> Coro<void> {
    throw KeyboardInterrupt();
    co_return;
  };
  EXPECT_THROW(Run(interrupted()), KeyboardInterrupt);
  loop_.Close();
  EXPECT_THAT(TakeReports(), IsEmpty());  // It was thrown: it was retrieved.
}

TEST_F(BaseEventLoopTests, RunUntilCompleteBaseexception) {
  const auto interrupted = []() -> Coro<void> {
    throw KeyboardInterrupt();
    co_return;
  };
  EXPECT_THROW(Run(interrupted()), KeyboardInterrupt);

  // No stop is left over from that: the loop runs until it is stopped.
  bool called = false;
  loop_.CallSoon([&] {
    loop_.CallSoon([&] {
      loop_.Stop();
      called = true;
    });
  });
  loop_.RunForever();
  EXPECT_TRUE(called);
}

// What comes from outside just when the loop stops is delivered once, and not
// again when the loop runs again.
TEST_F(BaseEventLoopTests, SingleSelecterEventCallbackAfterStopping) {
  loop_.CallSoonThreadsafe([&] { Note("event"); });
  for (int i = 0; i < 2; ++i) {
    loop_.CallSoon([&] { loop_.Stop(); });
    loop_.RunForever();
    EXPECT_THAT(log_, ElementsAre("event"));
  }
}

TEST_F(BaseEventLoopTests, RunOnce) {
  loop_.CallSoon([&] { Note("called"); });
  loop_.CallSoon([&] { loop_.Stop(); });
  loop_.RunForever();
  EXPECT_THAT(log_, ElementsAre("called"));
}

TEST_F(BaseEventLoopTests, RunForeverPreStopped) {
  WaitRecorder clock;
  EventLoop loop({.clock = &clock});
  loop.CallLater(absl::Seconds(1), [] {});
  loop.Stop();
  loop.RunForever();
  EXPECT_EQ(CoreOf(loop).iterations(), 1u);
  EXPECT_THAT(clock.waits, IsEmpty());
}

// There is no garbage collector here: a generator is finalized when its last
// reference is dropped.
TEST_F(BaseEventLoopTests, AsyncgenFinalizationByGc) {
  struct Finally {
    std::function<void()> call;
    ~Finally() { call(); }
  };
  const auto generate = [&]() -> AsyncGenerator<int> {
    Note("started");
    const Finally finally{[this] { Note("finalized"); }};
    for (int i = 0; i < 5; ++i) co_yield i;
  };
  std::optional<AsyncGenerator<int>> generator = generate();
  const auto iterate = [&]() -> Coro<void> {
    for (int i = 0; i <= 3; ++i) {
      const std::optional<int> item = co_await generator->Next();
      EXPECT_EQ(item, i);
    }
    Note("stopped");
  };
  Run(iterate());
  Iterate();
  EXPECT_THAT(log_, ElementsAre("started", "stopped"));
  const auto drop = [&]() -> Coro<void> {
    generator.reset();
    co_return;
  };
  Run(drop());
  Iterate();
  EXPECT_THAT(log_, ElementsAre("started", "stopped", "finalized"));
}

class BaseEventLoopWithSelectorTests : public internal::RuntimeTest {};

// The type says it, so that it does not have to be found out.
TEST_F(BaseEventLoopWithSelectorTests, CallCoroutine) {
  static_assert(!std::is_invocable_v<Coro<void>&>);
  const auto function = []() -> Coro<void> { co_return; };
  static_assert(std::is_invocable_v<decltype(function)&>);
}

TEST_F(BaseEventLoopWithSelectorTests, LogSlowCallbacks) {
  const auto body = [&]() -> Coro<void> {
    loop_.Stop();
    co_return;
  };
  loop_.SetDebug(true);
  loop_.SetSlowCallbackDuration(kNow);
  loop_.CallSoon([&] { loop_.Stop(); });
  loop_.RunForever();
  EXPECT_THAT(TakeReports(),
              ElementsAre(MatchesRegex("Executing a callback created at .* "
                                       "took 0.000 seconds")));
  Start(body(), {.name = "slow"});
  loop_.RunForever();
  EXPECT_THAT(TakeReports(),
              ElementsAre(MatchesRegex("Executing task slow created at .* "
                                       "took 0.000 seconds")));
}

class RunningLoopTests : public internal::RuntimeTest {};

TEST_F(RunningLoopTests, RunningLoopWithinALoop) {
  EventLoop other({.clock = &clock_});
  const auto main = [&]() -> Coro<void> {
    other.RunForever();
    co_return;
  };
  EXPECT_THAT(
      Thrown([&] { Run(main()); }),
      StartsWith("RuntimeError: Cannot run the event loop while another "
                 "loop is running"));
}

// ---- test_events.py ----

class EventLoopTestsMixin : public internal::RuntimeTest {};

TEST_F(EventLoopTestsMixin, RunUntilCompleteNesting) {
  const auto inner = []() -> Coro<void> { co_await Sleep(kNow); };
  const auto outer = [&]() -> Coro<void> {
    EXPECT_TRUE(loop_.IsRunning());
    loop_.RunUntilComplete(inner());
    co_return;
  };
  EXPECT_THAT(Thrown([&] { Run(outer()); }),
              StartsWith("RuntimeError: This event loop is already running"));
  EXPECT_THAT(TakeReports(), ElementsAre(HasSubstr("was never awaited")));
}

TEST_F(EventLoopTestsMixin, RunUntilComplete) {
  loop_.RunUntilComplete(Sleep(absl::Milliseconds(100)));
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(100));
}

TEST_F(EventLoopTestsMixin, RunUntilCompleteStopped) {
  const auto main = [&]() -> Coro<void> {
    loop_.Stop();
    co_await Sleep(absl::Milliseconds(100));
  };
  EXPECT_EQ(Thrown([&] { Run(main()); }),
            "RuntimeError: Event loop stopped before Future completed.");
  RunToStandstill();
}

TEST_F(EventLoopTestsMixin, CallLater) {
  loop_.CallLater(absl::Milliseconds(100), [&] {
    Log("hello world");
    loop_.Stop();
  });
  loop_.RunForever();
  EXPECT_THAT(log_, ElementsAre("i1 t=0.1 hello world"));
}

TEST_F(EventLoopTestsMixin, CallSoon) {
  const auto callback = [&](std::string a, std::string b) {
    Note(a, b);
    loop_.Stop();
  };
  loop_.CallSoon([&] { callback("hello", "world"); });
  loop_.RunForever();
  EXPECT_THAT(log_, ElementsAre("hello world"));
}

TEST_F(EventLoopTestsMixin, CallSoonThreadsafe) {
  const auto callback = [&](const char* word) {
    Note(word);
    if (log_.size() == 2) loop_.Stop();
  };
  std::thread([&] {
    loop_.CallSoonThreadsafe([&] { callback("hello"); });
  }).join();
  loop_.CallSoon([&] { callback("world"); });
  loop_.RunForever();
  EXPECT_THAT(log_, ElementsAre("hello", "world"));
}

TEST_F(EventLoopTestsMixin, CallSoonThreadsafeSameThread) {
  const auto callback = [&](const char* word) {
    Note(word);
    if (log_.size() == 2) loop_.Stop();
  };
  loop_.CallSoonThreadsafe([&] { callback("hello"); });
  loop_.CallSoon([&] { callback("world"); });
  loop_.RunForever();
  EXPECT_THAT(log_, ElementsAre("hello", "world"));
}

TEST_F(EventLoopTestsMixin, RunInExecutor) {
  EventLoop loop;
  const auto run = [](std::string argument) {
    return std::pair(std::move(argument), std::this_thread::get_id());
  };
  auto future = loop.RunInExecutor(nullptr, [run] { return run("yo"); });
  const auto [result, thread] = loop.RunUntilComplete(future);
  EXPECT_EQ(result, "yo");
  EXPECT_NE(thread, std::this_thread::get_id());
}

// A job that was cancelled does not come back to a loop that is closed.
TEST_F(EventLoopTestsMixin, RunInExecutorCancel) {
  std::mutex gate;
  gate.lock();
  std::optional<EventLoop> loop(std::in_place);
  loop->SetExceptionHandler([&](EventLoop&, const ExceptionContext& context) {
    ADD_FAILURE() << context.message;
  });
  auto executor = std::make_unique<ThreadPoolExecutor>();
  Future<void> future = loop->RunInExecutor(
      executor.get(), [&] { std::lock_guard<std::mutex> lock(gate); });
  EXPECT_TRUE(future.Cancel());
  loop->Close();
  EXPECT_TRUE(future.Cancelled());
  gate.unlock();
  executor.reset();  // The job has ended.
  loop.reset();
}

// What is shorter than the clock's resolution is not waited for in vain, round
// after round.
TEST_F(EventLoopTestsMixin, TimeoutRounding) {
  const auto main = []() -> Coro<void> {
    for (const double seconds : {1e-2, 1e-4, 1e-6, 1e-8, 1e-10}) {
      co_await Sleep(std::chrono::duration<double>(seconds));
    }
  };
  Run(main());
  EXPECT_LE(CoreOf(loop_).iterations(), 12u);
  EXPECT_GE(loop_.Time(), absl::Nanoseconds(10'101'011));
}

TEST_F(EventLoopTestsMixin, CloseRunningEventLoop) {
  const auto main = [&]() -> Coro<void> {
    loop_.Close();
    co_return;
  };
  EXPECT_THAT(Thrown([&] { Run(main()); }), StartsWith("RuntimeError: "));
  EXPECT_FALSE(loop_.IsClosed());
}

TEST_F(EventLoopTestsMixin, Close) {
  const auto main = []() -> Coro<void> { co_return; };
  const auto nothing = [] {};
  loop_.Close();
  const std::string closed = "RuntimeError: Event loop is closed";
  EXPECT_EQ(Thrown([&] { loop_.RunForever(); }), closed);
  EXPECT_EQ(Thrown([&] { loop_.RunUntilComplete(Future<void>(loop_)); }),
            closed);
  EXPECT_EQ(Thrown([&] { loop_.CallSoon(nothing); }), closed);
  EXPECT_EQ(Thrown([&] { loop_.CallSoonThreadsafe(nothing); }), closed);
  EXPECT_EQ(Thrown([&] { loop_.CallLater(absl::Seconds(1), nothing); }),
            closed);
  EXPECT_EQ(Thrown([&] { loop_.CallAt(loop_.Time(), nothing); }), closed);
  const std::string written =
      WrittenBy([&] { EXPECT_EQ(Thrown([&] { Start(main()); }), closed); });
  EXPECT_THAT(written, HasSubstr("was never awaited"));
  EXPECT_EQ(Thrown([&] { loop_.RunInExecutor(nullptr, nothing); }), closed);
}

class HandleTests : public internal::RuntimeTest {};

TEST_F(HandleTests, Handle) {
  clotho::Handle handle = loop_.CallSoon([&] { Note("called"); });
  EXPECT_FALSE(handle.Cancelled());
  handle.Cancel();
  EXPECT_TRUE(handle.Cancelled());
  Iterate();
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(HandleTests, CallbackWithException) {
  loop_.CallSoon([] { throw ValueError("x"); });
  Iterate();
  EXPECT_THAT(TakeReports(),
              ElementsAre("Exception in callback: ValueError: x"));
}

// A report says where the handle was made, whatever made it.
TEST_F(HandleTests, HandleSourceTraceback) {
  std::vector<std::source_location> places;
  loop_.SetExceptionHandler([&](EventLoop&, const ExceptionContext& context) {
    places.push_back(context.location);
  });
  const auto fail = [] { throw ValueError("x"); };
  const int line = std::source_location::current().line();
  loop_.CallSoon(fail);
  loop_.CallSoonThreadsafe(fail);
  loop_.CallLater(absl::Seconds(1), fail);
  loop_.CallAt(absl::Seconds(2), fail);
  RunToStandstill();
  ASSERT_THAT(places, SizeIs(4));
  for (std::size_t i = 0; i < places.size(); ++i) {
    EXPECT_EQ(places[i].line(), line + 1 + i);
    EXPECT_THAT(places[i].file_name(), EndsWith("event_loop_asyncio_test.cc"));
  }
}

class TimerTests : public internal::RuntimeTest {};

TEST_F(TimerTests, When) {
  clock_.Advance(absl::Seconds(7));
  EXPECT_EQ(loop_.CallAt(absl::Seconds(8), [] {}).When(), absl::Seconds(8));
  EXPECT_EQ(loop_.CallLater(absl::Seconds(2), [] {}).When(), absl::Seconds(9));
  RunToStandstill();
}

TEST_F(TimerTests, Timer) {
  const auto argument = std::make_shared<int>();
  TimerHandle handle = loop_.CallAt(absl::Seconds(1), [argument] {});
  EXPECT_FALSE(handle.Cancelled());
  EXPECT_EQ(argument.use_count(), 2);
  handle.Cancel();
  EXPECT_TRUE(handle.Cancelled());
  EXPECT_EQ(argument.use_count(), 1);  // It has let go of everything.
}

// Timers are compared by their loop alone: the earlier goes first, and of two
// for the same time the one that was set first.
TEST_F(TimerTests, TimerComparison) {
  const auto add = [&](int seconds, int number) {
    return loop_.CallAt(absl::Seconds(seconds),
                        [this, number] { Log(number); });
  };
  add(20, 1);
  add(10, 2);
  TimerHandle cancelled = add(10, 3);
  add(10, 4);
  cancelled.Cancel();
  add(30, 5);
  add(20, 6);
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i1 t=10 2", "i1 t=10 4", "i2 t=20 1",
                                "i2 t=20 6", "i3 t=30 5"));
}

}  // namespace
}  // namespace clotho
