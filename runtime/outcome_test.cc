#include "clotho/runtime/outcome.h"

#include <exception>
#include <memory>
#include <type_traits>

#include "clotho/runtime/exceptions.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

static_assert(
    std::is_same_v<decltype(std::declval<Outcome<int>&>().value()), int&>);
static_assert(std::is_void_v<decltype(std::declval<Outcome<void>&>().value())>);

TEST(OutcomeTest, IsAValueOrAnException) {
  Outcome<int> value(1);
  EXPECT_TRUE(value.ok());
  EXPECT_EQ(value.value(), 1);
  EXPECT_EQ(value.exception(), nullptr);

  Outcome<int> failure(std::make_exception_ptr(ValueError("x")));
  EXPECT_FALSE(failure.ok());
  EXPECT_THROW(failure.value(), ValueError);
  EXPECT_NE(failure.exception(), nullptr);
}

TEST(OutcomeTest, CanBeReadIfItIsConst) {
  static_assert(
      std::is_same_v<decltype(std::declval<const Outcome<int>&>().value()),
                     const int&>);
  static_assert(
      std::is_same_v<decltype(std::declval<const Outcome<int&>&>().value()),
                     int&>);
  static_assert(
      std::is_void_v<decltype(std::declval<const Outcome<void>&>().value())>);
  const Outcome<int> value(1);
  EXPECT_EQ(value.value(), 1);
  const Outcome<int> failure(std::make_exception_ptr(ValueError("x")));
  EXPECT_THROW(failure.value(), ValueError);
  const Outcome<void> nothing{std::monostate()};
  nothing.value();
}

TEST(OutcomeTest, KnowsACancelledErrorFromAFailure) {
  EXPECT_FALSE(Outcome<int>(1).cancelled());
  EXPECT_FALSE(
      Outcome<int>(std::make_exception_ptr(ValueError("x"))).cancelled());
  EXPECT_TRUE(
      Outcome<int>(std::make_exception_ptr(CancelledError())).cancelled());
}

TEST(OutcomeTest, MayBeNothingAReferenceOrWhatCannotBeCopied) {
  Outcome<void> nothing{std::monostate()};
  nothing.value();
  int variable = 1;
  Outcome<int&> reference{std::ref(variable)};
  EXPECT_EQ(&reference.value(), &variable);
  Outcome<std::unique_ptr<int>> owner(std::make_unique<int>(2));
  EXPECT_EQ(*owner.value(), 2);
}

}  // namespace
}  // namespace clotho
