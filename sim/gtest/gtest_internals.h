// Everything that Clotho uses of GoogleTest beyond its public interface.
//
// A test whose body is a coroutine has to be registered by hand, and an
// assertion that throws needs the helpers behind ASSERT_*. GoogleTest promises
// neither. These names exist, and mean the same, from 1.10 to 1.17; the public
// GTEST_FLAG_SET, which Clotho uses as well, exists since 1.12. Clotho is
// tested with 1.12.
//
// GoogleTest does not say which version it is. The names that are macros are
// therefore checked one by one, below; a class or function that has gone is a
// compile error in this file. If you get one, adapt this file: nothing else
// depends on those names.

#ifndef CLOTHO_SIM_GTEST_GTEST_INTERNALS_H_
#define CLOTHO_SIM_GTEST_GTEST_INTERNALS_H_

#include <type_traits>

#include "gtest/gtest.h"

#if !defined(GTEST_FLAG_GET) || !defined(GTEST_FLAG_SET)
#error "Clotho needs GoogleTest 1.12 or later: update @com_google_googletest."
#endif

#if !defined(GTEST_TEST_) || !defined(GTEST_TEST_BOOLEAN_) ||  \
    !defined(GTEST_ASSERT_) || !defined(GTEST_TYPE_PARAMS_) || \
    !defined(GTEST_NAME_GENERATOR_)
#error \
    "This GoogleTest has other internals than 1.12 to 1.17: use one of those, or adapt sim/gtest/gtest_internals.h."
#endif

namespace clotho::sim::internal {

#define CLOTHO_GTEST_ADVICE_                                                  \
  "this GoogleTest has other internals than 1.12 to 1.17: use one of those, " \
  "or adapt sim/gtest/gtest_internals.h"
static_assert(
    std::is_constructible_v<testing::internal::CodeLocation, const char*, int>,
    CLOTHO_GTEST_ADVICE_);
static_assert(std::is_constructible_v<testing::internal::AssertHelper,
                                      testing::TestPartResult::Type,
                                      const char*, int, const char*>,
              CLOTHO_GTEST_ADVICE_);
static_assert(std::is_assignable_v<const testing::internal::AssertHelper&,
                                   const testing::Message&>,
              CLOTHO_GTEST_ADVICE_);
static_assert(
    std::is_same_v<decltype(testing::internal::EqHelper::Compare("", "", 0, 0)),
                   testing::AssertionResult>,
    CLOTHO_GTEST_ADVICE_);
#undef CLOTHO_GTEST_ADVICE_

// Reports to GoogleTest what EXPECT_*, ASSERT_* and GTEST_SKIP would. `summary`
// comes before the message.
inline void ReportTestPart(testing::TestPartResult::Type type, const char* file,
                           int line, const char* summary,
                           const testing::Message& message) {
  testing::internal::AssertHelper(type, file, line, summary) = message;
}

// The fixture as GoogleTest sees it. Each execution makes a fixture of its own,
// with its SetUp and TearDown; so this one's do nothing.
template <typename Fixture>
class OuterFixture : public Fixture {
 protected:
  void SetUp() override {}
  void TearDown() override {}
};

}  // namespace clotho::sim::internal

// ---- Assertions. `fail` is a macro that takes a message; `a_text` is `#a`,
// which only the outermost macro can make. ----

#define CLOTHO_GTEST_BOOLEAN_(condition, text, actual, expected, fail) \
  GTEST_TEST_BOOLEAN_(condition, text, actual, expected, fail)

#define CLOTHO_GTEST_EQ_(a_text, b_text, a, b, fail)                          \
  GTEST_ASSERT_(::testing::internal::EqHelper::Compare(a_text, b_text, a, b), \
                fail)

// `relation` is NE, LT, LE, GT, GE or STREQ.
#define CLOTHO_GTEST_COMPARE_(relation, a_text, b_text, a, b, fail) \
  GTEST_ASSERT_(                                                    \
      ::testing::internal::CmpHelper##relation(a_text, b_text, a, b), fail)

#define CLOTHO_GTEST_NEAR_(a_text, b_text, error_text, a, b, error, fail) \
  GTEST_ASSERT_(::testing::internal::DoubleNearPredFormat(                \
                    a_text, b_text, error_text, a, b, error),             \
                fail)

#define CLOTHO_GTEST_THAT_(text, value, matcher, fail)                  \
  GTEST_ASSERT_(::testing::internal::MakePredicateFormatterFromMatcher( \
                    matcher)(text, value),                              \
                fail)

// ---- Registration. A block in braces follows: the body of the test. ----

// As TEST_F, but with an OuterFixture.
#define CLOTHO_GTEST_TEST_F_(suite, name)                                \
  GTEST_TEST_(suite, name, ::clotho::sim::internal::OuterFixture<suite>, \
              ::testing::internal::GetTypeId<suite>())

// As TEST_P, but with an OuterFixture.
#define CLOTHO_GTEST_TEST_P_(suite, name)                                      \
  class suite##_##name##_Test                                                  \
      : public ::clotho::sim::internal::OuterFixture<suite> {                  \
   public:                                                                     \
    void TestBody() override;                                                  \
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
  void suite##_##name##_Test::TestBody()

// As TYPED_TEST, but with an OuterFixture. The body may use TypeParam.
#define CLOTHO_GTEST_TYPED_TEST_(suite, name)                                  \
  template <typename ClothoTypeParam>                                          \
  class suite##_##name##_Test                                                  \
      : public ::clotho::sim::internal::OuterFixture<suite<ClothoTypeParam>> { \
    using TypeParam = ClothoTypeParam;                                         \
    void TestBody() override;                                                  \
  };                                                                           \
  [[maybe_unused]] static const bool suite##_##name##_is_registered =          \
      ::testing::internal::TypeParameterizedTest<                              \
          suite, ::testing::internal::TemplateSel<suite##_##name##_Test>,      \
          GTEST_TYPE_PARAMS_(suite)>::                                         \
          Register(                                                            \
              "", ::testing::internal::CodeLocation(__FILE__, __LINE__),       \
              #suite, #name, 0,                                                \
              ::testing::internal::GenerateNames<                              \
                  GTEST_NAME_GENERATOR_(suite), GTEST_TYPE_PARAMS_(suite)>()); \
  template <typename ClothoTypeParam>                                          \
  void suite##_##name##_Test<ClothoTypeParam>::TestBody()

#endif  // CLOTHO_SIM_GTEST_GTEST_INTERNALS_H_
