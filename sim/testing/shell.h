// For tests of test programs: runs them as a person does, in a shell.

#ifndef CLOTHO_SIM_TESTING_SHELL_H_
#define CLOTHO_SIM_TESTING_SHELL_H_

#include <string>
#include <string_view>

namespace clotho::sim::internal {

// What came of a line in a shell.
struct Ended {
  int code = 0;        // -1: a signal ended the shell itself.
  std::string output;  // Both of its streams.
};

// A folder of its own with copies of programs in it, so that what their reports
// say can be pasted: "./sample_tests".
class Shell {
 public:
  // `program` is a path from the workspace's root.
  explicit Shell(std::string_view program);

  // Runs a line in the folder, with nothing in the environment that is meant
  // for the test that calls this.
  Ended Run(std::string_view line) const;

  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
};

// What stands after REPLAY: a line, and those that it goes on in; the one for
// this binary, if there are several. "false" if there is none.
std::string ReplayCommandOf(const Ended& ended);

// Its replay string.
std::string ReplayIn(std::string_view again);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_TESTING_SHELL_H_
