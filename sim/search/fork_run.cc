#include "clotho/sim/search/fork_run.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "clotho/sim/search/crash_handler.h"
#include "clotho/sim/search/signals.h"

namespace clotho::sim::internal {
namespace {

using Clock = std::chrono::steady_clock;

// The first byte of a child's result; a crash begins with another byte.
constexpr char kSaid = 'S';
constexpr std::size_t kOutputMax = 1 << 16;

int child_pipe = -1;  // In the child: the pipe for its result.

// Reads until the other end is closed. Returns false at the deadline.
bool ReadAll(int file, std::optional<Clock::time_point> deadline,
             std::string& bytes) {
  while (true) {
    int wait_ms = -1;
    if (deadline.has_value()) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          *deadline - Clock::now());
      if (left.count() < 0) return false;
      wait_ms = static_cast<int>(std::min<long long>(left.count(), 60'000)) + 1;
    }
    pollfd ready = {.fd = file, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, wait_ms) <= 0) continue;
    char buffer[4096];
    const ssize_t size = read(file, buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return true;
    bytes.append(buffer, static_cast<std::size_t>(size));
  }
}

std::string EndOf(std::FILE* file) {
  std::fseek(file, 0, SEEK_END);
  const long size = std::ftell(file);
  std::fseek(file, std::max(0L, size - static_cast<long>(kOutputMax)),
             SEEK_SET);
  std::string text(kOutputMax, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  return text;
}

}  // namespace

void EndChild(const std::string& said) {
  std::fflush(nullptr);
  const std::string text = kSaid + said;
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t size = write(child_pipe, &text[at], text.size() - at);
    if (size <= 0) break;
    at += static_cast<std::size_t>(size);
  }
  _exit(0);
}

ChildEnd RunInChild(absl::FunctionRef<std::string()> run,
                    std::optional<Clock::time_point> deadline) {
  ChildEnd end;
  int ends[2];
  std::FILE* const output = std::tmpfile();
  if (output == nullptr || pipe(ends) != 0) {
    end.other = absl::StrCat("no child process: ", std::strerror(errno));
    if (output != nullptr) std::fclose(output);
    return end;
  }
  std::fflush(nullptr);  // Otherwise the child would write it again.
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    child_pipe = ends[1];
    dup2(fileno(output), STDOUT_FILENO);
    dup2(fileno(output), STDERR_FILENO);
    // There may be hundreds of children: none of them writes a core file.
    const rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    setrlimit(RLIMIT_CORE, &none);
    SendDeathTo(child_pipe);
    BecomeChildOfSearch();
    EndChild(run());
  }
  close(ends[1]);
  if (child < 0) {
    end.other = absl::StrCat("no child process: ", std::strerror(errno));
  } else {
    SetChildOfSearch(child);
    std::string bytes;
    const bool in_time = ReadAll(ends[0], deadline, bytes);
    if (!in_time) kill(child, SIGKILL);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    SetChildOfSearch(0);
    end.output = EndOf(output);
    if (!in_time) {
      end.other = "it took too long";
    } else if (!bytes.empty() && bytes[0] == kSaid && WIFEXITED(status)) {
      end.said = bytes.substr(1);
    } else if (!(end.crash = ReadCrash(bytes)).has_value()) {
      end.other = WIFSIGNALED(status)
                      ? absl::StrCat("signal ", WTERMSIG(status))
                      : absl::StrCat("exit code ", WEXITSTATUS(status));
    }
  }
  close(ends[0]);
  std::fclose(output);
  return end;
}

}  // namespace clotho::sim::internal
