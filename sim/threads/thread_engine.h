// ThreadEngine: runs the threads of an execution one at a time, and lets the
// simulator choose between them wherever they could meet.
//
// A thread runs until it comes to a point: before it takes a lock or waits, and
// after it releases something. There it says what it is about to do. It is a
// candidate while it can do that: a thread that wants a mutex, exactly while
// the mutex is free. FIFO order goes on with the thread that runs, and
// otherwise takes the one that has been ready for longest.
//
// Time stands still while threads run, except that reading the clock takes
// 100 ns. The next deadline may pass while threads are ready, but no thread is
// kept from running for longer than the jitter.
//
// See docs/threads.md.

#ifndef CLOTHO_SIM_THREADS_THREAD_ENGINE_H_
#define CLOTHO_SIM_THREADS_THREAD_ENGINE_H_

#include <pthread.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clotho/runtime/internal/timer_queue.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/simulated_thread.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/threads/stack.h"
#include "clotho/sim/threads/sync_table.h"

namespace clotho::sim::internal {

class ThreadEngine;

// Thrown by pthread_exit in a simulated thread.
struct ThreadExit {
  void* result;
};

// A simulated thread. Its memory is used again by the next executions.
class Thread final : public SimulatedThread {
 public:
  // What it waits for, or is about to do.
  enum class Wait : std::uint8_t {
    kNothing,    // It may go on.
    kMutex,      // That `object` has no owner.
    kReadLock,   // The same.
    kWriteLock,  // That `object` has neither owner nor readers.
    kSemaphore,  // That the value of `object` is positive.
    kThread,     // That `target` has ended.
    kWake,       // That another thread wakes it, at `object`.
    kTime,       // Its deadline.
  };

  const void* role() const override { return state_.role; }
  std::string NextStep() const override;

  bool done() const { return state_.done; }
  bool detached() const { return state_.detached; }

 private:
  friend class ThreadEngine;

  struct State {
    ThreadEngine* engine = nullptr;
    Donor* donor = nullptr;
    Context context = {};
    std::uint32_t children = 0;  // How many threads it has started.
    const void* role = nullptr;
    void* (*start)(void*) = nullptr;  // Null: the first thread, with `body`.
    void* argument = nullptr;
    const std::function<void()>* body = nullptr;
    void* result = nullptr;

    Wait wait = Wait::kNothing;
    SyncObject* object = nullptr;
    Thread* target = nullptr;
    // At a condition variable: the mutex that it takes afterwards, and how
    // often it had taken it.
    SyncObject* mutex = nullptr;
    std::uint32_t depth = 0;
    Thread* next = nullptr;  // In object->waiters.
    Thread* previous = nullptr;
    Thread* joiner = nullptr;  // Waits for its end.
    bool started = false;
    bool ready = false;
    bool timed_out = false;
    bool done = false;
    bool detached = false;
    bool joined = false;
    bool left = false;  // It failed, and is not to go on.
    std::int64_t ready_since_ns = 0;
    std::uint32_t points = 0;       // Since it last waited or gave way.
    std::uint32_t clock_reads = 0;  // Since its last point.
    // When its last wait began.
    std::uint64_t wait_step = 0;
    std::int64_t wait_ns = 0;
  };

  State state_;
  // What thread_local variables have registered.
  std::vector<std::pair<void (*)(void*), void*>> at_exit_;
};

class ThreadEngine final : public ThreadHost {
 public:
  explicit ThreadEngine(Simulator& simulator) : simulator_(simulator) {}
  ~ThreadEngine();
  ThreadEngine(const ThreadEngine&) = delete;
  ThreadEngine& operator=(const ThreadEngine&) = delete;

  // Runs `body` as the execution's first thread, until all threads have ended
  // or the execution has. To be called in a step of the simulator's loop.
  void Run(const std::function<void()>& body);

  // The engine whose thread calls this. Null: the caller is not simulated, or
  // is the simulator itself.
  static ThreadEngine* Here();

  Simulator& simulator() { return simulator_; }

  // While it lives, the running thread is not simulated: Here() is null.
  class Inside {
   public:
    explicit Inside(ThreadEngine& engine);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    ThreadEngine& engine_;
  };

  // ---- For the running thread, inside. ----

  using Deadline = std::optional<std::int64_t>;  // In virtual ns. Empty: none.

  Thread* running() { return running_; }

  // Starts a thread. It is ready; the caller goes on.
  Thread& Create(void* (*start)(void*), void* argument, bool detached);
  static pthread_t IdOf(const Thread& thread) {
    return thread.state_.donor->id();
  }
  // The thread that has this id: it has not been joined and, if it is detached,
  // has not ended. Null: none.
  Thread* Find(pthread_t id);
  // Waits for its end. False: the deadline has passed. It is then not joined.
  bool Join(Thread& thread, void** result, Deadline deadline);
  // Whether it is waited for already.
  static bool IsBeingJoined(const Thread& thread) {
    return thread.state_.joiner != nullptr;
  }
  void Detach(Thread& thread);
  void SetName(Thread& thread, std::string_view name) {
    thread.set_name(std::string(name));
  }

