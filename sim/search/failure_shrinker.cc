#include "clotho/sim/search/failure_shrinker.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/stop_requests.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/campaign.h"
#include "clotho/sim/search/search.h"
#include "clotho/sim/search/shrink.h"

namespace clotho::sim {

std::chrono::steady_clock::time_point ShrinkDeadline(const Search& search) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point now = Clock::now();
  const std::chrono::nanoseconds left = Clock::time_point::max() - now;
  return now + std::min(left, std::chrono::nanoseconds(search.shrink_for.ns()));
}

bool ShrinkingIsOver(std::chrono::steady_clock::time_point deadline) {
  const auto now = std::chrono::steady_clock::now();
  return now >= deadline ||
         (internal::Interrupted() && now >= internal::InterruptDeadline());
}

namespace internal {
namespace {

ShrinkResult Minimize(std::chrono::steady_clock::time_point deadline,
                      const Search& search, Deviations deviations,
                      TryDeviations attempt) {
  const auto out_of_time = [deadline] { return ShrinkingIsOver(deadline); };
  ShrinkOptions options;
  options.runs_max = search.shrink_runs_max;
  options.out_of_time.emplace(out_of_time);
  return Shrink(std::move(deviations), attempt, options);
}

}  // namespace

Deviations ShrinkUntil(std::chrono::steady_clock::time_point deadline,
                       const Search& search, Deviations deviations,
                       TryDeviations attempt, Report& report) {
  ShrinkResult result =
      Minimize(deadline, search, std::move(deviations), attempt);
  report.shrinking.runs = result.runs;
  report.shrinking.minimal = result.minimal;
  return std::move(result.deviations);
}

Deviations FailureShrinker::Shrink(const Failure& failure, Deviations found,
                                   Report& report) {
  Campaign* const campaign = runner_.search().campaign;
  const std::size_t from = found.size();
  std::size_t least = from;
  const auto attempt =
      [&](const Deviations& candidate) -> std::optional<Deviations> {
    std::optional<Deviations> happened = Try(failure.signature, candidate);
    if (happened.has_value()) least = std::min(least, candidate.size());
    if (campaign != nullptr) campaign->Shrinks(failure, from, least);
    return happened;
  };
  return ShrinkUntil(ShrinkDeadline(runner_.search()), runner_.search(),
                     std::move(found), attempt, report);
}

ShrinkResult FailureShrinker::ShrinkQuietly(const std::string& signature,
                                            Deviations found) {
  const auto attempt = [&](const Deviations& candidate) {
    return Try(signature, candidate);
  };
  return Minimize(ShrinkDeadline(runner_.search()), runner_.search(),
                  std::move(found), attempt);
}

std::optional<Deviations> FailureShrinker::Try(const std::string& signature,
                                               const Deviations& candidate) {
  const Execution& execution =
      runner_.Rerun(candidate, ordering_, program_seed_);
  if (!execution.failure.has_value() ||
      execution.failure->signature != signature) {
    return std::nullopt;
  }
  return execution.deviations;
}

}  // namespace internal
}  // namespace clotho::sim
