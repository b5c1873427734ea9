// Prints random programs as a C++ file, which a test compiles:
//
//   print_programs FIRST COUNT > printed_programs_0.cc
//
// The file defines `RunPrintedFIRST`, which runs the program of a seed.

#include <cstdint>
#include <iostream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "clotho/properties/printed_programs.h"
#include "clotho/properties/programs.h"

int main(int argc, char** argv) {
  using namespace clotho::properties;  // NOLINT: a small program.
  int first = 0;
  int count = 0;
  if (argc != 3 || !absl::SimpleAtoi(argv[1], &first) ||
      !absl::SimpleAtoi(argv[2], &count)) {
    std::cerr << "usage: print_programs FIRST COUNT\n";
    return 2;
  }
  const ToCppOptions prologue = {.notes = true};
  std::cout << CppPrologue(prologue) << "\nnamespace {\n";
  for (int seed = first; seed < first + count; ++seed) {
    const ToCppOptions options = {.name = absl::StrCat("Program", seed),
                                  .notes = true};
    std::cout << "\n" << ToCpp(PrintedProgram(seed), options);
  }
  std::cout << "\ntemplate <typename P>\n"
               "Coro<void> RunOne() {\n"
               "  P program;\n"
               "  co_await program.Run();\n"
               "}\n"
               "\n}  // namespace\n\n"
            << "Coro<void> RunPrinted" << first << "(int seed);\n"
            << "Coro<void> RunPrinted" << first << "(int seed) {\n"
            << "  switch (seed) {\n";
  for (int seed = first; seed < first + count; ++seed) {
    std::cout << "    case " << seed << ":\n      return RunOne<Program" << seed
              << ">();\n";
  }
  std::cout << "  }\n  throw ValueError(\"no such program\");\n}\n";
  return 0;
}
