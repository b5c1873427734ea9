// Which part of a search this process runs: shard 3 of 64, counted from 0.

#ifndef CLOTHO_SIM_SEARCH_SHARD_H_
#define CLOTHO_SIM_SEARCH_SHARD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

namespace clotho::sim::internal {

struct Shard {
  std::uint64_t index = 0;
  std::uint64_t count = 1;
  // For a test that Bazel runs several times (--runs_per_test): the number of
  // the run, from 0. Each run has its own executions.
  std::uint64_t block = 0;

  friend bool operator==(const Shard&, const Shard&) = default;
};

// "3/64".
std::string ShardText(const Shard& shard);

// An error quotes the text and says what was expected.
absl::StatusOr<Shard> ParseShard(std::string_view text);

// Returns the value of a variable; nullopt if it is not set.
using Variables =
    absl::FunctionRef<std::optional<std::string>(const char* name)>;

// Combines the flag --clotho_shard ("3/64", "auto", or empty: not given) with
// the environment. The variables of Bazel and GoogleTest always count; those of
// Slurm, Kubernetes, GitLab and Bazel's --runs_per_test count only with "auto":
// a test that happens to run inside such a job must not silently do only part
// of its work. If sources disagree, the error names both. `source` is the
// flag's name in errors.
absl::StatusOr<Shard> ReadShard(std::string_view flag, std::string_view source,
                                Variables variables);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_SHARD_H_
