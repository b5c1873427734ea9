// Strategy: which of several legal steps an execution takes next.
//
// The one interface to write a search of your own. It is asked only where there
// is a choice; answering 0 everywhere is FIFO order.
//
//   class StarveOne : public sim::Strategy {
//    public:
//     void BeginExecution(sim::Rng& rng) override { victim_ = rng.Uniform(8); }
//     std::size_t Choose(const sim::ChoicePoint& point) override {
//       for (std::size_t i = 0; i < point.size(); ++i) {
//         if (point[i].chain() != victim_) return i;
//       }
//       return 0;
//     }
//    private:
//     std::uint64_t victim_ = 0;
//   };
//
// A strategy must be a function of what it is given: no clock, no address, no
// randomness but that of the generator. What it learns it learns from the
// Profile, which is the same for every execution of a search: so execution 118
// is the same whether the 117 before it ran here, elsewhere, or not at all.
// (Two cannot do without: strategies/exhaustive.h and strategies/guided.h.
// Their executions have no number of their own.)

#ifndef CLOTHO_SIM_ENGINE_STRATEGY_H_
#define CLOTHO_SIM_ENGINE_STRATEGY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "clotho/runtime/internal/ready_queue.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/sim/engine/profile.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/step_log.h"

namespace clotho::sim {

namespace internal {

class Simulator;

// The element of the ready queue to run, and the one that the program notices,
// which differ if the first is bookkeeping.
struct Entry {
  std::size_t place;
  clotho::internal::Runnable* visible;
};

}  // namespace internal

// A task; or what belongs to no task, such as a callback that was set for a
// time. Steps of one chain never overtake each other. (In asyncio a callback
// comes from a chain, but is not a link of it: chains are those of Ozkan et
// al., OOPSLA 2018.)
struct Chain {
  // Who its creators were, and as their how many-th child each was created. The
  // same in all executions, in whatever order things run.
  std::uint64_t path = 0;
  // The chain that created it; 0: none, or not known.
  std::uint32_t parent = 0;
  // The steps that it has taken so far.
  std::uint32_t steps = 0;
  // How many chains it has created so far.
  std::uint32_t children = 0;
};

// The callbacks of a chain with this path, as a process of a StepLog.
std::uint64_t CallbackProcess(std::uint64_t path);

// Something that may run next.
class Candidate {
 public:
  Candidate(const clotho::internal::Runnable* runnable, bool is_timer)
      : runnable_(runnable), is_timer_(is_timer) {}

  // The next timer would fire, before what is ready.
  bool is_timer() const { return is_timer_; }

  // The chain whose step it is, numbered from 1 in the order of creation. For
  // the timer that ends a sleep, the task that sleeps; 0 for one that belongs
  // to nobody.
  std::uint32_t chain() const {
    const std::uint32_t own = runnable_->chain();
    return own != 0 ? own : ChainOfEventualStep();
  }

  // Equal for tasks that run the same coroutine function, whatever their
  // arguments; null for what is no task. To compare, not to order: it is an
  // address.
  const void* role() const;

  const clotho::internal::Runnable& runnable() const { return *runnable_; }

 private:
  // For what has no chain of its own.
  std::uint32_t ChainOfEventualStep() const;

  const clotho::internal::Runnable* runnable_;
  bool is_timer_;
};

// A moment at which more than one thing may happen.
class ChoicePoint {
 public:
  // Counted from 1 through the whole execution, forced steps included.
  std::uint64_t step() const { return step_; }

  // At least 2. The first is what asyncio would run now. The others stand
  // in the order of the ready queue, one that waits behind bookkeeping where
  // the bookkeeping stands; the timer, if it may fire, comes last.
  std::size_t size() const { return ready_count_ + (timer_ != nullptr); }
  Candidate operator[](std::size_t index) const {
    if (index == ready_count_) return Candidate(timer_, /*is_timer=*/true);
    return Candidate(
        entries_ != nullptr ? entries_[index].visible : &(*ready_)[index],
        /*is_timer=*/false);
  }

  // What stands in the ready queue for one that is not the timer: itself, or
  // the bookkeeping before it.
  const clotho::internal::Runnable& InQueue(std::size_t index) const {
    return (*ready_)[entries_ != nullptr ? entries_[index].place : index];
  }

  // Whether the last one is the next timer.
  bool has_timer() const { return timer_ != nullptr; }

