// Delay: a time span, converted from Abseil or std::chrono.
//
//   co_await Sleep(absl::Milliseconds(5));
//   co_await Sleep(5ms);
//
// A Delay is a whole number of nanoseconds. Finer values are rounded up, so
// that nothing happens early. Values out of range are clamped, so an infinite
// delay is about 292 years. NaN throws ValueError (S-02). Points in time are
// Delays since the start of the loop's clock.

#ifndef CLOTHO_RUNTIME_DELAY_H_
#define CLOTHO_RUNTIME_DELAY_H_

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/time/time.h"

namespace clotho {

class Delay {
 public:
  constexpr Delay() = default;
  Delay(absl::Duration duration)  // NOLINT: converts, that is its purpose.
      : ns_(Round(duration)) {}
  template <typename Rep, typename Period>
  Delay(std::chrono::duration<Rep, Period> duration)  // NOLINT: as above.
      : ns_(Round(duration)) {}

  static constexpr Delay Nanoseconds(std::int64_t ns) {
    Delay delay;
    delay.ns_ = ns;
    return delay;
  }

  constexpr std::int64_t ns() const { return ns_; }
  absl::Duration duration() const { return absl::Nanoseconds(ns_); }

  // "5 ms", "1.5 s", "0 s": exact, in the largest unit that fits.
  std::string ToString() const;

  friend constexpr auto operator<=>(Delay, Delay) = default;

 private:
  static std::int64_t Round(absl::Duration duration) {
    if (duration == absl::ZeroDuration()) return 0;  // Without a call.
    const std::int64_t ns = absl::ToInt64Nanoseconds(duration);  // To zero.
    if (ns == std::numeric_limits<std::int64_t>::max()) return ns;
    return absl::Nanoseconds(ns) < duration ? ns + 1 : ns;
  }

  static std::int64_t RoundNs(long double ns);

  template <typename Rep, typename Period>
  static std::int64_t Round(std::chrono::duration<Rep, Period> duration) {
    if constexpr (requires { absl::FromChrono(duration); }) {
      return Round(absl::FromChrono(duration));
    } else {
      return RoundNs(
          std::chrono::duration<long double, std::nano>(duration).count());
    }
  }

  std::int64_t ns_ = 0;
};

namespace internal {

// a + b, clamped to the range of the type.
constexpr std::int64_t SaturatingAdd(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? std::numeric_limits<std::int64_t>::max()
               : std::numeric_limits<std::int64_t>::min();
}

}  // namespace internal
}  // namespace clotho

#endif  // CLOTHO_RUNTIME_DELAY_H_
