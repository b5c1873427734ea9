#include "clotho/runtime/delay.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <string>
#include <type_traits>

#include "absl/time/time.h"
#include "clotho/runtime/exceptions.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

static_assert(std::is_convertible_v<absl::Duration, Delay>);
static_assert(std::is_convertible_v<std::chrono::milliseconds, Delay>);
static_assert(!std::is_convertible_v<int, Delay>);  // Of what unit?
static_assert(!std::is_convertible_v<double, Delay>);
static_assert(std::is_trivially_destructible_v<Delay>);

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

std::int64_t Ns(Delay delay) { return delay.ns(); }

TEST(DelayTest, IsAWholeNumberOfNanoseconds) {
  EXPECT_EQ(Ns(absl::Milliseconds(5)), 5'000'000);
  EXPECT_EQ(Ns(std::chrono::milliseconds(5)), 5'000'000);
  EXPECT_EQ(Ns(std::chrono::duration<double>(0.5)), 500'000'000);
  EXPECT_EQ(Ns(std::chrono::days(2)), 172'800'000'000'000);
  EXPECT_EQ(Delay::Nanoseconds(3).duration(), absl::Nanoseconds(3));
  EXPECT_EQ(Delay().ns(), 0);
}

TEST(DelayTest, WhatIsFinerIsRoundedUp) {
  EXPECT_EQ(Ns(absl::Nanoseconds(1) / 4), 1);
  EXPECT_EQ(Ns(absl::Nanoseconds(5) / 4), 2);
  EXPECT_EQ(Ns(-absl::Nanoseconds(1) / 4), 0);
  EXPECT_EQ(Ns(-absl::Nanoseconds(5) / 4), -1);
  using Picoseconds = std::chrono::duration<std::int64_t, std::pico>;
  EXPECT_EQ(Ns(Picoseconds(1001)), 2);
  EXPECT_EQ(Ns(Picoseconds(-1001)), -1);
  EXPECT_EQ(Ns(std::chrono::duration<double, std::nano>(0.25)), 1);
}

TEST(DelayTest, WhatDoesNotFitIsClipped) {
  EXPECT_EQ(Ns(absl::InfiniteDuration()), kMax);
  EXPECT_EQ(Ns(-absl::InfiniteDuration()), kMin);
  EXPECT_EQ(Ns(absl::Hours(24 * 365 * 300)), kMax);
  EXPECT_EQ(Ns(std::chrono::hours::max()), kMax);
  EXPECT_EQ(Ns(std::chrono::years(1000)), kMax);
  EXPECT_EQ(Ns(std::chrono::years(-1000)), kMin);
  EXPECT_EQ(Ns(std::chrono::duration<double>(1e300)), kMax);
  EXPECT_EQ(Ns(std::chrono::duration<double>(
                std::numeric_limits<double>::infinity())),
            kMax);
  EXPECT_EQ(Ns(std::chrono::duration<double>(-1e300)), kMin);
}

TEST(DelayTest, NotANumberIsRefused) {  // S-02.
  try {
    Ns(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN()));
    FAIL();
  } catch (const ValueError& e) {
    EXPECT_STREQ(e.what(), "Invalid delay: NaN (not a number)");
  }
}

TEST(DelayTest, SumsAreClipped) {
  EXPECT_EQ(internal::SaturatingAdd(1, 2), 3);
  EXPECT_EQ(internal::SaturatingAdd(kMax, 1), kMax);
  EXPECT_EQ(internal::SaturatingAdd(kMin, -1), kMin);
  EXPECT_EQ(internal::SaturatingAdd(kMax, kMin), -1);
}

TEST(DelayTest, IsWrittenExactly) {
  EXPECT_EQ(Delay().ToString(), "0 s");
  EXPECT_EQ(Delay(absl::Milliseconds(5)).ToString(), "5 ms");
  EXPECT_EQ(Delay(absl::Milliseconds(1500)).ToString(), "1.5 s");
  EXPECT_EQ(Delay(absl::Nanoseconds(1000000001)).ToString(), "1.000000001 s");
  EXPECT_EQ(Delay(absl::Nanoseconds(1050)).ToString(), "1.05 us");
  EXPECT_EQ(Delay(absl::Nanoseconds(-7)).ToString(), "-7 ns");
  EXPECT_EQ(Delay::Nanoseconds(kMin).ToString(), "-9223372036.854775808 s");
}

TEST(DelayTest, CanBeCompared) {
  EXPECT_LT(Delay(absl::Seconds(1)), Delay(absl::Seconds(2)));
  EXPECT_EQ(Delay(absl::Seconds(1)), Delay(std::chrono::seconds(1)));
}

}  // namespace
}  // namespace clotho
