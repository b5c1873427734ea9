// Tests for command_line_test.cc to run. Some fail, and that is what they are
// for: no test of its own.

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/choice.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/options.h"
#include "clotho/sim/testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

CLOTHO_TEST(Passes, InFifoOrder) {
  co_await Sleep(absl::Hours(1));
  EXPECT_EQ(GetRunningLoop().Time(), absl::Hours(1));
}

CLOTHO_TEST(Passes, UnderRandomSchedules, sim::Random{.schedules = 50}) {
  co_await Gather(Sleep(absl::Seconds(1)), Sleep(absl::Seconds(2)));
}

TEST(Passes, WithoutASimulation) { EXPECT_EQ(1 + 1, 2); }

TEST(NotSearched, Fails) { EXPECT_EQ(1 + 1, 3); }

Coro<void> Append(std::shared_ptr<std::string> log, char name) {
  for (int i = 0; i < 2; ++i) {
    log->push_back(name);
    co_await Sleep(absl::ZeroDuration());
  }
}

// In FIFO order it is "abab".
Coro<std::string> RunBoth() {
  auto log = std::make_shared<std::string>();
  Task<void> a = CreateTask(Append(log, 'a'), {.name = "a"});
  Task<void> b = CreateTask(Append(log, 'b'), {.name = "b"});
  co_await a;
  co_await b;
  co_return *log;
}

