// The functions of the C library by which threads meet, for simulated threads.
// In every other thread each of them is the real one.
//
// They have C linkage and the C library's names: the program, its libraries and
// the C++ standard library call them instead. What they do is what POSIX says;
// the comments name only what differs.

#include "clotho/sim/threads/interpose.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <climits>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/delay.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/threads/keys.h"
#include "clotho/sim/threads/real.h"
#include "clotho/sim/threads/sync_table.h"
#include "clotho/sim/threads/thread_engine.h"

namespace clotho::sim::internal {
namespace {

using Kind = SyncObject::Kind;
using Event = TraceEvent::Kind;
using Engine = ThreadEngine;

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
// When an execution begins: the first second of 2000, and an hour after the
// machine has started.
constexpr std::int64_t kRealtimeBegin = 946'684'800;
constexpr std::int64_t kMonotonicBegin = 3'600;

std::int64_t BeginOf(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
      return kRealtimeBegin * kNsPerSecond;
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID:
      return 0;
    default:
      return kMonotonicBegin * kNsPerSecond;
  }
}

bool IsValid(const timespec& time) {
  return time.tv_nsec >= 0 && time.tv_nsec < kNsPerSecond;
}

std::int64_t ToNs(const timespec& time) {
  if (time.tv_sec > INT64_MAX / kNsPerSecond - 1) return INT64_MAX;
  return time.tv_sec * kNsPerSecond + time.tv_nsec;
}

timespec FromNs(std::int64_t ns) {
  return {.tv_sec = ns / kNsPerSecond, .tv_nsec = ns % kNsPerSecond};
}

// The deadline of a clock in virtual time.
std::int64_t DeadlineOf(clockid_t clock, const timespec& time) {
  return ToNs(time) - BeginOf(clock);
}

std::int64_t After(Engine& engine, std::int64_t ns) {
  return clotho::internal::SaturatingAdd(engine.NowNs(), ns);
}

// ---- Threads ----

int JoinUntil(Engine& engine, pthread_t thread, void** result,
              Engine::Deadline deadline) {
  Thread* const target = engine.Find(thread);
  if (target == nullptr) return ESRCH;
  if (target == engine.running()) return EDEADLK;
  if (target->detached() || Engine::IsBeingJoined(*target)) return EINVAL;
  return engine.Join(*target, result, deadline) ? 0 : ETIMEDOUT;
}

// ---- Mutexes ----

bool IsRecursive(const pthread_mutex_t& mutex) {
  return (mutex.__data.__kind & 3) == PTHREAD_MUTEX_RECURSIVE_NP;
}
bool IsErrorChecking(const pthread_mutex_t& mutex) {
  return (mutex.__data.__kind & 3) == PTHREAD_MUTEX_ERRORCHECK_NP;
}

void Take(Engine& engine, SyncObject& object) {
  object.owner = engine.running();
  object.depth = 1;
  engine.Changed(object);
  engine.Note(Event::kResume, "locks", &object);
}

int Lock(Engine& engine, pthread_mutex_t* mutex, Engine::Deadline deadline) {
  SyncObject& object = engine.ObjectAt(mutex, Kind::kMutex);
  if (object.owner == engine.running()) {
    if (IsRecursive(*mutex)) {
      ++object.depth;
      return 0;
    }
    if (IsErrorChecking(*mutex)) return EDEADLK;
  }
  if (!engine.WaitFor(Thread::Wait::kMutex, object, deadline)) return ETIMEDOUT;
  Take(engine, object);
  return 0;
}

int TryLock(Engine& engine, pthread_mutex_t* mutex) {
  SyncObject& object = engine.ObjectAt(mutex, Kind::kMutex);
  engine.Point();
  if (object.owner == nullptr) {
    Take(engine, object);
    return 0;
  }
  if (object.owner == engine.running() && IsRecursive(*mutex)) {
    ++object.depth;
    return 0;
  }
  engine.Note(Event::kResume, "cannot lock", &object);
  return EBUSY;
}

// Lets go of what it has locked once.
void Release(Engine& engine, SyncObject& object) {
  object.owner = nullptr;
  object.depth = 0;
  engine.Changed(object);
}

int Unlock(Engine& engine, pthread_mutex_t* mutex) {
  SyncObject& object = engine.ObjectAt(mutex, Kind::kMutex);
  if (object.owner != engine.running()) {
    if (IsErrorChecking(*mutex) || IsRecursive(*mutex)) return EPERM;
    engine.FailAsMisuse(absl::StrCat("unlocks ", Engine::NameOf(object),
                                     ", which it has not locked"));
  }
  if (--object.depth > 0) return 0;
  Release(engine, object);
  engine.Note(Event::kWake, "unlocks", &object);
  engine.Point();
  return 0;
}

// An object at this address begins anew, whatever was there before.
void Renew(Engine& engine, const void* address, Kind kind) {
  SyncObject& object = engine.ObjectAt(address, kind);
  object.owner = nullptr;
  object.depth = 0;
  object.readers = 0;
}

void Destroy(Engine& engine, const void* address) {
  const SyncObject* const object = engine.KnownObject(address);
  if (object == nullptr) return;
  if (object->waiters.first != nullptr) {
    engine.FailAsMisuse(absl::StrCat("destroys ", Engine::NameOf(*object),
                                     ", where ", object->waiters.first->name(),
                                     " waits"));
  }
  if (object->owner != nullptr) {
    engine.FailAsMisuse(absl::StrCat("destroys ", Engine::NameOf(*object),
                                     ", which ", object->owner->name(),
                                     " holds"));
  }
}

// ---- Condition variables ----

int WaitAt(Engine& engine, pthread_cond_t* condition, pthread_mutex_t* mutex,
           Engine::Deadline deadline) {
  SyncObject& object = engine.ObjectAt(condition, Kind::kCondition);
  SyncObject& held = engine.ObjectAt(mutex, Kind::kMutex);
  if (held.owner != engine.running()) {
    engine.FailAsMisuse(absl::StrCat("waits at ", Engine::NameOf(object),
                                     " without holding ",
                                     Engine::NameOf(held)));
  }
  // Others may come between the test of the condition and the wait.
  engine.Point();
  const std::uint32_t depth = held.depth;
  Release(engine, held);
  const bool in_time = engine.WaitToBeWoken(object, &held, depth, deadline);
  engine.Note(Event::kResume, in_time ? "is woken at" : "times out at",
              &object);
  return in_time ? 0 : ETIMEDOUT;
}

void Notify(Engine& engine, pthread_cond_t* condition, std::size_t count) {
  SyncObject& object = engine.ObjectAt(condition, Kind::kCondition);
  if (object.waiters.first == nullptr) {
    engine.Note(Event::kWake, "wakes nobody at", &object);
  }
  engine.Wake(object, count);
  engine.Point();
}

// ---- Read-write locks ----

int ReadLock(Engine& engine, pthread_rwlock_t* lock,
             Engine::Deadline deadline) {
  SyncObject& object = engine.ObjectAt(lock, Kind::kRwLock);
  if (object.owner == engine.running()) return EDEADLK;
  if (!engine.WaitFor(Thread::Wait::kReadLock, object, deadline))
    return ETIMEDOUT;
  ++object.readers;
  engine.Changed(object);
  engine.Note(Event::kResume, "locks to read", &object);
  return 0;
}

int WriteLock(Engine& engine, pthread_rwlock_t* lock,
              Engine::Deadline deadline) {
  SyncObject& object = engine.ObjectAt(lock, Kind::kRwLock);
  if (object.owner == engine.running()) return EDEADLK;
  if (!engine.WaitFor(Thread::Wait::kWriteLock, object, deadline))
    return ETIMEDOUT;
  Take(engine, object);
  return 0;
}

int UnlockRw(Engine& engine, pthread_rwlock_t* lock) {
  SyncObject& object = engine.ObjectAt(lock, Kind::kRwLock);
  if (object.owner == engine.running()) {
    Release(engine, object);
  } else if (object.readers > 0) {
    --object.readers;
    engine.Changed(object);
  } else {
    engine.FailAsMisuse(absl::StrCat("unlocks ", Engine::NameOf(object),
                                     ", which nobody has locked"));
  }
  engine.Note(Event::kWake, "unlocks", &object);
  engine.Point();
  return 0;
}

// ---- Semaphores ----

SyncObject& SemaphoreAt(Engine& engine, sem_t* semaphore) {
  bool is_new = false;
  SyncObject& object = engine.ObjectAt(semaphore, Kind::kSemaphore, is_new);
  if (is_new) {
    int value = 0;
    Real().sem_getvalue(semaphore, &value);
    object.value = value;
  }
  return object;
}

int Fails(int error) {
  errno = error;
  return -1;
}

int Acquire(Engine& engine, sem_t* semaphore, Engine::Deadline deadline) {
  SyncObject& object = SemaphoreAt(engine, semaphore);
  if (!engine.WaitFor(Thread::Wait::kSemaphore, object, deadline)) {
    return Fails(ETIMEDOUT);
  }
  --object.value;
  engine.Changed(object);
  engine.Note(Event::kResume, "acquires", &object);
  return 0;
}

// ---- Time ----

int Sleep(Engine& engine, std::int64_t deadline_ns) {
  engine.SleepUntil(deadline_ns);
  engine.Note(Event::kResume, "wakes");
  return 0;
}

timespec ReadClock(Engine& engine, clockid_t clock) {
  engine.ReadClock();
  return FromNs(engine.NowNs() + BeginOf(clock));
}

// ---- Futexes ----

long WaitAtWord(Engine& engine, int* word, int value,
                Engine::Deadline deadline) {
  SyncObject& object = engine.ObjectAt(word, Kind::kWord);
  engine.Point();
  if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != value) return Fails(EAGAIN);
  const bool in_time =
      engine.WaitToBeWoken(object, nullptr, /*depth=*/0, deadline);
  engine.Note(Event::kResume, in_time ? "is woken at" : "times out at",
              &object);
  return in_time ? 0 : Fails(ETIMEDOUT);
}

