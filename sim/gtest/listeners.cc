#include "clotho/sim/gtest/listeners.h"

#include <cstdlib>
#include <fstream>
#include <ios>

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
