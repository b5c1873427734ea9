// POSIX threads as C programs use them: what each function does, and returns.

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

#include "absl/base/config.h"
#include "clotho/sim/options.h"
#include "clotho/sim/threads.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

// (Under AddressSanitizer, threads take long to make.)
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
constexpr Fuzz kSearch = {.schedules = 30};
#else
constexpr Fuzz kSearch = {.schedules = 200};
#endif

timespec In(clockid_t clock, std::int64_t ms) {
  timespec time;
  clock_gettime(clock, &time);
  const std::int64_t ns = time.tv_nsec + ms % 1'000 * 1'000'000;
  return {.tv_sec = time.tv_sec + ms / 1'000 + ns / 1'000'000'000,
          .tv_nsec = ns % 1'000'000'000};
}

CLOTHO_THREADS_TEST(Posix, ThreadsReturnValues, kSearch) {
  pthread_t thread;
  int value = 0;
  ASSERT_EQ(pthread_create(
                &thread, nullptr, [](void* x) -> void* { return x; }, &value),
            0);
  void* result = nullptr;
  EXPECT_EQ(pthread_join(pthread_self(), nullptr), EDEADLK);
  EXPECT_EQ(pthread_join(thread, &result), 0);
  EXPECT_EQ(result, &value);
  EXPECT_EQ(pthread_join(thread, nullptr), ESRCH);
  EXPECT_EQ(pthread_detach(thread), ESRCH);
}

CLOTHO_THREADS_TEST(Posix, DetachedThreads, kSearch) {
  pthread_t thread;
  pthread_create(
      &thread, nullptr,
      [](void*) -> void* {
        EXPECT_EQ(pthread_detach(pthread_self()), 0);
        EXPECT_EQ(pthread_detach(pthread_self()), EINVAL);
        EXPECT_EQ(pthread_setname_np(pthread_self(), "free"), 0);
        sleep(1);
        return nullptr;
      },
      nullptr);
  usleep(100'000);
  EXPECT_EQ(pthread_join(thread, nullptr), EINVAL);
  sleep(2);
  EXPECT_EQ(pthread_setname_np(thread, "gone"), ESRCH);
}

CLOTHO_THREADS_TEST(Posix, ExitLeavesTheThread, kSearch) {
  pthread_t thread;
  static int destroyed;
  destroyed = 0;
  pthread_create(
      &thread, nullptr,
      [](void*) -> void* {
        struct Guard {
          ~Guard() { ++destroyed; }
        } guard;
        pthread_exit(&destroyed);
      },
      nullptr);
  void* result = nullptr;
  pthread_join(thread, &result);
  EXPECT_EQ(result, &destroyed);
  EXPECT_EQ(destroyed, 1);
}

CLOTHO_THREADS_TEST(Posix, JoinsUpToADeadline, kSearch) {
  pthread_t thread;
  pthread_create(
      &thread, nullptr,
      [](void*) -> void* {
        sleep(10);
        return nullptr;
      },
      nullptr);
  EXPECT_EQ(pthread_tryjoin_np(thread, nullptr), EBUSY);
  timespec soon = In(CLOCK_REALTIME, 100);
  EXPECT_EQ(pthread_timedjoin_np(thread, nullptr, &soon), ETIMEDOUT);
  soon = In(CLOCK_MONOTONIC, 100);
  EXPECT_EQ(pthread_clockjoin_np(thread, nullptr, CLOCK_MONOTONIC, &soon),
            ETIMEDOUT);
  EXPECT_EQ(pthread_join(thread, nullptr), 0);
}

CLOTHO_THREADS_TEST(Posix, KindsOfMutexes, kSearch) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_t mutex;
  pthread_mutex_init(&mutex, &attributes);
  EXPECT_EQ(pthread_mutex_unlock(&mutex), EPERM);
  EXPECT_EQ(pthread_mutex_lock(&mutex), 0);
  EXPECT_EQ(pthread_mutex_lock(&mutex), EDEADLK);
  EXPECT_EQ(pthread_mutex_trylock(&mutex), EBUSY);
  EXPECT_EQ(pthread_mutex_unlock(&mutex), 0);
  pthread_mutex_destroy(&mutex);

  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init(&mutex, &attributes);
  EXPECT_EQ(pthread_mutex_lock(&mutex), 0);
  EXPECT_EQ(pthread_mutex_trylock(&mutex), 0);
  EXPECT_EQ(pthread_mutex_unlock(&mutex), 0);
  EXPECT_EQ(pthread_mutex_unlock(&mutex), 0);
  EXPECT_EQ(pthread_mutex_unlock(&mutex), EPERM);
  pthread_mutex_destroy(&mutex);
  pthread_mutexattr_destroy(&attributes);
}

CLOTHO_THREADS_TEST(Posix, DeadlinesOfMutexes, kSearch) {
  static pthread_mutex_t mutex;
  pthread_mutex_init(&mutex, nullptr);
  pthread_mutex_lock(&mutex);
  pthread_t thread;
  pthread_create(
      &thread, nullptr,
      [](void*) -> void* {
        timespec time = In(CLOCK_REALTIME, 50);
        EXPECT_EQ(pthread_mutex_timedlock(&mutex, &time), ETIMEDOUT);
        time = In(CLOCK_MONOTONIC, 50);
        EXPECT_EQ(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &time),
                  ETIMEDOUT);
        const timespec wrong = {.tv_sec = 0, .tv_nsec = 1'000'000'000};
        EXPECT_EQ(pthread_mutex_timedlock(&mutex, &wrong), EINVAL);
        return nullptr;
      },
      nullptr);
  pthread_join(thread, nullptr);
  pthread_mutex_unlock(&mutex);
}

CLOTHO_THREADS_TEST(Posix, ReadWriteLocks, kSearch) {
  pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  EXPECT_EQ(pthread_rwlock_rdlock(&lock), 0);
  EXPECT_EQ(pthread_rwlock_tryrdlock(&lock), 0);
  EXPECT_EQ(pthread_rwlock_trywrlock(&lock), EBUSY);
  timespec time = In(CLOCK_REALTIME, 5);
  EXPECT_EQ(pthread_rwlock_timedwrlock(&lock, &time), ETIMEDOUT);
  pthread_rwlock_unlock(&lock);
  pthread_rwlock_unlock(&lock);
  EXPECT_EQ(pthread_rwlock_wrlock(&lock), 0);
  EXPECT_EQ(pthread_rwlock_rdlock(&lock), EDEADLK);
  EXPECT_EQ(pthread_rwlock_tryrdlock(&lock), EBUSY);
  EXPECT_EQ(pthread_rwlock_wrlock(&lock), EDEADLK);
  pthread_rwlock_unlock(&lock);
  pthread_rwlock_destroy(&lock);
}

CLOTHO_THREADS_TEST(Posix, SpinLocks, kSearch) {
  static pthread_spinlock_t lock;
  static int value;
  value = 0;
  pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);
  const auto add = [](void*) -> void* {
    pthread_spin_lock(&lock);
    EXPECT_EQ(pthread_spin_trylock(&lock), EBUSY);
    ++value;
    pthread_spin_unlock(&lock);
    return nullptr;
  };
  pthread_t thread;
  pthread_create(&thread, nullptr, add, nullptr);
  add(nullptr);
  pthread_join(thread, nullptr);
  EXPECT_EQ(value, 2);
  pthread_spin_destroy(&lock);
}

