#include "clotho/sim/search/campaign.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/hash.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/stop_requests.h"
#include "clotho/sim/report/artifacts.h"
#include "clotho/sim/report/findings.h"
#include "clotho/sim/report/replay_command.h"

namespace clotho::sim::internal {
namespace {

// At first it is written more often, so that a campaign soon has figures.
constexpr std::chrono::seconds kBetweenRecords(10);
constexpr std::chrono::seconds kFirstRecord(1);
constexpr std::chrono::seconds kBetweenShrinks(1);

// A hash of this program's file. 0 if it cannot be read.
std::uint64_t ProgramHash() {
  static const std::uint64_t hash = [] {
    StreamHash content;
    std::ifstream in("/proc/self/exe", std::ios::binary);
    std::vector<char> block(std::size_t{1} << 20);
    while (in) {
      in.read(block.data(), static_cast<std::streamsize>(block.size()));
      content.Add(std::string_view(block.data(),
                                   static_cast<std::size_t>(in.gcount())));
    }
    return in.bad() ? 0 : content.Finish();
  }();
  return hash;
}

std::string StrategyText(const Search& search) {
  return absl::StrCat(search.strategy,
                      search.strategy_parameters.empty() ? "" : ":",
                      search.strategy_parameters);
}

std::string PartText(const StrategyPart& part) {
  return absl::StrCat(std::string(part.name),
                      part.depth == 0 ? "" : absl::StrCat(":", part.depth));
}

// A folder name for the signature.
std::string FolderOf(std::string_view signature) {
  StreamHash hash;
  hash.Add(signature);
  return absl::StrCat(
      absl::Hex(static_cast<std::uint32_t>(hash.Finish()), absl::kZeroPad8));
}

// Returns 207 for "raft.cc:207".
std::uint32_t LineOf(const std::string& place) {
  std::uint32_t line = 0;
  const bool has_line =
      absl::SimpleAtoi(place.substr(place.rfind(':') + 1), &line);
  return has_line ? line : 0;
}

// What is known about a failure found by another process.
Report ReportOf(const Finding& finding, std::string_view test,
                const std::string& out) {
  Report report;
  Failure failure;
  failure.kind = FailureKind::kExpectation;  // Its text is shown unchanged.
  failure.what = finding.what;
  failure.signature = finding.signature;
  if (const std::uint32_t line = LineOf(finding.place); line != 0) {
    failure.line = line;
    failure.file = finding.place.substr(0, finding.place.rfind(':'));
  }
  report.Fail(std::move(failure));
  absl::StatusOr<ReplayString> replay = ParseReplay(finding.replay);
  if (replay.ok()) report.replay = *std::move(replay);
  report.replay_command = ReplayCommand(test, finding.replay);
  report.files =
      Files{.folder = out, .below = finding.folder, .names = {"report.txt"}};
  return report;
}

}  // namespace

std::string CampaignId(const Search& search, std::string_view test) {
  StreamHash hash;
  hash.Add(ProgramHash());
  hash.Add(test);
  hash.Add(search.strategy);
  hash.Add(search.strategy_parameters);
  for (const std::uint64_t word :
       {search.seed, search.schedules, search.program_seed, search.steps_max,
        static_cast<std::uint64_t>(search.virtual_time_max.ns()),
        search.check_every, std::uint64_t{search.fifo_only}}) {
    hash.Add(word);
  }
  return absl::StrCat(absl::Hex(hash.Finish(), absl::kZeroPad16));
}

Campaign::Campaign(CampaignOptions options)
    : options_(std::move(options)), begun_(Clock::now()), written_(begun_) {}

bool Campaign::Begin(const Search& search, Strategy& strategy) {
  const Shard& shard = options_.shard;
  const bool bounded = search.schedules != kNoBound;
  record_.campaign = CampaignId(search, options_.test);
  record_.test = options_.test;
  record_.shard = shard;
  record_.strategy = StrategyText(search);
  record_.seed = search.seed;
  record_.schedules = bounded ? search.schedules : 0;
  const auto first_from = [&](std::uint64_t begin) {
    // The first number from `begin` on with remainder `index` modulo `count`.
    return begin +
           (shard.index + shard.count - begin % shard.count) % shard.count;
  };
  if (!search.exhaustive) {
    const std::uint64_t begin = bounded ? shard.block * search.schedules : 0;
    record_.next = first_from(begin);
    step_ = shard.count;
    end_ = bounded ? begin + search.schedules : kNoBound;
    if (!strategy.numbered()) strategy.TakePart(shard.index, shard.count);
  } else if (shard.block == 0 && strategy.TakePart(shard.index, shard.count)) {
    end_ = bounded ? (search.schedules + shard.count - 1 - shard.index) /
                         shard.count
                   : kNoBound;
  } else {
    // The search cannot be divided: the first shard runs all of it.
    end_ = shard.index == 0 && shard.block == 0 ? search.schedules : 0;
    if (end_ == 0 && options_.tell) {
      options_.tell(absl::StrCat(options_.test, ": a search by \"",
                                 record_.strategy,
                                 "\" is not cut: it runs in shard 0\n"));
    }
  }
  if (options_.out.empty()) return true;
  std::error_code error;
  const std::string folder =
      absl::StrCat(options_.out, "/", FileName(options_.test));
  std::filesystem::create_directories(folder, error);
  if (error) {
    Fail(absl::UnavailableError(absl::StrCat("cannot make the folder \"",
                                             folder, "\": ", error.message())));
    return false;
  }
  if (options_.resume) Resume(/*anew=*/!strategy.numbered());
  if (!status_.ok() || finished_) return false;
  Write();
  return status_.ok();
}

// Loads the record of an earlier process. A record of a different search is
// rejected and left unchanged.
void Campaign::Resume(bool anew) {
  const std::string path =
      RecordFile(options_.out, options_.test, options_.shard);
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) return;
  std::ifstream in(path);
  std::stringstream content;
  content << in.rdbuf();
  absl::StatusOr<Record> record = ParseRecord(content.str());
  const auto refuse = [&](std::string_view why) {
    Fail(absl::InvalidArgumentError(absl::StrCat(
        "cannot resume from \"", path, "\": ", std::string(why),
        "\n(move it away, or name another --clotho_out, to begin anew)")));
  };
  if (!record.ok()) {
    refuse(std::string(record.status().message()));
    return;
  }
  if (record->test != record_.test || record->shard != record_.shard) {
    refuse(absl::StrCat("it is of shard ", ShardText(record->shard), " of \"",
                        record->test, "\": expected shard ",
                        ShardText(record_.shard), " of \"", record_.test,
                        "\""));
    return;
  }
  if (record->campaign != record_.campaign) {
    refuse(absl::StrCat("it is of another campaign, ", record->campaign,
                        " (strategy=", record->strategy, " seed=", record->seed,
                        " schedules=", record->schedules, "): this one is ",
                        record_.campaign, " (strategy=", record_.strategy,
                        " seed=", record_.seed,
                        " schedules=", record_.schedules,
                        "); if these are the same, the program is not"));
    return;
  }
  const bool ends = record->schedules != 0 || record->exhausted;
  finished_ = record->complete && ends;
  // If executions depend on earlier ones, all of them would have to run again;
  // and a record without executions has nothing to resume.
  if ((anew || record->executions == 0) && !finished_) return;
  record_ = *std::move(record);
  record_.complete = finished_;
  seconds_before_ = record_.seconds;
  for (std::size_t i = 0; i < record_.failures.size(); ++i) {
    known_[record_.failures[i].signature] = i;
  }
}

