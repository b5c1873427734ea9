// Tells functions of the program under test from those of libraries, in stacks
// of return addresses.

#ifndef CLOTHO_SIM_ENGINE_LIBRARY_FUNCTION_H_
#define CLOTHO_SIM_ENGINE_LIBRARY_FUNCTION_H_

#include <string_view>

namespace clotho::sim::internal {

// Whether a function with this demangled name belongs to the C or C++ library,
// to Abseil, to GoogleTest, or to the simulation itself.
bool IsLibraryFunction(std::string_view name);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_ENGINE_LIBRARY_FUNCTION_H_
