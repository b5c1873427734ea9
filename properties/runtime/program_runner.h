// RunProgram: runs a random program (programs.h) on the runtime.
//
//   struct Counts : ProgramObserver {
//     void Begins(int, const Statement&) override { ++statements; }
//     int statements = 0;
//   };
//   const auto counts = std::make_shared<Counts>();
//   co_await RunProgram(program, {.observers = {counts}});
//
// It takes exactly the same steps as the printed program (`ToCpp`): between a
// statement and the runtime there are only coroutines that are awaited at once,
// which costs no step (HT-05).

#ifndef CLOTHO_PROPERTIES_RUNTIME_PROGRAM_RUNNER_H_
#define CLOTHO_PROPERTIES_RUNTIME_PROGRAM_RUNNER_H_

#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "clotho/properties/runtime/programs.h"
#include "clotho/runtime/runtime.h"

namespace clotho::properties {

// The objects of a program, and the operations on them. Derive from it to
// replace a runtime primitive, for example by a faulty lock, and see which
// checks notice. Created anew for each execution, in a running loop.
class Primitives {
 public:
  Primitives() = default;
  virtual ~Primitives() = default;
  Primitives(const Primitives&) = delete;
  Primitives& operator=(const Primitives&) = delete;

  virtual Coro<void> AcquireLock(int which);
  virtual void ReleaseLock(int which);
  virtual bool LockIsFree(int which);

  virtual Coro<void> AcquirePermit(int which);
  virtual void ReleasePermit(int which);
  // True if a caller would have to wait now.
  virtual bool NoPermitIsFree(int which);

  virtual Coro<void> AcquireCondition(int which);
  virtual void ReleaseCondition(int which);
  virtual Coro<void> WaitForNotification(int which);
  virtual void Notify(int which, int count);  // 0: all.
  virtual bool ConditionIsFree(int which);

  virtual Coro<void> AwaitEvent(int which);
  virtual void SetEvent(int which);
  virtual void ClearEvent(int which);

  virtual Coro<int> AwaitBarrier(int which);
  virtual Coro<void> ResetBarrier(int which);
  virtual Coro<void> AbortBarrier(int which);
  virtual int WaitingAtBarrier(int which);

  virtual Coro<void> Put(int which, int item);
  virtual Coro<int> Get(int which);
  virtual Coro<void> Join(int which);
  virtual void TaskDone(int which);
  virtual void Shutdown(int which, bool immediate);
  virtual int ItemsIn(int which);

  virtual Future<int> FutureAt(int which);

  virtual Coro<void> SleepFor(Delay delay);
  virtual bool Cancel(const Task<int>& task);
  virtual void AddDoneCallback(const Task<int>& task,
                               std::function<void()> callback);
  virtual Coro<int> AwaitFor(Coro<int> inner, Delay timeout);
  virtual Coro<int> AwaitFor(Future<int> inner, Delay timeout);
  virtual Coro<int> AwaitUnderTimeout(Coro<int> inner, Delay timeout);
  virtual Coro<int> AwaitUnderTimeout(Future<int> inner, Delay timeout);
  virtual Coro<int> AwaitShielded(Future<int> inner);
  virtual Coro<std::vector<int>> AwaitAll(std::vector<Future<int>> futures);

 private:
  Lock locks_[kObjects] = {Lock("lock_a"), Lock("lock_b")};
  Semaphore semaphores_[kObjects] = {Semaphore(kPermits[0], "semaphore_a"),
                                     Semaphore(kPermits[1], "semaphore_b")};
  Condition conditions_[kObjects] = {Condition("condition_a"),
                                     Condition("condition_b")};
  Event events_[kObjects] = {Event("event_a"), Event("event_b")};
  Barrier barriers_[kObjects] = {Barrier(kParties[0], "barrier_a"),
                                 Barrier(kParties[1], "barrier_b")};
  Queue<int> queues_[kObjects] = {Queue<int>(kQueueSizes[0], "queue_a"),
                                  Queue<int>(kQueueSizes[1], "queue_b")};
  Future<int> futures_[kObjects];
};

// How a statement or a body ends.
struct Ending {
  // For a statement, its values: a single value, or the results of all
  // operands. For kWait, how many are done and how many are pending; for
  // kCancel, whether it was accepted. -1 stands for an exception. Empty if
  // there is no value, or if the task it names was not created.
  std::vector<int> values = {};
  std::exception_ptr exception = nullptr;

  bool cancelled() const;  // By CancelledError.
  bool timed_out() const;  // By TimeoutError.
};

// Observes a running program. Must not act on it. Tasks have the numbers of
// their bodies.
class ProgramObserver {
 public:
  // The point a task has reached within a statement.
  enum class Phase {
    kHolds,  // It has the lock, or the permit.
    kWaits,  // For kAwaitCondition: it releases the lock and waits.
    kHoldsAgain,
    kLetsGo,  // It is about to release it.
    kCaught,  // For kCatch: the exception was caught.
  };

  virtual ~ProgramObserver() = default;

  // Called before anything happens. The objects live as long as the program
  // runs.
  virtual void ProgramStarts(Primitives&) {}
  virtual void TaskIsMade(int /*maker*/, int /*number*/, const Task<int>&) {}
  virtual void BodyStarts(int /*task*/, int /*body*/) {}
  virtual void BodyEnds(int /*task*/, int /*body*/, const Ending&) {}
  virtual void Begins(int /*task*/, const Statement&) {}
  virtual void Reaches(int /*task*/, const Statement&, Phase) {}
  virtual void Ends(int /*task*/, const Statement&, const Ending&) {}
  // The task is destroyed while it waits in this statement.
  virtual void IsDestroyed(int /*task*/, const Statement&) {}
  virtual void Cancels(int /*task*/, int /*target*/, bool /*accepted*/) {}
  // A callback that kOnDone added to this task.
  virtual void CallbackRuns(const Statement&, int /*target*/) {}
  // This task has ended. Called when that is noticed, which may be later.
  virtual void HasEnded(int /*number*/, const Task<int>&) {}
  // All tasks have ended.
  virtual void AllHaveEnded() {}
};

struct RunOptions {
  std::vector<std::shared_ptr<ProgramObserver>> observers = {};
  // Null: the runtime's primitives.
  std::function<std::unique_ptr<Primitives>()> primitives = nullptr;
};

// Runs a program in the running loop, and waits until all its tasks have ended,
// with any outcome. `program` must live until the first await.
Coro<void> RunProgram(const Program& program, RunOptions options = {});

// The current value of the context variable that kSet sets.
int CurrentSetting();

}  // namespace clotho::properties

#endif  // CLOTHO_PROPERTIES_RUNTIME_PROGRAM_RUNNER_H_