bool Campaign::More() {
  if (!status_.ok() || !HasNext() || Interrupted()) return false;
  if (options_.failures_max != 0 &&
      record_.failures.size() >= options_.failures_max) {
    return false;
  }
  const Clock::time_point now = Clock::now();
  if (options_.deadline.has_value() && now >= *options_.deadline) return false;
  const Clock::duration between = std::clamp<Clock::duration>(
      written_ - begun_, kFirstRecord, kBetweenRecords);
  if (now - written_ >= between) {
    Write();
    WriteStats();
  }
  return status_.ok();
}

void Campaign::SetGoals(const std::vector<GoalCount>& goals) {
  goals_.resize(goals.size());
  for (std::size_t i = 0; i < goals.size(); ++i) {
    goals_[i].met = goals[i].met;
    goals_[i].reached = goals[i].reached;
  }
}

std::uint64_t Campaign::Count(const Execution& execution,
                              const Strategy& strategy,
                              const std::vector<GoalCount>& goals) {
  const std::uint64_t number = strategy.order().value_or(record_.next);
  ++record_.executions;
  record_.steps += execution.steps;
  record_.steps_max = std::max(record_.steps_max, execution.steps);
  record_.tasks_max = std::max(record_.tasks_max, execution.chains);
  record_.virtual_time_ns += static_cast<std::uint64_t>(execution.time_ns);
  record_.steps_of.Add(execution.steps);
  record_.tasks_of.Add(execution.chains);
  record_.sketch.Add(execution.trace_hash);
  CountPart(strategy.part());
  if (execution.failure.has_value() &&
      (execution.failure->kind == FailureKind::kLivelock ||
       execution.failure->kind == FailureKind::kVirtualTime)) {
    ++record_.budget_hits;
  }
  goals_.resize(goals.size());
  for (std::size_t i = 0; i < goals.size(); ++i) {
    GoalState& state = goals_[i];
    if (goals[i].met == state.met) continue;
    if (!state.recorded.has_value()) {
      const std::string place = Place(goals[i].location);
      const auto same =
          std::ranges::find_if(record_.goals, [&](const RecordedGoal& goal) {
            return goal.goal == goals[i].goal && goal.place == place;
          });
      state.recorded = static_cast<std::size_t>(same - record_.goals.begin());
      if (same == record_.goals.end()) {
        record_.goals.push_back({.goal = goals[i].goal,
                                 .place = place,
                                 .reached = 0,
                                 .first = std::nullopt});
      }
    }
    RecordedGoal& goal = record_.goals[*state.recorded];
    goal.reached += goals[i].reached - state.reached;
    if (goal.reached > 0 && !goal.first.has_value()) {
      goal.first = number;
      Say(absl::StrCat(
          "{\"event\": \"goal\", \"test\": ", JsonString(record_.test),
          ", \"shard\": ", record_.shard.index, ", \"goal\": ",
          JsonString(goal.goal), ", \"place\": ", JsonString(goal.place),
          ", \"first\": ", number, "}"));
    }
  }
  return number;
}

