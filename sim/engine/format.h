// How reports write places, times and long lines.

#ifndef CLOTHO_SIM_ENGINE_FORMAT_H_
#define CLOTHO_SIM_ENGINE_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "clotho/runtime/delay.h"
#include "clotho/runtime/internal/source_place.h"

namespace clotho::sim::internal {

using clotho::internal::FunctionName;
using clotho::internal::Place;
using clotho::internal::ShortFile;

// Breaks lines longer than `width` at spaces, where there are any, and indents
// the continuation lines.
std::string Wrap(std::string_view text, std::size_t width, std::size_t indent);

inline std::string TimeText(std::int64_t ns) {
  return Delay::Nanoseconds(ns).ToString();
}

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_ENGINE_FORMAT_H_
