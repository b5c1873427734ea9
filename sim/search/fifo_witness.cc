#include "clotho/sim/search/fifo_witness.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/search/bounded_search.h"
#include "clotho/sim/search/execution_runner.h"
#include "clotho/sim/search/failure_shrinker.h"
#include "clotho/sim/search/shrink.h"
#include "clotho/sim/strategies/random.h"

namespace clotho::sim::internal {
namespace {

class WitnessSearch {
 public:
  WitnessSearch(ExecutionRunner& runner, std::uint64_t program_seed,
                const std::string& signature, std::uint64_t steps)
      : runner_(runner),
        program_seed_(program_seed),
        signature_(signature),
        // Fewer of a long program.
        executions_max_(std::clamp<std::uint64_t>(
            1'000'000 / std::max<std::uint64_t>(steps, 1), 10, 300)) {}

  FifoWitness Run(const Deviations& deviations) {
    if (TryItself(deviations) || TryFewDeviations()) return std::move(found_);
    if (!found_.exhausted) TryRandom();
    return std::move(found_);
  }

 private:
  static constexpr std::uint64_t kDeviationsMax = 2;

  bool Fails(const Execution& execution) const {
    return execution.failure.has_value() &&
           execution.failure->signature == signature_;
  }

  // Whether the schedule fails both in FIFO ordering and as its string is
  // replayed.
  bool IsWitness(const Deviations& schedule) {
    return Fails(runner_.Rerun(schedule, Ordering::kFifo, program_seed_)) &&
           Fails(runner_.Rerun(schedule, program_seed_));
  }

  // An execution has failed with these deviations.
  bool Take(const Deviations& failing) {
    ShrinkResult shrunk =
        FailureShrinker(runner_, Ordering::kFifo, program_seed_)
            .ShrinkQuietly(signature_, failing);
    found_.minimal = shrunk.minimal;
    found_.schedule = std::move(shrunk.deviations);
    if (IsWitness(*found_.schedule)) return true;
    found_.minimal = false;
    found_.schedule = failing;
    if (IsWitness(failing)) return true;
    found_.schedule.reset();
    return false;
  }

  bool TryItself(const Deviations& deviations) {
    const Execution& execution =
        runner_.Rerun(deviations, Ordering::kFifo, program_seed_);
    if (!Fails(execution)) {
      ++found_.tried;
      return false;
    }
    if (execution.deviations != deviations) {
      return Take(Deviations(execution.deviations));
    }
    found_.schedule = deviations;
    if (IsWitness(deviations)) return true;
    found_.schedule.reset();
    return false;
  }

  bool TryFewDeviations() {
    BoundedSearchResult result =
        RunBoundedSearch(runner_, {.ordering = Ordering::kFifo,
                                   .program_seed = program_seed_,
                                   .signature = signature_,
                                   .deviations_max = kDeviationsMax,
                                   .executions_max = executions_max_});
    if (result.schedule.has_value()) return Take(*result.schedule);
    found_.exhausted = result.exhausted;
    // The schedule itself was one of these, or of the random ones.
    found_.tried =
        result.exhausted ? result.passed : found_.tried + result.passed;
    return false;
  }

  bool TryRandom() {
    RandomStrategy strategy;
    for (std::uint64_t j = 0; j < executions_max_; ++j) {
      const Execution& execution = runner_.Run(
          strategy, Ordering::kFifo, runner_.SeedsOf(j, program_seed_));
      if (Fails(execution)) return Take(Deviations(execution.deviations));
      ++found_.tried;
    }
    return false;
  }

  ExecutionRunner& runner_;
  const std::uint64_t program_seed_;
  const std::string& signature_;
  const std::uint64_t executions_max_;
  FifoWitness found_;
};

}  // namespace

FifoWitness FindFifoWitness(ExecutionRunner& runner, std::uint64_t program_seed,
                            const Deviations& deviations,
                            const std::string& signature, std::uint64_t steps) {
  return WitnessSearch(runner, program_seed, signature, steps).Run(deviations);
}

}  // namespace clotho::sim::internal
