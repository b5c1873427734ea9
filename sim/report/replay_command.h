// How this program was started, and how to start it again.

#ifndef CLOTHO_SIM_REPORT_REPLAY_COMMAND_H_
#define CLOTHO_SIM_REPORT_REPLAY_COMMAND_H_

#include <string>
#include <string_view>

namespace clotho::sim::internal {

// Remembers argv[0], before anything changes the current directory.
void SetProgram(std::string_view program);

// The lines after REPLAY: each can be pasted into a shell and runs the test
// `name` ("Suite.Test"; empty: not a test) under the replay string.
std::string ReplayCommand(std::string_view name, std::string_view replay);

// Writes a replay string to its own file below clotho-out/, and returns the
// replay string that refers to the file. Returns the string itself if it cannot
// be written, or under `bazel test`, which would remove the file.
std::string WriteReplayFile(std::string_view name, std::string_view replay);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_REPLAY_COMMAND_H_
