// What ThreadSanitizer must know of the standard library: include this in the
// one file of a test whose threads pass exceptions to each other.
//
// libstdc++ counts the references to an exception with atomics, in code that
// the sanitizer does not see: it takes the end of the last one for a race with
// those who have read the exception before.

#ifndef CLOTHO_RUNTIME_TESTING_TSAN_H_
#define CLOTHO_RUNTIME_TESTING_TSAN_H_

#include "absl/base/config.h"

#ifdef ABSL_HAVE_THREAD_SANITIZER
extern "C" const char* __tsan_default_suppressions() {
  return "race:std::__exception_ptr::exception_ptr::_M_release\n";
}
#endif

#endif  // CLOTHO_RUNTIME_TESTING_TSAN_H_
