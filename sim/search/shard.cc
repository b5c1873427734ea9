#include "clotho/sim/search/shard.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace clotho::sim::internal {
namespace {

// More machines than anyone has; and the product of two such numbers fits.
constexpr std::uint64_t kMost = 1'000'000'000;

std::string Quote(std::string_view text) {
  constexpr std::size_t kShown = 40;
  return absl::StrCat("\"",
                      absl::CHexEscape(std::string(text.substr(0, kShown))),
                      text.size() > kShown ? "..." : "", "\"");
}

std::optional<std::uint64_t> Number(std::string_view text) {
  std::uint64_t number = 0;
  const std::string digits(text);
  if (digits.empty() || digits.find_first_not_of("0123456789") != text.npos ||
      !absl::SimpleAtoi(digits, &number) || number > kMost) {
    return std::nullopt;
  }
  return number;
}

// A shard, and the source that says so.
struct Source {
  std::string name;
  Shard shard;
};

class Reader {
 public:
  explicit Reader(Variables variables) : variables_(variables) {}

  // Reads two variables; `total` is the number of shards. Adds nothing if there
  // is only one shard, or if neither variable is set.
  absl::Status Pair(const char* index, const char* total, std::uint64_t first) {
    const std::optional<std::string> index_text = variables_(index);
    const std::optional<std::string> total_text = variables_(total);
    if (!total_text.has_value()) return absl::OkStatus();
    const std::optional<std::uint64_t> count = Number(*total_text);
    if (!count.has_value()) return NoNumber(total, *total_text);
    if (*count <= 1) return absl::OkStatus();
    const std::optional<std::uint64_t> number = Number(index_text.value_or(""));
    if (!number.has_value()) return NoNumber(index, index_text.value_or(""));
    if (*number < first || *number - first >= *count) {
      return absl::InvalidArgumentError(absl::StrCat(
          index, "=", *number, " with ", total, "=", *count,
          ": expected a number from ", first, " to ", *count - 1 + first));
    }
    Add(absl::StrCat(index, " and ", total),
        {.index = *number - first, .count = *count});
    return absl::OkStatus();
  }

  absl::Status Slurm() {
    const std::optional<std::string> id = variables_("SLURM_ARRAY_TASK_ID");
    if (!id.has_value()) return absl::OkStatus();
    std::uint64_t numbers[5] = {};
    const char* const names[] = {
        "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX",
        "SLURM_ARRAY_TASK_STEP", "SLURM_ARRAY_TASK_COUNT"};
    for (std::size_t i = 0; i < 5; ++i) {
      const std::string text = variables_(names[i]).value_or("");
      const std::optional<std::uint64_t> number = Number(text);
      if (!number.has_value()) return NoNumber(names[i], text);
      numbers[i] = *number;
    }
    const auto [task, least, most, step, count] = numbers;
    if (step == 0 || task < least || task > most ||
        (task - least) % step != 0 || (most - least) / step + 1 != count) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the Slurm array has gaps: task ", task, " of ", count, " from ",
          least, " to ", most, " in steps of ", step,
          ": expected an array without any, or --clotho_shard=I/N"));
    }
    Add("SLURM_ARRAY_TASK_ID",
        {.index = (task - least) / step, .count = count});
    return absl::OkStatus();
  }

  absl::Status Kubernetes() {
    const std::optional<std::string> index = variables_("JOB_COMPLETION_INDEX");
    if (!index.has_value()) return absl::OkStatus();
    if (!variables_("CLOTHO_TOTAL_SHARDS").has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "JOB_COMPLETION_INDEX=", Quote(*index),
          " is of how many? Kubernetes does not say: expected the variable "
          "CLOTHO_TOTAL_SHARDS in the manifest"));
    }
    return Pair("JOB_COMPLETION_INDEX", "CLOTHO_TOTAL_SHARDS", 0);
  }

  absl::Status Run() {
    const std::optional<std::string> run = variables_("TEST_RANDOM_SEED");
    if (!run.has_value()) return absl::OkStatus();
    const std::optional<std::uint64_t> number = Number(*run);
    if (!number.has_value() || *number == 0) {
      return NoNumber("TEST_RANDOM_SEED", *run);
    }
    block_ = *number - 1;
    return absl::OkStatus();
  }

  void Add(std::string name, const Shard& shard) {
    sources_.push_back({std::move(name), shard});
  }

  bool knows_any() const { return !sources_.empty() || block_.has_value(); }

  absl::StatusOr<Shard> Agreed() const {
    Shard shard;
    for (const Source& source : sources_) {
      if (source.shard == sources_[0].shard) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "which shard is this? ", sources_[0].name, " says ",
          ShardText(sources_[0].shard), ", ", source.name, " says ",
          ShardText(source.shard), ": expected one, or the same from both"));
    }
    if (!sources_.empty()) shard = sources_[0].shard;
    shard.block = block_.value_or(0);
    return shard;
  }

 private:
  static absl::Status NoNumber(std::string_view name, std::string_view text) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(name), "=", Quote(text),
                     " is not a number of a shard: expected at most ", kMost));
  }

  Variables variables_;
  std::vector<Source> sources_;
  std::optional<std::uint64_t> block_;
};

}  // namespace

std::string ShardText(const Shard& shard) {
  return absl::StrCat(shard.index, "/", shard.count);
}

absl::StatusOr<Shard> ParseShard(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::optional<std::uint64_t> index = Number(text.substr(0, slash));
  const std::optional<std::uint64_t> count =
      Number(slash == text.npos ? "" : text.substr(slash + 1));
  if (!index.has_value() || !count.has_value() || *index >= *count) {
    return absl::InvalidArgumentError(absl::StrCat(
        Quote(text), ": expected INDEX/TOTAL, from 0/64 to 63/64, or auto"));
  }
  return Shard{.index = *index, .count = *count};
}

absl::StatusOr<Shard> ReadShard(std::string_view flag, std::string_view source,
                                Variables variables) {
  Reader reader(variables);
  if (!flag.empty() && flag != "auto") {
    const absl::StatusOr<Shard> shard = ParseShard(flag);
    if (!shard.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(
          std::string(source), "=", std::string(shard.status().message())));
    }
    reader.Add(std::string(source), *shard);
  }
  absl::Status status = reader.Pair("TEST_SHARD_INDEX", "TEST_TOTAL_SHARDS", 0);
  if (status.ok()) {
    status = reader.Pair("GTEST_SHARD_INDEX", "GTEST_TOTAL_SHARDS", 0);
  }
  if (flag == "auto") {
    if (status.ok()) status = reader.Slurm();
    if (status.ok()) status = reader.Kubernetes();
    if (status.ok()) status = reader.Pair("CI_NODE_INDEX", "CI_NODE_TOTAL", 1);
    if (status.ok()) status = reader.Run();
    if (status.ok() && !reader.knows_any()) {
      // Otherwise each of many jobs would run everything.
      status = absl::InvalidArgumentError(absl::StrCat(
          std::string(source),
          "=auto, and nothing says which shard this is: expected the variables "
          "of Bazel, GoogleTest, Slurm, Kubernetes or GitLab, or ",
          std::string(source), "=INDEX/TOTAL"));
    }
  }
  if (!status.ok()) return status;
  return reader.Agreed();
}

}  // namespace clotho::sim::internal
