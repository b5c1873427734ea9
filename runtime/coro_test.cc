#include "clotho/runtime/coro.h"

#include <concepts>
#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
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

static_assert(!std::is_copy_constructible_v<Coro<int>>);
static_assert(!std::is_copy_assignable_v<Coro<int>>);
static_assert(std::is_nothrow_move_constructible_v<Coro<int>>);
static_assert(std::is_nothrow_move_assignable_v<Coro<int>>);
static_assert(!std::is_default_constructible_v<Coro<int>>);
static_assert(std::same_as<Coro<>, Coro<void>>);
static_assert(!std::is_move_constructible_v<internal::CoroAwaiter<int>>);
static_assert(!std::is_copy_constructible_v<internal::CoroAwaiter<int>>);
static_assert(Awaitable<Coro<int>>);
static_assert(!Awaitable<int>);
static_assert(!Awaitable<std::string>);
static_assert(!Awaitable<std::suspend_always>);  // Nobody would resume it.
static_assert(Awaitable<std::suspend_never>);
static_assert(std::same_as<AwaitResult<Coro<int>>, int>);
static_assert(std::same_as<AwaitResult<Coro<int&>>, int&>);
static_assert(std::same_as<AwaitResult<Coro<>>, void>);
static_assert(std::same_as<Coro<int>::value_type, int>);

constexpr Delay kNow;

class CoroTest : public internal::RuntimeTest {
 protected:
  Coro<int> Return(int value) { co_return value; }
  Coro<void> Throw() {
    throw ValueError("x");
    co_return;
  }
};

TEST_F(CoroTest, RunsNothingUntilItIsAwaited) {
  bool ran = false;
  const auto c = [&]() -> Coro<void> {
    ran = true;
    co_return;
  };
  const auto main = [&]() -> Coro<void> {
    Coro<void> coro = c();
    EXPECT_FALSE(ran);
    co_await Sleep(kNow);
    EXPECT_FALSE(ran);
    co_await std::move(coro);
    EXPECT_TRUE(ran);
  };
  Run(main());
}

TEST_F(CoroTest, RunsInsideWhoAwaitsIt) {
  const auto inner = [&]() -> Coro<int> {
    Log("inner");
    co_await Sleep(kNow);
    co_return 1;
  };
  const auto main = [&]() -> Coro<int> {
    Log("before");
    const int value = co_await inner();
    Log("after");
    co_return value + 1;
  };
  EXPECT_EQ(Run(main()), 2);
  EXPECT_THAT(log_,
              ElementsAre("i1 t=0 before", "i1 t=0 inner", "i2 t=0 after"));
}

TEST_F(CoroTest, ReturnsWhatCanBeMovedReferencesAndNothing) {
  int variable = 1;
  struct NoDefault {
    explicit NoDefault(int v) : value(v) {}
    int value;
  };
  const auto owner = []() -> Coro<std::unique_ptr<int>> {
    co_return std::make_unique<int>(2);
  };
  const auto reference = [&]() -> Coro<int&> { co_return variable; };
  const auto no_default = []() -> Coro<NoDefault> { co_return NoDefault(3); };
  const auto nothing = []() -> Coro<> { co_return; };
  const auto converts = []() -> Coro<std::string> { co_return "text"; };
  const auto main = [&]() -> Coro<void> {
    std::unique_ptr<int> o = co_await owner();
    EXPECT_EQ(*o, 2);
    int& r = co_await reference();
    EXPECT_EQ(&r, &variable);
    NoDefault n = co_await no_default();
    EXPECT_EQ(n.value, 3);
    co_await nothing();
    std::string s = co_await converts();
    EXPECT_EQ(s, "text");
  };
  Run(main());
}

TEST_F(CoroTest, ThrowsIntoWhoAwaitsIt) {
  const auto middle = [&]() -> Coro<void> { co_await Throw(); };
  const auto main = [&]() -> Coro<void> {
    try {
      co_await middle();
    } catch (const ValueError& e) {
      Note(e.what());
    }
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("x"));
}

