#include "clotho/sim/testing/shell.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {

Shell::Shell(std::string_view program) {
  const std::filesystem::path from =
      std::filesystem::absolute(std::string(program));
  folder_ = absl::StrCat(testing::TempDir(), "/shell-",
                         from.filename().native(), "-", getpid());
  std::filesystem::create_directories(folder_);
  std::filesystem::copy_file(from, folder_ / from.filename(),
                             std::filesystem::copy_options::overwrite_existing);
}

Ended Shell::Run(std::string_view line) const {
  const std::string script = folder_ + "/line.sh";
  std::ofstream(script) << "cd '" << folder_ << "'\n" << line << "\n";
  const std::string command =
      absl::StrCat("env -i PATH=/usr/bin:/bin sh '", script, "' 2>&1");
  std::FILE* const pipe = popen(command.c_str(), "r");
  Ended ended;
  char buffer[4096];
  for (std::size_t size = 0; (size = fread(buffer, 1, sizeof buffer, pipe));) {
    ended.output.append(buffer, size);
  }
  const int status = pclose(pipe);
  ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ended;
}

std::string ReplayCommandOf(const Ended& ended) {
  static constexpr std::string_view kHeading = "\nREPLAY    ";
  const std::size_t at = ended.output.find(kHeading);
  if (at == std::string::npos) return "false";
  std::size_t begin = at + kHeading.size();
  static constexpr std::string_view kSame = "same binary:  ";
  const std::size_t block_end = ended.output.find("\n\n", begin);
  if (const std::size_t same = ended.output.find(kSame, begin);
      same < block_end) {
    begin = same + kSame.size();
  }
  std::size_t end = ended.output.find('\n', begin);
  while (ended.output[end - 1] == '\\') end = ended.output.find('\n', end + 1);
  return ended.output.substr(begin, end - begin);
}

std::string ReplayIn(std::string_view command) {
  const std::size_t begin = command.find("CLOTHO_REPLAY=") + 14;
  return std::string(command.substr(begin, command.find(' ', begin) - begin));
}

}  // namespace clotho::sim::internal
