#include "clotho/sim/threads/keys.h"

#include <limits.h>
#include <pthread.h>

namespace clotho::sim::internal {
namespace {

struct Key {
  bool used;
  void (*destructor)(void*);
};
constinit Key keys[PTHREAD_KEYS_MAX] = {};
// Above all keys in use.
constinit pthread_key_t end_of_keys = 0;

// A sanitizer makes its keys before this, and needs their values until the real
// thread ends.
constinit bool program_has_begun = false;
__attribute__((constructor(101))) void Begin() { program_has_begun = true; }

// As pthread_exit does it.
constexpr int kRounds = PTHREAD_DESTRUCTOR_ITERATIONS;

}  // namespace

void AddKey(pthread_key_t key, void (*destructor)(void*)) {
  if (!program_has_begun || key >= PTHREAD_KEYS_MAX) return;
  keys[key] = {.used = true, .destructor = destructor};
  if (key >= end_of_keys) end_of_keys = key + 1;
}

void RemoveKey(pthread_key_t key) {
  if (key < PTHREAD_KEYS_MAX) keys[key] = {};
}

void RunKeyDestructors() {
  bool again = true;
  for (int round = 0; round < kRounds && again; ++round) {
    again = false;
    for (pthread_key_t key = 0; key < end_of_keys; ++key) {
      if (!keys[key].used) continue;
      void* const value = pthread_getspecific(key);
      if (value == nullptr) continue;
      pthread_setspecific(key, nullptr);
      if (keys[key].destructor == nullptr) continue;
      again = true;
      keys[key].destructor(value);
    }
  }
  for (pthread_key_t key = 0; key < end_of_keys; ++key) {
    if (keys[key].used) pthread_setspecific(key, nullptr);
  }
}

}  // namespace clotho::sim::internal
