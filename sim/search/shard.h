// Which part of a search this process does: shard 3 of 64, counted from 0.

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
  // Of a test that Bazel runs several times (--runs_per_test): which of the
  // runs, from 0. Each has executions of its own.
  std::uint64_t block = 0;

  friend bool operator==(const Shard&, const Shard&) = default;
};

// "3/64".
std::string ShardText(const Shard& shard);

// An error quotes the text, and says what was expected.
absl::StatusOr<Shard> ParseShard(std::string_view text);

// The value of a variable; nothing if it is not set.
using Variables =
    absl::FunctionRef<std::optional<std::string>(const char* name)>;

// What the flag --clotho_shard says ("3/64", "auto", or empty: it was not
// given), together with the environment. Bazel's and GoogleTest's variables
// always count; those of Slurm, of Kubernetes, of GitLab and of Bazel's
// --runs_per_test only with "auto": a test that happens to run inside a job of
// theirs must not quietly do a part of its work. Sources that disagree are an
// error, which names them both. `source` is what errors call the flag.
absl::StatusOr<Shard> ReadShard(std::string_view flag, std::string_view source,
                                Variables variables);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_SHARD_H_