long WakeAtWord(Engine& engine, int* word, int count) {
  SyncObject& object = engine.ObjectAt(word, Kind::kWord);
  engine.Point();
  if (object.waiters.first == nullptr) {
    engine.Note(Event::kWake, "wakes nobody at", &object);
  }
  const std::size_t woken = engine.Wake(
      object, count < 0 ? SIZE_MAX : static_cast<std::size_t>(count));
  engine.Point();
  return static_cast<long>(woken);
}

long Futex(Engine& engine, int* word, int operation, int value,
           const timespec* timeout) {
  const int command = operation & FUTEX_CMD_MASK;
  const clockid_t clock = (operation & FUTEX_CLOCK_REALTIME) != 0
                              ? CLOCK_REALTIME
                              : CLOCK_MONOTONIC;
  switch (command) {
    case FUTEX_WAIT: {
      Engine::Deadline deadline;
      if (timeout != nullptr) deadline = After(engine, ToNs(*timeout));
      return WaitAtWord(engine, word, value, deadline);
    }
    case FUTEX_WAIT_BITSET: {
      Engine::Deadline deadline;
      if (timeout != nullptr) deadline = DeadlineOf(clock, *timeout);
      return WaitAtWord(engine, word, value, deadline);
    }
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
      return WakeAtWord(engine, word, value);
    default:
      engine.FailAsMisuse(
          absl::StrCat("calls futex operation ", command,
                       ", which Clotho does not simulate (docs/threads.md)"));
  }
}

