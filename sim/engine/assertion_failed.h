// AssertionFailed: thrown out of code when a check has failed the execution.
//
// The failure is recorded before the throw, and the execution ends with the
// current step, so code that catches this exception cannot hide the failure.

#ifndef CLOTHO_SIM_ENGINE_ASSERTION_FAILED_H_
#define CLOTHO_SIM_ENGINE_ASSERTION_FAILED_H_

#include "clotho/runtime/exceptions.h"

namespace clotho::sim {

class AssertionFailed : public BaseException {
 public:
  const char* what() const noexcept override { return "assertion failed"; }
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_ENGINE_ASSERTION_FAILED_H_