  // In FIFO ordering the only choice is between FIFO order and the next
  // timer; and that does not run now, but becomes due: it goes behind what is
  // ready.
  bool fifo_only() const { return fifo_only_; }
  // In FIFO ordering: of the iterations that have begun since the last step,
  // which one, from 1. All of them are asked for the same step.
  std::uint32_t boundary() const { return boundary_; }

  // All chains that exist or existed, by their numbers.
  std::span<const Chain> chains() const { return chains_; }

  // Whose step one of them is, in the sense of a StepLog.
  std::uint64_t ProcessOf(std::size_t index) const;

 private:
  friend class internal::Simulator;

  std::uint64_t step_ = 0;
  std::size_t ready_count_ = 0;
  bool fifo_only_ = false;
  std::uint32_t boundary_ = 0;
  // Null: every element of the ready queue is a candidate.
  const internal::Entry* entries_ = nullptr;
  const clotho::internal::ReadyQueue* ready_ = nullptr;
  const clotho::internal::Runnable* timer_ = nullptr;
  std::span<const Chain> chains_;
};

// A moment at which the program asks its environment for a decision: see
// choice.h. It has a step's number to itself.
struct ValueChoice {
  std::uint64_t step = 0;
  std::uint64_t size = 0;  // Values from 0, where "nothing happens".
  // The chance that the program suggests for anything else.
  std::uint64_t numerator = 0;
  std::uint64_t denominator = 1;
};

// Of a strategy that is several, one of them, as in "pct:3".
struct StrategyPart {
  std::string_view name;    // As --clotho_strategy has it; of a literal.
  std::uint64_t depth = 0;  // 0: it has none.

  friend bool operator==(const StrategyPart&, const StrategyPart&) = default;
};

class Strategy {
 public:
  virtual ~Strategy() = default;

  // How many executions it wants to learn from before it begins. The first is
  // in FIFO order, the others are random; all count as executions of the
  // search.
  virtual std::uint64_t warm_up() const { return 0; }

  // What was learned from them. Called once, before the first execution of its
  // own, if it has asked for any. `profile` stays valid for the search.
  virtual void Prepare(const Profile& profile) { (void)profile; }

  // A new execution begins. All its randomness has to come from `rng`, which
  // stays valid until the execution ends.
  virtual void BeginExecution(Rng& rng) = 0;

  // An index below `point.size()`.
  virtual std::size_t Choose(const ChoicePoint& point) = 0;

  // A value below `choice.size`. Unless it is overridden: with the chance that
  // the program suggests one that is not 0, all of them equally likely.
  virtual std::uint64_t ChooseValue(const ValueChoice& choice, Rng& rng);

  // Whether it wants to be told of handoffs, which takes time.
  virtual bool wants_handoffs() const { return false; }
  // In the present execution one task has used an object, and another one has
  // used it next. `handoff` is a hash of the object and of both places: the
  // same in all executions in which these do that. See
  // engine/handoffs.h.
  virtual void HandedOver(std::uint64_t handoff) { (void)handoff; }

  // The execution has ended.
  virtual void EndExecution() {}

  // A strategy that has one is told through it what every step does, and asked
  // to choose at every step, also where there is nothing to choose.
  virtual StepLog* log() { return nullptr; }

  // No execution is left to be run: the search ends.
  virtual bool done() const { return false; }
  // Once it is done: what it has been exhaustive about, if that is less than
  // everything. Follows "all 25 executions" in reports.
  virtual std::string scope() const { return ""; }
  // How many of those that were run had been run before.
  virtual std::uint64_t repeated() const { return 0; }

  // The schedules that it has found worth keeping. Empty: it keeps none.
  virtual std::span<const Deviations> corpus() const { return {}; }

  // Of one that is several, or draws its depth: which has run the last
  // execution. No name: there is no such choice, or it has not begun.
  virtual StrategyPart part() const { return {}; }

  // ---- For searches that several processes share: see search/campaign.h.

  // An execution depends on its seed alone, and not on those before it.
  virtual bool numbered() const { return true; }
  // Asked before the first execution, and only of one that is not numbered:
  // whether it can do the part `index` of `count`, so that all of them together
  // are the whole. From then on it does that part.
  virtual bool TakePart(std::uint64_t /*index*/, std::uint64_t count) {
    return count == 1;
  }
  // Of one that has taken a part: whether the last execution is one of it. Some
  // are run only to find the parts.
  virtual bool counts() const { return true; }
  // And its place among those of all parts: the same in whatever part it is
  // run, and rising from one to the next. Nothing: the number of the execution.
  virtual std::optional<std::uint64_t> order() const { return std::nullopt; }
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_ENGINE_STRATEGY_H_