[[noreturn]] void FailAsEnded(Engine& engine, std::string what) {
  Failure failure;
  failure.kind = FailureKind::kException;
  failure.what = absl::StrCat(engine.running()->name(), " ", what);
  failure.signature = SignatureText(what);
  engine.FailAndLeave(std::move(failure));
}

// The C library's function of that name, for those that are needed rarely.
template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

void UseInterposition() {}

}  // namespace clotho::sim::internal

namespace {
using namespace clotho::sim::internal;  // NOLINT: for what follows only.
}  // namespace

// What begins each function below: in a simulated thread, `engine` is its
// engine, and the thread is inside it.
#define CLOTHO_REAL_UNLESS_SIMULATED_(call)          \
  ThreadEngine* const engine = ThreadEngine::Here(); \
  if (engine == nullptr) return Real().call;         \
  const ThreadEngine::Inside inside(*engine)

extern "C" {

// ---- Threads ----

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                   void* (*start)(void*), void* argument) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(
      pthread_create(thread, attributes, start, argument));
  int state = PTHREAD_CREATE_JOINABLE;
  if (attributes != nullptr) pthread_attr_getdetachstate(attributes, &state);
  Thread& made =
      engine->Create(start, argument, state == PTHREAD_CREATE_DETACHED);
  *thread = ThreadEngine::IdOf(made);
  engine->Point();
  return 0;
}

