// CPython's tests of coroutines (test_pep492.py), ported to Coro. Each test has
// the name and class of the original method.

#include <cstdint>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/generator.h"
#include "clotho/runtime/inspect.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using ::testing::StartsWith;

constexpr Delay kNow;

class Pep492CoroutineTests : public internal::RuntimeTest {};

TEST_F(Pep492CoroutineTests, Iscoroutine) {
  static_assert(IsCoroutine<Coro<void>>);
  static_assert(IsCoroutine<Coro<int>&&>);
  static_assert(!IsCoroutine<Task<int>>);
  static_assert(!IsCoroutine<int>);
}

TEST_F(Pep492CoroutineTests, IscoroutineGenerator) {
  static_assert(!IsCoroutine<Generator<int>>);
}

TEST_F(Pep492CoroutineTests, Iscoroutinefunction) {
  const auto foo = []() -> Coro<void> { co_return; };
  const auto bar = []() -> Generator<int> { co_yield 1; };
  static_assert(IsCoroutineFunction<decltype(foo)>);
  static_assert(!IsCoroutineFunction<decltype(bar)>);
}

TEST_F(Pep492CoroutineTests, AsyncDefCoroutines) {
  const auto bar = []() -> Coro<std::string> { co_return "spam"; };
  const auto foo = [&]() -> Coro<std::string> { co_return co_await bar(); };
  for (const bool debug : {false, true}) {
    loop_.SetDebug(debug);
    EXPECT_EQ(Run(foo()), "spam");
  }
}

// A limited stack has the innermost coroutines.
TEST_F(Pep492CoroutineTests, TaskPrintStack) {
  std::uint32_t line_of_foo = 0;
  const auto foo = [&]() -> Coro<void> {
    line_of_foo = std::source_location::current().line() + 1;
    co_await Sleep(absl::Seconds(1));
  };
  const auto outer = [&]() -> Coro<void> { co_await foo(); };
  const auto main = [&]() -> Coro<void> {
    Task<void> task = CreateTask(outer());
    co_await Sleep(kNow);
    EXPECT_EQ(task.GetStack().size(), 2u);
    const std::vector<std::source_location> stack = task.GetStack(1);
    EXPECT_EQ(stack.size(), 1u);
    EXPECT_EQ(stack.at(0).line(), line_of_foo);
    co_await task;
  };
  Run(main());
}

// A coroutine that already belongs to a task cannot be used again.
TEST_F(Pep492CoroutineTests, DoubleAwait) {
  const auto sleep = []() -> Coro<void> {
    co_await Sleep(absl::Milliseconds(100));
  };
  const auto main = [&]() -> Coro<void> {
    Coro<void> coro = sleep();
    Task<void> task = CreateTask(std::move(coro));
    co_await Sleep(kNow);
    const std::string reused =
        co_await Raised(std::move(coro));  // NOLINT: it is what we test.
    EXPECT_THAT(reused, StartsWith("RuntimeError('cannot reuse already awaited "
                                   "coroutine"));
    task.Cancel();
    const std::string raised = co_await Raised(task);
    EXPECT_EQ(raised, "CancelledError()");
  };
  Run(main());
}

}  // namespace
}  // namespace clotho