CLOTHO_TEST(Fails, UnderSomeSchedule, sim::Random{.schedules = 1'000}) {
  const std::string log = co_await RunBoth();
  EXPECT_EQ(log, "abab") << "not in turns";
}

CLOTHO_TEST(Fails, UnderAnotherSchedule, sim::Random{.schedules = 1'000}) {
  const std::string log = co_await RunBoth();
  Always(log != "bbaa", "b is not first and last");
}

CLOTHO_TEST(Fails, Expectation) {
  co_await Sleep(absl::Milliseconds(1));
  EXPECT_EQ(1 + 1, 3) << "the first";
  EXPECT_EQ(1 + 1, 4) << "follows from it";
  CreateTask(Sleep(absl::Hours(1)), {.name = "leaked"});
}

class Service {
 public:
  virtual ~Service() = default;
  virtual void Call() = 0;
};
class MockService : public Service {
 public:
  MOCK_METHOD(void, Call, (), (override));
};

CLOTHO_TEST(Fails, MockThatIsNotCalled) {
  MockService service;
  EXPECT_CALL(service, Call());
  co_await Sleep(absl::Milliseconds(1));
}

CLOTHO_TEST(Fails, MockThatIsCalledTooOften) {
  MockService service;
  EXPECT_CALL(service, Call()).Times(1);
  service.Call();
  co_await Sleep(absl::Milliseconds(1));
  service.Call();
  co_await Sleep(absl::Milliseconds(1));
}

CLOTHO_TEST(Fails, FarDownInAHelper) {
  const auto check = [](int value) { EXPECT_THAT(value, testing::Lt(3)); };
  co_await Sleep(absl::Milliseconds(1));
  check(7);
}

CLOTHO_TEST(Skips, WhenAHelperSaysSo) {
  const auto skip = [] { GTEST_SKIP() << "not today"; };
  skip();
  co_return;
}

CLOTHO_TEST(SkipsInside, TheBody) {
  co_await Sleep(absl::Seconds(1));
  CLOTHO_SKIP("not in the body");
}

Coro<void> SkipAfterASecond(std::string why) {
  co_await Sleep(absl::Seconds(1));
  CLOTHO_SKIP(why);
}

// The body never ends; nor does it have to.
CLOTHO_TEST(SkipsInside, AChildTask) {
  Task<void> child = CreateTask(SkipAfterASecond("not in a child task"));
  Event never;
  co_await never.Wait();
}

// Not in the first execution.
CLOTHO_TEST(SkipsInside, ASearch, sim::Random{.schedules = 1'000}) {
  const std::string log = co_await RunBoth();
  if (log != "abab") CLOTHO_SKIP("not out of turns");
}

class SkipsInsideFixture : public testing::Test {
 protected:
  void TearDown() override { ++torn_down_; }
  static void TearDownTestSuite() {
    std::printf("torn down: %d\n", torn_down_);
  }
  static inline int torn_down_ = 0;
};

CLOTHO_TEST_F(SkipsInsideFixture, Body) {
  co_await Sleep(absl::Seconds(1));
  CLOTHO_SKIP("not in a fixture");
}

TEST(SkipsInside, NoTestOfClotho) { CLOTHO_SKIP("not here"); }

template <typename T>
class Typed : public testing::Test {};
using TypedTypes = testing::Types<int, std::string>;
TYPED_TEST_SUITE(Typed, TypedTypes);

CLOTHO_TYPED_TEST(Typed, IsSearched, sim::Random{.schedules = 10}) {
  const std::string log = co_await RunBoth();
  EXPECT_EQ(log.size(), 4u);
}

// What no program under test does.
CLOTHO_TEST(Breaks, InItsStrategy,
            sim::CustomStrategy{[]() -> std::unique_ptr<sim::Strategy> {
              throw std::runtime_error("no strategy today");
            }}) {
  co_return;
}

CLOTHO_TEST(Disabled, DISABLED_Fails) {
  co_await Sleep(absl::ZeroDuration());
  Always(false, "it is disabled");
}

// With TRAPS in the environment, says where a debugger would stop.
[[maybe_unused]] const bool says_traps = [] {
  if (std::getenv("TRAPS") == nullptr) return false;
  std::signal(SIGTRAP, [](int) { std::puts("TRAP"); });
  return true;
}();

// ---- For the debugger. ----

CLOTHO_TEST(Environment, Decides, sim::Random{.schedules = 100}) {
  co_await Sleep(absl::Milliseconds(1));
  const std::uint64_t first = sim::Choose(3);
  const std::uint64_t second = sim::Choose(5);
  Always(first != 2 || second != 3, "not two and three");
  if (sim::Buggify()) co_await Sleep(absl::Milliseconds(1));
}

// ---- For campaigns. ----

// Of three tasks, "abcabc" in FIFO order.
Coro<std::string> RunThree() {
  auto log = std::make_shared<std::string>();
  std::vector<Task<void>> tasks;
  for (const char name : {'a', 'b', 'c'}) {
    tasks.push_back(
        CreateTask(Append(log, name), {.name = std::string(1, name)}));
  }
  for (const Task<void>& task : tasks) co_await task;
  co_return *log;
}

// Three failures, and goals that are reached at once, late, and never.
Coro<void> FailInThreeWays() {
  const std::string log = co_await RunThree();
  Sometimes(log[0] == 'b', "b is first");
  Sometimes(log == "ccbbaa", "it is the other way round");
  Always(log != "cbacba", "they do not turn round");
  EXPECT_NE(log, "aabbcc") << "one after the other";
  if (log == "bbaacc") throw std::runtime_error("b, a, c");
}

CLOTHO_TEST(Campaign, Several, sim::Fuzz{.schedules = 600}) {
  co_await FailInThreeWays();
}

CLOTHO_TEST(Campaign, Passes, sim::Fuzz{.schedules = 600}) {
  const std::string log = co_await RunThree();
  Sometimes(log[0] == 'c', "c is first");
}

// One goal in each execution, and two failures.
CLOTHO_TEST(Campaign, GoalsInAnyOrder, sim::Random{.schedules = 300}) {
  const std::string log = co_await RunThree();
  if (log[0] == 'a') Reachable("a is first");
  if (log[0] == 'b') Reachable("b is first");
  if (log[0] == 'c') Reachable("c is first");
  EXPECT_NE(log.substr(0, 3), "cba");
  Always(log.substr(0, 3) != "bca", "not from b to a");
}

CLOTHO_TEST(Campaign, MissesAGoal, sim::Random{.schedules = 50}) {
  const std::string log = co_await RunThree();
  Sometimes(log.empty(), "nothing is done");
}

CLOTHO_TEST(Campaign, All, sim::Exhaustive()) { co_await FailInThreeWays(); }

CLOTHO_TEST(Campaign, Near, sim::Exhaustive{.deviations_max = 3}) {
  co_await FailInThreeWays();
}

CLOTHO_TEST(Campaign, Reduced, sim::Exhaustive{.reduce = true}) {
  co_await RunThree();
}

CLOTHO_TEST(Campaign, Islands, sim::Guided{.schedules = 100}) {
  co_await RunThree();
}

// One failure that needs several deviations, and executions that take long: to
// shrink it takes more than a second. (It has many steps, so that there is not
// much looking into it.)
CLOTHO_TEST(Campaign, IsSlowToShrink, sim::Random{.schedules = 100}) {
  for (int i = 0; i < 30'000; ++i) co_await Sleep(absl::ZeroDuration());
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_NE((co_await RunThree()).substr(0, 3), "cba");
}

// Two ends of the process, and a failure that shrinking does not survive.
CLOTHO_TEST(Campaign, Crashes, sim::Fuzz{.schedules = 600}) {
  const std::string log = co_await RunThree();
  if (log.substr(0, 2) == "bc") std::abort();
  if (log == "aabbcc") std::exit(0);
  EXPECT_NE(log, "bbaacc");
}

// In most of the executions that the strategy would learn from.
CLOTHO_TEST(Campaign, CrashesAtOnce, sim::Fuzz{.schedules = 40}) {
  const std::string log = co_await RunThree();
  if (log.substr(0, 3) != "abc") std::abort();
}

CLOTHO_TEST(Campaign, CrashesInOrder, sim::Exhaustive()) {
  const std::string log = co_await RunThree();
  if (log == "acbacb") std::abort();
}

// One execution of 50 is longer than it was.
int campaign_executions = 0;
CLOTHO_TEST(Campaign, Differs, sim::Random{.schedules = 200}) {
  if (++campaign_executions % 50 == 0) co_await Sleep(absl::Milliseconds(1));
  co_await Sleep(absl::Milliseconds(1));
}

int executions = 0;

CLOTHO_TEST(Differs, FromRunToRun) {
  if (++executions % 2 == 0) co_await Sleep(absl::Milliseconds(1));
  co_await Sleep(absl::Milliseconds(1));
}

}  // namespace
}  // namespace clotho
