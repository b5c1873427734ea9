#include "clotho/runtime/runner.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Thrown;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

static_assert(!std::is_copy_constructible_v<Runner>);
static_assert(!std::is_move_constructible_v<Runner>);
static_assert(std::is_trivially_destructible_v<RunnerOptions>);

constexpr Delay kNow;

// Runners of loops on a virtual clock.
class RunnerTest : public testing::Test {
 protected:
  static RunnerOptions Virtual() {
    return {.loop_factory = [] {
      auto loop =
          std::make_unique<EventLoop>(EventLoopOptions{.clock = &clock_});
      loop->SetExceptionHandler([](EventLoop& l, const ExceptionContext& c) {
        log_.push_back(absl::StrCat("i", CoreOf(l).iterations(), " handler ",
                                    c.message, " ",
                                    internal::Repr(c.exception)));
      });
      return loop;
    }};
  }
  void SetUp() override { log_.clear(); }

  static inline internal::JumpingClock clock_;
  static inline std::vector<std::string> log_;
};

Coro<int> Return(int value) { co_return value; }
Coro<int> Throw() {
  throw ValueError("x");
  co_return 1;
}
Coro<void> SleepLong() { co_await Sleep(absl::Hours(1)); }

TEST_F(RunnerTest, TraceN1_CancelsWhatIsLeftAndReportsItsFailures) {
  Runner runner(Virtual());
  EventLoop& loop = runner.GetLoop();
  const auto say = [&](std::string text) {
    log_.push_back(absl::StrCat("i", CoreOf(loop).iterations(), " ", text));
  };
  const auto background = [&]() -> Coro<void> {
    bool cancelled = false;
    try {
      co_await Sleep(absl::Seconds(99));
    } catch (const CancelledError&) {
      cancelled = true;
    }
    say("bg cancelled");
    co_await Sleep(kNow);
    if (cancelled) throw ValueError("in clean-up");
  };
  const auto main = [&]() -> Coro<std::string> {
    Task<void> t = CreateTask(background());
    co_await Sleep(kNow);
    say("main returns " + t.GetName().substr(0, 5));
    co_return "r";
  };
  say("run -> " + runner.Run(main()));
  runner.Close();
  EXPECT_THAT(log_, ElementsAre("i2 main returns Task-", "i3 run -> r",
                                "i4 bg cancelled",
                                "i7 handler unhandled exception during Run() "
                                "shutdown ValueError('in clean-up')"));
}

TEST_F(RunnerTest, RunsSeveralCoroutinesInOneLoopAndOneContext) {
  const ContextVar<int> variable("variable", 0);
  const auto next = [&]() -> Coro<int> {
    variable.Set(variable.Get() + 1);
    co_return variable.Get();
  };
  Context caller;
  caller.Run([&] {
    variable.Set(10);
    Runner runner(Virtual());
    EXPECT_EQ(runner.Run(next()), 11);
    variable.Set(20);  // Too late to be seen.
    EXPECT_EQ(runner.Run(next()), 12);
    EXPECT_EQ(variable.Get(), 20);
  });
}

TEST_F(RunnerTest, PassesTheOutcomeOn) {
  Runner runner(Virtual());
  EXPECT_EQ(Thrown([&] { runner.Run(Throw()); }), "ValueError: x");
  EXPECT_EQ(runner.Run(Return(2)), 2);
  const auto cancelled = []() -> Coro<void> {
    CurrentTask()->Cancel("m");
    co_await Sleep(kNow);
  };
  EXPECT_EQ(Thrown([&] { runner.Run(cancelled()); }), "CancelledError: m");
  const auto exit = []() -> Coro<void> {
    throw SystemExit(3);
    co_return;
  };
  EXPECT_EQ(Thrown([&] { runner.Run(exit()); }), "SystemExit");
  runner.Close();
  EXPECT_THAT(log_, IsEmpty());  // All exceptions were retrieved.
}