int pthread_join(pthread_t thread, void** result) {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_join(thread, result));
  return JoinUntil(*engine, thread, result, {});
}

int pthread_tryjoin_np(pthread_t thread, void** result) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_tryjoin_np(thread, result));
  Thread* const target = engine->Find(thread);
  if (target == nullptr) return ESRCH;
  if (target->detached()) return EINVAL;
  engine->Point();
  if (!target->done()) return EBUSY;
  return JoinUntil(*engine, thread, result, {});
}

int pthread_timedjoin_np(pthread_t thread, void** result,
                         const timespec* time) {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_timedjoin_np(thread, result, time));
  return JoinUntil(*engine, thread, result, DeadlineOf(CLOCK_REALTIME, *time));
}

int pthread_clockjoin_np(pthread_t thread, void** result, clockid_t clock,
                         const timespec* time) {
  CLOTHO_REAL_UNLESS_SIMULATED_(
      pthread_clockjoin_np(thread, result, clock, time));
  return JoinUntil(*engine, thread, result, DeadlineOf(clock, *time));
}

int pthread_detach(pthread_t thread) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_detach(thread));
  Thread* const target = engine->Find(thread);
  if (target == nullptr) return ESRCH;
  if (target->detached()) return EINVAL;
  engine->Detach(*target);
  return 0;
}

// (The C library's own unwinds the stack as well.)
void pthread_exit(void* result) {
  if (ThreadEngine::Here() != nullptr) throw ThreadExit{result};
  Next<void(void*)>("pthread_exit")(result);
  __builtin_unreachable();
}

int pthread_setname_np(pthread_t thread, const char* name) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_setname_np(thread, name));
  Thread* const target = engine->Find(thread);
  if (target == nullptr) return ESRCH;
  engine->SetName(*target, name);
  return 0;
}

int pthread_cancel(pthread_t thread) {
  ThreadEngine* const engine = ThreadEngine::Here();
  if (engine == nullptr) return Next<int(pthread_t)>("pthread_cancel")(thread);
  const ThreadEngine::Inside inside(*engine);
  engine->FailAsMisuse(
      "calls pthread_cancel, which Clotho does not simulate "
      "(docs/threads.md)");
}

int pthread_key_create(pthread_key_t* key, void (*destructor)(void*)) noexcept {
  const int error = Real().pthread_key_create(key, destructor);
  if (error == 0) AddKey(*key, destructor);
  return error;
}

int pthread_key_delete(pthread_key_t key) noexcept {
  RemoveKey(key);
  return Real().pthread_key_delete(key);
}

// Called by the C++ library for each thread_local variable that has a
// destructor.
int __cxa_thread_atexit_impl(void (*function)(void*), void* argument,
                             void* library) noexcept {
  if (ThreadEngine::AddAtExit(function, argument)) return 0;
  return Next<int(void (*)(void*), void*, void*)>("__cxa_thread_atexit_impl")(
      function, argument, library);
}

int sched_yield() noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(sched_yield());
  engine->GiveWay();
  return 0;
}

// ---- Mutexes ----

