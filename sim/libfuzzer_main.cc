// What a coverage-guided fuzzing engine calls: libFuzzer, AFL++ and others.
//
// Linked into a test program in the place of testing_main, this makes a fuzz
// target of each CLOTHO_TEST in it: the engine's inputs are its schedules
// (strategies/bytes.h). The engine has the main function. See docs/fuzzing.md.

#include <cstddef>
#include <cstdint>
#include <string>

#include "clotho/sim/testing.h"

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
