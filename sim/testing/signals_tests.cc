// Tests for signals_test.cc to run, which do to their own process what a
// person or a machine would do to it: no test of its own.

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/options.h"
#include "clotho/sim/testing.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

// The signal that SIGNAL in the environment names, by its number.
void SendSignal() {
  const char* const number = std::getenv("SIGNAL");
  if (number == nullptr) return;
  // Or to who has started it.
  const bool to_parent = std::getenv("TO_PARENT") != nullptr;
  kill(to_parent ? getppid() : getpid(), std::atoi(number));
}

// With TRAPS in the environment, says where a debugger would stop.
[[maybe_unused]] const bool says_traps = [] {
  if (std::getenv("TRAPS") == nullptr) return false;
  std::signal(SIGTRAP, [](int) { std::puts("TRAP"); });
  return true;
}();

int executions = 0;

CLOTHO_TEST(Interrupted, InTheTenthExecution,
            sim::Random{.schedules = 1'000'000'000}) {
  if (++executions == 10) SendSignal();
  co_await Sleep(absl::Seconds(1));
}

CLOTHO_TEST(Interrupted, InTheTenthExecutionTwice,
            sim::Random{.schedules = 100'000}) {
  co_await Sleep(absl::Milliseconds(5));
  if (++executions == 10) {
    SendSignal();
    SendSignal();
  }
  co_await Sleep(absl::Seconds(1));
}

// The signal comes in a step that does not end.
CLOTHO_TEST(Interrupted, WhereNothingMoves) {
  co_await Sleep(absl::Milliseconds(5));
  SendSignal();
  while (true) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

Coro<void> Append(std::shared_ptr<std::string> log, char name) {
  for (int i = 0; i < 2; ++i) {
    log->push_back(name);
    co_await Sleep(absl::ZeroDuration());
  }
}

CLOTHO_TEST(Interrupted, InTheExecutionThatFails,
            sim::Random{.schedules = 100'000}) {
  auto log = std::make_shared<std::string>();
  Task<void> a = CreateTask(Append(log, 'a'), {.name = "a"});
  Task<void> b = CreateTask(Append(log, 'b'), {.name = "b"});
  co_await a;
  co_await b;
  static bool sent = false;
  if (*log != "abab" && !sent) {
    sent = true;
    SendSignal();
  }
  EXPECT_EQ(*log, "abab");
}

// Behind those that are interrupted.
CLOTHO_TEST(LastOfAll, Passes, sim::Random{.schedules = 10}) {
  co_await Sleep(absl::Seconds(1));
}
TEST(LastOfAll, IsNoSearch) {}

CLOTHO_TEST(Stuck, InAStep) {
  Task<void> other = CreateTask(Sleep(absl::Seconds(1)), {.name = "other"});
  co_await Sleep(absl::Milliseconds(5));
  while (true) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

CLOTHO_TEST(Busy, WithShortSteps, sim::Limits{.steps_max = 1'000'000}) {
  for (int i = 0; i < 300'000; ++i) co_await Sleep(absl::ZeroDuration());
}

Coro<void> Hold(Lock& lock) {
  const auto held = co_await lock.Acquire();
  co_await Sleep(absl::Seconds(1));
}

Coro<void> Signal() {
  co_await Sleep(absl::Milliseconds(5));
  SendSignal();
}

CLOTHO_TEST(Table, OfTasks) {
  Lock lock;
  Task<void> holder = CreateTask(Hold(lock), {.name = "holder"});
  Task<void> waiter = CreateTask(Hold(lock), {.name = "waiter"});
  co_await Signal();
  Task<void> fresh = CreateTask(Sleep(absl::ZeroDuration()), {.name = "fresh"});
  co_await Sleep(absl::Seconds(1));
  co_await holder;
  co_await waiter;
  co_await fresh;
}

TEST(Table, WithoutASearch) { SendSignal(); }

CLOTHO_TEST(Watched, TakesASecond) { co_await Sleep(absl::Seconds(1)); }

}  // namespace
}  // namespace clotho