int pthread_mutex_init(pthread_mutex_t* mutex,
                       const pthread_mutexattr_t* attributes) noexcept {
  const int error = Real().pthread_mutex_init(mutex, attributes);
  if (ThreadEngine* const engine = ThreadEngine::Here()) {
    const ThreadEngine::Inside inside(*engine);
    Renew(*engine, mutex, Kind::kMutex);
  }
  return error;
}

int pthread_mutex_destroy(pthread_mutex_t* mutex) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_mutex_destroy(mutex));
  Destroy(*engine, mutex);
  return Real().pthread_mutex_destroy(mutex);
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_mutex_lock(mutex));
  return Lock(*engine, mutex, {});
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_mutex_trylock(mutex));
  return TryLock(*engine, mutex);
}

int pthread_mutex_timedlock(pthread_mutex_t* mutex,
                            const timespec* time) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_mutex_timedlock(mutex, time));
  if (!IsValid(*time)) return EINVAL;
  return Lock(*engine, mutex, DeadlineOf(CLOCK_REALTIME, *time));
}

int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                            const timespec* time) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_mutex_clocklock(mutex, clock, time));
  if (!IsValid(*time)) return EINVAL;
  return Lock(*engine, mutex, DeadlineOf(clock, *time));
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_mutex_unlock(mutex));
  return Unlock(*engine, mutex);
}

int pthread_spin_init(pthread_spinlock_t* lock, int shared) noexcept {
  const int error = Real().pthread_spin_init(lock, shared);
  if (ThreadEngine* const engine = ThreadEngine::Here()) {
    const ThreadEngine::Inside inside(*engine);
    Renew(*engine, const_cast<const int*>(lock), Kind::kSpinLock);
  }
  return error;
}

int pthread_spin_destroy(pthread_spinlock_t* lock) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_spin_destroy(lock));
  Destroy(*engine, const_cast<const int*>(lock));
  return Real().pthread_spin_destroy(lock);
}

int pthread_spin_lock(pthread_spinlock_t* lock) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_spin_lock(lock));
  SyncObject& object =
      engine->ObjectAt(const_cast<const int*>(lock), Kind::kSpinLock);
  engine->WaitFor(Thread::Wait::kMutex, object);
  Take(*engine, object);
  return 0;
}

int pthread_spin_trylock(pthread_spinlock_t* lock) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_spin_trylock(lock));
  SyncObject& object =
      engine->ObjectAt(const_cast<const int*>(lock), Kind::kSpinLock);
  engine->Point();
  if (object.owner != nullptr) return EBUSY;
  Take(*engine, object);
  return 0;
}

int pthread_spin_unlock(pthread_spinlock_t* lock) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_spin_unlock(lock));
  SyncObject& object =
      engine->ObjectAt(const_cast<const int*>(lock), Kind::kSpinLock);
  Release(*engine, object);
  engine->Note(Event::kWake, "unlocks", &object);
  engine->Point();
  return 0;
}

// ---- Condition variables ----

int pthread_cond_destroy(pthread_cond_t* condition) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_cond_destroy(condition));
  Destroy(*engine, condition);
  return 0;
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_cond_wait(condition, mutex));
  return WaitAt(*engine, condition, mutex, {});
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* time) {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_cond_timedwait(condition, mutex, time));
  if (!IsValid(*time)) return EINVAL;
  // The clock is an attribute that pthread_cond_init has stored.
  const bool is_monotonic = (condition->__data.__wrefs & 2) != 0;
  return WaitAt(
      *engine, condition, mutex,
      DeadlineOf(is_monotonic ? CLOCK_MONOTONIC : CLOCK_REALTIME, *time));
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           clockid_t clock, const timespec* time) {
  CLOTHO_REAL_UNLESS_SIMULATED_(
      pthread_cond_clockwait(condition, mutex, clock, time));
  if (!IsValid(*time)) return EINVAL;
  return WaitAt(*engine, condition, mutex, DeadlineOf(clock, *time));
}

int pthread_cond_signal(pthread_cond_t* condition) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_cond_signal(condition));
  Notify(*engine, condition, 1);
  return 0;
}

