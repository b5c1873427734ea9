// Tests of asynchronous code, on GoogleTest.
//
//   CLOTHO_TEST(Hello, AnHourTakesNoTime) {
//     co_await Sleep(absl::Hours(1));
//     EXPECT_EQ(GetRunningLoop().Time(), absl::Hours(1));  // Exact.
//   }
//
// The body is a Coro<void> that runs on a virtual clock. Without options it
// runs once, in FIFO order; with them its executions are searched for
// one that fails (see options.h), and GoogleTest is told of that one only:
//
//   CLOTHO_TEST(JobQueueTest, NoJobIsLost, sim::Random{.schedules = 1'000}) {
//   ... }
//
// EXPECT_* count inside the body and in everything it awaits or starts.
// ASSERT_* do not compile in a coroutine: see asserts.h for those that do.
// A test fails, too, if it cannot go on
// (deadlock), leaves a task pending, or if an exception or a coroutine gets
// lost.
//
// A body without any `co_await` is a plain function that falls off its end: the
// compiler's -Wreturn-type says so. End it with `co_return;`.
//
// Link with //sim:testing_main, which understands the flags and variables named
// in its usage (--help) besides those of GoogleTest.

#ifndef CLOTHO_SIM_TESTING_H_
#define CLOTHO_SIM_TESTING_H_

#include <exception>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "clotho/runtime/coro.h"
#include "clotho/sim/assert_macros.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "gtest/gtest.h"

namespace clotho::sim {

// Runs all tests of the program, and returns its exit code: what a main
// function does. 0: all passed; 1: a test failed; 2: a flag, a variable or a
// replay string is wrong; 3: a program is not deterministic, or did not follow
// its replay; 5: nothing worse than that an exhaustive search was cut short, or
// that a goal was never reached.
int RunAllTests(int argc, char** argv);

namespace internal {

// A test whose executions can be searched.
struct Searched {
  // As the functions of explore.h. `search` is what was asked for, as the
  // command line has changed it.
  std::function<absl::StatusOr<Report>(const Search& search,
                                       std::string_view name)>
      run;
  std::function<absl::StatusOr<Report>(
      const Search& search, std::string_view name, std::string_view replay)>
      replay;
  // Whether its search can be a campaign: see search/campaign.h. Else it is
  // run as ever, in one shard.
  bool has_campaigns = false;
};

// Runs the test that GoogleTest has come to, and tells GoogleTest what was
// found. `file` and `line` are where its body is.
void RunTest(const Searched& test, const Search& search, const char* file,
             int line);

// What a CLOTHO_TEST does.
void RunTest(Coro<void> (*body)(), const Search& search, const char* file,
             int line);

// Remembers that the test "suite.name" is searched, and so does a part of its
// work in each shard of a campaign. All others run in shard 0. True.
bool RegisterSearched(const char* suite, const char* name);

// ---- Of fuzz targets: see libfuzzer_main.cc. ----

// Reads the flags and variables as RunAllTests does, but for flags of others,
// and finds the test. Ends the process if they are wrong, or if they ask for
// anything but fuzzing: a replay, the list of tests.
void StartFuzzTarget(int argc, char** argv);

// Runs the test once, in the schedule that these bytes are
// (strategies/bytes.h). If it fails, reports that and aborts.
void RunFuzzInput(std::string bytes);

// What GoogleTest makes of a fixture whose executions make their own.
template <typename Fixture>
class Shell : public Fixture {
 protected:
  void SetUp() override {}
  void TearDown() override {}
};

template <typename Execution>
Coro<void> RunFixture() {
  Execution execution;
  execution.SetUp();
  std::exception_ptr error;
  try {
    co_await execution.Body();
  } catch (...) {
    error = std::current_exception();
  }
  execution.TearDown();
  if (error != nullptr) std::rethrow_exception(error);
}

}  // namespace internal
}  // namespace clotho::sim

// As TEST_F and TEST_P: the body is a member of the fixture. The fixture is
// made anew for each execution, with its SetUp and TearDown, inside of it; what
// it does once for the whole suite happens once.
//
//   class BankTest : public testing::Test { protected: Bank bank_; };
//   CLOTHO_TEST_F(BankTest, Transfers, sim::Fuzz()) { co_await bank_.Open(); }
//
// Options follow the name: CLOTHO_TEST(Suite, Name, sim::Random{.seed = 7}).
#define CLOTHO_TEST(suite, name, ...)                                        \
  static ::clotho::Coro<void> suite##_##name##_Body();                       \
  [[maybe_unused]] static const bool suite##_##name##_is_searched =          \
      ::clotho::sim::internal::RegisterSearched(#suite, #name);              \
  TEST(suite, name) {                                                        \
    ::clotho::sim::internal::RunTest(&suite##_##name##_Body,                 \
                                     ::clotho::sim::MakeSearch(__VA_ARGS__), \
                                     __FILE__, __LINE__);                    \
  }                                                                          \
  static ::clotho::Coro<void> suite##_##name##_Body()

#define CLOTHO_FIXTURE_BODY_(suite, name)                           \
  class suite##_##name##_Execution : public suite {                 \
   public:                                                          \
    void SetUp() override { suite::SetUp(); }                       \
    void TearDown() override { suite::TearDown(); }                 \
    void TestBody() override {}                                     \
    ::clotho::Coro<void> Body();                                    \
  };                                                                \
  [[maybe_unused]] static const bool suite##_##name##_is_searched = \
      ::clotho::sim::internal::RegisterSearched(#suite, #name)

#define CLOTHO_TEST_F(suite, name, ...)                                   \
  CLOTHO_FIXTURE_BODY_(suite, name);                                      \
  GTEST_TEST_(suite, name, ::clotho::sim::internal::Shell<suite>,         \
              ::testing::internal::GetTypeId<suite>()) {                  \
    ::clotho::sim::internal::RunTest(                                     \
        &::clotho::sim::internal::RunFixture<suite##_##name##_Execution>, \
        ::clotho::sim::MakeSearch(__VA_ARGS__), __FILE__, __LINE__);      \
  }                                                                       \
  ::clotho::Coro<void> suite##_##name##_Execution::Body()

// Instantiate it with INSTANTIATE_TEST_SUITE_P, as any other.
#define CLOTHO_TEST_P(suite, name, ...)                                        \
  CLOTHO_FIXTURE_BODY_(suite, name);                                           \
  class suite##_##name##_Test : public ::clotho::sim::internal::Shell<suite> { \
   public:                                                                     \
    void TestBody() override {                                                 \
      ::clotho::sim::internal::RunTest(                                        \
          &::clotho::sim::internal::RunFixture<suite##_##name##_Execution>,    \
          ::clotho::sim::MakeSearch(__VA_ARGS__), __FILE__, __LINE__);         \
    }                                                                          \
                                                                               \
   private:                                                                    \
    static int Register() {                                                    \
      ::testing::UnitTest::GetInstance()                                       \
          ->parameterized_test_registry()                                      \
          .GetTestSuitePatternHolder<suite>(                                   \
              #suite, ::testing::internal::CodeLocation(__FILE__, __LINE__))   \
          ->AddTestPattern(                                                    \
              #suite, #name,                                                   \
              new ::testing::internal::TestMetaFactory<suite##_##name##_Test>, \
              ::testing::internal::CodeLocation(__FILE__, __LINE__));          \
      return 0;                                                                \
    }                                                                          \
    [[maybe_unused]] static inline const int registered_ = Register();         \
  };                                                                           \
  ::clotho::Coro<void> suite##_##name##_Execution::Body()

#endif  // CLOTHO_SIM_TESTING_H_
