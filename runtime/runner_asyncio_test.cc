// CPython's tests of running a program (test_runners.py), ported to Run and
// Runner. Each test has the name and class of the original method.

#include <signal.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/async_generator.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/current_loop.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/runner.h"
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
using ::testing::StartsWith;

constexpr Delay kNow;

// Runners of loops on a virtual clock, which record the reports to their
// exception handlers.
class RunnerTestBase : public testing::Test {
 protected:
  static std::unique_ptr<EventLoop> NewLoop() {
    ++loops_made_;
    auto loop = std::make_unique<EventLoop>(EventLoopOptions{.clock = &clock_});
    loop->SetExceptionHandler([](EventLoop&, const ExceptionContext& context) {
      reports_.push_back(context);
    });
    return loop;
  }
  static RunnerOptions Virtual() { return {.loop_factory = NewLoop}; }

  void SetUp() override {
    reports_.clear();
    loops_made_ = 0;
  }
  // No state of a test, but a runner's options are no closure.
  static inline internal::JumpingClock clock_;
  static inline std::vector<ExceptionContext> reports_;
  static inline int loops_made_ = 0;
};

// ---- Run. ----

class RunTests : public RunnerTestBase {
 protected:
  // `Run`, on a virtual clock.
  template <typename T>
  static T Run(Coro<T> coro) {
    return clotho::Run(std::move(coro), Virtual());
  }
};

TEST_F(RunTests, AsyncioRunReturn) {
  const auto main = []() -> Coro<int> {
    co_await Sleep(kNow);
    co_return 42;
  };
  EXPECT_EQ(Run(main()), 42);
}

TEST_F(RunTests, AsyncioRunRaises) {
  const auto main = []() -> Coro<void> {
    co_await Sleep(kNow);
    throw ValueError("spam");
  };
  EXPECT_EQ(Thrown([&] { Run(main()); }), "ValueError: spam");
}

TEST_F(RunTests, AsyncioRunDebug) {
  const auto main = [](bool expected) -> Coro<void> {
    EXPECT_EQ(GetRunningLoop().GetDebug(), expected);
    co_return;
  };
  const auto run = [&](bool expected, std::optional<bool> debug) {
    RunnerOptions options = Virtual();
    options.debug = debug;
    clotho::Run(main(expected), options);
  };
  run(false, false);
  run(true, true);
  run(false, std::nullopt);  // As the loop is.

  const RunnerOptions debugging = {.loop_factory = [] {
    return std::make_unique<EventLoop>(
        EventLoopOptions{.clock = &clock_, .debug = true});
  }};
  RunnerOptions not_debugging = debugging;
  not_debugging.debug = false;
  clotho::Run(main(true), debugging);
  clotho::Run(main(false), not_debugging);
}

TEST_F(RunTests, AsyncioRunFromRunningLoop) {
  const auto inner = []() -> Coro<void> { co_return; };
  const auto main = [&]() -> Coro<void> {
    Run(inner());
    co_return;
  };
  EXPECT_THAT(Thrown([&] { Run(main()); }),
              HasSubstr("cannot be called from a running event loop"));
}

TEST_F(RunTests, AsyncioRunCancelsHangingTasks) {
  std::optional<Task<void>> left;
  const auto leftover = []() -> Coro<void> {
    co_await Sleep(absl::Milliseconds(100));
  };
  const auto main = [&]() -> Coro<int> {
    left = CreateTask(leftover());
    co_return 123;
  };
  EXPECT_EQ(Run(main()), 123);
  EXPECT_TRUE(left->Done());
  EXPECT_TRUE(left->Cancelled());
}

TEST_F(RunTests, AsyncioRunReportsHangingTasksErrors) {
  std::optional<Task<void>> left;
  const auto leftover = []() -> Coro<void> {
    try {
      co_await Sleep(absl::Milliseconds(100));
    } catch (const CancelledError&) {
      throw ValueError("in the end");
    }
  };
  const auto main = [&]() -> Coro<int> {
    left = CreateTask(leftover());
    co_await Sleep(kNow);  // Otherwise it would not start.
    co_return 123;
  };
  EXPECT_EQ(Run(main()), 123);
  EXPECT_TRUE(left->Done());
  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_EQ(reports_[0].source, ExceptionContext::Source::kShutdown);
  EXPECT_THAT(reports_[0].message, HasSubstr("Run() shutdown"));
  EXPECT_EQ(reports_[0].task, &left->base());
  EXPECT_EQ(Repr(reports_[0].exception), "ValueError('in the end')");
}