int pthread_cond_broadcast(pthread_cond_t* condition) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_cond_broadcast(condition));
  Notify(*engine, condition, SIZE_MAX);
  return 0;
}

// ---- Read-write locks ----

int pthread_rwlock_init(pthread_rwlock_t* lock,
                        const pthread_rwlockattr_t* attributes) noexcept {
  const int error = Real().pthread_rwlock_init(lock, attributes);
  if (ThreadEngine* const engine = ThreadEngine::Here()) {
    const ThreadEngine::Inside inside(*engine);
    Renew(*engine, lock, Kind::kRwLock);
  }
  return error;
}

int pthread_rwlock_destroy(pthread_rwlock_t* lock) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_rwlock_destroy(lock));
  Destroy(*engine, lock);
  return Real().pthread_rwlock_destroy(lock);
}

int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_rwlock_rdlock(lock));
  return ReadLock(*engine, lock, {});
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t* lock) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_rwlock_tryrdlock(lock));
  SyncObject& object = engine->ObjectAt(lock, Kind::kRwLock);
  engine->Point();
  if (object.owner != nullptr) {
    engine->Note(Event::kResume, "cannot lock to read", &object);
    return EBUSY;
  }
  ++object.readers;
  engine->Changed(object);
  engine->Note(Event::kResume, "locks to read", &object);
  return 0;
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t* lock,
                               const timespec* time) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_rwlock_timedrdlock(lock, time));
  if (!IsValid(*time)) return EINVAL;
  return ReadLock(*engine, lock, DeadlineOf(CLOCK_REALTIME, *time));
}

int pthread_rwlock_clockrdlock(pthread_rwlock_t* lock, clockid_t clock,
                               const timespec* time) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_rwlock_clockrdlock(lock, clock, time));
  if (!IsValid(*time)) return EINVAL;
  return ReadLock(*engine, lock, DeadlineOf(clock, *time));
}

int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_rwlock_wrlock(lock));
  return WriteLock(*engine, lock, {});
}

int pthread_rwlock_trywrlock(pthread_rwlock_t* lock) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_rwlock_trywrlock(lock));
  SyncObject& object = engine->ObjectAt(lock, Kind::kRwLock);
  engine->Point();
  if (object.owner != nullptr || object.readers > 0) {
    engine->Note(Event::kResume, "cannot lock", &object);
    return EBUSY;
  }
  Take(*engine, object);
  return 0;
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t* lock,
                               const timespec* time) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_rwlock_timedwrlock(lock, time));
  if (!IsValid(*time)) return EINVAL;
  return WriteLock(*engine, lock, DeadlineOf(CLOCK_REALTIME, *time));
}

int pthread_rwlock_clockwrlock(pthread_rwlock_t* lock, clockid_t clock,
                               const timespec* time) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_rwlock_clockwrlock(lock, clock, time));
  if (!IsValid(*time)) return EINVAL;
  return WriteLock(*engine, lock, DeadlineOf(clock, *time));
}

int pthread_rwlock_unlock(pthread_rwlock_t* lock) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_rwlock_unlock(lock));
  return UnlockRw(*engine, lock);
}

// ---- Barriers ----

int pthread_barrier_init(pthread_barrier_t* barrier,
                         const pthread_barrierattr_t* attributes,
                         unsigned count) noexcept {
  const int error = Real().pthread_barrier_init(barrier, attributes, count);
  ThreadEngine* const engine = ThreadEngine::Here();
  if (engine == nullptr || error != 0) return error;
  const ThreadEngine::Inside inside(*engine);
  SyncObject& object = engine->ObjectAt(barrier, Kind::kBarrier);
  object.value = count;
  object.depth = 0;
  return 0;
}

int pthread_barrier_destroy(pthread_barrier_t* barrier) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_barrier_destroy(barrier));
  Destroy(*engine, barrier);
  return Real().pthread_barrier_destroy(barrier);
}

