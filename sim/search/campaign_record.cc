#include "clotho/sim/search/campaign_record.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "clotho/sim/report/artifacts.h"
#include "clotho/sim/search/histogram.h"
#include "nlohmann/json.hpp"

namespace clotho::sim::internal {
namespace {

using Json = nlohmann::ordered_json;
__extension__ using Wide = unsigned __int128;

std::string Decimal(Wide number) {
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + number % 10));
    number /= 10;
  } while (number != 0);
  return digits;
}

std::string Hex(std::uint64_t number) {
  return absl::StrCat(absl::Hex(number, absl::kZeroPad16));
}

// What is missing or invalid in a record.
struct Wrong {
  std::string what;
};

const Json& Member(const Json& json, const char* name) {
  const auto found = json.is_object() ? json.find(name) : json.end();
  if (found == json.end()) {
    throw Wrong{absl::StrCat("\"", name, "\" is missing")};
  }
  return *found;
}

[[noreturn]] void ThrowWrong(const char* name, const char* expected) {
  throw Wrong{absl::StrCat("\"", name, "\" is no ", expected)};
}

std::string Text(const Json& json, const char* name) {
  const Json& member = Member(json, name);
  if (!member.is_string()) ThrowWrong(name, "string");
  return member.get<std::string>();
}

std::uint64_t Number(const Json& json, const char* name) {
  const Json& member = Member(json, name);
  if (!member.is_number_unsigned()) ThrowWrong(name, "whole number");
  return member.get<std::uint64_t>();
}

bool Bool(const Json& json, const char* name) {
  const Json& member = Member(json, name);
  if (!member.is_boolean()) ThrowWrong(name, "true or false");
  return member.get<bool>();
}

const Json& Array(const Json& json, const char* name) {
  const Json& member = Member(json, name);
  if (!member.is_array()) ThrowWrong(name, "array");
  return member;
}

// A number with more digits than the parser supports: parsed from the text.
Wide WideNumber(const Json& json, std::string_view text, const char* name) {
  if (!Member(json, name).is_number()) ThrowWrong(name, "number");
  const std::string key = absl::StrCat("\"", name, "\":");
  std::size_t at = text.find(key);
  if (at == text.npos) ThrowWrong(name, "number");
  at += key.size();
  while (at < text.size() && text[at] == ' ') ++at;
  Wide number = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    number = number * 10 + static_cast<unsigned>(text[at] - '0');
  }
  return number;
}

void ReadSketch(const Json& json, TraceSketch& sketch) {
  if (Number(json, "size") != TraceSketch::kSize) {
    ThrowWrong("size", "size of a sketch that this program knows");
  }
  for (const Json& entry : Array(json, "entries")) {
    std::uint64_t hash = 0;
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() ||
        !entry[1].is_number_unsigned() ||
        !absl::SimpleHexAtoi(entry[0].get<std::string>(), &hash)) {
      ThrowWrong("entries", "list of hashes and counts");
    }
    sketch.Add(hash, entry[1].get<std::uint64_t>());
  }
}

void ReadHistogram(const Json& json, const char* name, Histogram& histogram) {
  for (const Json& entry : Array(json, name)) {
    if (!entry.is_array() || entry.size() != 2 ||
        !entry[0].is_number_unsigned() || !entry[1].is_number_unsigned()) {
      ThrowWrong(name, "list of numbers and counts");
    }
    histogram.Add(entry[0].get<std::uint64_t>(), entry[1].get<std::uint64_t>());
  }
}

std::string HistogramText(const Histogram& histogram) {
  return absl::StrCat(
      "[",
      absl::StrJoin(histogram.entries(), ", ",
                    [](std::string* text, const Histogram::Entry& entry) {
                      absl::StrAppend(text, "[", entry.least, ", ", entry.count,
                                      "]");
                    }),
      "]");
}

Record Read(const Json& json, std::string_view text) {
  if (Number(json, "clotho_record") != 1) {
    throw Wrong{"it is of another version: expected \"clotho_record\": 1"};
  }
  Record record;
  record.campaign = Text(json, "campaign");
  record.test = Text(json, "test");
  record.shard = {.index = Number(json, "shard"),
                  .count = Number(json, "shards"),
                  .block = Number(json, "block")};
  record.strategy = Text(json, "strategy");
  record.seed = Number(json, "seed");
  record.schedules = Number(json, "schedules");
  record.next = Number(json, "next");
  record.complete = Bool(json, "complete");
  record.exhausted = Bool(json, "exhausted");
  record.executions = Number(json, "executions");
  record.steps = Number(json, "steps");
  const Json& seconds = Member(json, "seconds");
  if (!seconds.is_number()) ThrowWrong("seconds", "number");
  record.seconds = seconds.get<double>();
  const Json& most = Member(json, "max");
  record.steps_max = Number(most, "steps");
  record.tasks_max = Number(most, "tasks");
  const Json& shape = Member(json, "shape");
  ReadHistogram(shape, "steps", record.steps_of);
  ReadHistogram(shape, "tasks", record.tasks_of);
  const Json& parts = Member(json, "parts");
  if (!parts.is_object()) ThrowWrong("parts", "object");
  for (const auto& [name, value] : parts.items()) {
    record.parts[name] = Number(parts, name.c_str());
  }
  record.budget_hits = Number(json, "budget_hits");
  record.checked = Number(json, "checked");
  record.virtual_time_ns = WideNumber(json, text, "virtual_time_ns");
  ReadSketch(Member(json, "sketch"), record.sketch);
  for (const Json& goal : Array(json, "goals")) {
    RecordedGoal read = {.goal = Text(goal, "goal"),
                         .place = Text(goal, "place"),
                         .reached = Number(goal, "reached"),
                         .first = std::nullopt};
    if (!Member(goal, "first").is_null()) read.first = Number(goal, "first");
    record.goals.push_back(std::move(read));
  }
  for (const Json& failure : Array(json, "failures")) {
    record.failures.push_back({.signature = Text(failure, "signature"),
                               .kind = Text(failure, "kind"),
                               .what = Text(failure, "what"),
                               .place = Text(failure, "place"),
                               .first = Number(failure, "first"),
                               .hits = Number(failure, "hits"),
                               .replay = Text(failure, "replay"),
                               .deviations = Number(failure, "deviations"),
                               .part = Text(failure, "part"),
                               .folder = Text(failure, "folder")});
  }
  return record;
}

}  // namespace

