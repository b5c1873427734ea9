// Debug mode: section DB of the rules.

#include <cstdint>
#include <cstdlib>
#include <source_location>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/blocking_sleep.h"
#include "clotho/runtime/coro.h"
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

using internal::Thrown;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kWrongThread[] =
    "RuntimeError: Non-thread-safe operation invoked on an event loop other "
    "than the current one: from another thread, use CallSoonThreadsafe or "
    "RunCoroutineThreadsafe";

class DebugTest : public internal::RuntimeTest {};

Coro<void> Nothing() { co_return; }

// ---- Slow callbacks (DB-05). ----

TEST_F(DebugTest, ReportsWhatTakesLong) {
  const auto main = [this]() -> Coro<void> {
    BlockingSleep(absl::Milliseconds(100));  // Not checked yet.
    co_await Sleep(absl::ZeroDuration());
    loop_.SetDebug(true);
    co_await Sleep(absl::ZeroDuration());
    BlockingSleep(absl::Milliseconds(99));
    co_await Sleep(absl::ZeroDuration());
    EXPECT_THAT(TakeReports(), IsEmpty());
    BlockingSleep(absl::Microseconds(100'499));
    co_await Sleep(absl::ZeroDuration());
    const std::vector<std::string> reports = TakeReports();
    EXPECT_THAT(reports,
                ElementsAre(StartsWith("Executing task main created at ")));
    EXPECT_THAT(reports, ElementsAre(EndsWith(" took 0.100 seconds")));
    EXPECT_THAT(reports, ElementsAre(HasSubstr("testing/fixtures.h:")));
  };
  const Task<void> task = Start(main(), {.name = "main"});
  loop_.RunUntilComplete(task);
}

TEST_F(DebugTest, SaysWhichCallbackItWas) {
  loop_.SetDebug(true);
  loop_.SetSlowCallbackDuration(absl::Seconds(1));
  EXPECT_EQ(loop_.SlowCallbackDuration(), absl::Seconds(1));
  loop_.CallSoon([] { BlockingSleep(absl::Milliseconds(999)); });
  const std::uint_least32_t line = std::source_location::current().line() + 1;
  loop_.CallSoon([] { BlockingSleep(absl::Seconds(12)); });
  Iterate();
  EXPECT_THAT(TakeReports(),
              ElementsAre(EndsWith(absl::StrCat("debug_test.cc:", line,
                                                " took 12.000 seconds"))));
}

// ---- Wrong threads (DB-02). ----

TEST(DebugThreadTest, WhatIsNotForOtherThreadsThrowsThere) {
  EventLoop loop({.debug = true});
  const Future<int> awaited(loop);
  const auto wait = [&]() -> Coro<void> {
    // It has a waiter: completing it touches the loop.
    co_await awaited;
  };
  Task<void> task =
      internal::CreateTaskIn(loop, wait(), {}, std::source_location::current());
  loop.CallSoon([&] {
    std::thread([&] {
      EXPECT_EQ(Thrown([&] { loop.CallSoon([] {}); }), kWrongThread);
      EXPECT_EQ(Thrown([&] { loop.CallLater(absl::Seconds(1), [] {}); }),
                kWrongThread);
      EXPECT_EQ(Thrown([&] { loop.CallAt(absl::Seconds(1), [] {}); }),
                kWrongThread);
      EXPECT_EQ(Thrown([&] {
                  Coro<void> coro = Nothing();
                  try {
                    internal::CreateTaskIn(loop, std::move(coro), {},
                                           std::source_location::current());
                  } catch (...) {
                    coro.Close();
                    throw;
                  }
                }),
                kWrongThread);
      loop.CallSoonThreadsafe([&] { awaited.SetResult(1); });
    }).join();
  });
  loop.RunUntilComplete(task);
}

TEST(DebugThreadTest, ALoopThatDoesNotRunIsNobodys) {
  EventLoop loop({.debug = true});
  bool called = false;
  std::thread([&] { loop.CallSoon([&] { called = true; }); }).join();
  loop.Stop();
  loop.RunForever();
  EXPECT_TRUE(called);
}

// ---- Where things were made (DB-04). ----

TEST_F(DebugTest, ReportsSayWhereATaskWasMade) {
  std::vector<std::uint_least32_t> lines;
  loop_.SetExceptionHandler([&](EventLoop&, const ExceptionContext& context) {
    lines.push_back(context.location.line());
  });
  const auto fail = []() -> Coro<void> {
    throw ValueError("nobody asks");
    co_return;
  };
  const auto main = [&]() -> Coro<void> {
    CreateTask(fail());
    co_await Sleep(absl::ZeroDuration());
    loop_.SetDebug(true);
    CreateTask(fail());
    co_await Sleep(absl::ZeroDuration());
    co_await Sleep(absl::ZeroDuration());
  };
  const std::uint_least32_t line = std::source_location::current().line() - 4;
  Run(main());
  EXPECT_THAT(lines, ElementsAre(0, line));
}

// ---- When it is on (DB-01). ----

TEST(DebugSwitchTest, IsOffUnlessAskedFor) {
  unsetenv("CLOTHO_DEBUG");
  internal::JumpingClock clock;
  EXPECT_FALSE(EventLoop().GetDebug());
  EXPECT_TRUE(EventLoop({.debug = true}).GetDebug());
  EXPECT_TRUE(EventLoop({.clock = &clock, .debug = true}).GetDebug());
  EventLoop loop;
  loop.SetDebug(true);
  EXPECT_TRUE(loop.GetDebug());
  loop.SetDebug(false);
  EXPECT_FALSE(loop.GetDebug());
}

TEST(DebugSwitchTest, TheEnvironmentDecidesForLoopsOnTheRealClock) {
  internal::JumpingClock clock;
  setenv("CLOTHO_DEBUG", "1", 1);
  EXPECT_TRUE(EventLoop().GetDebug());
  EXPECT_FALSE(EventLoop({.debug = false}).GetDebug());
  // The behaviour of a simulation must not depend on it.
  EXPECT_FALSE(EventLoop({.clock = &clock}).GetDebug());
  setenv("CLOTHO_DEBUG", "0", 1);
  EXPECT_FALSE(EventLoop().GetDebug());
  setenv("CLOTHO_DEBUG", "", 1);
  EXPECT_FALSE(EventLoop().GetDebug());
  unsetenv("CLOTHO_DEBUG");
}

TEST(DebugSwitchTest, RunnersPassItOn) {
  const auto look = []() -> Coro<bool> {
    co_return GetRunningLoop().GetDebug();
  };
  EXPECT_TRUE(clotho::Run(look(), {.debug = true}));
  EXPECT_FALSE(clotho::Run(look(), {.debug = false}));
  Runner runner({.debug = true});
  EXPECT_TRUE(runner.Run(look()));
}

TEST_F(DebugTest, AResetLoopIsAsNew) {
  loop_.SetDebug(true);
  loop_.SetSlowCallbackDuration(absl::Seconds(1));
  loop_.Reset();
  EXPECT_FALSE(loop_.GetDebug());
  EXPECT_EQ(loop_.SlowCallbackDuration(), absl::Milliseconds(100));
}

}  // namespace
}  // namespace clotho
