// What the C library does for a thread beside running it: values by key, and
// the function that a thread runs.

#ifndef CLOTHO_SIM_THREADS_KEYS_H_
#define CLOTHO_SIM_THREADS_KEYS_H_

#include <pthread.h>

namespace clotho::sim::internal {

// The program has made a key, or deletes it.
void AddKey(pthread_key_t key, void (*destructor)(void*));
void RemoveKey(pthread_key_t key);

// What happens when a thread ends: destructors run for the values of this
// thread, and no key has a value any more.
void RunKeyDestructors();

// Equal for threads that run the same function: see Candidate::role. `start`
// and `argument` are those of pthread_create.
const void* RoleOf(void* (*start)(void*), void* argument);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_THREADS_KEYS_H_
