// CampaignLoop: runs the executions that a campaign asks for, and continues
// after a failure. Each failure that is new gets a report of its own.

#ifndef CLOTHO_SIM_SEARCH_CAMPAIGN_LOOP_H_
#define CLOTHO_SIM_SEARCH_CAMPAIGN_LOOP_H_

#include <cstdint>
#include <optional>

#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/campaign.h"
#include "clotho/sim/search/crash_probe.h"
#include "clotho/sim/search/execution_runner.h"
#include "clotho/sim/search/fork_run.h"
#include "clotho/sim/search/search.h"
#include "clotho/sim/search/surviving_state.h"
#include "clotho/sim/search/warmed_strategy.h"

namespace clotho::sim::internal {

class CampaignLoop {
 public:
  // `runner` must outlive it; its search has a campaign.
  explicit CampaignLoop(ExecutionRunner& runner);

  // Returns the report of the campaign as a whole. To be called once.
  Report Run();

 private:
  // What a child has found out about the executions that come next.
  struct Ahead {
    std::uint64_t survives = 0;  // So many can run.
    // The one after them cannot. Empty: it is not known.
    std::optional<ChildEnd> crash;
    // Its number, which may be that of a warm-up execution that has to run
    // before.
    std::uint64_t crashes = 0;
  };
  enum class Next {
    kRun,   // The next execution can run here.
    kAsk,   // Ask the campaign again what is next.
    kStop,  // The search cannot continue after a crash.
  };

  // Runs the saved schedules. False if one of them is no schedule of this test.
  bool RunSavedSchedules();
  // Finds out, in a child, whether the next execution can run here. If it
  // crashes, reports that and passes it over.
  Next ProbeNext();
  // Runs executions in a child, for a second or so.
  Ahead LookAhead();
  void RunNext();
  // Runs every so many executions twice and compares them.
  void CheckDeterminism(const Execution& execution, std::uint64_t j,
                        std::uint64_t number);
  void AddFailure(const Execution& execution, std::uint64_t number);
  // A child has crashed in execution `number`.
  void AddCrash(const ChildEnd& end, std::uint64_t number);
  // A report of its own for what execution `number` shows.
  Report ReportOfOne(std::uint64_t number) const;
  Report Conclude();

  ExecutionRunner& runner_;
  const Search& search_;
  Campaign& campaign_;
  WarmedStrategy warmed_;
  CrashProbe probe_;
  SurvivingState surviving_;
  Ahead ahead_;
  bool exhausted_ = false;
  bool skipped_ = false;  // The test has skipped itself.
  Report report_;         // Of the campaign as a whole.
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_CAMPAIGN_LOOP_H_
