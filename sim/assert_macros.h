// CLOTHO_ASSERT_* and CLOTHO_SKIP: what ASSERT_* and GTEST_SKIP are to plain
// functions, for coroutines.
//
//   Coro<int> FirstOf(Queue<int>& queue) {
//     const int first = co_await queue.Get();
//     CLOTHO_ASSERT_GT(first, 0) << "the queue is broken";
//     co_return first;
//   }
//
// GoogleTest's own macros return from the function, which does not compile in a
// coroutine. These throw instead. They work in coroutines of any type, and in
// functions that those call; inside a CLOTHO_TEST they end the whole execution,
// not just the task that they are in. EXPECT_* need no replacement.

#ifndef CLOTHO_SIM_ASSERT_MACROS_H_
#define CLOTHO_SIM_ASSERT_MACROS_H_

#include <string_view>

#include "clotho/sim/gtest/gtest_internals.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {

// Reports the message that is assigned to it as a failure, and throws.
class AssertionThrower {
 public:
  AssertionThrower(const char* file, int line, const char* summary)
      : file_(file), line_(line), summary_(summary) {}
  [[noreturn]] void operator=(const testing::Message& message) const;

 private:
  const char* file_;
  int line_;
  const char* summary_;
};

[[noreturn]] void SkipTest(const char* file, int line,
                           std::string_view message);

}  // namespace clotho::sim::internal

#define CLOTHO_THROW_FAILURE_(summary)                                     \
  ::clotho::sim::internal::AssertionThrower(__FILE__, __LINE__, summary) = \
      ::testing::Message()

#define CLOTHO_ASSERT_TRUE(condition)                       \
  CLOTHO_GTEST_BOOLEAN_(condition, #condition, false, true, \
                        CLOTHO_THROW_FAILURE_)
#define CLOTHO_ASSERT_FALSE(condition)                         \
  CLOTHO_GTEST_BOOLEAN_(!(condition), #condition, true, false, \
                        CLOTHO_THROW_FAILURE_)

#define CLOTHO_ASSERT_EQ(a, b) \
  CLOTHO_GTEST_EQ_(#a, #b, a, b, CLOTHO_THROW_FAILURE_)
#define CLOTHO_ASSERT_NE(a, b) \
  CLOTHO_GTEST_COMPARE_(NE, #a, #b, a, b, CLOTHO_THROW_FAILURE_)
#define CLOTHO_ASSERT_LT(a, b) \
  CLOTHO_GTEST_COMPARE_(LT, #a, #b, a, b, CLOTHO_THROW_FAILURE_)
#define CLOTHO_ASSERT_LE(a, b) \
  CLOTHO_GTEST_COMPARE_(LE, #a, #b, a, b, CLOTHO_THROW_FAILURE_)
#define CLOTHO_ASSERT_GT(a, b) \
  CLOTHO_GTEST_COMPARE_(GT, #a, #b, a, b, CLOTHO_THROW_FAILURE_)
#define CLOTHO_ASSERT_GE(a, b) \
  CLOTHO_GTEST_COMPARE_(GE, #a, #b, a, b, CLOTHO_THROW_FAILURE_)
#define CLOTHO_ASSERT_STREQ(a, b) \
  CLOTHO_GTEST_COMPARE_(STREQ, #a, #b, a, b, CLOTHO_THROW_FAILURE_)
#define CLOTHO_ASSERT_NEAR(a, b, error) \
  CLOTHO_GTEST_NEAR_(#a, #b, #error, a, b, error, CLOTHO_THROW_FAILURE_)
// Matchers come from gmock/gmock.h, which the file has to include.
#define CLOTHO_ASSERT_THAT(value, matcher) \
  CLOTHO_GTEST_THAT_(#value, value, matcher, CLOTHO_THROW_FAILURE_)

// Always fails.
#define CLOTHO_FAIL() CLOTHO_THROW_FAILURE_("Failed")

// Skips the test: ends the present execution and the search, whatever task this
// is called from. GoogleTest reports the test as skipped. Outside of an
// execution it throws RuntimeError: use GTEST_SKIP() there.
//
//   if (!co_await server.SupportsRanges()) CLOTHO_SKIP("needs range requests");
#define CLOTHO_SKIP(message) \
  ::clotho::sim::internal::SkipTest(__FILE__, __LINE__, message)

#endif  // CLOTHO_SIM_ASSERT_MACROS_H_
