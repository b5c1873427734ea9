// An interpreter for the conformance language, on top of the runtime.
//
//   conformance [--iterations] < PROGRAMS
//
// Reads programs from standard input, one JSON object per line, and writes
// their traces to standard output (SPEC.md). compare.py compares them with
// CPython's.

#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

#include "clotho/tools/conformance/machine.h"
#include "clotho/tools/conformance/program.h"

int main(int argc, char** argv) {
  bool shows_iterations = false;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) != "--iterations") {
      std::fprintf(stderr, "usage: %s [--iterations] < PROGRAMS\n", argv[0]);
      return 2;
    }
    shows_iterations = true;
  }
  std::ios::sync_with_stdio(false);
  std::string line;
  for (int number = 1; std::getline(std::cin, line); ++number) {
    if (line.empty()) continue;
    try {
      const clotho::conformance::Program program =
          clotho::conformance::ParseProgram(line);
      clotho::conformance::Machine machine(program, shows_iterations);
      const std::string trace = machine.Run();
      std::printf("begin %s\n%sdone %s\n", program.id.c_str(), trace.c_str(),
                  program.id.c_str());
      std::fflush(stdout);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "line %d: %s\n", number, error.what());
      return 2;
    }
  }
  return 0;
}
