#include "clotho/sim/report/replay_command.h"

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/hash.h"

namespace clotho::sim::internal {
namespace {

// Longer lines are broken in shell syntax.
constexpr std::size_t kWidth = 90;

std::string& Program() {
  static std::string* const program = new std::string;
  return *program;
}

std::string Environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Quotes the text as a single word of a shell command.
std::string Quote(std::string_view text) {
  const bool fifo =
      !text.empty() &&
      text.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
          "./:,+@_-=") == text.npos;
  if (fifo) return std::string(text);
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

// The program's path as a person would type it in the workspace:
// "bazel-bin/examples/x" for a program built by Bazel.
std::string ProgramForAShell() {
  const std::string& program = Program();
  const std::size_t out = program.find("/bazel-out/");
  if (out != program.npos) {
    const std::size_t bin = program.find("/bin/", out);
    if (bin != program.npos) {
      std::string rest = program.substr(bin + 5);
      // A test runs from its runfiles, which repeat the workspace's folders
      // below the name of the workspace.
      const std::size_t runfiles = rest.find(".runfiles/");
      if (runfiles != rest.npos) {
        rest = rest.substr(runfiles + 10);
        rest = rest.substr(rest.find('/') + 1);
      }
      return absl::StrCat("bazel-bin/", rest);
    }
  }
  return program;
}

}  // namespace

void SetProgram(std::string_view program) {
  Program() = program;
  if (program.find('/') == program.npos) return;  // It was found through PATH.
  std::error_code error;
  const std::filesystem::path absolute =
      std::filesystem::absolute(std::string(program), error);
  // A relative path is what the user typed, and is valid where it was typed;
  // but a path relative to the build's folders is useless.
  if (!error && absolute.native().find("/bazel-out/") != std::string::npos) {
    Program() = absolute.native();
  }
}

std::string ReplayCommand(std::string_view name, std::string_view replay) {
  std::string text;
  const std::string replay_text(replay);
  const std::string test(name);
  const std::string target = Environment("TEST_TARGET");
  if (test.empty()) {
    return absl::StrCat("in code:  sim::Replay(body, \"", replay_text, "\")");
  }
  const bool in_bazel = !target.empty();
  if (in_bazel) {
    absl::StrAppend(&text, "bazel test ", Quote(target),
                    " --test_filter=", Quote(test),
                    " \\\n    --test_env=CLOTHO_REPLAY=", Quote(replay), "\n");
  }
  std::string program = ProgramForAShell();
  if (program.empty()) program = "./THIS_PROGRAM";
  if (program.find('/') == program.npos) program = absl::StrCat("./", program);
  const std::string variable = absl::StrCat(
      in_bazel ? "same binary:  " : "", "CLOTHO_REPLAY=", Quote(replay), " ");
  std::string command = Quote(program);
  absl::StrAppend(&command, " --gtest_filter=", Quote(test));
  absl::StrAppend(&text, variable,
                  variable.size() + command.size() > kWidth ? "\\\n    " : "",
                  command);
  return text;
}

std::string WriteReplayFile(std::string_view name, std::string_view replay) {
  // Bazel packs up and moves the output of a test before anyone could paste its
  // path.
  if (!Environment("TEST_UNDECLARED_OUTPUTS_DIR").empty()) {
    return std::string(replay);
  }
  const std::string folder = "clotho-out";
  StreamHash hash;
  hash.Add(replay);
  const std::string path =
      absl::StrCat(folder, "/", name.empty() ? "execution" : std::string(name),
                   "-", absl::Hex(hash.Finish(), absl::kZeroPad16), ".replay");
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::ofstream out(path);
  out << replay << "\n";
  out.close();
  if (!out) return std::string(replay);
  return absl::StrCat("c1/0/@", path);
}

}  // namespace clotho::sim::internal