int pthread_barrier_wait(pthread_barrier_t* barrier) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(pthread_barrier_wait(barrier));
  SyncObject& object = engine->ObjectAt(barrier, Kind::kBarrier);
  if (object.value == 0) {
    engine->FailAsMisuse(
        "waits at a barrier that was not made in this execution");
  }
  engine->Point();
  if (++object.depth < object.value) {
    engine->WaitToBeWoken(object, nullptr, 0, {});
    return 0;
  }
  object.depth = 0;
  engine->Note(Event::kResume, "completes", &object);
  engine->Wake(object, SIZE_MAX);
  engine->Point();
  return PTHREAD_BARRIER_SERIAL_THREAD;
}

// ---- Once ----

// (glibc stores 2 in a pthread_once_t when it is done. It stays done in later
// executions, as it does in a process.)
int pthread_once(pthread_once_t* once, void (*function)()) {
  constexpr int kDone = 2;
  ThreadEngine* const engine = ThreadEngine::Here();
  if (engine == nullptr) return Real().pthread_once(once, function);
  if (__atomic_load_n(once, __ATOMIC_ACQUIRE) == kDone) return 0;
  {
    const ThreadEngine::Inside inside(*engine);
    SyncObject& object = engine->ObjectAt(once, Kind::kOnce);
    // Not a point if nobody is in it: it is so only in the first execution.
    if (object.owner != nullptr) engine->WaitFor(Thread::Wait::kMutex, object);
    if (__atomic_load_n(once, __ATOMIC_ACQUIRE) == kDone) return 0;
    object.owner = engine->running();
    engine->Changed(object);
  }
  const auto leave = [engine, once](int state) {
    const ThreadEngine::Inside inside(*engine);
    __atomic_store_n(once, state, __ATOMIC_RELEASE);
    Release(*engine, engine->ObjectAt(once, Kind::kOnce));
  };
  try {
    function();
  } catch (...) {
    leave(0);
    throw;
  }
  leave(kDone);
  return 0;
}

// ---- Semaphores ----

int sem_init(sem_t* semaphore, int shared, unsigned value) noexcept {
  const int error = Real().sem_init(semaphore, shared, value);
  ThreadEngine* const engine = ThreadEngine::Here();
  if (engine == nullptr || error != 0) return error;
  const ThreadEngine::Inside inside(*engine);
  engine->ObjectAt(semaphore, Kind::kSemaphore).value = value;
  return 0;
}

int sem_destroy(sem_t* semaphore) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(sem_destroy(semaphore));
  Destroy(*engine, semaphore);
  return Real().sem_destroy(semaphore);
}

int sem_wait(sem_t* semaphore) {
  CLOTHO_REAL_UNLESS_SIMULATED_(sem_wait(semaphore));
  return Acquire(*engine, semaphore, {});
}

int sem_trywait(sem_t* semaphore) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(sem_trywait(semaphore));
  SyncObject& object = SemaphoreAt(*engine, semaphore);
  engine->Point();
  if (object.value == 0) {
    engine->Note(Event::kResume, "cannot acquire", &object);
    return Fails(EAGAIN);
  }
  --object.value;
  engine->Changed(object);
  engine->Note(Event::kResume, "acquires", &object);
  return 0;
}

int sem_timedwait(sem_t* semaphore, const timespec* time) {
  CLOTHO_REAL_UNLESS_SIMULATED_(sem_timedwait(semaphore, time));
  if (!IsValid(*time)) return Fails(EINVAL);
  return Acquire(*engine, semaphore, DeadlineOf(CLOCK_REALTIME, *time));
}

int sem_clockwait(sem_t* semaphore, clockid_t clock, const timespec* time) {
  CLOTHO_REAL_UNLESS_SIMULATED_(sem_clockwait(semaphore, clock, time));
  if (!IsValid(*time)) return Fails(EINVAL);
  return Acquire(*engine, semaphore, DeadlineOf(clock, *time));
}

int sem_post(sem_t* semaphore) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(sem_post(semaphore));
  SyncObject& object = SemaphoreAt(*engine, semaphore);
  ++object.value;
  engine->Changed(object);
  engine->Note(Event::kWake, "releases", &object);
  engine->Point();
  return 0;
}