TEST_F(RunnerTest, IsLazyAndCanBeClosedOnce) {
  Runner runner(Virtual());
  runner.Close();  // Not started yet: no effect.
  EXPECT_EQ(runner.Run(Return(1)), 1);
  EventLoop& loop = runner.GetLoop();
  runner.Close();
  runner.Close();
  EXPECT_TRUE(loop.IsClosed());
  EXPECT_EQ(Thrown([&] { runner.GetLoop(); }),
            "RuntimeError: Runner is closed: make another one to run more");
  Coro<int> coro = Return(1);
  coro.Close();
  EXPECT_EQ(Thrown([&] { runner.Run(std::move(coro)); }),
            "RuntimeError: Runner is closed: make another one to run more");
}

TEST_F(RunnerTest, CannotBeUsedInsideARunningLoop) {
  const auto main = [&]() -> Coro<std::string> {
    co_return Thrown([] { clotho::Run(Return(1)); });
  };
  Runner runner(Virtual());
  EXPECT_EQ(runner.Run(main()),
            "RuntimeError: Runner.Run() cannot be called from a running event "
            "loop: co_await the coroutine, or make a task of it");
}

TEST_F(RunnerTest, ATaskStartedWhileItClosesDiesPending) {
  Runner runner(Virtual());
  const auto background = []() -> Coro<void> {
    try {
      co_await Sleep(absl::Hours(1));
    } catch (const CancelledError&) {
      CreateTask(SleepLong());
      throw;
    }
  };
  const auto main = [&]() -> Coro<void> {
    CreateTask(background());
    co_await Sleep(kNow);
  };
  runner.Run(main());
  runner.Close();
  EXPECT_THAT(log_, ElementsAre(HasSubstr("Task was destroyed but it is "
                                          "pending!")));
}

TEST_F(RunnerTest, WhenMainFailsTheRestIsCancelledAllTheSame) {
  bool cleaned_up = false;
  const auto background = [&]() -> Coro<void> {
    try {
      co_await Sleep(absl::Hours(1));
    } catch (const CancelledError&) {
      cleaned_up = true;
      throw;
    }
  };
  const auto main = [&]() -> Coro<void> {
    CreateTask(background());
    co_await Sleep(kNow);
    throw ValueError("x");
  };
  EXPECT_EQ(Thrown([&] { clotho::Run(main()); }), "ValueError: x");
  EXPECT_TRUE(cleaned_up);
}

TEST_F(RunnerTest, ATaskThatCannotEndIsADeadlockWhenItCloses) {
  const auto stubborn = []() -> Coro<void> {
    Future<void> never;
    while (true) {
      try {
        co_await never;
      } catch (const CancelledError&) {
        never = Future<void>();
      }
    }
  };
  const auto main = [&]() -> Coro<void> {
    CreateTask(stubborn());
    co_await Sleep(kNow);
  };
  {
    Runner runner(Virtual());
    runner.Run(main());
    EXPECT_THROW(runner.Close(), DeadlockError);
  }
  testing::internal::CaptureStderr();
  {
    Runner runner(Virtual());
    runner.Run(main());
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("could not be closed: DeadlockError"));
}

// ---- The real clock. ----

TEST(RunTest, RunsOnTheRealClock) {
  const auto main = []() -> Coro<int> {
    const absl::Duration before = GetRunningLoop().Time();
    co_await Sleep(absl::Milliseconds(3));
    EXPECT_GE(GetRunningLoop().Time() - before, absl::Milliseconds(3));
    co_return 5;
  };
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(clotho::Run(main()), 5);
  EXPECT_GE(std::chrono::steady_clock::now() - start,
            std::chrono::milliseconds(3));
}

TEST(RunTest, GivesReferencesWhatCannotBeCopiedAndNothing) {
  int variable = 1;
  const auto reference = [&]() -> Coro<int&> { co_return variable; };
  const auto owner = []() -> Coro<std::unique_ptr<int>> {
    co_return std::make_unique<int>(2);
  };
  const auto nothing = []() -> Coro<void> { co_return; };
  EXPECT_EQ(&clotho::Run(reference()), &variable);
  EXPECT_EQ(*clotho::Run(owner()), 2);
  clotho::Run(nothing());
}

}  // namespace
}  // namespace clotho
