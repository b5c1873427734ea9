#include "clotho/sim/actions.h"

#include <set>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/assert_macros.h"
#include "clotho/sim/engine/assertion_failed.h"
#include "clotho/sim/options.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

class Store {
 public:
  virtual ~Store() = default;
  virtual Coro<std::string> Get(std::string key) = 0;
  virtual Coro<void> Put(std::string key, const std::string& value) = 0;
};

class MockStore : public Store {
 public:
  MOCK_METHOD(Coro<std::string>, Get, (std::string key), (override));
  MOCK_METHOD(Coro<void>, Put, (std::string key, const std::string& value),
              (override));
};

class IoError : public Exception {
 public:
  using Exception::Exception;
};

// What a test of a cache could look like.
Coro<std::string> GetOrDefault(Store& store, std::string key) {
  try {
    co_return co_await WaitFor(store.Get(key), absl::Seconds(2));
  } catch (const TimeoutError&) {
    co_return "slow";
  } catch (const IoError&) {
    co_return "down";
  }
}

CLOTHO_TEST(ActionsTest, AreAwaitedInTheOrderOfTheCalls) {
  MockStore store;
  EXPECT_CALL(store, Get("k"))
      .WillOnce(CoReturnAfter(absl::Seconds(10), "late"))
      .WillOnce(CoThrow(IoError("down")))
      .WillOnce(CoReturn("now"))
      .WillRepeatedly(CoInvoke([](std::string key) -> Coro<std::string> {
        co_await Sleep(absl::Milliseconds(1));
        co_return key + "!";
      }));
  EXPECT_EQ(co_await GetOrDefault(store, "k"), "slow");
  EXPECT_EQ(co_await GetOrDefault(store, "k"), "down");
  EXPECT_EQ(co_await GetOrDefault(store, "k"), "now");
  EXPECT_EQ(co_await GetOrDefault(store, "k"), "k!");
  EXPECT_EQ(GetRunningLoop().Time(), absl::Seconds(2) + absl::Milliseconds(1));
}

CLOTHO_TEST(ActionsTest, OfFunctionsThatReturnNothing) {
  MockStore store;
  std::string put;
  EXPECT_CALL(store, Put("k", "v"))
      .WillOnce(CoReturn())
      .WillOnce(CoReturnAfter(absl::Seconds(1)))
      .WillOnce(CoThrow(IoError("full")))
      .WillOnce(CoInvoke(
          [&put](std::string key, const std::string& value) -> Coro<void> {
            co_await Sleep(absl::ZeroDuration());
            put = key + value;
          }));
  co_await store.Put("k", "v");
  EXPECT_EQ(GetRunningLoop().Time(), absl::ZeroDuration());
  co_await store.Put("k", "v");
  EXPECT_EQ(GetRunningLoop().Time(), absl::Seconds(1));
  EXPECT_THROW(co_await store.Put("k", "v"), IoError);
  // The caller's arguments are destroyed before the coroutine runs: it has its
  // own.
  Coro<void> later = store.Put(std::string("k"), std::string("v"));
  co_await std::move(later);
  EXPECT_EQ(put, "kv");
}

std::set<std::string>& Seen() {
  static std::set<std::string> seen;
  return seen;
}

CLOTHO_TEST(ActionsTest, CoChooseTakesEachOfThem, Exhaustive()) {
  MockStore store;
  EXPECT_CALL(store, Get(testing::_))
      .WillOnce(CoChoose(CoReturn("a"), CoThrow(IoError("b")),
                         CoReturnAfter(absl::Seconds(9), "c")));
  Seen().insert(co_await GetOrDefault(store, "k"));
}

TEST(ActionsTestResult, CoChooseTakesEachOfThem) {
  EXPECT_THAT(Seen(), testing::ElementsAre("a", "down", "slow"));
}

CLOTHO_TEST(ActionsTest, InFifoOrderTheFirst) {
  MockStore store;
  EXPECT_CALL(store, Get(testing::_))
      .WillOnce(CoChoose(CoReturn("first"), CoReturn("second")));
  EXPECT_EQ(co_await GetOrDefault(store, "k"), "first");
}