TEST_F(RunTests, AsyncioRunClosesGensAfterHangingTasksErrors) {
  struct FancyExit : Exception {};
  std::vector<std::string> log;
  const auto fidget = [&]() -> AsyncGenerator<int> {
    struct Finally {
      std::vector<std::string>& log;
      ~Finally() { log.push_back("generator closed"); }
    };
    const Finally finally{log};
    while (true) {
      co_yield 1;
      co_await Sleep(absl::Seconds(1));
    }
  };
  // Outlives its task: only the shutdown of generators closes it.
  std::optional<AsyncGenerator<int>> spinner;
  const auto spin = [&]() -> Coro<void> {
    spinner = fidget();
    try {
      co_await spinner->Next();
      co_await Sleep(absl::Hours(1));
    } catch (const CancelledError&) {
      log.push_back("task cancelled");
      throw ValueError("x");
    }
  };
  std::optional<Task<void>> lazyboy;
  const auto main = [&]() -> Coro<void> {
    lazyboy = CreateTask(spin());
    co_await Sleep(kNow);
    throw FancyExit();
  };
  EXPECT_THROW(Run(main()), FancyExit);
  EXPECT_TRUE(lazyboy->Done());
  EXPECT_THAT(log, ElementsAre("task cancelled", "generator closed"));
}

TEST_F(RunTests, AsyncioRunSetEventLoop) {
  const auto main = []() -> Coro<void> {
    co_await Sleep(kNow);
    EXPECT_EQ(&GetEventLoop(), &GetRunningLoop());
  };
  // In a thread that has no loop, and has none afterwards.
  std::thread([&] {
    clotho::Run(main());
    EXPECT_THAT(Thrown([] { GetEventLoop(); }),
                StartsWith("RuntimeError: There is no current event loop"));
  }).join();
  // While it has not ended, code outside of it finds the loop, too.
  std::thread([] {
    Runner runner;
    EventLoop& loop = runner.GetLoop();
    EXPECT_EQ(&GetEventLoop(), &loop);
  }).join();
}

TEST_F(RunTests, AsyncioRunLoopFactory) {
  EventLoop* running = nullptr;
  const auto main = [&]() -> Coro<void> {
    running = &GetRunningLoop();
    EXPECT_EQ(&CoreOf(*running).clock(), &clock_);
    co_return;
  };
  Run(main());
  EXPECT_NE(running, nullptr);
  EXPECT_EQ(loops_made_, 1);
}

TEST_F(RunTests, LoopFactoryDefaultEventLoop) {
  const auto main = []() -> Coro<void> {
    EXPECT_TRUE(CoreOf(GetRunningLoop()).clock().runs());
    co_return;
  };
  clotho::Run(main());
}

// ---- Runner. ----

class RunnerTests : public RunnerTestBase {
 protected:
  // Ctrl-C.
  static void InterruptSelf() { raise(SIGINT); }
  void SetUp() override {
    RunnerTestBase::SetUp();
    // A shell may have had it ignored.
    old_handler_ = signal(SIGINT, SIG_DFL);
  }
  void TearDown() override { EXPECT_EQ(signal(SIGINT, old_handler_), SIG_DFL); }

 private:
  void (*old_handler_)(int) = nullptr;
};

TEST_F(RunnerTests, NonDebug) {
  RunnerOptions options = Virtual();
  options.debug = false;
  EXPECT_FALSE(Runner(options).GetLoop().GetDebug());
}

TEST_F(RunnerTests, Debug) {
  RunnerOptions options = Virtual();
  options.debug = true;
  EXPECT_TRUE(Runner(options).GetLoop().GetDebug());
}

TEST_F(RunnerTests, CustomFactory) {
  Runner runner(Virtual());
  EXPECT_EQ(&CoreOf(runner.GetLoop()).clock(), &clock_);
  EXPECT_EQ(&runner.GetLoop(), &runner.GetLoop());
  EXPECT_EQ(loops_made_, 1);
}

