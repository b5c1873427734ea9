// CLOTHO_TYPED_TEST and CLOTHO_SKIP, by tests that use them. How skips look
// from outside is in sim/flags/command_line_test.cc.

#include <string>
#include <type_traits>

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/options.h"
#include "clotho/sim/testing.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

// ---- Typed tests. ----

template <typename T>
class BoxTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ++suites_; }
  static void TearDownTestSuite() { EXPECT_EQ(set_up_, torn_down_); }

  void SetUp() override { ++set_up_; }
  void TearDown() override { ++torn_down_; }

  T value_ = T();
  static inline int suites_ = 0;
  static inline int set_up_ = 0;
  static inline int torn_down_ = 0;
};

struct BoxNames {
  template <typename T>
  static std::string GetName(int) {
    return std::is_same_v<T, int> ? "Int" : "String";
  }
};
using BoxTypes = testing::Types<int, std::string>;
TYPED_TEST_SUITE(BoxTest, BoxTypes, BoxNames);

CLOTHO_TYPED_TEST(BoxTest, EachExecutionHasItsOwnFixture,
                  sim::Random{.schedules = 20}) {
  static_assert(std::is_same_v<decltype(this->value_), TypeParam>);
  static_assert(std::is_same_v<TestFixture, BoxTest<TypeParam>>);
  EXPECT_EQ(this->suites_, 1);
  // The executions before this one have ended.
  EXPECT_EQ(this->set_up_, this->torn_down_ + 1);
  EXPECT_EQ(this->value_, TypeParam());
  this->value_ += 'a';
  co_await Gather(Sleep(absl::Seconds(1)), Sleep(absl::Seconds(1)));
  EXPECT_GE(GetRunningLoop().Time(), absl::Seconds(1));
}

CLOTHO_TYPED_TEST(BoxTest, WithoutOptions) {
  co_await Sleep(absl::Hours(1));
  const testing::TestInfo* const info =
      testing::UnitTest::GetInstance()->current_test_info();
  constexpr bool kIsInt = std::is_same_v<TypeParam, int>;
  EXPECT_EQ(std::string(info->test_suite_name()),
            kIsInt ? "BoxTest/Int" : "BoxTest/String");
}

// ---- Skips. ----

// The search ends with the first execution that skips.
int executions_that_skip = 0;

CLOTHO_TEST(SkipTest, EndsTheSearch, sim::Random{.schedules = 100}) {
  ++executions_that_skip;
  co_await Sleep(absl::Seconds(1));
  CLOTHO_SKIP("after one execution");
}

TEST(SkipTest, HasEndedTheSearch) { EXPECT_LE(executions_that_skip, 1); }

}  // namespace
}  // namespace clotho
