#include "clotho/sim/options.h"

#include <string>

#include "clotho/sim/search/search.h"

namespace clotho::sim {

using internal::UseStrategy;

void Fifo::Apply(Search& search) const {
  UseStrategy(search, "fifo", /*schedules=*/1, search.seed);
}

void Pct::Apply(Search& search) const {
  UseStrategy(search, "pct", schedules, seed);
  if (depth != 0) search.strategy_parameters = std::to_string(depth);
}

void DelayBounded::Apply(Search& search) const {
  UseStrategy(search, "delay_bounded", schedules, seed);
  search.strategy_parameters = std::to_string(deviations);
}

void Exhaustive::Apply(Search& search) const {
  UseStrategy(search, reduce ? "reduced" : "exhaustive", schedules,
              search.seed);
  search.exhaustive = true;
  search.allow_incomplete = allow_incomplete;
  if (deviations_max == 0) return;
  if (reduce) {
    search.misuse =
        "Exhaustive: .reduce does not go together with .deviations_max: "
        "what stands for an execution may have more deviations than it";
    return;
  }
  search.strategy_parameters = std::to_string(deviations_max);
}

void Bytes::Apply(Search& search) const { internal::UseBytes(search, bytes); }

void ReplayFirst::Apply(Search& search) const {
  search.saved.push_back({.replay = replay, .note = note});
}

void CustomStrategy::Apply(Search& search) const {
  UseStrategy(search, name, schedules, seed);
  search.make_strategy = make_strategy;
}

void FifoOnly::Apply(Search& search) const { search.fifo_only = true; }

void Limits::Apply(Search& search) const {
  search.steps_max = steps_max;
  search.virtual_time_max = virtual_time_max;
}

void Isolate::Apply(Search& search) const { search.isolate = true; }

void Debug::Apply(Search& search) const { search.debug = true; }

void JobDuration::Apply(Search& search) const { search.job_time = time; }

}  // namespace clotho::sim