void Campaign::CountPart(const StrategyPart& part) {
  last_part_ = part;
  if (part.name.empty()) return;
  auto found =
      std::ranges::find(parts_, part, &decltype(parts_)::value_type::first);
  if (found == parts_.end()) {
    parts_.emplace_back(part, &record_.parts[PartText(part)]);
    found = parts_.end() - 1;
  }
  ++*found->second;
}

bool Campaign::CountHit(const std::string& signature) {
  const auto known = known_.find(signature);
  if (known == known_.end()) return false;
  ++record_.failures[known->second].hits;
  return true;
}

void Campaign::Shrinks(const Failure& failure, std::size_t from,
                       std::size_t to) {
  const Clock::time_point now = Clock::now();
  if (shrinks_ != failure.signature) {
    shrinks_ = failure.signature;
    shrinks_told_ = now;
  }
  if (now - shrinks_told_ < kBetweenShrinks) return;
  shrinks_told_ = now;
  Say(absl::StrCat(
      "{\"event\": \"shrinking\", \"test\": ", JsonString(record_.test),
      ", \"shard\": ", record_.shard.index, ", \"kind\": ",
      JsonString(FailureKindName(failure.kind)), ", \"place\": ",
      JsonString(failure.line == 0 ? "" : Place(failure.file, failure.line)),
      ", \"from\": ", from, ", \"to\": ", to, "}"));
}

