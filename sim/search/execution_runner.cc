#include "clotho/sim/search/execution_runner.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/search/search.h"
#include "clotho/sim/strategies/replay.h"

namespace clotho::sim::internal {

Ordering OrderingOf(const Deviations& deviations) {
  const bool strict = std::ranges::any_of(
      deviations, [](const Deviation& d) { return d.boundary() > 0; });
  return strict ? Ordering::kFifo : Ordering::kAnyReady;
}

bool IsFailure(const Failure& failure) {
  return failure.kind != FailureKind::kDiscarded &&
         failure.kind != FailureKind::kSucceeded &&
         failure.kind != FailureKind::kSkipped;
}

ExecutionRunner::ExecutionRunner(const Body& body, const Search& search,
                                 std::string_view name)
    : body_(body),
      search_(search),
      name_(name),
      ordering_(search.fifo_only ? Ordering::kFifo : Ordering::kAnyReady) {
  simulator_.set_budget({.steps_max = search.steps_max,
                         .virtual_time_max_ns = search.virtual_time_max.ns(),
                         .jitter_ns = search.jitter.ns()});
  simulator_.set_debug(search.debug);
  simulator_.set_break_at_failure(search.break_at_failure);
  simulator_.set_job_time(search.job_time);
  simulator_.set_judge(search.judge);
}

const Execution& ExecutionRunner::Rerun(const Deviations& deviations,
                                        Ordering ordering,
                                        std::uint64_t program_seed,
                                        Observer* observer) {
  ReplayStrategy strategy(deviations);
  return Run(strategy, ordering, ProgramSeed(program_seed), observer);
}

Seeds ExecutionRunner::SeedsOf(std::uint64_t number,
                               std::uint64_t program_seed) const {
  // Another input is run in other schedules.
  const std::uint64_t seed =
      search_.input.empty() ? search_.seed
                            : DeriveSeed(search_.seed, "input", program_seed);
  return {.strategy = DeriveSeed(seed, name_, number), .program = program_seed};
}

bool ExecutionRunner::Counts(const Execution& execution) const {
  if (!execution.failure.has_value()) return false;
  if (!IsFailure(*execution.failure)) return false;
  return search_.signature.empty() ||
         execution.failure->signature == search_.signature;
}

ExecutionRunner::WatchScope::WatchScope(ExecutionRunner& runner)
    : simulator_(runner.simulator_) {
  simulator_.set_rate(runner.search_.rate);
  simulator_.set_break_before(runner.search_.break_before);
}

ExecutionRunner::WatchScope::~WatchScope() {
  simulator_.set_rate(0);
  simulator_.set_break_before(0);
}

}  // namespace clotho::sim::internal
