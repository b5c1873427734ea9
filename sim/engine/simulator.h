// Simulator: runs executions of a test one after another, in one thread.
//
// It is the loop's Scheduler. At each step it lists what may happen next, lets
// the strategy choose if there is a choice, and records each choice that
// deviates from FIFO order. Steps are numbered from 1 and are what the program
// can observe: steps of tasks, callbacks, and timers that fire early. The
// runtime's own bookkeeping is not a choice; it runs in its turn, or when the
// step that it leads to is chosen.
//
// All memory is reused from one execution to the next: after the first few, an
// execution allocates nothing.

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
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clotho/runtime/claims.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/instrument.h"
#include "clotho/runtime/internal/ready_queue.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/scheduler.h"
#include "clotho/runtime/internal/timer_queue.h"
#include "clotho/sim/engine/defaults.h"
#include "clotho/sim/engine/executor.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/handoffs.h"
#include "clotho/sim/engine/hash.h"
#include "clotho/sim/engine/profile.h"
#include "clotho/sim/engine/quiet_watch.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulated_thread.h"
#include "clotho/sim/engine/step_watcher.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/engine/virtual_clock.h"

namespace clotho::sim::internal {

// Creates the coroutine of a test, anew for each execution.
using Body = std::function<Coro<void>()>;

// Decides whether an exception that leaves a task ends the execution. If so,
// returns the failure with which it ends.
using Judge = std::function<std::optional<Failure>(const std::exception_ptr&)>;

// What may be reordered: see options.h.
enum class Ordering { kAnyReady, kFifo };

struct Budget {
  std::uint64_t steps_max = kStepsMax;
  std::int64_t virtual_time_max_ns = kVirtualHoursMax * 3600 * 1'000'000'000;
  // For how long a thread that could run may be kept from running, at most,
  // while a deadline passes.
  std::int64_t jitter_ns = kJitterNs;
};

// The result of an execution. The vectors keep their memory between executions.
struct Execution {
  Ordering ordering = Ordering::kAnyReady;  // In which it ran.
  std::optional<Failure> failure;
  // The deviations from FIFO order, up to the failure.
  Deviations deviations;
  std::uint64_t steps = 0;
  std::uint64_t choice_points = 0;
  // Tasks, and callbacks that belong to no task: see Chain.
  std::uint64_t chains = 0;
  // A hash of the steps that were taken: equal executions have equal hashes.
  std::uint64_t trace_hash = 0;
  // A hash of the choice points, for the replay string.
  std::uint16_t check = 0;
  std::int64_t time_ns = 0;

