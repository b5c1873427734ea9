// How messages write places: files, lines, functions.

#ifndef CLOTHO_RUNTIME_INTERNAL_SOURCE_PLACE_H_
#define CLOTHO_RUNTIME_INTERNAL_SOURCE_PLACE_H_

#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>

namespace clotho::internal {

// A path as the workspace sees it: without what the build put in front of it.
std::string ShortFile(std::string_view path);

// "bank.cc:30".
std::string Place(std::string_view file, std::uint32_t line);
std::string Place(const std::source_location& location);

// "JobQueue::Take" of "Coro<Job> JobQueue::Take(int)"; the same on all
// compilers.
std::string FunctionName(std::string_view signature);

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_SOURCE_PLACE_H_
