#include "clotho/runtime/always.h"

#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using ::testing::ElementsAre;
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
    void ClaimIsFalse(std::string_view word, std::string_view claim,
                      const std::source_location&) override {
      told_.push_back(std::string(word) + " " + std::string(claim));
    }
    void Goal(std::string_view goal, bool reached,
              const std::source_location&) override {
      told_.push_back(std::string(goal) + (reached ? " reached" : " missed"));
    }
    std::vector<std::string> told_;
  } handler;
  internal::claim_handler = &handler;
  Always(false, "x");
  Unreachable("y");
  Sometimes(false, "goal");
  Sometimes(true, "goal");
  Reachable("place");
  internal::claim_handler = nullptr;
  EXPECT_THAT(handler.told_,
              ElementsAre("Always x", "Unreachable y", "goal missed",
                          "goal reached", "place reached"));
}

TEST(AlwaysTest, GoalsAreNothingInProduction) {
  testing::internal::CaptureStderr();
  Sometimes(false, "never seen");
  Reachable("never seen");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), IsEmpty());
}

}  // namespace
}  // namespace clotho
