// LoopCore: what the runtime itself and tools do with an EventLoop.
//
//   CoreOf(loop).Push(runnable);
//
// Every EventLoop is one, but only CoreOf shows it. What is for programs is in
// event_loop.h.

#ifndef CLOTHO_RUNTIME_LOOP_CORE_H_
#define CLOTHO_RUNTIME_LOOP_CORE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "clotho/runtime/clock.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/internal/instrument.h"
#include "clotho/runtime/internal/list.h"
#include "clotho/runtime/internal/ready_queue.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/scheduler.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/runtime/internal/timer_queue.h"
#include "clotho/runtime/mailbox.h"

namespace clotho {

class EventLoop;
class Executor;
class ThreadPoolExecutor;

namespace internal {

class FutureBase;
class RegistryNode;
class TaskBase;

// Links an asynchronous generator that has started to its loop, which closes it
// at shutdown.
class AsyncGeneratorNode : public ListNode {
 public:
  // Null if the loop is gone, or has closed the generator.
  EventLoop* loop() const noexcept { return loop_; }
  void set_loop(EventLoop& loop) noexcept { loop_ = &loop; }
  // Detaches the generator from the loop.
  void Forget() noexcept {
    Unlink();
    loop_ = nullptr;
  }

 private:
  EventLoop* loop_ = nullptr;
};

// Links a ThreadLink, which joins a future to another thread, to its loop. The
// loop cuts the link when it is closed (see threads.h).
class ThreadLinkNode : public ListNode {
 public:
  // Called in the loop's thread: releases the future.
  virtual void Cut() noexcept = 0;

 protected:
  ~ThreadLinkNode() = default;
};

inline thread_local constinit EventLoop* running_loop = nullptr;

// The argument of the last `SetEventLoop` (see current_loop.h).
inline thread_local constinit EventLoop* current_loop = nullptr;

// Decides what Ctrl-C does to a loop.
class InterruptHandler {
 public:
  // Called in the loop's thread between two iterations. An exception it throws
  // leaves the loop.
  virtual void Interrupted() = 0;

 protected:
  ~InterruptHandler() = default;
};

class LoopCore {
 public:
  LoopCore(const LoopCore&) = delete;
  LoopCore& operator=(const LoopCore&) = delete;

  Clock& clock() const { return *clock_; }
  Scheduler* scheduler() const { return scheduler_; }
  // Not owned. Null: FIFO order.
  void set_scheduler(Scheduler* scheduler) { scheduler_ = scheduler; }
  Instrument* instrument() const { return instrument_; }
  // Not owned. Null: none.
  void set_instrument(Instrument* instrument) {
    instrument_ = instrument;
    UpdateWatched();
  }
  // Not owned. Null: no interrupts.
  void set_interrupt_handler(InterruptHandler* handler) {
    interrupt_handler_ = handler;
  }
  // Sets whether use from another thread is an error even outside debug mode.
  // Returns the previous value.
  bool set_checks_thread(bool checks) {
    return std::exchange(checks_thread_, checks);
  }

  // The number of iterations begun. Lets a trace be compared with CPython's.
  std::uint64_t iterations() const { return iterations_; }

  // The number of this loop among those of the process, from 1. Tells loops
  // apart; do not display it, since it depends on what ran before.
  std::uint64_t number() const { return number_; }

  // The task whose step is running, or null.
  TaskBase* current_task() const { return current_task_; }

  // Calls `visit(TaskBase&)` for each pending task, oldest first.
  template <typename Visit>
  void ForEachTask(Visit visit) const {
    tasks_.ForEach(visit);
  }

  // Calls `visit(const Timer&)` for each timer, in no particular order.
  template <typename Visit>
  void ForEachTimer(Visit visit) const {
    timers_.ForEach(visit);
  }

  // Register a heap-allocated future, a pending task, and a thread link.
  void Register(FutureBase& future);
  void AdoptTask(TaskBase& task);
  void AdoptThreadLink(ThreadLinkNode& thread_link) {
    thread_links_.PushBack(thread_link);
  }
  // Created at the first call. Throws RuntimeError after its shutdown.
  Executor& DefaultExecutor();
  // Registers a generator that is about to start.
  void AdoptAsyncGenerator(AsyncGeneratorNode& generator);

