#include "clotho/sim/search/warmed_strategy.h"

#include <algorithm>
#include <cstdint>

#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/execution_runner.h"
#include "clotho/sim/search/search.h"
#include "clotho/sim/strategies/bytes.h"
#include "clotho/sim/strategies/fifo.h"
#include "clotho/sim/strategies/replay.h"
#include "clotho/sim/strategies/role_random.h"

namespace clotho::sim::internal {

WarmedStrategy::WarmedStrategy(ExecutionRunner& runner,
                               std::uint64_t program_seed)
    : runner_(runner),
      program_seed_(program_seed),
      strategy_(*MakeStrategy(runner.search())),
      warm_up_(strategy_->warm_up()) {}

void WarmedStrategy::Learn(std::uint64_t j) {
  while (HasToLearn(j)) Run(learned_);
}

bool WarmedStrategy::HasToLearn(std::uint64_t j) const {
  return learned_ < std::min(warm_up_, j);
}

bool WarmedStrategy::PassOver(std::uint64_t j) {
  if (j >= warm_up_) return false;
  Learn(j);
  learned_ = j + 1;
  return true;
}

const Execution& WarmedStrategy::Run(std::uint64_t j) {
  const Seeds seeds = runner_.SeedsOf(j, program_seed_);
  if (j >= warm_up_) {
    if (!prepared_ && warm_up_ > 0) strategy_->Prepare(profile_);
    prepared_ = true;
    const Execution& execution = runner_.Run(*strategy_, seeds);
    strategy_->EndExecution();
    return execution;
  }
  learned_ = j + 1;
  const ExecutionRunner::ProfileScope profiled(runner_, profile_);
  FifoStrategy fifo;
  RoleRandomStrategy random;
  return runner_.Run(j == 0 ? static_cast<Strategy&>(fifo) : random, seeds);
}

void WarmedStrategy::TakeCorpus(Report& report) {
  if (!runner_.search().wants_corpus || runner_.only_probes()) return;
  for (const Deviations& saved : strategy_->corpus()) {
    ReplayStrategy replay(saved);
    BytesWriter writer(replay);
    runner_.Run(writer, OrderingOf(saved),
                ExecutionRunner::ProgramSeed(program_seed_));
    report.corpus.push_back(writer.bytes());
  }
}

}  // namespace clotho::sim::internal
