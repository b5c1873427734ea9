// Record: the results of a campaign for one test, in one shard.
//
// A record is a JSON file. It says how far the shard has come, so that the
// shard can resume, and nothing in it but `seconds` depends on the clock. The
// records of all shards of a campaign together contain the same results,
// however many shards there are: counts are added, maxima are the maximum of
// all, and for a failure or a goal the first execution counts.
// docs/command_line.md describes the fields.

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

// A failure, identified by its signature.
struct Finding {
  std::string signature;
  std::string kind;   // FailureKindName.
  std::string what;   // The report's WHAT block.
  std::string place;  // "job_queue.cc:25", or empty.
  // The first execution that showed it, and how many have.
  std::uint64_t first = 0;
  std::uint64_t hits = 0;
  std::string replay;  // Shrunk.
  std::uint64_t deviations = 0;
  std::string part;  // The part of the strategy that found it; may be empty.
  // The folder of its report, relative to the output folder.
  std::string folder;
};

// A Sometimes or Reachable.
struct RecordedGoal {
  std::string goal;
  std::string place;
  std::uint64_t reached = 0;
  std::optional<std::uint64_t> first;  // The execution that reached it first.
};

struct Record {
  // Identifies the executions of the campaign: 16 hex digits.
  std::string campaign;
  std::string test;
  Shard shard;
  std::string strategy;  // "pct:3".
  std::uint64_t seed = 0;
  std::uint64_t schedules = 0;  // Over all shards; 0: no bound.

  std::uint64_t next = 0;  // The next execution to run.
  bool complete = false;   // There is no next execution.
  bool exhausted = false;  // Not even a longer search has another one.

  std::uint64_t executions = 0;
  std::uint64_t steps = 0;
  double seconds = 0;
  std::uint64_t steps_max = 0;
  std::uint64_t tasks_max = 0;
  Histogram steps_of;  // Steps per execution.
  Histogram tasks_of;  // Tasks per execution.
  // For a combined strategy: the executions of each part.
  std::map<std::string, std::uint64_t> parts;
  std::uint64_t budget_hits = 0;  // Executions that reached a limit.
  std::uint64_t checked = 0;      // Executions that were run twice.
  // More than 64 bits: a night of executions may simulate centuries.
  __extension__ unsigned __int128 virtual_time_ns = 0;
  TraceSketch sketch;
  // In the order of discovery; the text sorts them by place and name, and by
  // first execution and signature.
  std::vector<RecordedGoal> goals;
  std::vector<Finding> failures;
};

// The file name: "out/Suite.Name/shard-3-of-64.json".
std::string RecordFile(std::string_view out, std::string_view test,
                       const Shard& shard);

std::string FormatRecord(const Record& record);

// For lines of the event log: a quoted JSON string in ASCII; and the members of
// a failure's object, without the braces.
std::string JsonString(std::string_view text);
std::string FindingMembers(const Finding& failure);

// An error says what is missing or invalid.
absl::StatusOr<Record> ParseRecord(std::string_view text);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_CAMPAIGN_RECORD_H_