void Campaign::Add(const std::string& signature, std::uint64_t number,
                   Report report) {
  const Failure& failure = *report.failure();
  // A failure that was not reproduced has another signature than before.
  if (const auto known = known_.find(failure.signature);
      known != known_.end()) {
    ++record_.failures[known->second].hits;
    known_[signature] = known->second;
    return;
  }
  Finding finding = {
      .signature = failure.signature,
      .kind = std::string(report.KindName()),
      .what = failure.what,
      .place = failure.line == 0 ? "" : Place(failure.file, failure.line),
      .first = number,
      .hits = 1,
      .replay = FormatReplay(report.replay),
      .deviations = report.trace.deviations.size(),
      .part = PartText(last_part_),
      .folder = ""};
  if (!options_.out.empty()) {
    const std::string part = FolderOf(failure.signature);
    finding.folder = absl::StrCat(FileName(options_.test), "/", part);
    Fail(WriteArtifacts(options_.out, options_.test, report, part,
                        options_.with_traces));
  }
  known_[signature] = record_.failures.size();
  known_[finding.signature] = record_.failures.size();
  record_.failures.push_back(finding);
  // First it is stored, then it is reported.
  Write();
  Say(FailureLine(finding));
  // With a limit of one failure, it is reported at the end of the search.
  if (options_.tell && options_.failures_max != 1) {
    options_.tell(absl::StrCat(options_.test, ": failure ",
                               record_.failures.size(), "\n", report.Text()));
  }
  if (record_.failures.size() == 1) first_ = std::move(report);
}

void Campaign::End(bool exhausted) {
  record_.exhausted = exhausted;
  const bool unbounded = record_.schedules == 0;
  const bool stopped = options_.failures_max != 0 &&
                       record_.failures.size() >= options_.failures_max;
  record_.complete = status_.ok() && (exhausted || record_.next >= end_ ||
                                      (unbounded && !stopped));
  Write();
  WriteStats();
}

void Campaign::Write() {
  written_ = Clock::now();
  if (options_.out.empty()) return;
  record_.seconds = seconds_before_ + Seconds();
  Fail(WriteFile(RecordFile(options_.out, options_.test, options_.shard),
                 FormatRecord(record_)));
}

void Campaign::WriteStats() {
  Say(absl::StrCat(
      "{\"event\": \"stats\", \"test\": ", JsonString(record_.test),
      ", \"shard\": ", record_.shard.index,
      ", \"executions\": ", record_.executions, ", \"steps\": ", record_.steps,
      ", \"seconds\": ", absl::StrFormat("%.3f", seconds_before_ + Seconds()),
      ", \"failures\": ", record_.failures.size(),
      ", \"distinct\": ", record_.sketch.Distinct(), ", \"new_chance\": ",
      absl::StrFormat("%.6f", record_.sketch.NewChance()), "}"));
}

void Campaign::Say(const std::string& line) {
  if (options_.event_log != nullptr) Fail(options_.event_log->Write(line));
}

std::string Campaign::FailureLine(const Finding& finding) const {
  return absl::StrCat(
      "{\"event\": \"failure\", \"test\": ", JsonString(record_.test),
      ", \"shard\": ", record_.shard.index, ", ", FindingMembers(finding), "}");
}

double Campaign::Seconds() const {
  return std::chrono::duration<double>(Clock::now() - begun_).count();
}

// The first error counts.
void Campaign::Fail(absl::Status status) {
  if (status_.ok()) status_ = std::move(status);
}

Report Campaign::Summary(Report all) const {
  all.search.executions = record_.executions;
  all.search.distinct_executions = record_.executions;
  all.search.steps = record_.steps;
  all.search.exhausted = record_.exhausted;
  for (const RecordedGoal& goal : record_.goals) {
    all.goals.push_back({.goal = goal.goal,
                         .place = goal.place,
                         .line = LineOf(goal.place),
                         .reached = goal.reached});
  }
  if (record_.failures.empty()) return all;
  Report report = first_.has_value() ? *first_
                                     : ReportOf(record_.failures[0],
                                                record_.test, options_.out);
  report.drifted = std::move(all.drifted);
  for (std::size_t i = 1; i < record_.failures.size(); ++i) {
    const Finding& finding = record_.failures[i];
    report.other_failures.push_back({.number = i + 1,
                                     .hits = finding.hits,
                                     .signature = finding.signature,
                                     .replay = finding.replay});
  }
  return report;
}

}  // namespace clotho::sim::internal
