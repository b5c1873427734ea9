#include "clotho/sim/gtest/fuzz_target.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clotho/sim/flags/flags.h"
#include "clotho/sim/gtest/test_program.h"
#include "clotho/sim/search/crash_handler.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

std::vector<std::string> TestNames() {
  std::vector<std::string> names;
  const testing::UnitTest& tests = *testing::UnitTest::GetInstance();
  for (int i = 0; i < tests.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *tests.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      names.push_back(FullName(*suite.GetTestInfo(j)));
    }
  }
  return names;
}

[[noreturn]] void ExitAsMisused(const std::string& program,
                                const std::string& why) {
  std::fprintf(stderr, "%s: %s\n", program.c_str(), why.c_str());
  std::exit(kUsage);
}

// Reads what is GoogleTest's and Clotho's; the rest belongs to the engine.
Flags ReadOwnFlags(int argc, char** argv) {
  std::vector<char*> own = {argv[0]};
  std::copy_if(argv + 1, argv + argc, std::back_inserter(own),
               [](std::string_view argument) {
                 return argument.substr(0, 9) == "--clotho_" ||
                        argument.substr(0, 8) == "--gtest_";
               });
  int count = static_cast<int>(own.size());
  own.push_back(nullptr);
  testing::InitGoogleTest(&count, own.data());
  if (GTEST_FLAG_GET(list_tests)) std::exit(RUN_ALL_TESTS());
  const absl::StatusOr<Flags> flags = ReadFlags(count, own.data());
  if (!flags.ok()) {
    ExitAsMisused(argv[0], std::string(flags.status().message()));
  }
  return *flags;
}

}  // namespace

void StartFuzzTarget(int argc, char** argv) {
  TestProgram& program = TestProgram::Get();
  program.SetName(argv[0]);
  const Flags flags = ReadOwnFlags(argc, argv);
  program.Start(flags);
  const std::vector<std::string> tests = TestNames();
  std::string test = flags.test;
  if (test.empty() && tests.size() == 1) test = tests[0];
  if (!flags.replay.empty()) {
    InstallCrashHandlers();
    if (!test.empty()) GTEST_FLAG_SET(filter, test);
    const int verdict = RUN_ALL_TESTS();
    std::exit(program.exit_code() != kPassed ? program.exit_code() : verdict);
  }
  if (std::find(tests.begin(), tests.end(), test) == tests.end()) {
    ExitAsMisused(
        argv[0],
        absl::StrCat(test.empty() ? "no test is named" : "unknown test \"",
                     test, test.empty() ? "" : "\"",
                     ": expected --clotho_test=NAME, or CLOTHO_TEST, with one "
                     "of\n  ",
                     absl::StrJoin(tests, "\n  ")));
  }
  GTEST_FLAG_SET(filter, test);
  testing::TestEventListeners& listeners =
      testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
  GTEST_FLAG_SET(output, "");  // It would be written for each input.
}

void RunFuzzInput(std::string bytes) {
  // Only now: the engine has installed its own handlers, which run after these.
  [[maybe_unused]] static const bool installed = [] {
    InstallCrashHandlers(/*of_sanitizers=*/false);
    return true;
  }();
  TestProgram& program = TestProgram::Get();
  program.set_fuzz_input(&bytes);
  const int verdict = RUN_ALL_TESTS();
  const bool was_run = program.fuzz_input_was_run();
  program.set_fuzz_input(nullptr);
  if (verdict == 0 && was_run) return;
  ExitAsMisused(GTEST_FLAG_GET(filter),
                verdict == 0
                    ? "cannot be fuzzed: it is no CLOTHO_TEST, or skips itself"
                    : "cannot be fuzzed: it fails outside of its executions");
}

}  // namespace clotho::sim::internal
