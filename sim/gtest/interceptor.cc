#include "clotho/sim/gtest/interceptor.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/simulator.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {

void Interceptor::ReportTestPartResult(const testing::TestPartResult& result) {
  Simulator* const simulator = Simulator::Current();
  if (!result.failed() || simulator == nullptr) {
    others_.push_back(result);
    return;
  }
  Failure failure;
  failure.kind = FailureKind::kExpectation;
  failure.what = result.message();
  while (!failure.what.empty() && failure.what.back() == '\n') {
    failure.what.pop_back();
  }
  if (result.file_name() != nullptr) {
    failure.file = ShortFile(result.file_name());
    failure.line = static_cast<std::uint32_t>(
        result.line_number() > 0 ? result.line_number() : 0);
  }
  failure.signature =
      absl::StrCat("expectation ", Place(failure.file, failure.line));
  simulator->Fail(std::move(failure));
}

}  // namespace clotho::sim::internal