TEST_F(CoroTest, ItsFrameIsGoneWhenTheAwaitIsOver) {
  auto witness = std::make_shared<int>(1);
  const auto c = [](std::shared_ptr<int> p) -> Coro<long> {
    co_await Sleep(kNow);
    co_return p.use_count();
  };
  const auto main = [&]() -> Coro<void> {
    const long inside = co_await c(witness);
    EXPECT_EQ(inside, 2);
    EXPECT_EQ(witness.use_count(), 1);
  };
  Run(main());
}

constexpr char kReused[] =
    "cannot reuse already awaited coroutine: call its function again for a new "
    "one, or make it a task with CreateTask, which any number can await";

TEST_F(CoroTest, IsUsedOnce) {
  const auto main = [&]() -> Coro<void> {
    Coro<int> coro = Return(1);
    co_await std::move(coro);
    Note(Thrown([&] { CreateTask(std::move(coro)); }));
    try {
      co_await std::move(coro);
    } catch (const RuntimeError& e) {
      Note(e.what());
    }
  };
  Run(main());
  EXPECT_THAT(log_,
              ElementsAre(absl::StrCat("RuntimeError: ", kReused), kReused));
}

TEST_F(CoroTest, OneThatIsNeverAwaitedIsReported) {
  const auto main = [&]() -> Coro<void> {
    {
      Coro<int> dropped = Return(1);
    }
    co_return;
  };
  Run(main());
  EXPECT_THAT(TakeReports(),
              ElementsAre(::testing::MatchesRegex(
                  "coroutine .*Return.* was never awaited(; it was .*)?")));
}

// Not inlined: an optimized build would otherwise name its caller.
ABSL_ATTRIBUTE_NOINLINE void ForgetsToAwait() {
  Coro<void> forgotten = []() -> Coro<void> { co_return; }();
}

TEST_F(CoroTest, TheReportNamesTheFunctionThatForgotToAwait) {
  loop_.CallSoon([] { ForgetsToAwait(); });
  Iterate();
  EXPECT_THAT(
      TakeReports(),
      ElementsAre(::testing::MatchesRegex(
          ".* was never awaited; it was called in .*ForgetsToAwait.*")));
}

ABSL_ATTRIBUTE_NOINLINE Coro<void> IsForgotten() { co_return; }

ABSL_ATTRIBUTE_NOINLINE void ForgetsAFunction() {
  Coro<void> forgotten = IsForgotten();
}

TEST_F(CoroTest, TheReportNamesTheCallerAndNotTheCoroutineTwice) {
  loop_.CallSoon([] { ForgetsAFunction(); });
  Iterate();
  EXPECT_THAT(TakeReports(),
              ElementsAre("coroutine clotho::IsForgotten() was never awaited; "
                          "it was called in clotho::ForgetsAFunction()"));
}

TEST_F(CoroTest, OutsideOfALoopItIsReportedOnStandardError) {
  testing::internal::CaptureStderr();
  {
    Coro<int> dropped = Return(1);
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("was never awaited"));
}

TEST_F(CoroTest, AssigningOverOneThatIsNeverAwaitedReportsIt) {
  const auto main = [&]() -> Coro<void> {
    Coro<int> coro = Return(1);
    coro = Return(2);
    EXPECT_EQ(TakeReports().size(), 1u);
    co_await std::move(coro);
  };
  Run(main());
}