  // Empties it, but keeps the memory of the deviations.
  void Clear() {
    Deviations kept = std::move(deviations);
    kept.clear();
    *this = Execution();
    deviations = std::move(kept);
  }
};

// A Sometimes or Reachable.
struct GoalCount {
  std::string goal;
  std::source_location location;
  std::uint64_t met = 0;      // How often the program has reached it,
  std::uint64_t reached = 0;  // and how often it was true.
};

class Simulator;

// A condition that is checked after every step: see after_every_step.h.
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

// Observes an execution for reports. Must not affect it.
class Observer : public clotho::internal::Instrument {
 public:
  // Called before the next visible step: the candidates, even if there is only
  // one, and the chosen one.
  virtual void Step(const ChoicePoint& point, std::size_t choice) = 0;
  // The current step touches a tracked object.
  virtual void Touched(std::uint64_t /*object*/, bool /*write*/,
                       std::string_view /*name*/, const std::source_location&) {
  }
  // In FIFO ordering: time passes up to the deadline of `timer`.
  virtual void Due(std::uint64_t /*step*/, const Candidate& /*timer*/) {}
  // The environment decided: "Choose(3)", 2.
  virtual void Chose(std::string_view /*what*/, std::uint64_t /*value*/,
                     const std::source_location&) {}
  // The running thread does something: what, and where. `other` is the thread
  // that it concerns; may be null. `stack` has return addresses, innermost
  // first.
  virtual void ThreadDoes(const SimulatedThread& /*thread*/,
                          TraceEvent::Kind /*kind*/, std::string_view /*text*/,
                          const SimulatedThread* /*other*/,
                          std::span<void* const> /*stack*/) {}
  // The current step has found that this history is not linearizable.
  virtual void Contradicts(TraceHistory /*history*/) {}
  // Called when the execution's failure is detected.
  virtual void Failed(const Failure& failure) = 0;
  // The program has stopped, but has not been torn down.
  virtual void End(EventLoop& loop) = 0;
};

class Simulator final : public clotho::internal::Scheduler,
                        private clotho::internal::ClaimHandler {
 public:
  Simulator();
  ~Simulator() override;

  // The simulator that runs in this thread, or null.
  static Simulator* Current();

  void set_budget(const Budget& budget) { budget_ = budget; }
  // Virtual seconds per real second in the next executions, for a person who
  // watches; 0: as fast as possible.
  void set_rate(double rate) { clock_.set_rate(rate); }
  void set_ordering(Ordering ordering) { ordering_ = ordering; }
  // Debug mode of the loop: see EventLoop::SetDebug.
  void set_debug(bool debug) { debug_ = debug; }
  // The next failure stops the program where it is detected, like a breakpoint.
  void set_break_at_failure(bool on) { break_at_failure_ = on; }
  // The next executions stop before this step, like at a breakpoint. 0: they do
  // not stop.
  void set_break_before(std::uint64_t step) { break_before_ = step; }
  // See sim/engine/executor.h.
  void set_job_time(JobTime time) { executors_.set_job_time(std::move(time)); }

  // A deadlock beside periodic work is usually known for sure only when a
  // budget is used up. With this, the next executions end as soon as there
  // seems to be one: for repetitions of an execution that has ended so.
  void set_stop_when_quiet(bool on) { stop_when_quiet_ = on; }
  bool stop_when_quiet() const { return stop_when_quiet_; }

  // Null: exceptions have no special meaning.
  void set_judge(Judge judge) { judge_ = std::move(judge); }

  // Runs `body` once: the strategy draws from `seeds.strategy`, the program
  // from `seeds.program`. If it fails, the execution ends with that step. The
  // result is valid until the next call. `observer`, if not null, observes the
  // whole execution.
  const Execution& Run(const Body& body, Strategy& strategy, const Seeds& seeds,
                       Observer* observer = nullptr);

  // The goals of all executions, in the order in which the program first
  // reached them.
  const std::vector<GoalCount>& goals() const { return goals_; }

  // The next executions fail instead of taking this step, so that the events
  // before a step that crashes the process can be observed. 0: none fails. Only
  // with an observer.
  void set_stop_before(std::uint64_t step) { stop_before_ = step; }

  // The next executions are added to `profile`, until it is set to null.
  void set_profile(Profile* profile) { profile_ = profile; }

  // ---- From inside an execution. ----

  // Passes the history to the observer, if there is one.
  void ShowHistory(TraceHistory history) {
    if (observer_ == nullptr || failed()) return;
    observer_->Contradicts(std::move(history));
  }
  // Records a failure, unless one was recorded before. Fills in step, task and
  // time. The execution ends with the current step.
  void Fail(Failure failure);
  // The current execution so far, and its seeds.
  const Execution& execution() const { return execution_; }
  const Seeds& seeds() const { return state_.seeds; }
  // No further step is taken: what is left is being destroyed.
  bool ending() const { return state_.ending; }
  bool failed() const { return execution_.failure.has_value(); }
  // Whether the text of a failure will be read.
  bool is_observed() const { return observer_ != nullptr; }

  EventLoop& loop() { return loop_; }
  const EventLoop& loop() const { return loop_; }
  VirtualClock& clock() { return clock_; }
  std::uint64_t step() const { return state_.step; }
  std::int64_t now_ns() const { return clock_.NowNs(); }
  // Randomness for the program under test.
  Rng& program_rng() {
    if (watcher_.watches()) watcher_.TouchNumber(kProgramRng, /*write=*/true);
    return program_rng_;
  }
  // For a strategy that has a StepLog: marks the log as incomplete.
  void GiveUpLog(std::string_view why) {
    if (watcher_.watches()) watcher_.Unknown(why);
  }

  // A decision of the environment: see choice.h.
  std::uint64_t ChooseValue(std::string_view what, std::uint64_t size,
                            std::uint64_t numerator, std::uint64_t denominator,
                            const std::source_location& location);
  // Whether this execution may have mishaps at this place.
  bool MayMisbehave(const std::source_location& location);

  // Completes `idle` when nothing else is ready.
  void WhenIdle(Future<void> idle) { idle_waiters_.push_back(std::move(idle)); }

  void AddInvariant(Invariant& invariant);
  void RemoveInvariant(Invariant& invariant);

  // A number of the current execution, unique in this thread.
  std::uint64_t run() const { return state_.run; }
  // Handles `stop_requests` before the next step. For signal handlers.
  void Attend() { step_limit_.store(0, std::memory_order_relaxed); }

  // ---- For sim/threads/, during a step that runs threads. ----

  // From here on, the execution consists of the steps of threads. `host` must
  // outlive it.
  void BeginThreads(ThreadHost& host);
  ThreadHost* threads() const { return threads_; }
  // Makes what the simulator keeps for each thread valid in this one.
  void AdoptThread();
  // The number of a new chain. The current step creates it.
  std::uint32_t NewChain();
  // The chain whose step runs now.
  std::uint32_t chain() const { return state_.step_chain; }

  static constexpr Decision kEnd = Scheduler::kStop;
  static constexpr Decision kDeadline = Scheduler::kTimer;
  // Takes the next step: the index of a candidate, or that the deadline of
  // `timer` passes, or that the execution ends. There is at least one
  // candidate; `timer` may be null.
  Decision ChooseThread(std::span<const Entry> ready,
                        const SimulatedThread* timer);
  // No thread can run before the deadline of `timer`. Time passes, unless the
  // execution ends: then false.
  bool PassTime(const SimulatedThread& timer);
  // Time passes while a thread runs.
  void PassTime(std::int64_t duration_ns) { clock_.Block(duration_ns); }
  // The current step accesses what threads share: for strategies that learn
  // what steps do. Nobody learns if there is no profile.
  bool has_profile() const { return profile_ != nullptr; }
  void AddToFootprint(std::uint64_t object, bool write);
  const Budget& budget() const { return budget_; }
  Observer* observer() const { return observer_; }

  // Returns a number for a shared object that is created now: the same in all
  // executions in which it is the n-th object of the same chain.
  std::uint64_t NewObject();
  // The current step touches a shared object.
  void Touch(std::uint64_t object, bool write, std::string_view name,
             const std::source_location& location);

  // The path of a chain.
  std::uint64_t PathOf(std::uint32_t chain);

  // The name of the task that runs now; empty outside any task.
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
  // Returns false if an invariant is broken.
  bool CheckInvariants();
  // Called at `step_limit_`. Returns false if the execution ends there.
  bool PassStepLimit();
  void SetStepLimit();
  // Looks whether the body waits for nothing that runs. Returns false if the
  // execution ends there.
  bool LookForQuiet();
  // At the end of a budget: a deadlock beside periodic work if there is one,
  // otherwise `failure`.
  Failure DeadlockInsteadOf(Failure failure);
  Failure DeadlockOf(const Quiet& quiet) const;

  // The number of the ProgramRng, as an object that steps touch.
  static constexpr std::uint64_t kProgramRng = 1;

  // What an execution begins with, and changes.
  struct ExecutionState {
    std::uint64_t run = 0;  // See run().
    Seeds seeds = {};
    std::uint64_t step = 0;
    std::uint32_t step_chain = 0;  // The chain whose step runs now.
    // A chosen task whose step cannot run before some bookkeeping.
    Runnable* target = nullptr;
    // In FIFO ordering: the iteration whose boundary was passed last, the step,
    // and how many boundaries were passed before it.
    std::uint64_t iteration = 0;
    std::uint64_t boundary_step = 0;
    std::uint32_t boundary = 0;
    // The choice points at which the environment decided.
    std::uint64_t value_choices = 0;
    StreamHash trace_hash = {};
    StreamHash check_hash = {};
    Invariant* invariants = nullptr;  // The newest one first.
    // The step of the next look for a deadlock beside periodic work.
    std::uint64_t next_look = 0;
    // The first step after the body has ended: work that is ready then may
    // still run, but time stands still. 0: it has not ended.
    std::uint64_t settling_since = 0;
    bool ending = false;
  };

  // A place that calls Buggify.
  struct Mishap {
    std::source_location location;
    bool enabled;
  };

  Decision TakeStep(const ReadyQueue& ready, const Timer* next_timer);
  // Lets the strategy choose at `point_`, and records what it chose. Returns
  // the index. Empty: the execution ends instead of this step.
  std::optional<std::size_t> Decide();
  // In FIFO ordering: decides whether the next timer becomes due now.
  bool BecomesDue(const ReadyQueue& ready, const Timer& next_timer);
  void ListCandidates(const ReadyQueue& ready, const Timer* next_timer);
  Entry EntryAt(std::size_t index) const {
    return point_.entries_ != nullptr ? point_.entries_[index]
                                      : Entry{index, &(*point_.ready_)[index]};
  }
  // Adds the chains that the last step created.
  void NoteNewChains();
  void BeginStep(const Candidate& taken);
  void AddToProfile();
  // The next step towards the target, if it can be reached.
  std::optional<Decision> TowardsTarget(const ReadyQueue& ready);
  Failure VirtualTimeIsOver() const;
  void OnException(const ExceptionContext& context);
  void Finish();
  // Makes everything as it is at the beginning of an execution. Keeps memory.
  void ResetExecution(const Seeds& seeds);
  void RunLoop();

  VirtualClock clock_;
  EventLoop loop_;
  Executors executors_{loop_};
  bool debug_ = false;
  bool break_at_failure_ = false;
  std::uint64_t break_before_ = 0;
  std::set<std::string> warnings_;  // Already written.
  Budget budget_;
  Judge judge_;
  Ordering ordering_ = Ordering::kAnyReady;
  Execution execution_;
  Rng strategy_rng_{0};
  Rng program_rng_{0};
  Strategy* strategy_ = nullptr;
  Observer* observer_ = nullptr;
  StepWatcher watcher_{*this};

  ExecutionState state_;
  // The budget's limit, or an earlier step at which something must be done.
  std::atomic<std::uint64_t> step_limit_{0};
  std::uint64_t stop_before_ = 0;
  bool stop_when_quiet_ = false;
  ThreadHost* threads_ = nullptr;
  QuietWatch quiet_watch_{loop_};
  clotho::internal::Ref<clotho::internal::FutureBase> main_;

  // The current choice point.
  ChoicePoint point_;
  std::vector<Entry> candidates_;  // Storage; `point_` has their number.
  // The number of the last candidate list that contained a chain's task, and of
  // the last one that contained one of its callbacks.
  struct Listed {
    std::uint64_t task = 0;
    std::uint64_t callback = 0;
  };
  std::vector<Listed> listed_;  // Indexed by chain.
  std::uint64_t listing_ = 0;

  // Indexed by chain; the first one stands for no chain.
  std::vector<Chain> chains_;
  // How many tracked objects each chain has created. May be shorter than
  // chains_.
  std::vector<std::uint32_t> objects_;

  std::vector<Future<void>> idle_waiters_;
  std::vector<Mishap> mishaps_;
  std::vector<GoalCount> goals_;

  Profile* profile_ = nullptr;  // Where executions are added; may be null.
  std::vector<Profile::Step> profile_steps_;
  std::vector<Profile::Lineage> profile_chains_;

  Handoffs handoffs_{loop_};
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_ENGINE_SIMULATOR_H_
