#include "clotho/sim/gtest/listeners.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <ios>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/stop_requests.h"
#include "clotho/sim/flags/flags.h"
#include "clotho/sim/gtest/test_program.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

void AppendListener(testing::TestEventListener* listener) {
  testing::UnitTest::GetInstance()->listeners().Append(listener);
}

// Where each shard runs a part of every search, a test that is not searched
// runs in one of them.
class SkipsPlainTests final : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo& info) override {
    if (!TestProgram::Get().IsSearched(info)) {
      GTEST_SKIP() << "it is not cut into shards: it runs in shard 0";
    }
  }
};

// Flags that are set while a test runs hold for that test only; so this acts
// after it.
class StopsAfterInterrupt final : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo&) override {
    if (Interrupted()) GTEST_FLAG_SET(fail_fast, true);
  }
};

class RefusesReplayOfManyTests final : public testing::EmptyTestEventListener {
  void OnTestIterationStart(const testing::UnitTest& tests, int) override {
    std::vector<std::string> names;
    for (int i = 0; i < tests.total_test_suite_count(); ++i) {
      const testing::TestSuite& suite = *tests.GetTestSuite(i);
      for (int j = 0; j < suite.total_test_count(); ++j) {
        const testing::TestInfo& info = *suite.GetTestInfo(j);
        if (info.should_run() && TestProgram::Get().IsSearched(info)) {
          names.push_back(FullName(info));
        }
      }
    }
    if (names.size() < 2) return;
    std::fprintf(stderr,
                 "a replay string is for one test, and %d would run: name the "
                 "test with --gtest_filter, such as --gtest_filter=%s\n",
                 static_cast<int>(names.size()), names.front().c_str());
    std::exit(kUsage);
  }
};

class LogsEndOfProgram final : public testing::EmptyTestEventListener {
  void OnTestProgramEnd(const testing::UnitTest& tests) override {
    TestProgram::Get().LogEvent(absl::StrCat(
        "{\"event\": \"end\", \"code\": ", tests.Passed() ? 0 : 1, "}"));
  }
};

void Touch(const char* variable) {
  if (const char* const file = std::getenv(variable)) {
    std::ofstream(file, std::ios::app).flush();
  }
}

}  // namespace

void StopAfterInterrupt() { AppendListener(new StopsAfterInterrupt); }

void RefuseReplayOfManyTests() { AppendListener(new RefusesReplayOfManyTests); }

void LogEndOfProgram() { AppendListener(new LogsEndOfProgram); }

void ShardTests(const Flags& flags) {
  if (!flags.shard_by_schedules) {
    if (flags.shard.count == 1) return;
    setenv("GTEST_SHARD_INDEX", absl::StrCat(flags.shard.index).c_str(), 1);
    setenv("GTEST_TOTAL_SHARDS", absl::StrCat(flags.shard.count).c_str(), 1);
    return;
  }
  // Bazel checks that the program knows of shards.
  Touch("TEST_SHARD_STATUS_FILE");
  Touch("GTEST_SHARD_STATUS_FILE");
  for (const char* name :
       {"TEST_SHARD_INDEX", "TEST_TOTAL_SHARDS", "TEST_SHARD_STATUS_FILE",
        "GTEST_SHARD_INDEX", "GTEST_TOTAL_SHARDS", "GTEST_SHARD_STATUS_FILE"}) {
    unsetenv(name);
  }
  if (flags.shard.index != 0 || flags.shard.block != 0) {
    AppendListener(new SkipsPlainTests);
  }
}

}  // namespace clotho::sim::internal
