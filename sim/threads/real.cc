#include "clotho/sim/threads/real.h"

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string_view>

// AddressSanitizer knows a thread only if its own function has created it.
extern "C" int __interceptor_pthread_create(pthread_t*, const pthread_attr_t*,
                                            void* (*)(void*), void*)
    __attribute__((weak));

namespace clotho::sim::internal {
namespace {

constinit RealFunctions functions;
constinit std::atomic<bool> is_resolved{false};

void* Find(const char* name) {
  // Condition variables have an older version, whose layout is another one.
  // dlsym would find that.
  void* found = nullptr;
  if (std::string_view(name).starts_with("pthread_cond_") &&
      std::strcmp(name, "pthread_cond_clockwait") != 0) {
    found = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
  }
  if (found == nullptr) found = dlsym(RTLD_NEXT, name);
  if (found == nullptr) std::abort();  // Not a C library that we know.
  return found;
}

void Resolve() {
#define CLOTHO_RESOLVE_(name) \
  functions.name = reinterpret_cast<decltype(functions.name)>(Find(#name));
  CLOTHO_REAL_FUNCTIONS(CLOTHO_RESOLVE_)
#undef CLOTHO_RESOLVE_
  if (&__interceptor_pthread_create != nullptr) {
    functions.pthread_create =
        reinterpret_cast<decltype(functions.pthread_create)>(
            &__interceptor_pthread_create);
  }
}

}  // namespace

const RealFunctions& Real() {
  // Two threads may do it at the same time, with the same result.
  if (!is_resolved.load(std::memory_order_acquire)) [[unlikely]] {
    Resolve();
    is_resolved.store(true, std::memory_order_release);
  }
  return functions;
}

}  // namespace clotho::sim::internal
