// Stacks of simulated threads, and the switch from one to another.
//
// All simulated threads run in one thread of the operating system. Each has the
// stack and the thread-local storage of a real thread, the donor, which sleeps
// meanwhile. So thread_local variables, errno, exceptions, pthread_self() and
// AddressSanitizer's view of a stack are the real ones.
//
// For x86-64 Linux. Where the processor and the kernel let programs set the FS
// register (FSGSBASE), a switch takes some twenty instructions; otherwise a
// system call more.

#ifndef CLOTHO_SIM_THREADS_STACK_H_
#define CLOTHO_SIM_THREADS_STACK_H_

#include <pthread.h>
#include <sys/types.h>

#include <cstddef>

namespace clotho::sim::internal {

// Where something runs that was switched away from.
struct Context {
  void* stack_pointer = nullptr;
  void* thread_storage = nullptr;  // The FS base.
};

// The context of the caller, except for its stack pointer.
Context ContextHere();

// Goes on in `to`. Returns when something switches to `from`, where the
// caller's stack pointer is stored.
void SwitchStack(Context& from, const Context& to);

// Lends stack and thread-local storage.
class Donor {
 public:
  // Starts a real thread, which sleeps until the donor is destroyed. Its stack
  // has this size; 0: as of any thread.
  explicit Donor(std::size_t stack_size);
  ~Donor();
  Donor(const Donor&) = delete;
  Donor& operator=(const Donor&) = delete;

  // What pthread_self() is while it is used.
  pthread_t id() const { return thread_; }

  // A context that calls `function(argument)` on the donor's stack, which must
  // never return. What was on the stack before is lost.
  Context Start(void (*function)(void*), void* argument);

  // Gives thread-local variables their initial values, except for the C
  // library's own. To be called in the donor's context.
  static void ResetThreadLocals();

 private:
  static void* Main(void* self);

  pthread_t thread_ = {};
  pid_t process_ = 0;  // After a fork, the child has no such thread.
  void* thread_storage_ = nullptr;
  char* top_ = nullptr;  // Of the part of the stack that is lent.
  int state_ = 0;        // A futex: 1: it is ready; 2: it is to end.
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_THREADS_STACK_H_
