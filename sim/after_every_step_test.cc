#include "clotho/sim/after_every_step.h"

#include <memory>
#include <stdexcept>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using ::testing::HasSubstr;

auto Give() { return Sleep(absl::ZeroDuration()); }

// The sum is wrong between the two halves of a transfer.
Coro<void> Transfer(bool atomic) {
  int a = 5;
  int b = 5;
  auto check = AfterEveryStep("nothing is lost", [&] { return a + b == 10; });
  --a;
  if (!atomic) co_await Give();
  ++b;
  co_await Give();
}

TEST(AfterEveryStepTest, FindsWhatIsWrongBetweenTwoSteps) {
  EXPECT_TRUE(Explore([] { return Transfer(true); }).passed());
  const Report report = Explore([] { return Transfer(false); });
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->kind, FailureKind::kInvariant);
  EXPECT_THAT(report.failure()->what,
              HasSubstr("Invariant \"nothing is lost\" is broken"));
  EXPECT_EQ(report.failure()->step, 1);
  EXPECT_EQ(report.failure()->file, "sim/after_every_step_test.cc");
}

TEST(AfterEveryStepTest, TheLastStepCountsToo) {
  const auto body = []() -> Coro<void> {
    static bool whole;
    whole = true;
    auto check = std::make_shared<int>();
    auto guard = AfterEveryStep("whole", [] { return whole; });
    Task<void> task = CreateTask([](std::shared_ptr<int>) -> Coro<void> {
      co_await Sleep(absl::Seconds(1));
      whole = false;
      co_await Sleep(absl::Hours(1));
    }(check));
    co_await task;
  };
  const Report report = Explore(body);
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->time_ns, 1'000'000'000);
}

TEST(AfterEveryStepTest, AConditionThatThrowsIsNamed) {
  const auto body = []() -> Coro<void> {
    const std::vector<int> empty;
    auto check = AfterEveryStep("the first is 0", [&empty] {
      if (empty.empty()) throw std::out_of_range("no first");
      return empty.front() == 0;
    });
    co_await Sleep(absl::Milliseconds(1));
  };
  const Report report = Explore(body);
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->kind, FailureKind::kInvariant);
  EXPECT_EQ(report.failure()->what,
            "Invariant \"the first is 0\" throws out_of_range: no first after "
            "this step");
}

TEST(AfterEveryStepTest, EndsWithItsGuard) {
  const auto body = []() -> Coro<void> {
    bool fine = true;
    {
      auto check = AfterEveryStep("fine", [&fine] { return fine; });
      auto other = AfterEveryStep("also fine", [] { return true; });
      co_await Give();
    }
    fine = false;
    co_await Give();
  };
  EXPECT_TRUE(Explore(body).passed());
}

TEST(AfterEveryStepTest, OutsideOfASimulationItIsNeverChecked) {
  int checked = 0;
  {
    auto check = AfterEveryStep("never", [&checked] {
      ++checked;
      return false;
    });
    clotho::Run([]() -> Coro<void> { co_await Give(); }());
  }
  EXPECT_EQ(checked, 0);
}

// ---- Goals. ----

TEST(SometimesTest, AGoalThatIsNeverReachedFailsTheSearch) {
  const auto body = [](bool ever) -> Coro<void> {
    bool overtaken = false;
    Task<void> task = CreateTask([](bool& flag) -> Coro<void> {
      flag = true;
      co_return;
    }(overtaken));
    co_await Give();
    Sometimes(ever && !overtaken, "main overtakes its task");
    Reachable("the end");
    co_await task;
  };
  const Report missed =
      Explore([&] { return body(false); }, Random{.schedules = 50});
  ASSERT_FALSE(missed.passed());
  EXPECT_EQ(missed.verdict(), Report::Verdict::kGoalMissed);
  EXPECT_THAT(missed.Text(),
              HasSubstr("Sometimes \"main overtakes its task\" was false in "
                        "all 50 executions"));

  const Report met =
      Explore([&] { return body(true); }, Random{.schedules = 50});
  EXPECT_TRUE(met.passed()) << met;
  ASSERT_EQ(met.goals.size(), 2);
  EXPECT_GT(met.goals[0].reached, 0);
  EXPECT_LT(met.goals[0].reached, 50);
  EXPECT_EQ(met.goals[1].goal, "the end");
  EXPECT_GE(met.goals[1].reached, 50);
}

TEST(UnreachableTest, IsAFailureWhereItIsReached) {
  const auto body = []() -> Coro<void> {
    Unreachable("the other branch");
    co_return;
  };
  const Report report = Explore(body);
  ASSERT_FALSE(report.passed());
  EXPECT_THAT(report.failure()->what,
              HasSubstr("Unreachable \"the other branch\" was reached"));
}

}  // namespace
}  // namespace clotho::sim
