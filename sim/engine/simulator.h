// Simulator: runs one execution of a test after another, in one thread.
//
// It is the loop's Scheduler. At each step it lists what may happen next, lets
// the strategy choose where there is a choice, and records each choice that
// deviates from FIFO order. What the program can notice are steps, numbered
// from 1: steps of tasks, callbacks, and timers that were let through early.
// The runtime's own bookkeeping is not a choice; it runs when its turn comes,
// or when what it leads to is chosen.
//
// Everything is reused from one execution to the next: after the first few, an
// execution takes no memory.

#ifndef CLOTHO_SIM_ENGINE_SIMULATOR_H_
#define CLOTHO_SIM_ENGINE_SIMULATOR_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <set>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clotho/runtime/claims.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/instrument.h"
#include "clotho/runtime/internal/ready_queue.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/timer_queue.h"
#include "clotho/runtime/scheduler.h"
#include "clotho/sim/engine/defaults.h"
#include "clotho/sim/engine/executor.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/handoffs.h"
#include "clotho/sim/engine/hash.h"
#include "clotho/sim/engine/profile.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/step_watcher.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/engine/virtual_clock.h"

namespace clotho::sim::internal {

// Makes the coroutine of a test, afresh for each execution.
using Body = std::function<Coro<void>()>;

// What an exception means that leaves a task, if it is more than an exception:
// the execution ends with this.
using Judge = std::function<std::optional<Failure>(const std::exception_ptr&)>;

// What may be reordered: see options.h.
enum class Ordering { kAnyReady, kFifo };

struct Budget {
  std::uint64_t steps_max = kStepsMax;
  std::int64_t virtual_time_max_ns = kVirtualHoursMax * 3600 * 1'000'000'000;
};

// What came of an execution. The vectors keep their memory between executions.
struct Execution {
  std::optional<Failure> failure;
  // The deviations from FIFO order, up to the failure.
  Deviations deviations;
  std::uint64_t steps = 0;
  std::uint64_t choice_points = 0;
  // Tasks, and callbacks that belong to none: see Chain.
  std::uint64_t chains = 0;
  // Of the steps that were taken: equal executions have equal ones.
  std::uint64_t trace_hash = 0;
  // Of the choice points that were met, for the replay string.
  std::uint16_t check = 0;
  std::int64_t time_ns = 0;
};

// A Sometimes or Reachable.
struct GoalCount {
  std::string goal;
  std::source_location location;
  std::uint64_t met = 0;      // How often the program has come past it,
  std::uint64_t reached = 0;  // and how often it was true then.
};

class Simulator;

// What is checked after every step: see after_every_step.h.
struct Invariant {
  Simulator* simulator;
  std::string_view claim;
  std::function<bool()> holds;
  std::source_location location;
  Invariant* next = nullptr;
};

struct Seeds {
  std::uint64_t strategy = 0;
  std::uint64_t program = 0;
};

// Sees an execution as it goes, for reports. Must not act on it.
class Observer : public Instrument {
 public:
  // The next visible step, before it is taken: what could be next, also if that
  // is only one thing, and which of it was chosen.
  virtual void Step(const ChoicePoint& point, std::size_t choice) = 0;
  // The present step touches a tracked object.
  virtual void Touched(std::uint64_t /*object*/, bool /*write*/,
                       std::string_view /*name*/, const std::source_location&) {
  }
  // In FIFO ordering: time passes up to the deadline of `timer`.
  virtual void Due(std::uint64_t /*step*/, const Candidate& /*timer*/) {}
  // The environment decided: "Choose(3)", 2.
  virtual void Chose(std::string_view /*what*/, std::uint64_t /*value*/,
                     const std::source_location&) {}
  // The present step has found that this is not linearizable.
  virtual void Contradicts(TraceHistory /*history*/) {}
  // The execution's failure, at the moment at which it was noticed.
  virtual void Failed(const Failure& failure) = 0;
  // The program is where it will stay, and has not been torn down.
  virtual void End(EventLoop& loop) = 0;
};

class Simulator final : public Scheduler,
                        private clotho::internal::ClaimHandler {
 public:
  Simulator();
  ~Simulator() override;

  // The one that runs in this thread, or null.
  static Simulator* Current();

  void set_budget(const Budget& budget) { budget_ = budget; }
  // Virtual seconds in a second of the next executions, for who watches; 0: as
  // many as can be.
  void set_rate(double rate) { clock_.set_rate(rate); }
  void set_ordering(Ordering ordering) { ordering_ = ordering; }
  // Of the loop: see EventLoop::SetDebug.
  void set_debug(bool debug) { debug_ = debug; }
  // The next failure stops the program where it is noticed, as a breakpoint.
  void set_break_at_failure(bool on) { break_at_failure_ = on; }
  // The next executions stop before this step, as at a breakpoint. 0: they do
  // not.
  void set_break_before(std::uint64_t step) { break_before_ = step; }
  // See sim/engine/executor.h.
  void set_job_time(JobTime time) { executors_.set_job_time(std::move(time)); }

  // Null: exceptions are only that.
  void set_judge(Judge judge) { judge_ = std::move(judge); }

  // Runs `body` once: the strategy draws from `seeds.strategy`, the program
  // from `seeds.program`. If it fails, the execution ends with that step. The
  // result is good until the next call. An observer, if given, sees it all.
  const Execution& Run(const Body& body, Strategy& strategy, const Seeds& seeds,
                       Observer* observer = nullptr);

  // The goals that were met in all executions, in the order in which the
  // program first came past them.
  const std::vector<GoalCount>& goals() const { return goals_; }

  // The next executions fail in place of this step, before it is taken: what
  // led to a step that no process survives can still be seen. 0: none does.
  // Only with an observer.
  void set_stop_before(std::uint64_t step) { stop_before_ = step; }

  // What the next executions do is added to `profile`, until it is set to null.
  void set_profile(Profile* profile) { profile_ = profile; }

  // ---- From inside of an execution. ----

  // For the observer, if there is one.
  void ShowHistory(TraceHistory history) {
    if (observer_ == nullptr || failed()) return;
    observer_->Contradicts(std::move(history));
  }
  // Records a failure, unless there was one before. Fills in step, task and
  // time. The execution ends with the present step.
  void Fail(Failure failure);
  // The present execution, as far as it has come, and its seeds.
  const Execution& execution() const { return execution_; }
  const Seeds& seeds() const { return seeds_; }
  // No step is taken any more: what is left is being destroyed.
  bool ending() const { return ending_; }
  bool failed() const { return execution_.failure.has_value(); }
  // Whether anybody will read what a failure says.
  bool is_observed() const { return observer_ != nullptr; }

  EventLoop& loop() { return loop_; }
  const EventLoop& loop() const { return loop_; }
  VirtualClock& clock() { return clock_; }
  std::uint64_t step() const { return step_; }
  std::int64_t now_ns() const { return clock_.NowNs(); }
  // Randomness for the program itself.
  Rng& program_rng() {
    if (watcher_.watches()) watcher_.TouchNumber(kProgramRng, /*write=*/true);
    return program_rng_;
  }
  // For a strategy that has a StepLog: what it says is not all there is.
  void GiveUpLog(std::string_view why) {
    if (watcher_.watches()) watcher_.Unknown(why);
  }

  // A decision of the environment: see choice.h.
  std::uint64_t ChooseValue(std::string_view what, std::uint64_t size,
                            std::uint64_t numerator, std::uint64_t denominator,
                            const std::source_location& location);
  // Whether this execution is one of those with mishaps at this place.
  bool MayMisbehave(const std::source_location& location);

  // Completes `settled` when nothing is ready.
  void WhenSettled(Future<void> settled) {
    settling_.push_back(std::move(settled));
  }

  void AddInvariant(Invariant& invariant);
  void RemoveInvariant(Invariant& invariant);

  // A number for the present execution, which no other of this thread has.
  std::uint64_t run() const { return run_; }
  // Looks at what `stop_requests` asks for before the next step. For handlers
  // of signals.
  void Attend() { step_limit_.store(0, std::memory_order_relaxed); }

  // A number for a shared object that is made now: the same in all executions
  // in which the same chain makes it as its n-th.
  std::uint64_t NewObject();
  // The present step touches a shared object.
  void Touch(std::uint64_t object, bool write, std::string_view name,
             const std::source_location& location);

  // The path of a chain.
  std::uint64_t PathOf(std::uint32_t chain);

  // The name of the task that runs now; empty outside of any.
  std::string CurrentTaskName() const;

 private:
  using Runnable = clotho::internal::Runnable;
  using ReadyQueue = clotho::internal::ReadyQueue;
  using Timer = clotho::internal::Timer;

  Decision Choose(const ReadyQueue& ready, const Timer* next_timer) override;
  bool BeforeWait(const Timer* next_timer) override;
  void ClaimIsFalse(std::string_view word, std::string_view claim,
                    const std::source_location& location) override;
  void Goal(std::string_view goal, bool reached,
            const std::source_location& location) override;
  void TaskRaised(const std::exception_ptr& error) override;
  // False if an invariant is broken.
  bool CheckInvariants();
  // At `step_limit_`: false if the execution ends there.
  bool PassStepLimit();

  // As an object that steps touch.
  static constexpr std::uint64_t kProgramRng = 1;

  // A place of Buggify.
  struct Mishap {
    std::source_location location;
    bool enabled;
  };

  Decision TakeStep(const ReadyQueue& ready, const Timer* next_timer);
  // In FIFO ordering: whether the next timer becomes due now.
  bool BecomesDue(const ReadyQueue& ready, const Timer& next_timer);
  void ListCandidates(const ReadyQueue& ready, const Timer* next_timer);
  Entry EntryAt(std::size_t index) const {
    return point_.entries_ != nullptr ? point_.entries_[index]
                                      : Entry{index, &(*point_.ready_)[index]};
  }
  // Those that the last step has created.
  void NoteNewChains();
  void BeginStep(const Candidate& taken);
  void AddToProfile();
  // What is next on the way to `target_`, if there is a way.
  std::optional<Decision> TowardsTarget(const ReadyQueue& ready);
  void OnException(const ExceptionContext& context);
  void Finish();
  void RunLoop();

  VirtualClock clock_;
  EventLoop loop_;
  Executors executors_{loop_};
  bool debug_ = false;
  bool break_at_failure_ = false;
  std::uint64_t break_before_ = 0;
  std::set<std::string> warnings_;  // That were written.
  Budget budget_;
  Judge judge_;
  Ordering ordering_ = Ordering::kAnyReady;
  // The iteration whose boundary has been passed, in FIFO ordering.
  std::uint64_t iteration_ = 0;
  // How many have been passed before this step.
  std::uint64_t boundary_step_ = 0;
  std::uint32_t boundary_ = 0;
  Execution execution_;
  Rng strategy_rng_{0};
  Rng program_rng_{0};
  StreamHash trace_hash_;
  StreamHash check_hash_;
  Strategy* strategy_ = nullptr;
  Observer* observer_ = nullptr;
  StepWatcher watcher_{*this};

  std::uint64_t run_ = 0;
  std::uint64_t step_ = 0;
  // That of the budget, unless there is something to be done before.
  std::atomic<std::uint64_t> step_limit_{0};
  // Of the choice points, those that were the environment's.
  std::uint64_t value_choices_ = 0;
  std::uint64_t stop_before_ = 0;
  bool ending_ = false;
  Seeds seeds_;
  // The step at which the body was seen to have ended: what is ready then may
  // still run, but time stands still. 0: it has not.
  std::uint64_t settling_since_ = 0;
  clotho::internal::Ref<clotho::internal::FutureBase> main_;

  // The present choice point.
  ChoicePoint point_;
  std::vector<Entry> candidates_;  // Space for them; `point_` has how many.
  // The numbers of the last lists of candidates in which a chain's task, and a
  // callback of it, stood.
  struct Listed {
    std::uint64_t task = 0;
    std::uint64_t callback = 0;
  };
  std::vector<Listed> listed_;  // By the chains' numbers.
  std::uint64_t listing_ = 0;

  std::vector<Chain> chains_;     // By their numbers; the first is nobody's.
  std::uint32_t step_chain_ = 0;  // Whose step is being run.
  // How many tracked objects each chain has made; as long as chains_, or
  // shorter.
  std::vector<std::uint32_t> objects_;

  std::vector<Future<void>> settling_;
  Invariant* invariants_ = nullptr;  // The newest first.
  std::vector<Mishap> mishaps_;
  std::vector<GoalCount> goals_;

  Profile* profile_ = nullptr;  // To be added to, or null.
  std::vector<Profile::Step> profile_steps_;
  std::vector<Profile::Lineage> profile_chains_;

  Handoffs handoffs_{loop_};

  // A task that was chosen while bookkeeping stands before its step.
  Runnable* target_ = nullptr;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_ENGINE_SIMULATOR_H_
