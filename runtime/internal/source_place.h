// Formats source places for messages: files, lines, functions.

#ifndef CLOTHO_RUNTIME_INTERNAL_SOURCE_PLACE_H_
#define CLOTHO_RUNTIME_INTERNAL_SOURCE_PLACE_H_

#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>

namespace clotho::internal {

// A path relative to the workspace, without build prefixes.
std::string ShortFile(std::string_view path);

// "bank.cc:30".
std::string Place(std::string_view file, std::uint32_t line);
std::string Place(const std::source_location& location);

// Returns "JobQueue::Take" for "Coro<Job> JobQueue::Take(int)"; the same with
// all compilers.
std::string FunctionName(std::string_view signature);

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_SOURCE_PLACE_H_
