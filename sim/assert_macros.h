// CLOTHO_ASSERT_*: GoogleTest's assertions, for coroutines.
//
//   Coro<int> FirstOf(Queue<int>& queue) {
//     const int first = co_await queue.Get();
//     CLOTHO_ASSERT_GT(first, 0) << "the queue is broken";
//     co_return first;
//   }
//
// GoogleTest's own ASSERT_* return from the function, which does not compile in
// a coroutine. These report the same failure, and throw: it works in a
// coroutine of any type, and leaves all that await it, as AssertionError does
// in Python. EXPECT_* can be used as they are.

#ifndef CLOTHO_SIM_ASSERT_MACROS_H_
#define CLOTHO_SIM_ASSERT_MACROS_H_

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {

// Reports what is assigned to it as a failure of a test, and throws.
class AssertionThrower {
 public:
  AssertionThrower(const char* file, int line, const char* message)
      : file_(file), line_(line), message_(message) {}
  [[noreturn]] void operator=(const testing::Message& message) const;

 private:
  const char* file_;
  int line_;
  const char* message_;
};

}  // namespace clotho::sim::internal

#define CLOTHO_THROW_FAILURE_(message)                                     \
  ::clotho::sim::internal::AssertionThrower(__FILE__, __LINE__, message) = \
      ::testing::Message()

#define CLOTHO_ASSERT_TRUE(condition) \
  GTEST_TEST_BOOLEAN_(condition, #condition, false, true, CLOTHO_THROW_FAILURE_)
#define CLOTHO_ASSERT_FALSE(condition)                       \
  GTEST_TEST_BOOLEAN_(!(condition), #condition, true, false, \
                      CLOTHO_THROW_FAILURE_)

#define CLOTHO_ASSERT_EQ(a, b)                                        \
  GTEST_ASSERT_(::testing::internal::EqHelper::Compare(#a, #b, a, b), \
                CLOTHO_THROW_FAILURE_)
#define CLOTHO_ASSERT_NE(a, b)                                  \
  GTEST_ASSERT_(::testing::internal::CmpHelperNE(#a, #b, a, b), \
                CLOTHO_THROW_FAILURE_)
#define CLOTHO_ASSERT_LT(a, b)                                  \
  GTEST_ASSERT_(::testing::internal::CmpHelperLT(#a, #b, a, b), \
                CLOTHO_THROW_FAILURE_)
#define CLOTHO_ASSERT_LE(a, b)                                  \
  GTEST_ASSERT_(::testing::internal::CmpHelperLE(#a, #b, a, b), \
                CLOTHO_THROW_FAILURE_)
#define CLOTHO_ASSERT_GT(a, b)                                  \
  GTEST_ASSERT_(::testing::internal::CmpHelperGT(#a, #b, a, b), \
                CLOTHO_THROW_FAILURE_)
#define CLOTHO_ASSERT_GE(a, b)                                  \
  GTEST_ASSERT_(::testing::internal::CmpHelperGE(#a, #b, a, b), \
                CLOTHO_THROW_FAILURE_)
#define CLOTHO_ASSERT_STREQ(a, b)                                  \
  GTEST_ASSERT_(::testing::internal::CmpHelperSTREQ(#a, #b, a, b), \
                CLOTHO_THROW_FAILURE_)
#define CLOTHO_ASSERT_NEAR(a, b, error)                                       \
  GTEST_ASSERT_(                                                              \
      ::testing::internal::DoubleNearPredFormat(#a, #b, #error, a, b, error), \
      CLOTHO_THROW_FAILURE_)
#define CLOTHO_ASSERT_THAT(value, matcher)                              \
  GTEST_ASSERT_(::testing::internal::MakePredicateFormatterFromMatcher( \
                    matcher)(#value, value),                            \
                CLOTHO_THROW_FAILURE_)

// Fails in any case.
#define CLOTHO_FAIL() CLOTHO_THROW_FAILURE_("Failed")

#endif  // CLOTHO_SIM_ASSERT_MACROS_H_
