// What GoogleTest is told while executions of a test are searched.

#ifndef CLOTHO_SIM_GTEST_INTERCEPTOR_H_
#define CLOTHO_SIM_GTEST_INTERCEPTOR_H_

#include <vector>

#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {

// While it lives, what EXPECT_* and mocks report inside an execution is that
// execution's failure. GoogleTest hears only of the execution that is reported
// in the end.
class Interceptor final : public testing::ScopedFakeTestPartResultReporter {
 public:
  // `in_all_threads`: otherwise only what this thread reports.
  explicit Interceptor(bool in_all_threads)
      : ScopedFakeTestPartResultReporter(in_all_threads
                                             ? INTERCEPT_ALL_THREADS
                                             : INTERCEPT_ONLY_CURRENT_THREAD,
                                         &unused_) {}

  void ReportTestPartResult(const testing::TestPartResult& result) override;

  // What is not a failure of an execution: skips, for example.
  const std::vector<testing::TestPartResult>& others() const { return others_; }

 private:
  testing::TestPartResultArray unused_;
  std::vector<testing::TestPartResult> others_;
};

// While it lives, GoogleTest neither breaks nor throws at a failure: the search
// goes through many.
class NoBreakAtFailure {
 public:
  NoBreakAtFailure()
      : break_(GTEST_FLAG_GET(break_on_failure)),
        throw_(GTEST_FLAG_GET(throw_on_failure)) {
    GTEST_FLAG_SET(break_on_failure, false);
    GTEST_FLAG_SET(throw_on_failure, false);
  }
  ~NoBreakAtFailure() {
    GTEST_FLAG_SET(break_on_failure, break_);
    GTEST_FLAG_SET(throw_on_failure, throw_);
  }
  NoBreakAtFailure(const NoBreakAtFailure&) = delete;
  NoBreakAtFailure& operator=(const NoBreakAtFailure&) = delete;

 private:
  const bool break_;
  const bool throw_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_GTEST_INTERCEPTOR_H_
