// RunUntilIdle, Advance, Sequencer: how a test brings a program to a certain
// moment.
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

// Returns when nothing else is ready to run: before the next timer, all that
// can happen now has happened. If several wait for that, they go on in the
// order in which they came. Throws RuntimeError outside of a simulation.
Coro<void> RunUntilIdle();

// `Sleep(duration)`, then `RunUntilIdle()`: what is due at the end has run,
// too.
Coro<void> Advance(Delay duration);

// Puts moments of different tasks into an order, by number: a schedule written
// by hand, which survives changes of the code around it.
//
//   sim::Sequencer turn;
//   ...  { auto t = co_await turn(1); queue.Put(job); }      // In one task.
//   ...  { auto t = co_await turn(2); co_await queue.Take(); }  // In another.
class Sequencer {
 public:
  Sequencer() { clotho::internal::SyncMake(this); }
  Sequencer(const Sequencer&) = delete;
  Sequencer& operator=(const Sequencer&) = delete;

  // One's turn. It ends with this object.
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
  // turn was taken before. Whoever is cancelled while it waits leaves its turn
  // to be taken.
  Coro<Turn> operator()(std::uint64_t number);

 private:
  void End();

  std::uint64_t current_ = 1;  // Whose turn it is.
  bool taken_ = false;
  std::map<std::uint64_t, Future<void>> waiting_;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_RUN_UNTIL_IDLE_H_
