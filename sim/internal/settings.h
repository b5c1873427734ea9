// What the command line and the environment say of this run.

#ifndef CLOTHO_SIM_INTERNAL_SETTINGS_H_
#define CLOTHO_SIM_INTERNAL_SETTINGS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "clotho/sim/options.h"

namespace clotho::sim::internal {

struct Settings {
  std::string replay;  // Empty: none.
  std::optional<std::string> strategy;
  std::optional<std::uint64_t> schedules;
  std::optional<std::uint64_t> cases;
  std::optional<std::uint64_t> size;
  std::optional<std::uint64_t> seed;
  std::optional<bool> debug;
  std::string out;   // Where results go; empty: nowhere.
  std::string kept;  // Where kept schedules are; empty: beside the tests.
  std::optional<bool> isolate;
};

// Reads the variables CLOTHO_*, and Bazel's for results; then what is left of
// the command line after GoogleTest has taken its own; the command line wins.
// Whatever is not known or does not parse is an error that names it.
absl::StatusOr<Settings> ReadSettings(int argc, char** argv);

// The search that a test asks for, as changed by the settings. A test that is
// not searched has one execution, whatever number is asked for.
void ApplySettings(const Settings& settings, Search& search);

// What `--help` says of them.
std::string SettingsUsage();

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_INTERNAL_SETTINGS_H_
