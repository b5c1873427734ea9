// For tests of test programs: runs them in a shell, as a person does.

#ifndef CLOTHO_SIM_TESTING_SHELL_H_
#define CLOTHO_SIM_TESTING_SHELL_H_

#include <string>
#include <string_view>

namespace clotho::sim::internal {

// How a line in a shell ended.
struct Ended {
  int code = 0;        // -1: a signal ended the shell itself.
  std::string output;  // Both of its streams.
};

// A folder with a copy of a program in it, so that the commands in its reports
// can be pasted: "./sample_tests".
class Shell {
 public:
  // `program` is a path from the workspace's root.
  explicit Shell(std::string_view program);

  // Runs a line in the folder. The environment is empty but for PATH.
  Ended Run(std::string_view line) const;

  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
};

// The command after REPLAY, which may take several lines. If there are several
// commands, the one for this binary. "false" if there is none.
std::string ReplayCommandOf(const Ended& ended);

// The replay string in such a command.
std::string ReplayIn(std::string_view command);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_TESTING_SHELL_H_
