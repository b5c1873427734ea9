// The programs that print_programs.cc prints, and that printed_programs_test.cc
// compares with their interpretation.

#ifndef CLOTHO_PROPERTIES_PRINTED_PROGRAMS_H_
#define CLOTHO_PROPERTIES_PRINTED_PROGRAMS_H_

#include <cstdint>

#include "clotho/properties/programs.h"
#include "rapidcheck.h"

namespace clotho::properties {

inline constexpr int kPrintedPrograms = 320;
inline constexpr int kPrintedFiles = 4;

// Small ones first.
inline Program PrintedProgram(int seed) {
  return RandomProgram(rc::Random(static_cast<std::uint64_t>(seed)),
                       3 + seed % 20);
}

}  // namespace clotho::properties

#endif  // CLOTHO_PROPERTIES_PRINTED_PROGRAMS_H_
