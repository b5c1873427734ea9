// Strategy: which of several legal steps an execution takes next.
//
// This is the interface for writing your own search. It is called only where
// there is a choice; answering 0 everywhere yields FIFO order.
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
// A strategy must depend only on its arguments: no clock, no addresses, no
// randomness but that of the generator. What it learns comes from the Profile,
// which is the same for every execution of a search: so execution 118 is the
// same whether the 117 before it ran here, elsewhere, or not at all. (There are
// two exceptions, strategies/exhaustive.h and strategies/guided.h. Their
// executions cannot be identified by number.)

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

// The index in the ready queue of the element to run, and the element that the
// program can observe. They differ if the first one is bookkeeping.
struct Entry {
  std::size_t place;
  clotho::internal::Runnable* visible;
};

}  // namespace internal

// A task, or something that belongs to no task, such as a callback scheduled
// for a time. Steps of one chain never overtake each other. (In asyncio a
// callback comes from a chain, but is not a link of it: chains are those of
// Ozkan et al., OOPSLA 2018.)
struct Chain {
  // A hash of which ancestors created it, and each one's position among its
  // siblings. The same in all executions, in whatever order things run.
  std::uint64_t path = 0;
  // The chain that created it; 0: none, or unknown.
  std::uint32_t parent = 0;
  // The steps that it has taken so far.
  std::uint32_t steps = 0;
  // How many chains it has created so far.
  std::uint32_t children = 0;
};

// The process in a StepLog for the callbacks of the chain with this path.
std::uint64_t CallbackProcess(std::uint64_t path);

// Something that may run next.
class Candidate {
 public:
  Candidate(const clotho::internal::Runnable* runnable, bool is_timer)
      : runnable_(runnable), is_timer_(is_timer) {}

  // Whether this is the next timer, which would fire before everything that is
  // ready.
  bool is_timer() const { return is_timer_; }

  // The chain whose step it is, numbered from 1 in the order of creation. For
  // the timer that ends a sleep, the sleeping task; 0 if it belongs to no
  // chain.
  std::uint32_t chain() const {
    const std::uint32_t own = runnable_->chain();
    return own != 0 ? own : ChainOfEventualStep();
  }

  // Equal for tasks that run the same coroutine function, whatever their
  // arguments, and for threads that run the same function; null if it is
  // neither. Compare it for equality only: it is an address, so its order
  // differs between runs.
  const void* role() const;

  const clotho::internal::Runnable& runnable() const { return *runnable_; }

 private:
  // For something that has no chain of its own.
  std::uint32_t ChainOfEventualStep() const;

  const clotho::internal::Runnable* runnable_;
  bool is_timer_;
};

// A moment at which more than one thing may happen.
class ChoicePoint {
 public:
  // Counted from 1 over the whole execution, including steps without a choice.
  std::uint64_t step() const { return step_; }

  // At least 2. The first is what asyncio would run now. The others are in
  // ready-queue order (a candidate behind bookkeeping has the position of the
  // bookkeeping); the timer, if it may fire, comes last.
  std::size_t size() const { return ready_count_ + (timer_ != nullptr); }
  Candidate operator[](std::size_t index) const {
    if (index == ready_count_) return Candidate(timer_, /*is_timer=*/true);
    return Candidate(
        entries_ != nullptr ? entries_[index].visible : &(*ready_)[index],
        /*is_timer=*/false);
  }

  // The ready-queue element for a candidate other than the timer: itself, or
  // the bookkeeping that precedes it.
  const clotho::internal::Runnable& InQueue(std::size_t index) const {
    if (ready_ == nullptr) return *entries_[index].visible;
    return (*ready_)[entries_ != nullptr ? entries_[index].place : index];
  }

  // Whether the last candidate is the next timer.
  bool has_timer() const { return timer_ != nullptr; }

  // In FIFO ordering the only choice is between FIFO order and the next timer.
  // The timer does not run now but becomes due: it is queued behind everything
  // that is ready.
  bool fifo_only() const { return fifo_only_; }
  // In FIFO ordering: the index, from 1, of this iteration among those that
  // have begun since the last step. All of them have the same step number.
  std::uint32_t boundary() const { return boundary_; }

  // All chains so far, living or not, indexed by number.
  std::span<const Chain> chains() const { return chains_; }

