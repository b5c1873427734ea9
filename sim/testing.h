// CLOTHO_TEST: tests of asynchronous code, on GoogleTest.
//
//   CLOTHO_TEST(Hello, AnHourTakesNoTime) {
//     co_await Sleep(absl::Hours(1));
//     EXPECT_EQ(GetRunningLoop().Time(), absl::Hours(1));  // Exact.
//   }
//
// The body is a Coro<void>. It runs on an event loop whose clock is virtual:
// when nothing is ready, time jumps to the next timer.
//
// Without options, the test runs once, in FIFO order. Options (see options.h)
// search its schedules for one in which the test fails:
//
//   CLOTHO_TEST(JobQueueTest, NoJobIsLost, sim::Random{.schedules = 1'000}) {
//     ...
//   }
//
// The search ends at the first failure. The report says what failed, shows the
// smallest schedule that leads to it, and gives the command that replays it.
//
// Besides a failed expectation, these fail a test: a deadlock, an exception
// that leaves the body or that nobody retrieves, a task that is still pending
// at the end, a coroutine that was never awaited.
//
// In the body, and in everything it awaits or starts, you can use EXPECT_*,
// mocks, and from assert_macros.h:
//
//   CLOTHO_ASSERT_*   instead of ASSERT_*, which do not compile in a coroutine
//   CLOTHO_SKIP       instead of GTEST_SKIP, which does not either
//
// Do not let a SCOPED_TRACE live across a co_await: other tasks that run
// meanwhile would get its message, too.
//
// A body without a `co_await` has to end with `co_return;`: without either it
// is a plain function, and the compiler warns that it returns nothing.
//
// Link the test with //sim:testing_main. Its main function reads Clotho's flags
// (see --help) as well as GoogleTest's. With gtest_main, Clotho reads only its
// environment variables, such as CLOTHO_REPLAY, when the first test begins.

#ifndef CLOTHO_SIM_TESTING_H_
#define CLOTHO_SIM_TESTING_H_

#include "clotho/runtime/coro.h"
#include "clotho/sim/assert_macros.h"
#include "clotho/sim/gtest/gtest_internals.h"
#include "clotho/sim/gtest/run_all_tests.h"
#include "clotho/sim/gtest/test_run.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "gtest/gtest.h"

// A test: CLOTHO_TEST(Suite, Name) or CLOTHO_TEST(Suite, Name, options...).
#define CLOTHO_TEST(suite, name, ...)                                        \
  static ::clotho::Coro<void> suite##_##name##_Body();                       \
  CLOTHO_REGISTER_(suite, name);                                             \
  TEST(suite, name) {                                                        \
    ::clotho::sim::internal::RunTest(&suite##_##name##_Body,                 \
                                     ::clotho::sim::MakeSearch(__VA_ARGS__), \
                                     __FILE__, __LINE__);                    \
  }                                                                          \
  static ::clotho::Coro<void> suite##_##name##_Body()

// A test with a fixture, as TEST_F: the body is a member of the fixture.
//
//   class BankTest : public testing::Test { protected: Bank bank_; };
//   CLOTHO_TEST_F(BankTest, Transfers, sim::Fuzz()) { co_await bank_.Open(); }
//
// Each execution makes a fixture of its own: constructor, SetUp, TearDown and
// destructor run inside the execution. SetUpTestSuite runs once, as usual; what
// it makes is shared by all executions.
#define CLOTHO_TEST_F(suite, name, ...)                          \
  CLOTHO_FIXTURE_BODY_(suite, name);                             \
  CLOTHO_GTEST_TEST_F_(suite, name) {                            \
    CLOTHO_RUN_FIXTURE_(suite##_##name##_Execution,              \
                        ::clotho::sim::MakeSearch(__VA_ARGS__)); \
  }                                                              \
  ::clotho::Coro<void> suite##_##name##_Execution::Body()

// A test with parameters, as TEST_P. Instantiate it with
// INSTANTIATE_TEST_SUITE_P.
#define CLOTHO_TEST_P(suite, name, ...)                          \
  CLOTHO_FIXTURE_BODY_(suite, name);                             \
  CLOTHO_GTEST_TEST_P_(suite, name) {                            \
    CLOTHO_RUN_FIXTURE_(suite##_##name##_Execution,              \
                        ::clotho::sim::MakeSearch(__VA_ARGS__)); \
  }                                                              \
  ::clotho::Coro<void> suite##_##name##_Execution::Body()

// A typed test, as TYPED_TEST, after TYPED_TEST_SUITE. The body may use
// TypeParam and TestFixture, and reaches members of the fixture by `this->`.
#define CLOTHO_TYPED_TEST(suite, name, ...)                          \
  template <typename ClothoTypeParam>                                \
  class suite##_##name##_Execution : public suite<ClothoTypeParam> { \
   public:                                                           \
    using TypeParam = ClothoTypeParam;                               \
    using TestFixture = suite<ClothoTypeParam>;                      \
    void SetUp() override { TestFixture::SetUp(); }                  \
    void TearDown() override { TestFixture::TearDown(); }            \
    void TestBody() override {}                                      \
    ::clotho::Coro<void> Body();                                     \
  };                                                                 \
  CLOTHO_REGISTER_(suite, name);                                     \
  CLOTHO_GTEST_TYPED_TEST_(suite, name) {                            \
    CLOTHO_RUN_FIXTURE_(suite##_##name##_Execution<TypeParam>,       \
                        ::clotho::sim::MakeSearch(__VA_ARGS__));     \
  }                                                                  \
  template <typename ClothoTypeParam>                                \
  ::clotho::Coro<void> suite##_##name##_Execution<ClothoTypeParam>::Body()

// ---- Parts of the macros above. ----

#define CLOTHO_REGISTER_(suite, name)                               \
  [[maybe_unused]] static const bool suite##_##name##_is_searched = \
      ::clotho::sim::internal::RegisterSearched(#suite, #name)

#define CLOTHO_FIXTURE_BODY_(suite, name)           \
  class suite##_##name##_Execution : public suite { \
   public:                                          \
    void SetUp() override { suite::SetUp(); }       \
    void TearDown() override { suite::TearDown(); } \
    void TestBody() override {}                     \
    ::clotho::Coro<void> Body();                    \
  };                                                \
  CLOTHO_REGISTER_(suite, name)

// (The execution's class comes first: it has no comma.)
#define CLOTHO_RUN_FIXTURE_(execution, ...)                                   \
  ::clotho::sim::internal::RunTest(                                           \
      &::clotho::sim::internal::RunFixture<execution>, __VA_ARGS__, __FILE__, \
      __LINE__)

#endif  // CLOTHO_SIM_TESTING_H_
