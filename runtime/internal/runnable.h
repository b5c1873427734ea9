// Runnable: an item that can be in the loop's ready queue.
//
// It is a task's next step, a callback, or bookkeeping of the runtime. It is
// its own list node, so it can wait for a future without an allocation.

#ifndef CLOTHO_RUNTIME_INTERNAL_RUNNABLE_H_
#define CLOTHO_RUNTIME_INTERNAL_RUNNABLE_H_

#include <cstdint>

#include "clotho/runtime/internal/list.h"

namespace clotho::internal {

enum class RunnableKind : std::uint8_t {
  kTask,      // A task step.
  kCallback,  // A callback of the program.
  kInternal,  // Bookkeeping that a program cannot observe by itself: a gather's
              // count, a shield's relay, the timer that ends a sleep.
  kThread,    // A thread that is simulated. It is never in a loop's queue.
};

class Runnable : public ListNode {
 public:
  explicit Runnable(RunnableKind kind) noexcept : kind_(kind) {}

  // Runs it. It has already left the queue.
  virtual void Run() = 0;

  // Called instead of `Run` if the queue, or the future it waits for, is
  // destroyed.
  virtual void Drop() noexcept = 0;

  // The step or callback that running this eventually makes ready, if known:
  // this itself, unless it is bookkeeping. Bookkeeping may lead to a task's
  // step or to nothing (null). Lets a scheduler see which task a forced step is
  // about to make ready.
  virtual Runnable* EventualStep() { return this; }

  // True for a handle that was cancelled after it became ready.
  virtual bool cancelled() const { return false; }

  RunnableKind kind() const noexcept { return kind_; }

  // Callbacks that one chain passed to the loop run in that order. A chain is a
  // task, or work that was started outside any task; 0: outside the loop.
  std::uint32_t chain() const noexcept { return chain_; }
  void set_chain(std::uint32_t chain) noexcept { chain_ = chain; }

 protected:
  ~Runnable() = default;

 private:
  RunnableKind kind_;
  std::uint32_t chain_ = 0;
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_RUNNABLE_H_
