#include "clotho/sim/assert_macros.h"

#include "clotho/sim/engine/assertion_failed.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {

void AssertionThrower::operator=(const testing::Message& message) const {
  testing::internal::AssertHelper(testing::TestPartResult::kFatalFailure, file_,
                                  line_, message_) = message;
  throw AssertionFailed();
}

}  // namespace clotho::sim::internal
