// More tests for fuzz_target_test.cc to run, besides those of sample_tests.cc.

#include <csignal>
#include <memory>

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/testing.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

CLOTHO_TEST(Crashes, BySignal) {
  co_await Sleep(absl::Milliseconds(1));
  std::raise(SIGSEGV);
}

// What its suite sets up is there in each execution of its tests.
class WithASuite : public testing::TestWithParam<int> {
 protected:
  static void SetUpTestSuite() { shared_ = std::make_unique<int>(3); }
  static void TearDownTestSuite() { shared_.reset(); }

  static inline std::unique_ptr<int> shared_;
};

CLOTHO_TEST_P(WithASuite, IsSetUp) {
  co_await Sleep(absl::Milliseconds(1));
  Always(shared_ != nullptr && *shared_ == GetParam(), "it is set up");
}
INSTANTIATE_TEST_SUITE_P(Three, WithASuite, testing::Values(3));

}  // namespace
}  // namespace clotho
