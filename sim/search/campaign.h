// Campaign: a search that is divided among processes, continues after a
// failure, ends at a deadline, or resumes an earlier one.
//
// CampaignLoop (campaign_loop.h) runs the executions. The campaign selects
// them, counts the results, and writes them down: a record (campaign_record.h)
// that is rewritten every ten seconds (at first more often), at each new
// failure and at the end; a folder for each distinct failure; and lines in the
// event log. Execution j of
// a test is the same in every process, and shard i of n runs those with j = i
// mod n: the shards need not communicate. For a failure and for a goal the
// lowest j counts. So the records of all shards together contain the same as
// the record of a single process.
//
// The memory does not grow with the number of executions, but with the number
// of distinct failures and goals.

#ifndef CLOTHO_SIM_SEARCH_CAMPAIGN_H_
#define CLOTHO_SIM_SEARCH_CAMPAIGN_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/campaign_record.h"
#include "clotho/sim/search/event_log.h"
#include "clotho/sim/search/search.h"
#include "clotho/sim/search/shard.h"

namespace clotho::sim::internal {

// A value of `Search::schedules`: only the clock ends the search.
inline constexpr std::uint64_t kNoBound = UINT64_MAX;

struct CampaignOptions {
  std::string test = {};
  // The folder for the record; empty: none is written.
  std::string out = {};
  // The part of this test's schedules.
  Shard shard = {};
  // The search stops after this many distinct failures; 0: it does not stop.
  std::uint64_t failures_max = 1;
  std::optional<std::chrono::steady_clock::time_point> deadline = {};
  bool resume = false;
  // Written with the reports of failures.
  bool with_traces = true;
  // May be null.
  EventLog* event_log = nullptr;
  // Receives the full report of each failure when it is found.
  std::function<void(const std::string& text)> tell = {};
};

class Campaign {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Campaign(CampaignOptions options);

  // ---- For CampaignLoop. ----

  // Loads the record to resume from, if any, then writes the initial record.
  // Returns false if there is nothing to do: `status` may say why.
  bool Begin(const Search& search, Strategy& strategy);
  // Whether there is another execution to run, and time left for it.
  bool More();
  // The same, regardless of the time.
  bool HasNext() const { return record_.next < end_; }
  // Its number.
  std::uint64_t next() const { return record_.next; }
  // Whether this process runs the saved schedules, which run before each
  // search.
  bool runs_saved_schedules() const {
    return options_.shard.index == 0 && options_.shard.block == 0 &&
           record_.executions == 0;
  }

  // The state of the goals before an execution that will be counted.
  void SetGoals(const std::vector<GoalCount>& goals);
  // Counts the execution `next`, which has ended. Returns its number among all
  // executions of the search: see Strategy::order.
  std::uint64_t Count(const Execution& execution, const Strategy& strategy,
                      const std::vector<GoalCount>& goals);
  // Counts the execution `next`, which has crashed its process.
  void CountCrash() {
    ++record_.executions;
    last_part_ = {};
  }
  // Counts an execution that was run twice.
  void CountChecked() { ++record_.checked; }
  // Moves on to the next execution.
  void Advance() { record_.next += step_; }
  // Counts a failure of the last execution. Returns false if the signature is
  // new: then call `Add`.
  bool CountHit(const std::string& signature);
  // Reports the progress of a long shrinking of a new failure: the number of
  // its deviations at first and now. Reported at most once a second.
  void Shrinks(const Failure& failure, std::size_t from, std::size_t to);
  // Adds a new failure after it has been explained; `number` is that of its
  // execution.
  void Add(const std::string& signature, std::uint64_t number, Report report);
  // The search has ended.
  void End(bool exhausted);

  // ---- Afterwards. ----

  // Not OK: the request cannot be carried out (InvalidArgument), or results
  // cannot be written (Unavailable). The search has stopped there.
  const absl::Status& status() const { return status_; }
  const Record& record() const { return record_; }
  // The report on the search as a whole, starting from `all`: the first failure
  // in full, and the others in one line each.
  Report Summary(Report all) const;

 private:
  struct GoalState {
    std::uint64_t met = 0;                // The simulator's counts
    std::uint64_t reached = 0;            // before this execution.
    std::optional<std::size_t> recorded;  // Index in the record.
  };

  void Resume(bool anew);
  void Write();
  void WriteStats();
  void CountPart(const StrategyPart& part);
  void Say(const std::string& line);
  std::string FailureLine(const Finding& finding) const;
  double Seconds() const;
  void Fail(absl::Status status);

  const CampaignOptions options_;
  absl::Status status_;
  Record record_;
  std::uint64_t end_ = 0;   // Executions with this number or above are not run.
  std::uint64_t step_ = 1;  // From one execution of this shard to the next.
  bool finished_ = false;   // Another process has completed it.
  Clock::time_point begun_;
  double seconds_before_ = 0;  // Of the campaign that this one resumes.
  Clock::time_point written_;
  Clock::time_point shrinks_told_;  // The last progress report, or the
                                    // beginning of this shrinking.
  std::string shrinks_;  // The signature of the failure that is being shrunk.

  // Signatures; index in the record.
  std::map<std::string, std::size_t> known_;
  std::optional<Report> first_;   // The report on the record's first failure.
  std::vector<GoalState> goals_;  // In the simulator's order.
  // The strategy's parts that have run, and their counts in the record.
  std::vector<std::pair<StrategyPart, std::uint64_t*>> parts_;
  StrategyPart last_part_;  // The part that ran the last execution.
};

// Identifies the executions of a campaign: 16 hex digits of a hash of this
// program's file, and of everything that determines what an execution does and
// how many there are.
std::string CampaignId(const Search& search, std::string_view test);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_CAMPAIGN_H_