// ---- Assertions that throw. ----

Coro<int> Checked(int value) {
  CLOTHO_ASSERT_TRUE(value != 0) << "no zero";
  CLOTHO_ASSERT_FALSE(value == -1);
  CLOTHO_ASSERT_EQ(value, value);
  CLOTHO_ASSERT_NE(value, 99);
  CLOTHO_ASSERT_LT(value, 1'000);
  CLOTHO_ASSERT_LE(value, 1'000);
  CLOTHO_ASSERT_GT(value, -1'000);
  CLOTHO_ASSERT_GE(value, -1'000);
  CLOTHO_ASSERT_NEAR(value, value + 0.5, 1.0);
  CLOTHO_ASSERT_STREQ("a", "a");
  CLOTHO_ASSERT_THAT(value, testing::Gt(-2));
  co_return value;
}

// EXPECT_FATAL_FAILURE takes no local variables.
int& Value() {
  static int value = 0;
  return value;
}

TEST(AssertTest, ThrowsOutOfAnyCoroutine) {
  int reached = 0;
  const auto body = [&reached](int value) -> Coro<void> {
    co_await Checked(value);
    ++reached;
  };
  EXPECT_EQ(clotho::Run(Checked(7)), 7);
  EXPECT_TRUE(Explore([&] { return body(7); }).passed());
  const int before = reached;
  for (const int value : {0, -1, 99, 1'000, -1'000}) {
    Value() = value;
    EXPECT_FATAL_FAILURE(
        {
          try {
            clotho::Run(Checked(Value()));
            ADD_FAILURE() << "it did not throw";
          } catch (const AssertionFailed&) {
          }
        },
        "");
  }
  EXPECT_EQ(reached, before);
}

// ---- Fixtures. ----

class Counted : public testing::Test {
 public:
  static inline int set_ups = 0;
  static inline int tear_downs = 0;
  static inline bool suite_set_up = false;

 protected:
  void SetUp() override {
    // Inside the execution.
    EXPECT_EQ(GetRunningLoop().Time(), absl::ZeroDuration());
    number_ = 1;
    ++set_ups;
  }
  void TearDown() override {
    EXPECT_EQ(number_, 2);
    ++tear_downs;
  }
  static void SetUpTestSuite() { suite_set_up = true; }

  int number_ = 0;
  Lock lock_;
};

CLOTHO_TEST_F(Counted, IsMadeAnewForEachExecution, Random{.schedules = 10}) {
  EXPECT_TRUE(suite_set_up);
  EXPECT_EQ(number_, 1);
  auto guard = co_await lock_.Acquire();
  co_await Sleep(absl::Seconds(1));
  ++number_;
}

TEST(CountedTest, WasMadeAnewForEachExecution) {
  // Ten, and the first of them again to check that it is deterministic.
  EXPECT_EQ(Counted::set_ups, 11);
  EXPECT_EQ(Counted::tear_downs, 11);
}

class Sized : public testing::TestWithParam<int> {
 protected:
  Queue<int> queue_;
};

int& SizesSeen() {
  static int seen = 0;
  return seen;
}

CLOTHO_TEST_P(Sized, TakesWhatWasPut, Fuzz{.schedules = 20}) {
  SizesSeen() |= 1 << GetParam();
  Task<void> producer = CreateTask([](Queue<int>& q, int n) -> Coro<void> {
    for (int i = 0; i < n; ++i) co_await q.Put(i);
  }(queue_, GetParam()));
  for (int i = 0; i < GetParam(); ++i) {
    CLOTHO_ASSERT_EQ(co_await queue_.Get(), i);
  }
  co_await producer;
}
INSTANTIATE_TEST_SUITE_P(Small, Sized, testing::Values(1, 2, 3));

// Parametrised tests run after all others.
class AfterAll : public testing::Environment {
  void TearDown() override { EXPECT_EQ(SizesSeen(), 0b1110); }
};
[[maybe_unused]] testing::Environment* const after_all =
    testing::AddGlobalTestEnvironment(new AfterAll);

}  // namespace
}  // namespace clotho::sim
