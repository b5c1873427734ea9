// CLOTHO_DCHECK: checks an invariant of the runtime itself.
//
//   CLOTHO_DCHECK(!is_linked(), "a node is in one list at a time");
//
// If the condition does not hold, whatever a program did, Clotho is broken:
// the process writes where and what to standard error and aborts. What a
// program can get wrong is an exception instead.
//
// On in debug builds (without NDEBUG) and under every sanitizer. Otherwise
// nothing is evaluated, but the condition is still compiled.

#ifndef CLOTHO_RUNTIME_INTERNAL_CHECK_H_
#define CLOTHO_RUNTIME_INTERNAL_CHECK_H_

#include "absl/base/config.h"

#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
#define CLOTHO_INTERNAL_HAVE_UBSAN
#endif
#endif

// 1 if the checks are on, 0 if they are off.
#if !defined(NDEBUG) || defined(ABSL_HAVE_ADDRESS_SANITIZER) || \
    defined(ABSL_HAVE_THREAD_SANITIZER) ||                      \
    defined(ABSL_HAVE_MEMORY_SANITIZER) || defined(CLOTHO_INTERNAL_HAVE_UBSAN)
#define CLOTHO_DCHECK_IS_ON 1
#else
#define CLOTHO_DCHECK_IS_ON 0
#endif

// `meaning` is a literal: the invariant in words.
#if CLOTHO_DCHECK_IS_ON
#define CLOTHO_DCHECK(condition, meaning)                                \
  (static_cast<bool>(condition)                                          \
       ? static_cast<void>(0)                                            \
       : ::clotho::internal::CheckFailed(__FILE__, __LINE__, #condition, \
                                         meaning))
#else
#define CLOTHO_DCHECK(condition, meaning)                  \
  (false ? static_cast<void>(static_cast<bool>(condition)) \
         : static_cast<void>(0))
#endif

namespace clotho::internal {

// Writes "file:line: CLOTHO_DCHECK(condition) failed: meaning; ..." to standard
// error, and aborts.
[[noreturn, gnu::cold]] void CheckFailed(const char* file, int line,
                                         const char* condition,
                                         const char* meaning) noexcept;

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_CHECK_H_