  // The process, as in a StepLog, of the candidate's step.
  std::uint64_t ProcessOf(std::size_t index) const;

 private:
  friend class internal::Simulator;

  std::uint64_t step_ = 0;
  std::size_t ready_count_ = 0;
  bool fifo_only_ = false;
  std::uint32_t boundary_ = 0;
  // Null: every element of the ready queue is a candidate.
  const internal::Entry* entries_ = nullptr;
  // Null: the candidates are threads.
  const clotho::internal::ReadyQueue* ready_ = nullptr;
  const clotho::internal::Runnable* timer_ = nullptr;
  std::span<const Chain> chains_;
};

// A moment at which the program asks its environment for a decision: see
// choice.h. It has its own step number.
struct ValueChoice {
  std::uint64_t step = 0;
  std::uint64_t size = 0;  // Values from 0; 0 means "nothing happens".
  // The probability that the program suggests for a value other than 0.
  std::uint64_t numerator = 0;
  std::uint64_t denominator = 1;
};

// The member of a combined strategy, as in "pct:3".
struct StrategyPart {
  std::string_view name;    // As in --clotho_strategy; a string literal.
  std::uint64_t depth = 0;  // 0: none.

  friend bool operator==(const StrategyPart&, const StrategyPart&) = default;
};

class Strategy {
 public:
  virtual ~Strategy() = default;

  // How many executions it wants to learn from before it begins. The first one
  // runs in FIFO order, the others at random; all count as executions of the
  // search.
  virtual std::uint64_t warm_up() const { return 0; }

  // The profile of those executions. Called once, before the strategy's first
  // own execution, if `warm_up` is not 0. `profile` stays valid for the whole
  // search.
  virtual void Prepare(const Profile& profile) { (void)profile; }

  // A new execution begins. All its randomness must come from `rng`, which
  // stays valid until the execution ends.
  virtual void BeginExecution(Rng& rng) = 0;

  // Returns an index below `point.size()`.
  virtual std::size_t Choose(const ChoicePoint& point) = 0;

  // Returns a value below `choice.size`. By default: with the probability that
  // the program suggests, a value other than 0, all equally likely.
  virtual std::uint64_t ChooseValue(const ValueChoice& choice, Rng& rng);

  // Whether HandedOver is to be called, which takes time.
  virtual bool wants_handoffs() const { return false; }
  // In the current execution one task has used an object, and another one has
  // used it next. `handoff` is a hash of the object and both places: the same
  // in all executions with that handoff. See engine/handoffs.h.
  virtual void HandedOver(std::uint64_t handoff) { (void)handoff; }

  // The execution has ended.
  virtual void EndExecution() {}

  // The log that records what every step does, for a strategy that needs it. A
  // strategy with a log is asked at every step, even where there is no choice.
  virtual StepLog* log() { return nullptr; }

  // No execution is left to run: the search ends.
  virtual bool done() const { return false; }
  // After `done`: what the search was exhaustive about, if less than
  // everything. Follows "all 25 executions" in reports.
  virtual std::string scope() const { return ""; }
  // How many of its executions were repetitions of earlier ones.
  virtual std::uint64_t repeated() const { return 0; }

  // The schedules that the strategy has kept as interesting. Empty if it keeps
  // none.
  virtual std::span<const Deviations> corpus() const { return {}; }

  // For a combined strategy, or one that draws its depth: the member that ran
  // the last execution. No name: not such a strategy, or no execution yet.
  virtual StrategyPart part() const { return {}; }

  // ---- For searches shared by several processes: see search/campaign.h.

  // Whether an execution depends on its seed alone, and not on earlier ones.
  virtual bool numbered() const { return true; }
  // Called before the first execution, and only for a strategy that is not
  // numbered: can it search part `index` of `count`, such that all parts
  // together are the whole? If so, it searches that part from then on.
  virtual bool TakePart(std::uint64_t /*index*/, std::uint64_t count) {
    return count == 1;
  }
  // For a strategy that has taken a part: whether the last execution belongs to
  // that part. Some executions only find the parts.
  virtual bool counts() const { return true; }
  // The position of the last execution among those of all parts: the same in
  // whichever part it runs, and increasing from one to the next. Empty: the
  // number of the execution.
  virtual std::optional<std::uint64_t> order() const { return std::nullopt; }
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_ENGINE_STRATEGY_H_
