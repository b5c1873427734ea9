#include "clotho/runtime/claims.h"

#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
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
          HasSubstr("claims_test.cc:")));
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

Coro<void> Throw(std::exception_ptr error) {
  co_await Sleep(absl::ZeroDuration());
  std::rethrow_exception(std::move(error));
}

TEST(AlwaysTest, AHandlerIsToldHowTasksFail) {
  class Handler final : public internal::ClaimHandler {
   public:
    void ClaimIsFalse(std::string_view, std::string_view,
                      const std::source_location&) override {}
    void Goal(std::string_view, bool, const std::source_location&) override {}
    void TaskRaised(const std::exception_ptr& error) override {
      raised_.push_back(error);
    }
    std::vector<std::exception_ptr> raised_;
  } handler;
  const auto error = std::make_exception_ptr(ValueError("bad"));
  const auto number = std::make_exception_ptr(7);
  const auto main = [&]() -> Coro<void> {
    for (const std::exception_ptr& thrown : {error, number}) {
      Task<void> task = CreateTask(Throw(thrown));
      try {
        co_await task;
      } catch (...) {
      }
    }
    Task<void> cancelled = CreateTask(Sleep(absl::Seconds(1)));
    cancelled.Cancel();
    try {
      co_await cancelled;
    } catch (const CancelledError&) {
    }
  };
  internal::claim_handler = &handler;
  clotho::Run(main());
  internal::claim_handler = nullptr;
  EXPECT_THAT(handler.raised_, ElementsAre(error, number));
}

TEST(AlwaysTest, GoalsAreNothingInProduction) {
  testing::internal::CaptureStderr();
  Sometimes(false, "never seen");
  Reachable("never seen");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), IsEmpty());
}

}  // namespace
}  // namespace clotho