int sem_getvalue(sem_t* semaphore, int* value) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(sem_getvalue(semaphore, value));
  *value = static_cast<int>(SemaphoreAt(*engine, semaphore).value);
  return 0;
}

// ---- Time ----

int nanosleep(const timespec* duration, timespec* left) {
  CLOTHO_REAL_UNLESS_SIMULATED_(nanosleep(duration, left));
  if (!IsValid(*duration) || duration->tv_sec < 0) return Fails(EINVAL);
  return Sleep(*engine, After(*engine, ToNs(*duration)));
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* time,
                    timespec* left) {
  CLOTHO_REAL_UNLESS_SIMULATED_(clock_nanosleep(clock, flags, time, left));
  if (!IsValid(*time) || time->tv_sec < 0) return EINVAL;
  return Sleep(*engine, (flags & TIMER_ABSTIME) != 0
                            ? DeadlineOf(clock, *time)
                            : After(*engine, ToNs(*time)));
}

int usleep(useconds_t duration) {
  CLOTHO_REAL_UNLESS_SIMULATED_(usleep(duration));
  return Sleep(*engine, After(*engine, std::int64_t{duration} * 1'000));
}

unsigned sleep(unsigned seconds) {
  CLOTHO_REAL_UNLESS_SIMULATED_(sleep(seconds));
  Sleep(*engine, After(*engine, std::int64_t{seconds} * kNsPerSecond));
  return 0;
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(clock_gettime(clock, time));
  *time = ReadClock(*engine, clock);
  return 0;
}

int gettimeofday(timeval* time, void* zone) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(gettimeofday(time, zone));
  const timespec now = ReadClock(*engine, CLOCK_REALTIME);
  *time = {.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1'000};
  return 0;
}

time_t time(time_t* where) noexcept {
  CLOTHO_REAL_UNLESS_SIMULATED_(time(where));
  const time_t now = ReadClock(*engine, CLOCK_REALTIME).tv_sec;
  if (where != nullptr) *where = now;
  return now;
}

// ---- System calls by number: the C++ library's atomics wait like this. ----

// (It reads as many arguments as any call has. That is what AddressSanitizer
// would object to.)
__attribute__((no_sanitize("address"))) long syscall(long number,
                                                     ...) noexcept {
  va_list list;
  va_start(list, number);
  long arguments[6];
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  ThreadEngine* const engine = ThreadEngine::Here();
  if (engine == nullptr || number != SYS_futex) {
    return Real().syscall(number, arguments[0], arguments[1], arguments[2],
                          arguments[3], arguments[4], arguments[5]);
  }
  const ThreadEngine::Inside inside(*engine);
  return Futex(*engine, reinterpret_cast<int*>(arguments[0]),
               static_cast<int>(arguments[1]), static_cast<int>(arguments[2]),
               reinterpret_cast<const timespec*>(arguments[3]));
}

// ---- Ends of the process: they end the execution. ----

void abort() noexcept {
  if (ThreadEngine* const engine = ThreadEngine::Here()) {
    const ThreadEngine::Inside inside(*engine);
    FailAsEnded(*engine, "calls abort()");
  }
  Next<void()>("abort")();
  __builtin_unreachable();
}

void __assert_fail(const char* condition, const char* file, unsigned line,
                   const char* function) noexcept {
  if (ThreadEngine* const engine = ThreadEngine::Here()) {
    const ThreadEngine::Inside inside(*engine);
    clotho::sim::Failure failure;
    failure.kind = clotho::sim::FailureKind::kException;
    failure.what = absl::StrCat("assert(", condition, ") is false");
    failure.function = FunctionName(function);
    failure.file = ShortFile(file);
    failure.line = line;
    failure.signature =
        absl::StrCat("assert ", Place(failure.file, failure.line));
    engine->FailAndLeave(std::move(failure));
  }
  Next<void(const char*, const char*, unsigned, const char*)>("__assert_fail")(
      condition, file, line, function);
  __builtin_unreachable();
}

}  // extern "C"
