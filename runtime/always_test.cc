#include "clotho/runtime/always.h"

#include <source_location>
#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(AlwaysTest, ATrueClaimIsNothing) {
  testing::internal::CaptureStderr();
  Always(true, "never seen");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), IsEmpty());
}

TEST(AlwaysTest, AFalseClaimIsALineOnStandardError) {
  testing::internal::CaptureStderr();
  Always(false, "a woken worker finds a job");
  EXPECT_THAT(
      testing::internal::GetCapturedStderr(),
      testing::AllOf(
          HasSubstr("clotho: Always \"a woken worker finds a job\" is false"),
          HasSubstr("always_test.cc:")));
}

TEST(AlwaysTest, AHandlerOfTheThreadIsToldInstead) {
  class Handler final : public internal::ClaimHandler {
   public:
    void AlwaysIsFalse(std::string_view claim,
                       const std::source_location&) override {
      claim_ = claim;
    }
    std::string claim_;
  } handler;
  internal::claim_handler = &handler;
  Always(false, "x");
  internal::claim_handler = nullptr;
  EXPECT_EQ(handler.claim_, "x");
}

}  // namespace
}  // namespace clotho
