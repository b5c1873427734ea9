#include "clotho/sim/asserts.h"

#include "clotho/sim/assertion.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {

void AssertionThrower::operator=(const testing::Message& message) const {
  testing::internal::AssertHelper(testing::TestPartResult::kFatalFailure, file_,
                                  line_, message_) = message;
  throw AssertionFailed();
}

}  // namespace clotho::sim::internal
