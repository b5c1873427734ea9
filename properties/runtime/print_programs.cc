// Prints random programs as a C++ file, which printed_programs_test compiles:
//
//   print_programs 0 > printed_programs_0.cc
//
// The file defines RunPrinted<0> of printed_programs.h.

#include <iostream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "clotho/properties/runtime/printed_programs.h"
#include "clotho/properties/runtime/programs.h"

int main(int argc, char** argv) {
  using clotho::properties::kPrintedFiles;
  using clotho::properties::kPrintedInFile;
  int file = 0;
  if (argc != 2 || !absl::SimpleAtoi(argv[1], &file) || file < 0 ||
      file >= kPrintedFiles) {
    std::cerr << "usage: print_programs FILE, a number below " << kPrintedFiles
              << "\n";
    return 2;
  }
  const int first = file * kPrintedInFile;
  const int end = first + kPrintedInFile;
  clotho::properties::ToCppOptions options = {.notes = true};
  std::cout << clotho::properties::CppPrologue(options)
            << "\n#include \"clotho/properties/runtime/printed_programs.h\"\n"
               "\nnamespace {\n";
  for (int seed = first; seed < end; ++seed) {
    options.name = absl::StrCat("Program", seed);
    std::cout << "\n"
              << clotho::properties::ToCpp(
                     clotho::properties::PrintedProgram(seed), options);
  }
  std::cout << "\ntemplate <typename P>\n"
               "Coro<void> RunOne() {\n"
               "  P program;\n"
               "  co_await program.Run();\n"
               "}\n"
               "\n"
               "}  // namespace\n"
               "\n"
               "template <>\n"
               "Coro<void> clotho::properties::RunPrinted<"
            << file << ">(int seed) {\n  switch (seed) {\n";
  for (int seed = first; seed < end; ++seed) {
    std::cout << "    case " << seed << ":\n      return RunOne<Program" << seed
              << ">();\n";
  }
  std::cout << "  }\n"
               "  throw ValueError(\"it is not in this file\");\n"
               "}\n";
  return 0;
}