  // What is at this address. `is_new`: it was not used in this execution, or as
  // something else.
  SyncObject& ObjectAt(const void* address, SyncObject::Kind kind) {
    bool is_new = false;
    return objects_.At(address, kind, is_new);
  }
  SyncObject& ObjectAt(const void* address, SyncObject::Kind kind,
                       bool& is_new) {
    return objects_.At(address, kind, is_new);
  }
  SyncObject* KnownObject(const void* address) {
    return objects_.Known(address);
  }

  // A point: waits until the object is free in the sense of `wait`. False: the
  // deadline has passed before.
  bool WaitFor(Thread::Wait wait, SyncObject& object, Deadline deadline = {});
  // Waits until another thread wakes it at the object. Then takes the mutex, if
  // there is one, which it must have released. False: the deadline has passed
  // before.
  bool WaitToBeWoken(SyncObject& object, SyncObject* mutex, std::uint32_t depth,
                     Deadline deadline);
  void SleepUntil(std::int64_t deadline_ns);
  // Wakes up to `count` of those that wait there, the longest first. Returns
  // how many.
  std::size_t Wake(SyncObject& object, std::size_t count);
  // The state of the object has changed: those that wait for it may have become
  // ready, or may be so no longer.
  void Changed(SyncObject& object);
  // A point at which the running thread can go on.
  void Point() { Block(Wait::kNothing, nullptr, nullptr, std::nullopt); }
  // The same, but in FIFO order all others go first.
  void GiveWay();

  // A point before an operation on an atomic object. `verb` says which.
  void AtomicPoint(const void* address, bool write, std::string_view verb);

  std::int64_t NowNs() const { return simulator_.now_ns(); }
  // The program reads the clock.
  void ReadClock();

  // Registers what is to run when the calling thread ends. False: it is not
  // simulated.
  static bool AddAtExit(void (*function)(void*), void* argument);

  // Records what the running thread does, if somebody observes: the verb, and
  // the object or the thread that it concerns.
  void Note(TraceEvent::Kind kind, std::string_view verb,
            const SyncObject* object = nullptr, const Thread* other = nullptr);

  // The execution fails here: something is used as it never may be.
  [[noreturn]] void FailAsMisuse(std::string_view what);
  // The execution fails with this.
  [[noreturn]] void FailAndLeave(Failure failure);

  static std::string NameOf(const SyncObject& object);

  // ---- ThreadHost ----
  const SimulatedThread* Running() const override { return running_; }
  [[noreturn]] void Leave() override;
  std::vector<ThreadWait> Waits() override;

 private:
  using Wait = Thread::Wait;

  static void StartThread(void* thread);
  void RunThread(Thread& thread);
  void RunAtExit(Thread& thread);
  [[noreturn]] void End(Thread& thread);
  // Gives back what the last execution has left behind.
  void CleanUp();

  Thread& NewThread(Thread* parent, std::uint32_t chain);
  bool CanGoOn(const Thread& thread) const;
  // The running step accesses the object.
  void Access(SyncObject& object, bool write);
  // The running thread has come to many points without waiting, or has given
  // way. If all do so, time passes.
  void NoteIdle(std::uint64_t points_max);
  void MakeReady(Thread& thread);
  void MakeUnready(Thread& thread);
  static void Link(SyncObject& object, Thread& thread);
  static void Unlink(Thread& thread);
  // The running thread comes to a point, or waits. Returns when it goes on;
  // false: its deadline has passed.
  bool Block(Wait wait, SyncObject* object, Thread* target, Deadline deadline);
  // What `thread` waited for at a condition variable or a futex has come, or
  // its deadline.
  void StopWaiting(Thread& thread, bool timed_out);
  void ExpireWhatIsDue();
  const SimulatedThread* TimerWithinJitter() const;
  // Chooses who runs next. Null: the execution has ended.
  Thread* ChooseNext();
  // Makes it the first of those that are ready.
  void PutFirst(std::size_t index);
  // Goes on with `next`; if that is null, outside.
  void SwitchTo(Thread* next, Context& from);
  void FailAsDeadlock();
  void FailIfLeaked();
  std::vector<void*> StackOf(Thread& thread);
  std::string PlacesOfWaits();

  Simulator& simulator_;
  SyncTable objects_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::size_t thread_count_ = 0;  // Of this execution.
  std::vector<std::unique_ptr<Donor>> donors_;
  std::vector<Donor*> idle_donors_;
  clotho::internal::TimerQueue timers_;
  // The threads that can go on. The running one comes first, while it can.
  std::vector<Entry> ready_;
  Thread* running_ = nullptr;
  Context outside_;  // Where Run was called.
  // How often in a row threads have given way, or were made to, without
  // anything else.
  std::uint64_t idle_points_ = 0;
  // The first thread has ended: the others may do what is ready, but time
  // stands still.
  bool settling_ = false;
  std::uint64_t settling_since_ = 0;

  // While one thread asks another where it is.
  std::vector<void*>* stack_wanted_ = nullptr;
  Context asking_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_THREADS_THREAD_ENGINE_H_
