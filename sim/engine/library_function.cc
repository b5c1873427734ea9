#include "clotho/sim/engine/library_function.h"

#include <string_view>

namespace clotho::sim::internal {

bool IsLibraryFunction(std::string_view name) {
  for (const std::string_view prefix : {"std::",
                                        "void std::",
                                        "__gnu_cxx::",
                                        "__gthread",
                                        "pthread_",
                                        "sem_",
                                        "sched_",
                                        "clotho::sim::internal::",
                                        "syscall",
                                        "nanosleep",
                                        "clock_",
                                        "sleep",
                                        "usleep",
                                        "execute_native_thread_routine",
                                        "clotho_internal_",
                                        "__",
                                        "_Unwind_",
                                        "absl::",
                                        "testing::",
                                        "decltype"}) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

}  // namespace clotho::sim::internal
