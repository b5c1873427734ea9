// Values by key (pthread_key_create) of simulated threads.
//
// A thread's values are in its donor's storage, where the C library keeps them.
// What is left to do is what happens when a thread ends.

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

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_THREADS_KEYS_H_