  void Push(Runnable& runnable) {
    if (tearing_down_) [[unlikely]] {
      runnable.Drop();
      return;
    }
    ready_.PushBack(runnable);
    if (instrument_ != nullptr) [[unlikely]]
      instrument_->BecameReady(runnable);
  }
  void Arm(Timer& timer, std::int64_t when_ns) {
    SyncTimerSet(when_ns);
    timers_.Add(timer, when_ns);
  }
  void Disarm(Timer& timer) {
    if (!timer.armed()) return;
    SyncTimerDisarmed(timer.when_ns());
    timers_.Remove(timer);
  }
  // Removes a bookkeeping item from the ready queue. Nothing runs instead.
  void Withdraw(Runnable& runnable) noexcept;
  std::int64_t NowNs() const { return clock_->NowNs(); }
  std::uint32_t current_chain() const { return current_chain_; }
  // Starts a chain, for work that has none to inherit.
  std::uint32_t NewChain() { return next_chain_++; }
  // The nesting depth of eager tasks that are taking their first step.
  std::uint32_t eager_depth() const { return eager_depth_; }
  // Chains are numbered from 1 to one less than this (see Runnable::chain).
  std::uint32_t chain_count() const { return next_chain_; }
  bool tearing_down() const { return tearing_down_; }
  // Throws RuntimeError if the loop is closed, or if the call is a mistake that
  // debug mode detects.
  void CheckOpen() const {
    if (closed() || checks_thread_) [[unlikely]]
      DoCheckOpen();
  }
  // Throws RuntimeError if the loop cannot run now in this thread (L-31).
  void CheckCanRun() const;

  // Passes `mail` to the loop from any thread, or drops it and throws
  // RuntimeError.
  void Post(Mail& mail);
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }

 protected:
  // Not owned. Null: a real clock of its own.
  explicit LoopCore(Clock* clock);
  ~LoopCore();

  friend class TaskBase;

  // May be called from any thread.
  bool running() const { return running_.load(std::memory_order_relaxed); }
  bool closed() const { return closed_.load(std::memory_order_relaxed); }

  void DoCheckOpen() const;
  void UpdateWatched() { watched_ = debug_ || instrument_ != nullptr; }

  static constexpr std::int64_t kSlowCallbackNs = 100'000'000;

  // Hot members first.
  ReadyQueue ready_;
  TimerQueue timers_;
  Clock* clock_;
  Scheduler* scheduler_ = nullptr;
  Instrument* instrument_ = nullptr;
  TaskBase* current_task_ = nullptr;
  std::uint32_t current_chain_ = 0;
  std::uint32_t next_chain_ = 1;
  bool stopping_ = false;
  bool watched_ = false;  // There is an instrument, or debug mode is on.
  bool debug_ = false;
  bool checks_thread_ = false;
  bool initial_debug_ = false;
  // These two may be read from other threads (L-35).
  std::atomic<bool> running_ = false;
  std::atomic<bool> closed_ = false;
  bool tearing_down_ = false;
  std::shared_ptr<Mailbox> mailbox_;  // Never null.

  using FutureList = IntrusiveList<FutureBase, RegistryNode>;
  using TaskList = IntrusiveList<TaskBase, RegistryNode>;
  FutureList futures_;  // Without tasks; in no meaningful order.
  TaskList tasks_;      // The loop holds a reference to each.
  IntrusiveList<AsyncGeneratorNode> async_generators_;
  IntrusiveList<ThreadLinkNode> thread_links_;
  std::uint64_t iterations_ = 0;
  const std::uint64_t number_;
  std::uint64_t next_task_name_ = 1;
  std::uint32_t eager_depth_ = 0;
  std::unique_ptr<Clock> own_clock_;
  InterruptHandler* interrupt_handler_ = nullptr;
  Delay slow_callback_ = Delay::Nanoseconds(kSlowCallbackNs);
  std::unique_ptr<ThreadPoolExecutor> default_executor_;
  bool default_executor_is_shut_down_ = false;
};

// The core of a loop. For the runtime, for simulators and for tools.
// Defined in event_loop.h.
inline LoopCore& CoreOf(EventLoop& loop) noexcept;
inline const LoopCore& CoreOf(const EventLoop& loop) noexcept;

}  // namespace internal
}  // namespace clotho

#endif  // CLOTHO_RUNTIME_LOOP_CORE_H_
