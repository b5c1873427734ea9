// A test program as a fuzz target: see libfuzzer_main.cc.

#ifndef CLOTHO_SIM_GTEST_FUZZ_TARGET_H_
#define CLOTHO_SIM_GTEST_FUZZ_TARGET_H_

#include <string>

namespace clotho::sim::internal {

// Reads the flags and variables as RunAllTests does, except for the engine's
// own flags, and finds the test. Ends the process if they are wrong, or if they
// ask for something other than fuzzing: a replay, the list of tests.
void StartFuzzTarget(int argc, char** argv);

// Runs the test once, in the schedule that these bytes are
// (strategies/bytes.h). If it fails, reports that and aborts.
void RunFuzzInput(std::string bytes);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_GTEST_FUZZ_TARGET_H_