TEST_F(CoroTest, AssigningDestroysTheOldOneAndEmptiesTheSource) {
  const auto c = [](std::shared_ptr<int>) -> Coro<void> { co_return; };
  auto old_witness = std::make_shared<int>(1);
  auto new_witness = std::make_shared<int>(2);
  Coro<void> coro = c(old_witness);
  Coro<void> source = c(new_witness);
  testing::internal::CaptureStderr();
  coro = std::move(source);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("was never awaited"));
  EXPECT_EQ(old_witness.use_count(), 1);
  EXPECT_EQ(new_witness.use_count(), 2);
  EXPECT_EQ(Thrown([&] { Start(std::move(source)); }),  // NOLINT: moved from.
            absl::StrCat("RuntimeError: ", kReused));
  Coro<void>& same = coro;
  coro = std::move(same);
  EXPECT_EQ(new_witness.use_count(), 2);
  Run(std::move(coro));
}

TEST_F(CoroTest, CloseGivesItUpSilentlyAndReleasesItsParameters) {
  auto witness = std::make_shared<int>(1);
  const auto c = [](std::shared_ptr<int>) -> Coro<void> { co_return; };
  Coro<void> coro = c(witness);
  EXPECT_EQ(witness.use_count(), 2);
  coro.Close();
  coro.Close();
  EXPECT_EQ(witness.use_count(), 1);
  EXPECT_EQ(Thrown([&] { Start(std::move(coro)); }),
            absl::StrCat("RuntimeError: ", kReused));
}

TEST_F(CoroTest, DestroyedWhileSuspendedTheInnermostGoesFirst) {
  struct Witness {
    std::vector<std::string>& log;
    std::string name;
    ~Witness() { log.push_back(name); }
  };
  const auto inner = [&]() -> Coro<void> {
    Witness witness{log_, "inner"};
    co_await Sleep(absl::Seconds(1));
  };
  const auto middle = [&]() -> Coro<void> {
    Witness witness{log_, "middle"};
    co_await inner();
  };
  const auto outer = [&]() -> Coro<void> {
    Witness witness{log_, "outer"};
    co_await middle();
  };
  Start(outer());
  Iterate();
  EXPECT_THAT(log_, IsEmpty());
  loop_.Reset();
  EXPECT_THAT(log_, ElementsAre("inner", "middle", "outer"));
}

TEST_F(CoroTest, CancelledErrorIsNoErrorToAHandlerOfErrors) {
  const auto c = [&]() -> Coro<void> {
    try {
      co_await Sleep(absl::Seconds(1));
    } catch (const std::exception&) {
      Note("swallowed");
    }
  };
  Task<void> t = Start(c());
  Iterate();
  t.Cancel();
  Iterate();
  EXPECT_TRUE(t.Cancelled());
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(CoroTest, CleaningUpMayAwait) {
  const auto c = [&]() -> Coro<void> {
    std::exception_ptr error;
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (...) {
      error = std::current_exception();
    }
    co_await Sleep(absl::Seconds(1));
    Log("cleaned up");
    if (error != nullptr) std::rethrow_exception(error);
  };
  Task<void> t = Start(c());
  Iterate();
  t.Cancel();
  RunToStandstill();
  EXPECT_TRUE(t.Cancelled());
  EXPECT_THAT(log_, ElementsAre("i4 t=1 cleaned up"));
}

TEST_F(CoroTest, AwaitingInALoopKeepsNothing) {
  const auto main = [&]() -> Coro<int> {
    int sum = 0;
    for (int i = 0; i < 1000; ++i) {
      const int value = co_await Return(i);
      sum += value;
    }
    co_return sum;
  };
  EXPECT_EQ(Run(main()), 499500);
}

TEST_F(CoroTest, ConditionsAndExceptionsBetweenAwaits) {
  const auto main = [&]() -> Coro<std::string> {
    std::string text;
    for (int i = 0; i < 4; ++i) {
      try {
        if (i % 2 == 0) {
          const int value = co_await Return(i);
          text += std::to_string(value);
        } else {
          co_await Throw();
        }
      } catch (const ValueError&) {
        text += "x";
      }
    }
    co_return text;
  };
  EXPECT_EQ(Run(main()), "0x2x");
}

}  // namespace
}  // namespace clotho
