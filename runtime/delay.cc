#include "clotho/runtime/delay.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/exceptions.h"

namespace clotho {

std::int64_t Delay::RoundNs(long double ns) {
  if (std::isnan(ns)) throw ValueError("Invalid delay: NaN (not a number)");
  // The limits are powers of two, and therefore exact.
  if (ns >= 0x1p63L) return std::numeric_limits<std::int64_t>::max();
  if (ns <= -0x1p63L) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(std::ceil(ns));
}

std::string Delay::ToString() const {
  const std::int64_t ns = ns_;
  static constexpr struct {
    std::int64_t ns;
    std::string_view name;
  } kUnits[] = {
      {1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "us"}, {1, "ns"}};
  if (ns == 0) return "0 s";
  const std::string sign = ns < 0 ? "-" : "";
  const std::uint64_t size = ns < 0 ? ~static_cast<std::uint64_t>(ns) + 1
                                    : static_cast<std::uint64_t>(ns);
  for (const auto& unit : kUnits) {
    const auto scale = static_cast<std::uint64_t>(unit.ns);
    if (size < scale) continue;
    std::string text = absl::StrCat(sign, size / scale);
    if (std::uint64_t rest = size % scale; rest != 0) {
      std::string digits = absl::StrCat(rest + scale).substr(1);
      digits.erase(digits.find_last_not_of('0') + 1);
      absl::StrAppend(&text, ".", digits);
    }
    return absl::StrCat(text, " ", std::string(unit.name));
  }
  return "0 s";
}

}  // namespace clotho
