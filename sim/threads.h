// CLOTHO_THREADS_TEST: tests of ordinary multi-threaded code, on GoogleTest.
//
//   CLOTHO_THREADS_TEST(PoolTest, LosesNoJob, sim::Fuzz()) {
//     Pool pool(4);
//     std::jthread producer([&] { pool.Put(Job{1}); });
//     EXPECT_EQ(pool.Take(), Job{1});
//   }
//
// The body is a plain function. It, and the threads that it starts, run one at
// a time under a seeded scheduler: std::thread, mutexes, condition variables,
// semaphores, futures, sleeps and clocks are those of the C++ library, but what
// they ask of the C library is simulated. Time is virtual. The options, the
// report and the flags are those of CLOTHO_TEST (testing.h).
//
// EXPECT_* and ASSERT_* work in every thread. These fail a test as well: a
// deadlock, an exception that leaves the body or a thread, a mutex that is
// unlocked by a thread that has not locked it, a thread that still runs at the
// end and is not detached.
//
// Link the test with //sim:threads. It is for x86-64 Linux with glibc. See
// docs/threads.md for what is simulated and what is not.

#ifndef CLOTHO_SIM_THREADS_H_
#define CLOTHO_SIM_THREADS_H_

#include "clotho/sim/gtest/test_run.h"
#include "clotho/sim/options.h"
#include "clotho/sim/testing.h"
#include "clotho/sim/threads/run_threads.h"
#include "gtest/gtest.h"

// CLOTHO_THREADS_TEST(Suite, Name) or
// CLOTHO_THREADS_TEST(Suite, Name, options...).
#define CLOTHO_THREADS_TEST(suite, name, ...)                         \
  static void suite##_##name##_Body();                                \
  CLOTHO_REGISTER_(suite, name);                                      \
  TEST(suite, name) {                                                 \
    ::clotho::sim::internal::RunThreadsTest(                          \
        ::clotho::sim::internal::ThreadsBody(&suite##_##name##_Body), \
        ::clotho::sim::MakeSearch(__VA_ARGS__), __FILE__, __LINE__);  \
  }                                                                   \
  static void suite##_##name##_Body()

// With a fixture, as TEST_F. Each execution makes a fixture of its own, in the
// first thread: constructor, SetUp, TearDown and destructor run inside the
// execution.
#define CLOTHO_THREADS_TEST_F(suite, name, ...)                      \
  class suite##_##name##_Execution : public suite {                  \
   public:                                                           \
    void SetUp() override { suite::SetUp(); }                        \
    void TearDown() override { suite::TearDown(); }                  \
    void TestBody() override;                                        \
  };                                                                 \
  CLOTHO_REGISTER_(suite, name);                                     \
  CLOTHO_GTEST_TEST_F_(suite, name) {                                \
    ::clotho::sim::internal::RunThreadsTest(                         \
        ::clotho::sim::internal::ThreadsBody([] {                    \
          suite##_##name##_Execution execution;                      \
          execution.SetUp();                                         \
          execution.TestBody();                                      \
          execution.TearDown();                                      \
        }),                                                          \
        ::clotho::sim::MakeSearch(__VA_ARGS__), __FILE__, __LINE__); \
  }                                                                  \
  void suite##_##name##_Execution::TestBody()

#endif  // CLOTHO_SIM_THREADS_H_
