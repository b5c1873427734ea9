// The main function of a test program.

#include "clotho/sim/gtest/run_all_tests.h"

int main(int argc, char** argv) { return clotho::sim::RunAllTests(argc, argv); }
