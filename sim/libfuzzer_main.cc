// The entry point for coverage-guided fuzzing engines: libFuzzer, AFL++ and
// others.
//
// Linked into a test program instead of testing_main, this makes each
// CLOTHO_TEST in it a fuzz target: the engine's inputs are its schedules
// (strategies/bytes.h). The engine provides the main function. See
// docs/fuzzing.md.

#include <cstddef>
#include <cstdint>
#include <string>

#include "clotho/sim/gtest/fuzz_target.h"

extern "C" {

int LLVMFuzzerInitialize(int* argc, char*** argv) {
  clotho::sim::internal::StartFuzzTarget(*argc, *argv);
  return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  clotho::sim::internal::RunFuzzInput(std::string(data, data + size));
  return 0;
}

}  // extern "C"
