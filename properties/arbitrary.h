// rapidcheck generators for these types:
//
//   absl::Duration, Delay   never negative, usually a few milliseconds, so that
//                           deadlines coincide; sometimes microseconds or
//                           seconds
//   sim::Deviations         a schedule as a value:
//                           Explore(body, sim::ReplayFirst(
//                               FormatReplay({.schedule = schedule})))
//                           runs it, and skips what does not apply. One in four
//                           has FIFO ordering.
//   std::variant            one of its alternatives, with equal probability
//
// All of them shrink: durations to 0, and from seconds to milliseconds;
// schedules to fewer deviations; variants to their first alternatives.

#ifndef CLOTHO_PROPERTIES_ARBITRARY_H_
#define CLOTHO_PROPERTIES_ARBITRARY_H_

#include <cstddef>
#include <ostream>
#include <utility>
#include <variant>

#include "absl/time/time.h"
#include "clotho/runtime/delay.h"
#include "clotho/sim/engine/schedule.h"
#include "rapidcheck.h"

namespace clotho {

// For rapidcheck's output.
inline void showValue(Delay delay, std::ostream& out) {  // NOLINT: its name.
  out << delay.ToString();
}

namespace sim {
inline void showValue(const Deviation& deviation,  // NOLINT: its name.
                      std::ostream& out) {
  out << FormatDeviations({deviation});
}
}  // namespace sim

namespace properties::internal {

rc::Gen<absl::Duration> Durations();
rc::Gen<sim::Deviations> Schedules();

template <typename Variant, std::size_t... kIndex>
rc::Gen<Variant> Variants(std::index_sequence<kIndex...>) {
  // A number shrinks to 0, whatever it selects.
  return rc::gen::mapcat(
      rc::gen::resize(rc::kNominalSize,
                      rc::gen::inRange<std::size_t>(0, sizeof...(kIndex))),
      [](std::size_t chosen) {
        const rc::Gen<Variant> alternatives[] = {rc::gen::map(
            rc::gen::arbitrary<std::variant_alternative_t<kIndex, Variant>>(),
            [](std::variant_alternative_t<kIndex, Variant>&& value) {
              return Variant(std::in_place_index<kIndex>, std::move(value));
            })...};
        return alternatives[chosen];
      });
}

}  // namespace properties::internal
}  // namespace clotho

namespace rc {

template <>
struct Arbitrary<absl::Duration> {
  static Gen<absl::Duration> arbitrary() {
    return clotho::properties::internal::Durations();
  }
};

template <>
struct Arbitrary<clotho::Delay> {
  static Gen<clotho::Delay> arbitrary() {
    return gen::map(gen::arbitrary<absl::Duration>(),
                    [](absl::Duration delay) { return clotho::Delay(delay); });
  }
};

template <>
struct Arbitrary<clotho::sim::Deviations> {
  static Gen<clotho::sim::Deviations> arbitrary() {
    return clotho::properties::internal::Schedules();
  }
};

template <typename... T>
struct Arbitrary<std::variant<T...>> {
  static Gen<std::variant<T...>> arbitrary() {
    return clotho::properties::internal::Variants<std::variant<T...>>(
        std::index_sequence_for<T...>());
  }
};

}  // namespace rc

#endif  // CLOTHO_PROPERTIES_ARBITRARY_H_
