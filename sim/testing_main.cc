// The main function of programs that are tests.

#include "clotho/sim/testing.h"

int main(int argc, char** argv) { return clotho::sim::RunAllTests(argc, argv); }
