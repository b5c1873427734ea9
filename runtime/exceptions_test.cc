#include "clotho/runtime/exceptions.h"

#include <exception>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Classify;
using internal::ExceptionFamily;
using internal::WithoutNamespaces;

// A handler for errors must not swallow these.
static_assert(!std::is_base_of_v<std::exception, CancelledError>);
static_assert(!std::is_base_of_v<std::exception, KeyboardInterrupt>);
static_assert(!std::is_base_of_v<std::exception, SystemExit>);
static_assert(std::is_base_of_v<BaseException, CancelledError>);
static_assert(std::is_base_of_v<CriticalException, SystemExit>);
static_assert(!std::is_base_of_v<CriticalException, CancelledError>);
static_assert(std::is_base_of_v<std::exception, TimeoutError>);
static_assert(std::is_base_of_v<RuntimeError, DeadlockError>);

template <typename E>
std::string Describe(E exception) {
  return DescribeException(std::make_exception_ptr(exception));
}

TEST(ExceptionsTest, AreDescribedByClassAndText) {
  EXPECT_EQ(Describe(TimeoutError("after 2 s")), "TimeoutError: after 2 s");
  EXPECT_EQ(Describe(TimeoutError()), "TimeoutError");
  EXPECT_EQ(Describe(CancelledError()), "CancelledError");
  EXPECT_EQ(Describe(CancelledError("m")), "CancelledError: m");
  EXPECT_EQ(Describe(KeyboardInterrupt()), "KeyboardInterrupt");
  EXPECT_EQ(Describe(SystemExit(2)), "SystemExit");
  EXPECT_EQ(Describe(std::runtime_error("x")), "runtime_error: x");
  EXPECT_EQ(Describe(5), "int: 5");
  EXPECT_EQ(Describe("text"), "const char*: text");
  EXPECT_EQ(Describe<const char*>(nullptr), "const char*: null");
  EXPECT_EQ(Describe(std::string("text")), "string: text");
  EXPECT_EQ(Describe(5.0), "double");
  EXPECT_EQ(DescribeException(nullptr), "no exception");
}

TEST(ExceptionsTest, TheClassStandsAlone) {
  EXPECT_EQ(ExceptionClass(std::make_exception_ptr(ValueError("x"))),
            "ValueError");
  struct Local : ValueError {
    Local() : ValueError("x") {}
  };
  EXPECT_EQ(ExceptionClass(std::make_exception_ptr(Local())), "Local");
}

TEST(ExceptionsTest, NamesLoseTheirNamespacesAndNothingElse) {
  EXPECT_EQ(WithoutNamespaces("Name"), "Name");
  EXPECT_EQ(WithoutNamespaces("a::b::Name"), "Name");
  EXPECT_EQ(WithoutNamespaces("a::(anonymous namespace)::Name"), "Name");
  EXPECT_EQ(WithoutNamespaces("a::Name<b::Other>"), "Name<b::Other>");
  EXPECT_EQ(WithoutNamespaces(""), "");
}

TEST(ExceptionsTest, TheLoopTellsThreeFamiliesApart) {
  const auto classify = [](auto e) {
    return Classify(std::make_exception_ptr(e));
  };
  EXPECT_EQ(classify(CancelledError()), ExceptionFamily::kCancelled);
  EXPECT_EQ(classify(KeyboardInterrupt()), ExceptionFamily::kCritical);
  EXPECT_EQ(classify(SystemExit(0)), ExceptionFamily::kCritical);
  EXPECT_EQ(classify(ValueError()), ExceptionFamily::kError);
  EXPECT_EQ(classify(std::runtime_error("x")), ExceptionFamily::kError);
  EXPECT_EQ(classify(5), ExceptionFamily::kError);
}

TEST(ExceptionsTest, AHandlerOfErrorsLetsACancellationPass) {
  bool swallowed = false;
  try {
    try {
      throw CancelledError("m");
    } catch (const std::exception&) {
      swallowed = true;
    }
  } catch (const CancelledError& e) {
    EXPECT_EQ(e.message(), "m");
  }
  EXPECT_FALSE(swallowed);
}

TEST(ExceptionsTest, AGroupIsAnErrorIfAllItsMembersAre) {  // TG-05.
  const auto error = std::make_exception_ptr(ValueError("x"));
  const auto exit = std::make_exception_ptr(GeneratorExit());
  const std::exception_ptr errors = MakeExceptionGroup("several", {error});
  EXPECT_EQ(DescribeException(errors),
            "ExceptionGroup: several (1 sub-exception)");
  const std::exception_ptr mixed = MakeExceptionGroup("mixed", {error, exit});
  EXPECT_EQ(DescribeException(mixed),
            "BaseExceptionGroup: mixed (2 sub-exceptions)");
  try {
    std::rethrow_exception(errors);
  } catch (const BaseExceptionGroup& group) {
    EXPECT_EQ(group.message(), "several");
    EXPECT_EQ(group.exceptions().size(), 1u);
  }
  EXPECT_THROW(std::rethrow_exception(errors), std::exception);
  EXPECT_THROW(MakeExceptionGroup("none", {}), ValueError);
}

}  // namespace
}  // namespace clotho
