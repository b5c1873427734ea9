// Runs a CLOTHO_TEST when GoogleTest comes to it.

#ifndef CLOTHO_SIM_GTEST_TEST_RUN_H_
#define CLOTHO_SIM_GTEST_TEST_RUN_H_

#include <exception>
#include <functional>
#include <string_view>

#include "absl/status/statusor.h"
#include "clotho/runtime/coro.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/search.h"

namespace clotho::sim::internal {

// A test whose executions can be searched.
struct Searched {
  // As the functions of explore.h. `search` is what the test asks for, changed
  // by the flags.
  std::function<absl::StatusOr<Report>(const Search& search,
                                       std::string_view name)>
      run;
  std::function<absl::StatusOr<Report>(
      const Search& search, std::string_view name, std::string_view replay)>
      replay;
  // Whether its search can be a campaign: see search/campaign.h. If not, it
  // runs as a whole, in one shard.
  bool has_campaigns = false;
  // What EXPECT_* reports in any thread belongs to the execution: see
  // sim/threads/. Otherwise only what the searching thread reports.
  bool has_threads = false;
};

// Runs the test that GoogleTest is at, and tells GoogleTest what was found. The
// test's body is at `file` and `line`.
void RunTest(const Searched& test, const Search& search, const char* file,
             int line);
void RunTest(Coro<void> (*body)(), const Search& search, const char* file,
             int line);
// Of a test of threads.
void RunThreadsTest(const Body& body, const Search& search, const char* file,
                    int line);

// Remembers that the test "suite.name" is searched: each shard of a campaign
// runs a part of it. All other tests run in shard 0. Returns true.
bool RegisterSearched(const char* suite, const char* name);

// The body of a test with a fixture. `Execution` is derived from the fixture,
// and made anew for each execution.
template <typename Execution>
Coro<void> RunFixture() {
  Execution execution;
  execution.SetUp();
  std::exception_ptr error;
  try {
    co_await execution.Body();
  } catch (...) {
    error = std::current_exception();
  }
  execution.TearDown();
  if (error != nullptr) std::rethrow_exception(error);
}

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_GTEST_TEST_RUN_H_