CLOTHO_THREADS_TEST(Posix, Barriers, kSearch) {
  static pthread_barrier_t barrier;
  static int last;
  last = 0;
  pthread_barrier_init(&barrier, nullptr, 3);
  const auto meet = [](void*) -> void* {
    const int result = pthread_barrier_wait(&barrier);
    if (result == PTHREAD_BARRIER_SERIAL_THREAD) ++last;
    return nullptr;
  };
  pthread_t a;
  pthread_t b;
  pthread_create(&a, nullptr, meet, nullptr);
  pthread_create(&b, nullptr, meet, nullptr);
  meet(nullptr);
  pthread_join(a, nullptr);
  pthread_join(b, nullptr);
  EXPECT_EQ(last, 1);
  pthread_barrier_destroy(&barrier);
}

CLOTHO_THREADS_TEST(Posix, Semaphores, kSearch) {
  sem_t semaphore;
  sem_init(&semaphore, 0, 1);
  int value = 0;
  EXPECT_EQ(sem_getvalue(&semaphore, &value), 0);
  EXPECT_EQ(value, 1);
  EXPECT_EQ(sem_wait(&semaphore), 0);
  EXPECT_EQ(sem_trywait(&semaphore), -1);
  EXPECT_EQ(errno, EAGAIN);
  timespec time = In(CLOCK_REALTIME, 5);
  EXPECT_EQ(sem_timedwait(&semaphore, &time), -1);
  EXPECT_EQ(errno, ETIMEDOUT);
  time = In(CLOCK_MONOTONIC, 5);
  EXPECT_EQ(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &time), -1);
  pthread_t thread;
  pthread_create(
      &thread, nullptr,
      [](void* s) -> void* {
        sem_post(static_cast<sem_t*>(s));
        return nullptr;
      },
      &semaphore);
  EXPECT_EQ(sem_wait(&semaphore), 0);
  pthread_join(thread, nullptr);
  sem_destroy(&semaphore);
}

