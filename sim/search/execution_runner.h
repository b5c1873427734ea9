// ExecutionRunner: runs single executions of a test, as its Search asks.
//
// It owns the simulator and derives from the Search what an execution needs:
// budget, ordering, seeds. It never changes the Search. What differs from one
// execution to another (ordering, program seed, observer) is an argument.

#ifndef CLOTHO_SIM_SEARCH_EXECUTION_RUNNER_H_
#define CLOTHO_SIM_SEARCH_EXECUTION_RUNNER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/profile.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/search/search.h"

namespace clotho::sim::internal {

// The ordering in which a replay string with these deviations runs. A schedule
// without a Due deviation may have been found in FIFO ordering as well; then
// both orderings take the same steps.
Ordering OrderingOf(const Deviations& deviations);

// Whether a failure is a mistake, and not the end of an execution that does not
// count.
bool IsFailure(const Failure& failure);

class ExecutionRunner {
 public:
  // `body` and `search` must outlive it. `name` is the test's.
  ExecutionRunner(const Body& body, const Search& search,
                  std::string_view name);
  ExecutionRunner(const ExecutionRunner&) = delete;
  ExecutionRunner& operator=(const ExecutionRunner&) = delete;

  const Search& search() const { return search_; }
  const std::string& name() const { return name_; }

  // For observers, and for what the executions have left there.
  const Simulator& simulator() const { return simulator_; }

  // Runs an execution of the search: in the search's own ordering.
  const Execution& Run(Strategy& strategy, const Seeds& seeds) {
    return Run(strategy, ordering_, seeds);
  }
  // Runs an execution in the given ordering. The result is valid until the next
  // execution.
  const Execution& Run(Strategy& strategy, Ordering ordering,
                       const Seeds& seeds, Observer* observer = nullptr) {
    simulator_.set_ordering(ordering);
    return simulator_.Run(body_, strategy, seeds, observer);
  }
  // Runs a schedule, leniently: deviations that do not apply are dropped.
  const Execution& Rerun(const Deviations& deviations, Ordering ordering,
                         std::uint64_t program_seed,
                         Observer* observer = nullptr);
  // The same in the ordering in which the schedule's replay string runs.
  const Execution& Rerun(const Deviations& deviations,
                         std::uint64_t program_seed,
                         Observer* observer = nullptr) {
    return Rerun(deviations, OrderingOf(deviations), program_seed, observer);
  }

  // The seeds of execution `number` of the search.
  Seeds SeedsOf(std::uint64_t number, std::uint64_t program_seed) const;
  // The seeds of an execution whose strategy draws no numbers.
  static Seeds ProgramSeed(std::uint64_t program_seed) {
    return {.strategy = 0, .program = program_seed};
  }

  // Whether a search ends with this execution.
  bool Counts(const Execution& execution) const;

  // While it lives, executions run at the rate that the search asks for and
  // stop before the step that it names. It is for the execution that a person
  // watches, and not for those that check, shrink or record it.
  class WatchScope {
   public:
    explicit WatchScope(ExecutionRunner& runner);
    ~WatchScope();
    WatchScope(const WatchScope&) = delete;
    WatchScope& operator=(const WatchScope&) = delete;

   private:
    Simulator& simulator_;
  };

  // While it lives, executions are added to `profile`, which must outlive it.
  class ProfileScope {
   public:
    ProfileScope(ExecutionRunner& runner, Profile& profile)
        : simulator_(runner.simulator_) {
      simulator_.set_profile(&profile);
    }
    ~ProfileScope() { simulator_.set_profile(nullptr); }
    ProfileScope(const ProfileScope&) = delete;
    ProfileScope& operator=(const ProfileScope&) = delete;

   private:
    Simulator& simulator_;
  };

  // While it lives, executions end as soon as there seems to be a deadlock
  // beside periodic work: see Simulator::set_stop_when_quiet.
  class QuietScope {
   public:
    QuietScope(ExecutionRunner& runner, bool on)
        : simulator_(runner.simulator_), before_(simulator_.stop_when_quiet()) {
      simulator_.set_stop_when_quiet(on);
    }
    ~QuietScope() { simulator_.set_stop_when_quiet(before_); }
    QuietScope(const QuietScope&) = delete;
    QuietScope& operator=(const QuietScope&) = delete;

   private:
    Simulator& simulator_;
    const bool before_;
  };

  // While it lives, executions with an observer fail in place of this step.
  class StopScope {
   public:
    StopScope(ExecutionRunner& runner, std::uint64_t step)
        : simulator_(runner.simulator_) {
      simulator_.set_stop_before(step);
    }
    ~StopScope() { simulator_.set_stop_before(0); }
    StopScope(const StopScope&) = delete;
    StopScope& operator=(const StopScope&) = delete;

   private:
    Simulator& simulator_;
  };

  // Whether this process is a child that only shows which executions it
  // survives. Failures are then not explained: the parent finds them again.
  bool only_probes() const { return only_probes_; }
  // To be called in the child. It stays so until the child ends.
  void BecomeProbe() { only_probes_ = true; }

 private:
  const Body& body_;
  const Search& search_;
  const std::string name_;
  const Ordering ordering_;
  Simulator simulator_;
  bool only_probes_ = false;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_EXECUTION_RUNNER_H_
