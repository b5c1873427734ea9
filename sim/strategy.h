// Strategy: which of several legal steps an execution takes next.
//
// The one interface to write a search of your own. It is asked only where there
// is a choice; answering 0 everywhere is plain asyncio order.
//
//   class StarveOne : public sim::Strategy {
//    public:
//     void BeginExecution(sim::Rng& rng) override { victim_ = rng.Uniform(8); }
//     std::size_t Choose(const sim::ChoicePoint& point) override {
//       for (std::size_t i = 0; i < point.size(); ++i) {
//         if (point[i].task_number() != victim_) return i;
//       }
//       return 0;
//     }
//    private:
//     std::uint64_t victim_ = 0;
//   };
//
// A strategy must be a function of what it is given: no clock, no address, no
// randomness but that of the generator.

#ifndef CLOTHO_SIM_STRATEGY_H_
#define CLOTHO_SIM_STRATEGY_H_

#include <cstddef>
#include <cstdint>

#include "clotho/runtime/internal/runnable.h"
#include "clotho/sim/random.h"

namespace clotho::sim {

// Something that may run next.
class Candidate {
 public:
  Candidate(const clotho::internal::Runnable* runnable, bool is_timer)
      : runnable_(runnable), is_timer_(is_timer) {}

  // The next timer would fire, before what is ready.
  bool is_timer() const { return is_timer_; }
  // The task whose step it is, numbered from 1 in the order of creation
  // together with what else has an order of its own; equal numbers, equal
  // tasks. For a callback, the task or timer that it comes from.
  std::uint32_t task_number() const { return runnable_->chain(); }

  const clotho::internal::Runnable& runnable() const { return *runnable_; }

 private:
  const clotho::internal::Runnable* runnable_;
  bool is_timer_;
};

// A moment at which more than one thing may happen.
class ChoicePoint {
 public:
  // Counted from 1 through the whole execution, forced steps included.
  virtual std::uint64_t step() const = 0;

  // At least 2. The first is what plain asyncio would run now. The others stand
  // in the order of the ready queue, one that waits behind bookkeeping where
  // the bookkeeping stands; the timer, if it may fire, comes last.
  virtual std::size_t size() const = 0;
  virtual Candidate operator[](std::size_t index) const = 0;

  // Whether the last one is the next timer.
  virtual bool has_timer() const = 0;

 protected:
  ~ChoicePoint() = default;
};

class Strategy {
 public:
  virtual ~Strategy() = default;

  // A new execution begins. All its randomness has to come from `rng`, which
  // stays valid until the execution ends.
  virtual void BeginExecution(Rng& rng) = 0;

  // An index below `point.size()`.
  virtual std::size_t Choose(const ChoicePoint& point) = 0;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGY_H_
