// The main function of a test program.

#ifndef CLOTHO_SIM_GTEST_RUN_ALL_TESTS_H_
#define CLOTHO_SIM_GTEST_RUN_ALL_TESTS_H_

namespace clotho::sim {

// Runs all tests of the program, as its flags and variables say. Returns the
// exit code; see --help for what it means. For a main function of your own;
// otherwise link //sim:testing_main.
int RunAllTests(int argc, char** argv);

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_GTEST_RUN_ALL_TESTS_H_
