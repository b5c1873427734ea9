// CPython's tests of asyncio.staggered (test_staggered.py), ported to
// StaggeredRace. Each test has the name of the original method.

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/staggered_race.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Repr;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StaggeredTests : public internal::RuntimeTest {
 protected:
  using Function = std::function<Coro<std::string>()>;

  Coro<std::string> Succeed(int index) {
    co_return absl::StrCat("Res: ", index);
  }
  Coro<std::string> Fail(int index) {
    throw ValueError(absl::StrCat(index));
    co_return "";
  }

  StaggeredRaceResult<std::string> Race(std::vector<Function> functions,
                                        std::optional<Delay> delay) {
    return Run(StaggeredRace(std::move(functions), delay));
  }
  static std::vector<std::string> Exceptions(
      const StaggeredRaceResult<std::string>& result) {
    std::vector<std::string> names;
    for (const auto& e : result.exceptions) names.push_back(Repr(e));
    return names;
  }
};

TEST_F(StaggeredTests, Empty) {
  const auto result = Race({}, std::nullopt);
  EXPECT_EQ(result.winner_result, std::nullopt);
  EXPECT_EQ(result.winner_index, std::nullopt);
  EXPECT_THAT(result.exceptions, IsEmpty());
}

TEST_F(StaggeredTests, OneSuccessful) {
  const auto result = Race({[&] { return Succeed(0); },  //
                            [&] { return Succeed(1); }},
                           std::nullopt);
  EXPECT_EQ(result.winner_result, "Res: 0");
  EXPECT_EQ(result.winner_index, 0u);
  EXPECT_THAT(Exceptions(result), ElementsAre("None"));
}

TEST_F(StaggeredTests, FirstErrorSecondSuccessful) {
  const auto result = Race({[&] { return Fail(0); },  //
                            [&] { return Succeed(1); }},
                           std::nullopt);
  EXPECT_EQ(result.winner_result, "Res: 1");
  EXPECT_EQ(result.winner_index, 1u);
  EXPECT_THAT(Exceptions(result), ElementsAre("ValueError('0')", "None"));
}

TEST_F(StaggeredTests, FirstTimeoutSecondSuccessful) {
  const auto slow = []() -> Coro<std::string> {
    co_await Sleep(absl::Seconds(10));  // Far more than the delay.
    co_return "Res: 0";
  };
  const auto result =
      Race({slow, [&] { return Succeed(1); }}, absl::Milliseconds(100));
  EXPECT_EQ(result.winner_result, "Res: 1");
  EXPECT_EQ(result.winner_index, 1u);
  EXPECT_THAT(Exceptions(result), ElementsAre("CancelledError()", "None"));
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(100));
}

TEST_F(StaggeredTests, NoneSuccessful) {
  const auto result = Race({[&] { return Fail(0); },  //
                            [&] { return Fail(1); }},
                           std::nullopt);
  EXPECT_EQ(result.winner_result, std::nullopt);
  EXPECT_EQ(result.winner_index, std::nullopt);
  EXPECT_THAT(Exceptions(result),
              ElementsAre("ValueError('0')", "ValueError('1')"));
}

}  // namespace
}  // namespace clotho
