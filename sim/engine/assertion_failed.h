// AssertionFailed: thrown out of code in which an execution has failed.
//
// The failure is recorded before the throw, and the execution ends with the
// step, so that nothing that catches this can hide it.

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
