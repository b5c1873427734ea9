// Pause: the duration of a task in a property, as an input.
//
// A pause yields a number of times, then sleeps for a time. Both are small:
// only the order matters, and that some moments coincide.

#ifndef CLOTHO_PROPERTIES_RUNTIME_RANDOM_PAUSE_H_
#define CLOTHO_PROPERTIES_RUNTIME_RANDOM_PAUSE_H_

#include <cstddef>
#include <optional>
#include <ostream>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/sleep.h"
#include "rapidcheck.h"

namespace clotho::properties {

struct Pause {
  int yields = 0;
  int ms = 0;
};

inline std::ostream& operator<<(std::ostream& out, const Pause& pause) {
  return out << pause.yields << " yields, " << pause.ms << " ms";
}

inline rc::Gen<Pause> Pauses() {
  return rc::gen::build<Pause>(
      rc::gen::set(&Pause::yields, rc::gen::inRange(0, 3)),
      rc::gen::set(&Pause::ms, rc::gen::inRange(0, 4)));
}

inline Coro<void> Take(Pause pause) {
  for (int i = 0; i < pause.yields; ++i) {
    co_await Sleep(absl::ZeroDuration());
  }
  if (pause.ms > 0) co_await Sleep(absl::Milliseconds(pause.ms));
}

// Up to `count` values of `gen`.
template <typename T>
rc::Gen<std::vector<T>> UpTo(std::size_t count, const rc::Gen<T>& gen) {
  return rc::gen::mapcat(rc::gen::inRange<std::size_t>(0, count + 1),
                         [gen](std::size_t n) {
                           return rc::gen::container<std::vector<T>>(n, gen);
                         });
}

// A value of `gen`, or nullopt.
template <typename T>
rc::Gen<std::optional<T>> Maybe(const rc::Gen<T>& gen) {
  return rc::gen::oneOf(
      rc::gen::just(std::optional<T>()),
      rc::gen::map(gen, [](T value) { return std::optional<T>(value); }));
}

}  // namespace clotho::properties

#endif  // CLOTHO_PROPERTIES_RUNTIME_RANDOM_PAUSE_H_
