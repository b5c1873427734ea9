// RunUntilIdle, Advance, Sequencer: bring a program to a certain point.
//
//   Task<int> task = CreateTask(Retry(AlwaysBusy, {.deadline = 5s}));
//   co_await sim::Advance(absl::Seconds(5) - absl::Nanoseconds(1));
//   EXPECT_FALSE(task.Done());
//   co_await sim::Advance(absl::Nanoseconds(1));   // Whatever is due has run.
//
// Time passes by itself whenever a test waits, so most tests need none of
// these: `co_await task` is simpler, and says more.

#ifndef CLOTHO_SIM_RUN_UNTIL_IDLE_H_
#define CLOTHO_SIM_RUN_UNTIL_IDLE_H_

#include <cstdint>
#include <map>
#include <utility>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/internal/sync.h"

namespace clotho::sim {

// Returns when nothing else is ready to run: everything that can happen before
// the next timer has happened. Several waiting tasks resume in the order of
// their calls. Throws RuntimeError outside a simulation.
Coro<void> RunUntilIdle();

// `Sleep(duration)`, then `RunUntilIdle()`: everything due at the end has run,
// too.
Coro<void> Advance(Delay duration);

// Orders points in different tasks by number: a handwritten schedule that
// survives changes to the code around it.
//
//   sim::Sequencer turn;
//   ...  { auto t = co_await turn(1); queue.Put(job); }         // In one task.
//   ...  { auto t = co_await turn(2); co_await queue.Take(); }  // In another.
class Sequencer {
 public:
  Sequencer() { clotho::internal::SyncMake(this); }
  Sequencer(const Sequencer&) = delete;
  Sequencer& operator=(const Sequencer&) = delete;

  // A turn. It ends when this object is destroyed.
  class [[nodiscard]] Turn {
   public:
    Turn(Turn&& other) noexcept
        : sequencer_(std::exchange(other.sequencer_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (sequencer_ != nullptr) sequencer_->End();
    }

   private:
    friend class Sequencer;
    explicit Turn(Sequencer* sequencer) : sequencer_(sequencer) {}
    Sequencer* sequencer_;
  };

  // Waits until turns 1 to `number` - 1 have ended. Throws ValueError if that
  // turn was already taken. If the wait is cancelled, the turn can be taken
  // again.
  Coro<Turn> operator()(std::uint64_t number);

 private:
  void End();

  std::uint64_t current_ = 1;  // The current turn.
  bool taken_ = false;
  std::map<std::uint64_t, Future<void>> waiting_;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_RUN_UNTIL_IDLE_H_
