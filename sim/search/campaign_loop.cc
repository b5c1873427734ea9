#include "clotho/sim/search/campaign_loop.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/stop_requests.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/campaign.h"
#include "clotho/sim/search/campaign_record.h"
#include "clotho/sim/search/crash_probe.h"
#include "clotho/sim/search/execution_runner.h"
#include "clotho/sim/search/failure_confirmer.h"
#include "clotho/sim/search/fork_run.h"
#include "clotho/sim/search/saved_schedules.h"
#include "clotho/sim/search/search.h"
#include "clotho/sim/search/search_report.h"

namespace clotho::sim::internal {

CampaignLoop::CampaignLoop(ExecutionRunner& runner)
    : runner_(runner),
      search_(runner.search()),
      campaign_(*search_.campaign),
      warmed_(runner, search_.program_seed),
      probe_(runner),
      report_(NewReport(search_)) {}

Report CampaignLoop::Run() {
  if (!campaign_.Begin(search_, warmed_.strategy())) {
    return campaign_.Summary(std::move(report_));
  }
  if (campaign_.runs_saved_schedules() && !RunSavedSchedules())
    return std::move(report_);
  while (!exhausted_ && campaign_.More()) {
    if (search_.isolate) {
      const Next next = ProbeNext();
      if (next == Next::kAsk) continue;
      if (next == Next::kStop) break;
    }
    RunNext();
    if (skipped_) return std::move(report_);
  }
  return Conclude();
}

bool CampaignLoop::RunSavedSchedules() {
  for (const SavedSchedule& saved : search_.saved) {
    if (search_.isolate) {
      const ChildEnd end =
          probe_.Run([&] { RunSaved(saved, runner_, report_); });
      if (!end.said.has_value()) {
        AddCrash(end, /*number=*/0);
        continue;
      }
    }
    if (RunSaved(saved, runner_, report_)) continue;
    if (report_.verdict() == Report::Verdict::kMisused ||
        report_.verdict() == Report::Verdict::kSkipped) {
      return false;
    }
    // The failure takes the report, but not what it says of other schedules.
    Report found = std::exchange(report_, NewReport(search_));
    report_.drifted = found.drifted;
    const std::string signature = found.failure()->signature;
    campaign_.Add(signature, /*number=*/0, std::move(found));
  }
  return true;
}

CampaignLoop::Next CampaignLoop::ProbeNext() {
  if (ahead_.survives > 0) {
    --ahead_.survives;
    return Next::kRun;
  }
  if (!ahead_.crash.has_value()) {
    ahead_ = LookAhead();
    return Next::kAsk;  // It may have taken the time there was.
  }
  const std::uint64_t j = campaign_.next();
  const ChildEnd end = *std::exchange(ahead_.crash, std::nullopt);
  if (warmed_.PassOver(ahead_.crashes) && ahead_.crashes != j) {
    return Next::kAsk;
  }
  campaign_.CountCrash();
  campaign_.Advance();
  AddCrash(end, j);
  // To come to the next one, this process would have to run it.
  if (!end.crash.has_value() || !warmed_.strategy().numbered()) {
    return Next::kStop;
  }
  return Next::kAsk;
}

CampaignLoop::Ahead CampaignLoop::LookAhead() {
  using Clock = std::chrono::steady_clock;
  struct Seen {
    std::uint64_t survives = 0;
    std::uint64_t running = 0;
  };
  SharedWithChild<Seen> seen;
  const ChildEnd end = probe_.Run([&] {
    const auto until = Clock::now() + std::chrono::seconds(1);
    while (campaign_.HasNext() && !warmed_.strategy().done() &&
           !Interrupted() && Clock::now() < until) {
      const std::uint64_t j = campaign_.next();
      while (warmed_.HasToLearn(j)) {
        seen->running = warmed_.learned();
        warmed_.Run(warmed_.learned());
      }
      seen->running = j;
      warmed_.Run(j);
      if (warmed_.strategy().counts()) campaign_.Advance();
      ++seen->survives;
    }
  });
  Ahead ahead = {.survives = seen->survives,
                 .crash = std::nullopt,
                 .crashes = seen->running};
  if (!end.said.has_value()) ahead.crash = end;
  return ahead;
}

void CampaignLoop::RunNext() {
  const std::uint64_t j = campaign_.next();
  warmed_.Learn(j);
  campaign_.SetGoals(runner_.simulator().goals());
  const Execution& execution = warmed_.Run(j);
  skipped_ = TakeSkip(execution, report_);
  if (skipped_) return;
  exhausted_ = warmed_.strategy().done();
  if (!warmed_.strategy().counts()) return;
  const std::uint64_t number = campaign_.Count(execution, warmed_.strategy(),
                                               runner_.simulator().goals());
  campaign_.Advance();
  if (runner_.Counts(execution)) {
    AddFailure(execution, number);
  } else {
    surviving_.Remember(execution, number + 1, search_.program_seed);
    CheckDeterminism(execution, j, number);
  }
}

void CampaignLoop::CheckDeterminism(const Execution& execution, std::uint64_t j,
                                    std::uint64_t number) {
  // Which ones are checked must not depend on how many others are run here.
  const std::uint64_t pick =
      warmed_.strategy().numbered() ? j : execution.trace_hash;
  if (search_.check_every == 0 || pick % search_.check_every != 0) return;
  campaign_.CountChecked();
  const std::uint64_t hash = execution.trace_hash;
  const Deviations deviations = execution.deviations;
  if (runner_.Rerun(deviations, search_.program_seed).trace_hash == hash) {
    return;
  }
  Report report = ReportOfOne(number);
  FailureConfirmer(runner_, search_.program_seed, report)
      .ReportNondeterminism(deviations);
  campaign_.Add("not deterministic", number, std::move(report));
}

void CampaignLoop::AddFailure(const Execution& execution,
                              std::uint64_t number) {
  const std::string signature = execution.failure->signature;
  if (campaign_.CountHit(signature)) return;
  Report report = ReportOfOne(number);
  const Execution failing = execution;
  // It may fail because of those before it.
  if (surviving_.Repeat(runner_) == SurvivingState::Repetition::kFails) {
    if (campaign_.CountHit("not deterministic")) return;
    surviving_.ReportIt(runner_, report);
    campaign_.Add("not deterministic", number, std::move(report));
    return;
  }
  FailureConfirmer(runner_, search_.program_seed, report).OnFailure(failing);
  campaign_.Add(signature, number, std::move(report));
}

void CampaignLoop::AddCrash(const ChildEnd& end, std::uint64_t number) {
  const std::string signature = CrashSignature(end);
  if (campaign_.CountHit(signature)) return;
  Report report = ReportOfOne(number);
  probe_.OnCrash(end, /*shrinks=*/true, report);
  campaign_.Add(signature, number, std::move(report));
}

Report CampaignLoop::ReportOfOne(std::uint64_t number) const {
  Report report = NewReport(search_);
  report.search.executions = number + 1;
  return report;
}

Report CampaignLoop::Conclude() {
  campaign_.End(exhausted_);
  if (exhausted_) report_.search.scope = warmed_.strategy().scope();
  Report report = campaign_.Summary(std::move(report_));
  // Nobody can say of one shard among others what is missing.
  const Record& record = campaign_.record();
  const bool alone = record.shard.count == 1 && record.shard.block == 0;
  if (alone && report.passed() && campaign_.status().ok() && !Interrupted()) {
    if (search_.exhaustive && !exhausted_) ReportCutShort(search_, report);
    JudgeGoals(report);
  }
  warmed_.TakeCorpus(report);
  return report;
}

}  // namespace clotho::sim::internal
