#include "clotho/sim/assert_macros.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/sim/engine/assertion_failed.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/gtest/gtest_internals.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {

void AssertionThrower::operator=(const testing::Message& message) const {
  ReportTestPart(testing::TestPartResult::kFatalFailure, file_, line_, summary_,
                 message);
  throw AssertionFailed();
}

void SkipTest(const char* file, int line, std::string_view message) {
  Simulator* const simulator = Simulator::Current();
  if (simulator == nullptr) {
    throw RuntimeError(
        "CLOTHO_SKIP was called outside of an execution of a CLOTHO_TEST: use "
        "GTEST_SKIP() there");
  }
  Failure failure;
  failure.kind = FailureKind::kSkipped;
  failure.what = std::string(message);
  failure.file = file;
  failure.line = static_cast<std::uint32_t>(line);
  failure.signature =
      absl::StrCat("skipped ", Place(ShortFile(file), failure.line));
  simulator->Fail(std::move(failure));
  throw AssertionFailed();
}

}  // namespace clotho::sim::internal
