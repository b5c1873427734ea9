// Campaign: a search that is shared between processes, goes on after a failure,
// ends by the clock, or goes on where another one ended.
//
// The explorer (explore.h) runs the executions; the campaign says which, counts
// what comes of them, and writes it down: a record (record.h) that is rewritten
// every ten seconds, at each new failure and at the end, a folder for each
// distinct failure, and lines in the event_log. Execution j of a test is the
// same whoever runs it, and shard i of n runs those with j = i mod n: the
// shards need no word from each other. Of a failure and of a goal the least j
// counts. So the records of all shards together say what that of a single
// process says.
//
// Its memory does not grow with the executions, but with the distinct failures
// and goals.

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

// As `Search::schedules`: only the clock ends the search.
inline constexpr std::uint64_t kNoBound = UINT64_MAX;

struct CampaignOptions {
  std::string test;
  // Where the record goes; empty: nowhere.
  std::string out;
  // Of the schedules of this test.
  Shard shard;
  // Distinct failures to stop after; 0: none.
  std::uint64_t failures_max = 1;
  std::optional<std::chrono::steady_clock::time_point> deadline = {};
  bool resume = false;
  // With the reports of failures.
  bool with_traces = true;
  // Null: there is none.
  EventLog* event_log = nullptr;
  // Is told in full of each failure when it is found.
  std::function<void(const std::string& text)> tell = {};
};

class Campaign {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Campaign(CampaignOptions options);

  // ---- For the explorer. ----

  // Reads the record that it goes on from, if it is to, and writes the first.
  // False if there is nothing to be done: `status` may say why.
  bool Begin(const Search& search, Strategy& strategy);
  // Whether there is another execution to be run, and time for it.
  bool More();
  // The same, whatever the time.
  bool HasNext() const { return record_.next < end_; }
  // Its number.
  std::uint64_t next() const { return record_.next; }
  // Whether the schedules that are run before each search are run here.
  bool runs_kept() const {
    return options_.shard.index == 0 && options_.shard.block == 0 &&
           record_.executions == 0;
  }

  // Where the goals stand, before an execution that is to be counted.
  void SetGoals(const std::vector<GoalCount>& goals);
  // The execution `next` has ended: counts it. Its number among all executions
  // of the search is returned: see Strategy::order.
  std::uint64_t Count(const Execution& execution, const Strategy& strategy,
                      const std::vector<GoalCount>& goals);
  // The execution `next` has ended the process that ran it.
  void CountCrash() {
    ++record_.executions;
    last_part_ = {};
  }
  // It was run twice.
  void CountChecked() { ++record_.checked; }
  // Goes on to the next execution.
  void Advance() { record_.next += step_; }
  // The last one has failed. False if that signature is new: then `Add` is to
  // be called.
  bool CountHit(const std::string& signature);
  // Of one that is new, and takes long to shrink: how many deviations it had,
  // and has so far. Told once a second at most.
  void Shrinks(const Failure& failure, std::size_t from, std::size_t to);
  // A failure that was new, explained; `number` is its execution's.
  void Add(const std::string& signature, std::uint64_t number, Report report);
  // The search has ended.
  void End(bool exhausted);

  // ---- Afterwards. ----

  // Not OK: what was asked for cannot be done (InvalidArgument), or results
  // cannot be written (Unavailable). The search has stopped there.
  const absl::Status& status() const { return status_; }
  const Record& record() const { return record_; }
  // What is to be said of the search as a whole, `all`: the first failure in
  // full, and the others in a line each.
  Report Summary(Report all) const;

 private:
  struct GoalState {
    std::uint64_t met = 0;                // Of the simulator's counts, those
    std::uint64_t reached = 0;            // that were before this execution.
    std::optional<std::size_t> recorded;  // Where it is in the record.
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
  std::uint64_t end_ = 0;   // Executions from here on are not run.
  std::uint64_t step_ = 1;  // From one execution of this shard to its next.
  bool finished_ = false;   // Another process has come to the end.
  Clock::time_point begun_;
  double seconds_before_ = 0;  // Of those that it goes on from.
  Clock::time_point written_;
  Clock::time_point shrinks_told_;  // Or the beginning of that shrinking.
  std::string shrinks_;             // The signature of what is shrunk.

  std::map<std::string, std::size_t> known_;  // Signatures, in the record.
  std::optional<Report> first_;               // Of the record's first failure.
  std::vector<GoalState> goals_;              // As the simulator has them.
  // Of the strategy, those that were met, and their counts in the record.
  std::vector<std::pair<StrategyPart, std::uint64_t*>> parts_;
  StrategyPart last_part_;  // That of the last execution.
};

// What tells the executions of a campaign from those of others: 16 hex digits
// of a hash of this program's file, and of all that decides what an execution
// does and how many there are.
std::string CampaignId(const Search& search, std::string_view test);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_CAMPAIGN_H_