CLOTHO_THREADS_TEST(Posix, ConditionVariablesOfBothClocks, kSearch) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC}) {
    pthread_condattr_setclock(&attributes, clock);
    pthread_cond_t condition;
    pthread_cond_init(&condition, &attributes);
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    const timespec time = In(clock, 70);
    EXPECT_EQ(pthread_cond_timedwait(&condition, &mutex, &time), ETIMEDOUT);
    timespec now;
    clock_gettime(clock, &now);
    EXPECT_GE(now.tv_sec * 1'000'000'000 + now.tv_nsec,
              time.tv_sec * 1'000'000'000 + time.tv_nsec);
    EXPECT_LT(now.tv_sec, time.tv_sec + 2);
    pthread_mutex_unlock(&mutex);
    pthread_cond_destroy(&condition);
  }
}

CLOTHO_THREADS_TEST(Posix, OnceAndKeys, kSearch) {
  static int destroyed;
  static pthread_key_t key;
  static pthread_once_t once;
  once = PTHREAD_ONCE_INIT;
  destroyed = 0;
  const auto use = [](void*) -> void* {
    pthread_once(&once, [] {
      pthread_key_create(&key, [](void*) { ++destroyed; });
      sched_yield();
    });
    EXPECT_EQ(pthread_getspecific(key), nullptr);
    pthread_setspecific(key, &destroyed);
    sched_yield();
    EXPECT_EQ(pthread_getspecific(key), &destroyed);
    return nullptr;
  };
  pthread_t a;
  pthread_t b;
  pthread_create(&a, nullptr, use, nullptr);
  pthread_create(&b, nullptr, use, nullptr);
  pthread_join(a, nullptr);
  pthread_join(b, nullptr);
  EXPECT_EQ(destroyed, 2);
  pthread_key_delete(key);
}

CLOTHO_THREADS_TEST(Posix, Clocks, kSearch) {
  const time_t begin = time(nullptr);
  EXPECT_EQ(begin, 946'684'800);  // The first second of 2000.
  usleep(1'500'000);
  timeval now;
  gettimeofday(&now, nullptr);
  EXPECT_EQ(now.tv_sec, begin + 1);
  const timespec second = {.tv_sec = 1, .tv_nsec = 0};
  EXPECT_EQ(nanosleep(&second, nullptr), 0);
  EXPECT_EQ(time(nullptr), begin + 2);
  const timespec at = {.tv_sec = begin + 100, .tv_nsec = 0};
  EXPECT_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, nullptr), 0);
  EXPECT_EQ(time(nullptr), begin + 100);
  const timespec wrong = {.tv_sec = 0, .tv_nsec = -1};
  EXPECT_EQ(nanosleep(&wrong, nullptr), -1);
  EXPECT_EQ(errno, EINVAL);
}

}  // namespace
}  // namespace clotho::sim
