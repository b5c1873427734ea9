#include "clotho/runtime/timed.h"

#include <memory>
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
#include "clotho/runtime/runner.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Thrown;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

Coro<int> DelayFor(int seconds) {
  co_await Sleep(absl::Seconds(seconds));
  co_return seconds;
}

class TimedTest : public internal::RuntimeTest {
 protected:
  const TimedSink sink_ = [this](std::string_view line) { Note(line); };
};

// The tutorial's first program: 2 s and 3 s in parallel take 3 s.
TEST_F(TimedTest, TimesAFunctionEachTimeItIsCalled) {
  const auto delay = Timed("delay", DelayFor, sink_);
  const auto body = [&]() -> Coro<void> {
    Task<int> task1 = CreateTask(delay(2));
    Task<int> task2 = CreateTask(delay(3));
    const int two = co_await task1;
    const int three = co_await task2;
    EXPECT_EQ(two + three, 5);
  };
  const auto main = Timed("main", body, sink_);
  Run(main());
  EXPECT_THAT(log_,
              ElementsAre("starting main", "starting delay", "starting delay",
                          "finished delay in 2 second(s)",
                          "finished delay in 3 second(s)",
                          "finished main in 3 second(s)"));
}

// Its second program: computation blocks the other tasks.
TEST_F(TimedTest, TimesWhatBlocksTheLoop) {
  const auto work = [&]() -> Coro<int> {
    clock_.Advance(absl::Seconds(3));
    co_return 1;
  };
  const auto timed_work = Timed("cpu_bound_work", work, sink_);
  const auto body = [&]() -> Coro<void> {
    Task<int> task1 = CreateTask(timed_work());
    Task<int> task2 = CreateTask(timed_work());
    co_await task1;
    co_await task2;
  };
  const auto main = Timed("main", body, sink_);
  Run(main());
  EXPECT_THAT(log_, ElementsAre("starting main", "starting cpu_bound_work",
                                "finished cpu_bound_work in 3 second(s)",
                                "starting cpu_bound_work",
                                "finished cpu_bound_work in 3 second(s)",
                                "finished main in 6 second(s)"));
}

TEST_F(TimedTest, TimesWhateverCanBeAwaited) {
  const auto main = [&]() -> Coro<void> {
    auto coro = Timed("coroutine", DelayFor(1), sink_);
    const int one = co_await std::move(coro);
    EXPECT_EQ(one, 1);
    auto sleep = Timed("sleep", Sleep(absl::Milliseconds(1500)), sink_);
    co_await std::move(sleep);
    Future<int> done;
    done.SetResult(7);
    auto future = Timed("future", done, sink_);
    const int seven = co_await std::move(future);
    EXPECT_EQ(seven, 7);
  };
  Run(main());
  EXPECT_THAT(
      log_,
      ElementsAre("starting coroutine", "finished coroutine in 1 second(s)",
                  "starting sleep", "finished sleep in 1.5 second(s)",
                  "starting future", "finished future in 0 second(s)"));
}

TEST_F(TimedTest, IsExactToTheNanosecond) {
  const auto main = [&]() -> Coro<void> {
    auto timed = Timed("x", Sleep(absl::Nanoseconds(60'000'000'020)), sink_);
    co_await std::move(timed);
  };
  Run(main());
  EXPECT_THAT(log_,
              ElementsAre("starting x", "finished x in 60.00000002 second(s)"));
}

TEST_F(TimedTest, SaysSoWhenItThrows) {
  const auto fail = []() -> Coro<int> {
    co_await Sleep(absl::Seconds(1));
    throw ValueError("x");
  };
  EXPECT_EQ(Thrown([&] { Run(Timed("fail", fail(), sink_)); }),
            "ValueError: x");
  EXPECT_THAT(log_,
              ElementsAre("starting fail", "finished fail in 1 second(s)"));
}

TEST_F(TimedTest, SaysSoWhenItIsCancelled) {
  Task<int> task = Start(Timed("delay", DelayFor(5), sink_));
  loop_.CallLater(absl::Seconds(2), [&] { task.Cancel("m"); });
  RunToStandstill();
  EXPECT_EQ(Thrown([&] { static_cast<void>(task.Result()); }),
            "CancelledError: m");
  EXPECT_THAT(log_,
              ElementsAre("starting delay", "finished delay in 2 second(s)"));
}

TEST_F(TimedTest, SaysNothingOfOneThatIsCancelledBeforeItBegins) {
  Task<int> task = Start(Timed("delay", DelayFor(5), sink_));
  task.Cancel();
  Iterate();
  EXPECT_TRUE(task.Cancelled());
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_THAT(TakeReports(), IsEmpty());
}

TEST_F(TimedTest, OneThatIsNeverAwaitedIsReportedOnce) {
  loop_.CallSoon([&] { std::ignore = Timed("delay", DelayFor(5), sink_); });
  Iterate();
  EXPECT_THAT(TakeReports(), SizeIs(1));
}

TEST_F(TimedTest, SaysNothingMoreOfOneThatIsDestroyedWithItsLoop) {
  Task<int> task = Start(Timed("delay", DelayFor(5), sink_));
  Iterate();
  loop_.Reset();
  EXPECT_THAT(log_, ElementsAre("starting delay"));
}

TEST_F(TimedTest, PassesArgumentsAndResultsThrough) {
  const auto add = [](int& sum, std::unique_ptr<int> n) -> Coro<int&> {
    sum += *n;
    co_return sum;
  };
  const auto timed = Timed("add", add, sink_);
  int sum = 1;
  EXPECT_EQ(&Run(timed(sum, std::make_unique<int>(2))), &sum);
  EXPECT_EQ(sum, 3);
}

TEST_F(TimedTest, WithoutASinkItPrintsToStandardOutput) {
  testing::internal::CaptureStdout();
  Run(Timed("delay", DelayFor(1)));
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            "starting delay\nfinished delay in 1 second(s)\n");
}

TEST(TimedOnTheRealClockTest, MeasuresThatClock) {
  std::vector<std::string> lines;
  const TimedSink sink = [&](std::string_view line) {
    lines.emplace_back(line);
  };
  clotho::Run(Timed("nap", Sleep(absl::Milliseconds(2)), sink));
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[0], "starting nap");
  const std::string begin = "finished nap in ";
  EXPECT_THAT(lines[1], AllOf(StartsWith(begin), EndsWith(" second(s)")));
  EXPECT_GE(std::stod(lines[1].substr(begin.size())), 0.002);
}

}  // namespace
}  // namespace clotho
