// The programs that print_programs.cc prints, and that printed_programs_test.cc
// compares with their interpretation.

#ifndef CLOTHO_PROPERTIES_RUNTIME_PRINTED_PROGRAMS_H_
#define CLOTHO_PROPERTIES_RUNTIME_PRINTED_PROGRAMS_H_

#include <cstdint>

#include "clotho/properties/runtime/programs.h"
#include "rapidcheck.h"

namespace clotho {
template <typename T>
class Coro;
}  // namespace clotho

namespace clotho::properties {

// In files of equal length, which are compiled separately. The BUILD file
// repeats the number of files.
inline constexpr int kPrintedFiles = 4;
inline constexpr int kPrintedInFile = 50;

// Small and large ones in each file.
inline Program PrintedProgram(int seed) {
  return RandomProgram(rc::Random(static_cast<std::uint64_t>(seed)),
                       2 + seed % 16);
}

// Runs one of the printed programs in a file. Defined in that file.
template <int kFile>
Coro<void> RunPrinted(int seed);

}  // namespace clotho::properties

#endif  // CLOTHO_PROPERTIES_RUNTIME_PRINTED_PROGRAMS_H_