TEST_F(RunnerTests, Run) {
  const auto body = []() -> Coro<std::string> {
    co_await Sleep(kNow);
    co_return "done";
  };
  Runner runner(Virtual());
  EXPECT_EQ(runner.Run(body()), "done");
  runner.Close();
  EXPECT_THAT(Thrown([&] { runner.GetLoop(); }),
              StartsWith("RuntimeError: Runner is closed"));
}

TEST_F(RunnerTests, ExplicitClose) {
  Runner runner(Virtual());
  EXPECT_FALSE(runner.GetLoop().IsClosed());
  runner.Close();
  EXPECT_THAT(Thrown([&] { runner.GetLoop(); }),
              StartsWith("RuntimeError: Runner is closed"));
}

TEST_F(RunnerTests, DoubleClose) {
  Runner runner(Virtual());
  runner.GetLoop();
  runner.Close();
  runner.Close();
  EXPECT_THAT(Thrown([&] { runner.GetLoop(); }),
              StartsWith("RuntimeError: Runner is closed"));
  EXPECT_EQ(loops_made_, 1);
}

TEST_F(RunnerTests, SecondWithBlockRaises) {
  std::vector<int> called;
  const auto body = [&](int argument) -> Coro<void> {
    called.push_back(argument);
    co_return;
  };
  Runner runner(Virtual());
  runner.Run(body(1));
  runner.Close();
  testing::internal::CaptureStderr();
  EXPECT_THAT(Thrown([&] { runner.Run(body(2)); }),
              StartsWith("RuntimeError: Runner is closed"));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("was never awaited"));
  EXPECT_THAT(called, ElementsAre(1));
}

TEST_F(RunnerTests, RunKeepsContext) {
  const ContextVar<int> variable("cvar", -1);
  const auto body = [&](int value) -> Coro<int> {
    const int old = variable.Get();
    co_await Sleep(kNow);
    variable.Set(value);
    co_return old;
  };
  const auto get = [&]() -> Coro<int> { co_return variable.Get(); };
  Runner runner(Virtual());
  EXPECT_EQ(runner.Run(body(1)), -1);
  EXPECT_EQ(runner.Run(body(2)), 1);
  EXPECT_EQ(runner.Run(get()), 2);
  EXPECT_EQ(variable.Get(), -1);  // Out here it was never set.
}

TEST_F(RunnerTests, RecursiveRun) {
  Runner runner(Virtual());
  const auto inner = []() -> Coro<void> { co_return; };
  const auto outer = [&]() -> Coro<void> {
    runner.Run(inner());
    co_return;
  };
  EXPECT_THAT(
      Thrown([&] { runner.Run(outer()); }),
      StartsWith("RuntimeError: Runner.Run() cannot be called from a running "
                 "event loop"));
  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_EQ(reports_[0].source, ExceptionContext::Source::kNeverAwaited);
  EXPECT_THAT(reports_[0].message, HasSubstr("was never awaited"));
}

// Ctrl-C. These are for a loop on the real clock, since others are no programs
// that somebody watches.

TEST_F(RunnerTests, InterruptCallSoon) {
  const auto main = []() -> Coro<void> {
    while (true) co_await Sleep(kNow);  // Never waits for anything.
  };
  Runner runner;
  runner.GetLoop().CallLater(absl::Milliseconds(1), InterruptSelf);
  EXPECT_EQ(Thrown([&] { runner.Run(main()); }), "KeyboardInterrupt");
}

TEST_F(RunnerTests, InterruptWait) {
  const auto main = [](Future<void> future) -> Coro<void> { co_await future; };
  Runner runner;
  Future<void> future = runner.GetLoop().CreateFuture<void>();
  runner.GetLoop().CallLater(absl::Milliseconds(1), InterruptSelf);
  EXPECT_EQ(Thrown([&] { runner.Run(main(future)); }), "KeyboardInterrupt");
  EXPECT_TRUE(future.Cancelled());
}

// Somebody cancels it, too: it ends as that one expects.
TEST_F(RunnerTests, InterruptCancelledTask) {
  const auto cancel = [](AnyTask task) -> Coro<void> {
    co_await Sleep(kNow);
    task.Cancel();
    InterruptSelf();
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> canceller = CreateTask(cancel(*CurrentTask()));
    co_await Sleep(absl::Seconds(10));
  };
  Runner runner;
  EXPECT_EQ(Thrown([&] { runner.Run(main()); }), "CancelledError");
}

}  // namespace
}  // namespace clotho