std::string RecordFile(std::string_view out, std::string_view test,
                       const Shard& shard) {
  return absl::StrCat(
      std::string(out), "/", FileName(test), "/shard-", shard.index, "-of-",
      shard.count, shard.block == 0 ? "" : absl::StrCat("-block-", shard.block),
      ".json");
}

std::string FormatRecord(const Record& record) {
  std::string text = absl::StrCat(
      "{\"clotho_record\": 1, \"campaign\": ", JsonString(record.campaign),
      ", \"test\": ", JsonString(record.test),
      ", \"shard\": ", record.shard.index, ", \"shards\": ", record.shard.count,
      ",\n \"strategy\": ", JsonString(record.strategy),
      ", \"seed\": ", record.seed, ", \"schedules\": ", record.schedules,
      ", \"block\": ", record.shard.block, ",\n \"next\": ", record.next,
      ", \"complete\": ", record.complete ? "true" : "false",
      ", \"exhausted\": ", record.exhausted ? "true" : "false");
  absl::StrAppend(
      &text, ",\n \"executions\": ", record.executions,
      ", \"steps\": ", record.steps,
      ", \"seconds\": ", absl::StrFormat("%.3f", record.seconds),
      ",\n \"max\": {\"steps\": ", record.steps_max,
      ", \"tasks\": ", record.tasks_max,
      "},\n \"shape\": {\"steps\": ", HistogramText(record.steps_of),
      ",\n  \"tasks\": ", HistogramText(record.tasks_of), "},\n \"parts\": {");
  const char* separator = "";
  for (const auto& [name, executions] : record.parts) {
    absl::StrAppend(&text, separator, JsonString(name), ": ", executions);
    separator = ", ";
  }
  absl::StrAppend(&text, "},\n \"budget_hits\": ", record.budget_hits,
                  ", \"checked\": ", record.checked,
                  ", \"virtual_time_ns\": ", Decimal(record.virtual_time_ns),
                  ",\n \"sketch\": {\"size\": ", TraceSketch::kSize,
                  ", \"entries\": [");
  separator = "\n  ";
  for (const TraceSketch::Entry& entry : record.sketch.entries()) {
    absl::StrAppend(&text, separator, "[\"", Hex(entry.hash), "\", ",
                    entry.count, "]");
    separator = ",\n  ";
  }
  absl::StrAppend(&text, "]},\n \"goals\": [");
  std::vector<RecordedGoal> goals = record.goals;
  std::ranges::sort(goals, [](const RecordedGoal& a, const RecordedGoal& b) {
    return std::tie(a.place, a.goal) < std::tie(b.place, b.goal);
  });
  separator = "\n  ";
  for (const RecordedGoal& goal : goals) {
    absl::StrAppend(&text, separator, "{\"goal\": ", JsonString(goal.goal),
                    ", \"place\": ", JsonString(goal.place),
                    ", \"reached\": ", goal.reached, ", \"first\": ",
                    goal.first.has_value() ? absl::StrCat(*goal.first) : "null",
                    "}");
    separator = ",\n  ";
  }
  absl::StrAppend(&text, "],\n \"failures\": [");
  std::vector<Finding> failures = record.failures;
  std::ranges::sort(failures, [](const Finding& a, const Finding& b) {
    return std::tie(a.first, a.signature) < std::tie(b.first, b.signature);
  });
  separator = "\n  ";
  for (const Finding& failure : failures) {
    absl::StrAppend(&text, separator, "{", FindingMembers(failure), "}");
    separator = ",\n  ";
  }
  absl::StrAppend(&text, "]}\n");
  return text;
}

std::string JsonString(std::string_view text) {
  return Json(text).dump(/*indent=*/-1, /*indent_char=*/' ',
                         /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

std::string FindingMembers(const Finding& failure) {
  return absl::StrCat("\"signature\": ", JsonString(failure.signature),
                      ", \"kind\": ", JsonString(failure.kind),
                      ", \"what\": ", JsonString(failure.what),
                      ", \"place\": ", JsonString(failure.place),
                      ", \"first\": ", failure.first,
                      ", \"hits\": ", failure.hits,
                      ", \"replay\": ", JsonString(failure.replay),
                      ", \"deviations\": ", failure.deviations,
                      ", \"part\": ", JsonString(failure.part),
                      ", \"folder\": ", JsonString(failure.folder));
}

absl::StatusOr<Record> ParseRecord(std::string_view text) {
  const Json json = Json::parse(text, /*cb=*/nullptr,
                                /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    return absl::InvalidArgumentError("it is no JSON, or not all of it");
  }
  try {
    return Read(json, text);
  } catch (const Wrong& wrong) {
    return absl::InvalidArgumentError(wrong.what);
  }
}

}  // namespace clotho::sim::internal
