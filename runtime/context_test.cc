#include "clotho/runtime/context.h"

#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Thrown;

static_assert(!std::is_copy_constructible_v<ContextVar<int>>);
static_assert(std::is_copy_constructible_v<Context>);

const ContextVar<int> number("number", 7);
const ContextVar<std::string> text("text");

TEST(ContextTest, AVariableHasItsDefaultOrNothing) {
  EXPECT_EQ(number.name(), "number");
  EXPECT_EQ(number.Get(), 7);
  EXPECT_EQ(Thrown([] { text.Get(); }),
            "LookupError: context variable \"text\" is not set");
}

TEST(ContextTest, WhatIsSetInAContextStaysInIt) {
  Context context;
  context.Run([] {
    number.Set(1);
    text.Set("a");
    number.Set(2);
    EXPECT_EQ(number.Get(), 2);
    EXPECT_EQ(text.Get(), "a");
  });
  EXPECT_EQ(number.Get(), 7);
  EXPECT_EQ(context.Run([] { return number.Get(); }), 2);
}

TEST(ContextTest, ACopyOfTheObjectIsTheSameContext) {
  Context context;
  Context same = context;
  same.Run([] { number.Set(3); });
  EXPECT_EQ(context.Run([] { return number.Get(); }), 3);
  EXPECT_TRUE(context == same);
  EXPECT_FALSE(context == Context());
}

TEST(ContextTest, CopyContextMakesAnother) {
  Context context;
  context.Run([] {
    number.Set(1);
    Context copy = CopyContext();
    number.Set(2);
    copy.Run([] {
      EXPECT_EQ(number.Get(), 1);
      number.Set(3);
    });
    EXPECT_EQ(number.Get(), 2);
  });
}

TEST(ContextTest, ATokenPutsBackWhatWasThere) {
  Context context;
  context.Run([] {
    auto first = number.Set(1);
    text.Set("a");
    auto second = number.Set(2);
    number.Reset(second);
    EXPECT_EQ(number.Get(), 1);
    number.Reset(first);
    EXPECT_EQ(number.Get(), 7);
    EXPECT_EQ(text.Get(), "a");
    EXPECT_EQ(Thrown([&] { number.Reset(first); }),
              "RuntimeError: the token has already been used once");
  });
}

TEST(ContextTest, ATokenIsOfOneVariableAndOneContext) {
  const ContextVar<int> other("other", 0);
  Context context;
  std::optional<ContextVar<int>::Token> token;
  context.Run([&] {
    token = number.Set(1);
    EXPECT_EQ(Thrown([&] { other.Reset(*token); }),
              "ValueError: the token was made by another variable");
  });
  EXPECT_EQ(Thrown([&] { number.Reset(*token); }),
            "ValueError: the token was made in another context");
  context.Run([&] { number.Reset(*token); });
  EXPECT_EQ(context.Run([] { return number.Get(); }), 7);
}

TEST(ContextTest, CannotBeEnteredTwiceAtOnce) {  // CX-05.
  Context context;
  Context other;
  const std::string refused =
      "RuntimeError: cannot enter a context that is entered already: run in a "
      "copy";
  context.Run([&] {
    EXPECT_EQ(Thrown([&] { context.Run([] {}); }), refused);
    other.Run([&] { EXPECT_EQ(Thrown([&] { context.Run([] {}); }), refused); });
  });
  EXPECT_EQ(Thrown([&] { context.Run([] {}); }), "nothing");
}

TEST(ContextTest, AnExceptionLeavesTheContext) {
  Context context;
  EXPECT_THROW(context.Run([] {
    number.Set(1);
    throw ValueError("x");
  }),
               ValueError);
  EXPECT_EQ(number.Get(), 7);
}

TEST(ContextTest, GivesItsMemoryBack) {
  const auto before = internal::thread_frame_pool.live();
  {
    Context context;
    context.Run([] {
      for (int i = 0; i < 100; ++i) {
        number.Set(i);
        text.Set("a");
      }
      Context copy = CopyContext();
    });
  }
  EXPECT_EQ(internal::thread_frame_pool.live(), before);
}

TEST(ContextTest, OutsideOfAllContextsIsOneOfTheThread) {
  auto token = number.Set(1);
  EXPECT_EQ(number.Get(), 1);
  Context copy = CopyContext();
  number.Reset(token);
  EXPECT_EQ(number.Get(), 7);
  EXPECT_EQ(copy.Run([] { return number.Get(); }), 1);
}

}  // namespace
}  // namespace clotho
