// How reports write places and times.

#ifndef CLOTHO_SIM_INTERNAL_TEXT_H_
#define CLOTHO_SIM_INTERNAL_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>

#include "clotho/runtime/delay.h"

namespace clotho::sim::internal {

// A path as the workspace sees it: without what the build put in front of it.
std::string ShortFile(std::string_view path);

// "bank.cc:30".
std::string Place(std::string_view file, std::uint32_t line);
std::string Place(const std::source_location& location);

// "JobQueue::Take" of "Coro<Job> JobQueue::Take(int)"; the same on all
// compilers.
std::string FunctionName(std::string_view signature);

// Breaks lines that are longer than `width` at spaces, where they have any, and
// indents what follows.
std::string Wrap(std::string_view text, std::size_t width, std::size_t indent);

inline std::string TimeText(std::int64_t ns) {
  return Delay::Nanoseconds(ns).ToString();
}

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_INTERNAL_TEXT_H_
