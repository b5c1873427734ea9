// The C library's own functions, behind ours of the same names (interpose*.cc).

#ifndef CLOTHO_SIM_THREADS_REAL_H_
#define CLOTHO_SIM_THREADS_REAL_H_

#include <pthread.h>
#include <semaphore.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

namespace clotho::sim::internal {

// Every function that we define and whose own definition we still need.
#define CLOTHO_REAL_FUNCTIONS(X) \
  X(pthread_create)              \
  X(pthread_join)                \
  X(pthread_tryjoin_np)          \
  X(pthread_timedjoin_np)        \
  X(pthread_clockjoin_np)        \
  X(pthread_detach)              \
  X(pthread_setname_np)          \
  X(pthread_mutex_init)          \
  X(pthread_mutex_destroy)       \
  X(pthread_mutex_lock)          \
  X(pthread_mutex_trylock)       \
  X(pthread_mutex_timedlock)     \
  X(pthread_mutex_clocklock)     \
  X(pthread_mutex_unlock)        \
  X(pthread_cond_destroy)        \
  X(pthread_cond_wait)           \
  X(pthread_cond_timedwait)      \
  X(pthread_cond_clockwait)      \
  X(pthread_cond_signal)         \
  X(pthread_cond_broadcast)      \
  X(pthread_rwlock_init)         \
  X(pthread_rwlock_destroy)      \
  X(pthread_rwlock_rdlock)       \
  X(pthread_rwlock_tryrdlock)    \
  X(pthread_rwlock_timedrdlock)  \
  X(pthread_rwlock_clockrdlock)  \
  X(pthread_rwlock_wrlock)       \
  X(pthread_rwlock_trywrlock)    \
  X(pthread_rwlock_timedwrlock)  \
  X(pthread_rwlock_clockwrlock)  \
  X(pthread_rwlock_unlock)       \
  X(pthread_spin_init)           \
  X(pthread_spin_destroy)        \
  X(pthread_spin_lock)           \
  X(pthread_spin_trylock)        \
  X(pthread_spin_unlock)         \
  X(pthread_barrier_init)        \
  X(pthread_barrier_destroy)     \
  X(pthread_barrier_wait)        \
  X(pthread_once)                \
  X(pthread_key_create)          \
  X(pthread_key_delete)          \
  X(sem_init)                    \
  X(sem_destroy)                 \
  X(sem_wait)                    \
  X(sem_trywait)                 \
  X(sem_timedwait)               \
  X(sem_clockwait)               \
  X(sem_post)                    \
  X(sem_getvalue)                \
  X(sched_yield)                 \
  X(nanosleep)                   \
  X(clock_nanosleep)             \
  X(usleep)                      \
  X(sleep)                       \
  X(clock_gettime)               \
  X(gettimeofday)                \
  X(time)                        \
  X(syscall)

// Declared here as they are in glibc's headers, without `noexcept`.
#define CLOTHO_DECLARE_REAL_(name) decltype(&::name) name = nullptr;
struct RealFunctions {
  CLOTHO_REAL_FUNCTIONS(CLOTHO_DECLARE_REAL_)
};
#undef CLOTHO_DECLARE_REAL_

// May be called at any time, also before static initialisers have run.
const RealFunctions& Real();

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_THREADS_REAL_H_
