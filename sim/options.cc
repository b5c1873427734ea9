#include "clotho/sim/options.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "clotho/sim/search/search.h"

namespace clotho::sim {

using internal::AskForStrategy;

namespace internal {

void AskForStrategy(Search& search, std::string_view name,
                    std::uint64_t schedules, std::uint64_t seed) {
  if (search.has_strategy) {
    search.misuse =
        absl::StrCat("The test has two strategies, \"", search.strategy,
                     "\" and \"", std::string(name), "\": expected one");
    return;
  }
  if (schedules == 0) {
    search.misuse = absl::StrCat("Strategy \"", std::string(name),
                                 "\": .schedules = 0 would run nothing: "
                                 "expected at least 1");
  }
  UseStrategy(search, name, schedules, seed);
  search.has_strategy = true;
}

}  // namespace internal

void Fifo::Apply(Search& search) const {
  AskForStrategy(search, "fifo", /*schedules=*/1, search.seed);
}

void Pct::Apply(Search& search) const {
  AskForStrategy(search, "pct", schedules, seed);
  if (depth != 0) search.strategy_parameters = std::to_string(depth);
}

void DelayBounded::Apply(Search& search) const {
  AskForStrategy(search, "delay_bounded", schedules, seed);
  search.strategy_parameters = std::to_string(deviations);
}

void Exhaustive::Apply(Search& search) const {
  AskForStrategy(search, reduce ? "reduced" : "exhaustive", schedules,
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

void Bytes::Apply(Search& search) const {
  AskForStrategy(search, "bytes", /*schedules=*/1, search.seed);
  internal::UseBytes(search, bytes);
}

void ReplayFirst::Apply(Search& search) const {
  search.saved.push_back({.replay = replay, .note = note});
}

void CustomStrategy::Apply(Search& search) const {
  AskForStrategy(search, name, schedules, seed);
  search.make_strategy = make_strategy;
  if (make_strategy == nullptr) {
    search.misuse =
        "CustomStrategy: .make_strategy is empty: expected a function that "
        "returns a strategy";
  }
}

void FifoOnly::Apply(Search& search) const { search.fifo_only = true; }

void Limits::Apply(Search& search) const {
  search.steps_max = steps_max;
  search.virtual_time_max = virtual_time_max;
}

void Jitter::Apply(Search& search) const {
  if (most.ns() < 0) {
    search.misuse =
        "Jitter{.most = ...}: expected a duration that is not negative";
  }
  search.jitter = most;
}

void Isolate::Apply(Search& search) const { search.isolate = true; }

void Debug::Apply(Search& search) const { search.debug = true; }

void JobDuration::Apply(Search& search) const { search.job_time = time; }

}  // namespace clotho::sim
