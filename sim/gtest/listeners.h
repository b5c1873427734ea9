// What a test program does between GoogleTest's tests.

#ifndef CLOTHO_SIM_GTEST_LISTENERS_H_
#define CLOTHO_SIM_GTEST_LISTENERS_H_

#include "clotho/sim/flags/flags.h"

namespace clotho::sim::internal {

// The tests after the one that is interrupted do not run.
void StopAfterInterrupt();

// Writes the last line of the event log when GoogleTest is done: for programs
// whose main function is not Clotho's.
void LogEndOfProgram();

// Ends the program before the first test, with exit code 2, if more than one
// test would be given the replay string.
void RefuseReplayOfManyTests();

// Tells GoogleTest which tests this shard runs. GoogleTest cuts the list of
// tests, or Clotho cuts the schedules of each test; never both.
void ShardTests(const Flags& flags);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_GTEST_LISTENERS_H_
