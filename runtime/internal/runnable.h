// Runnable: what can stand in the loop's ready queue.
//
// A task's next step, a callback, or a bit of the runtime's own bookkeeping. It
// is its own list node, so that it can wait at a future without an allocation.

#ifndef CLOTHO_RUNTIME_INTERNAL_RUNNABLE_H_
#define CLOTHO_RUNTIME_INTERNAL_RUNNABLE_H_

#include <cstdint>

#include "clotho/runtime/internal/list.h"

namespace clotho::internal {

enum class RunnableKind : std::uint8_t {
  kTask,      // A step of a task.
  kCallback,  // A callback of the program's.
  kInternal,  // Bookkeeping that no program can notice by itself: a gather's
              // count, a shield's relay, the timer that ends a sleep.
};

class Runnable : public ListNode {
 public:
  explicit Runnable(RunnableKind kind) noexcept : kind_(kind) {}

  // Runs it. The queue has let go of it before.
  virtual void Run() = 0;

  // It will never run: the queue or the future it waited at goes away.
  virtual void Drop() noexcept = 0;

  // What running this will make ready, as far as is known: itself, unless it is
  // bookkeeping, which may lead to a task's step, or to nothing (null). Lets a
  // scheduler see who is about to run behind a forced step.
  virtual Runnable* EventualStep() { return this; }

  // A handle that was cancelled after it had become ready.
  virtual bool cancelled() const { return false; }

  RunnableKind kind() const noexcept { return kind_; }

  // Callbacks that one chain gave to the loop run in the order given. A chain
  // is a task, or what a task set off that belongs to no task; 0: outside.
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
