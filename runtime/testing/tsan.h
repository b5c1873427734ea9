// ThreadSanitizer annotations for the standard library. Include this in one
// file of a test whose threads pass exceptions to each other.
//
// libstdc++ counts references to exceptions with atomics, in code that the
// sanitizer does not see. The sanitizer therefore reports the destruction of an
// exception as a race with its earlier readers.

#ifndef CLOTHO_RUNTIME_TESTING_TSAN_H_
#define CLOTHO_RUNTIME_TESTING_TSAN_H_

#include "absl/base/config.h"

#ifdef ABSL_HAVE_THREAD_SANITIZER
extern "C" const char* __tsan_default_suppressions() {
  return "race:std::__exception_ptr::exception_ptr::_M_release\n";
}
#endif

#endif  // CLOTHO_RUNTIME_TESTING_TSAN_H_
