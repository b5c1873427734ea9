// Record: what a campaign has come to with one test, in one shard.
//
// A record is a file of JSON. It says how far the shard has come, so that it
// can go on, and it holds nothing that depends on the clock but `seconds`. The
// records of all shards of a campaign together say the same, whatever their
// number: counts are added, the largest is the largest of all, of a failure and
// of a goal the first execution counts. docs/command_line.md has the fields.

#ifndef CLOTHO_SIM_SEARCH_CAMPAIGN_RECORD_H_
#define CLOTHO_SIM_SEARCH_CAMPAIGN_RECORD_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "clotho/sim/search/histogram.h"
#include "clotho/sim/search/shard.h"
#include "clotho/sim/search/sketch.h"

namespace clotho::sim::internal {

// A failure, told apart from others by its signature.
struct Finding {
  std::string signature;
  std::string kind;   // FailureKindName.
  std::string what;   // The report's WHAT.
  std::string place;  // "job_queue.cc:25", or empty.
  // The execution that showed it first, and how many have.
  std::uint64_t first = 0;
  std::uint64_t hits = 0;
  std::string replay;  // Shrunk.
  std::uint64_t deviations = 0;
  std::string part;    // Of the strategy, that has found it; may be empty.
  std::string folder;  // With its report; relative to that of all results.
};

// A Sometimes or Reachable.
struct RecordedGoal {
  std::string goal;
  std::string place;
  std::uint64_t reached = 0;
  std::optional<std::uint64_t> first;  // The execution that reached it first.
};

struct Record {
  // Of campaigns that run other executions, other numbers: 16 hex digits.
  std::string campaign;
  std::string test;
  Shard shard;
  std::string strategy;  // "pct:3".
  std::uint64_t seed = 0;
  std::uint64_t schedules = 0;  // Of all shards together; 0: no bound.

  std::uint64_t next = 0;  // The next execution to be run.
  bool complete = false;   // There is none.
  bool exhausted = false;  // Nor in any longer search.

  std::uint64_t executions = 0;
  std::uint64_t steps = 0;
  double seconds = 0;
  std::uint64_t steps_max = 0;
  std::uint64_t tasks_max = 0;
  Histogram steps_of;  // Each execution, and its
  Histogram tasks_of;  // tasks.
  // Of a strategy that is several, the executions of each.
  std::map<std::string, std::uint64_t> parts;
  std::uint64_t budget_hits = 0;  // Executions that came to a limit.
  std::uint64_t checked = 0;      // That were run twice.
  // More than 64 bits: a night of executions may last for ages.
  __extension__ unsigned __int128 virtual_time_ns = 0;
  TraceSketch sketch;
  // In whatever order they were come by; the text has them by place and name,
  // and by first and signature.
  std::vector<RecordedGoal> goals;
  std::vector<Finding> failures;
};

// Where it is: "out/Suite.Name/shard-3-of-64.json".
std::string RecordFile(std::string_view out, std::string_view test,
                       const Shard& shard);

std::string FormatRecord(const Record& record);

// For lines of the event_log: a string with its quotes, in ASCII; and what
// stands between the braces of a failure.
std::string JsonString(std::string_view text);
std::string FindingMembers(const Finding& failure);

// An error says what is missing or wrong.
absl::StatusOr<Record> ParseRecord(std::string_view text);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_CAMPAIGN_RECORD_H_
