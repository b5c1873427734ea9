#include "clotho/sim/internal/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace clotho::sim::internal {

Journal::~Journal() {
  if (file_ >= 0) close(file_);
}

absl::Status Journal::Open(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::UnavailableError(absl::StrCat(
        "cannot make the folder \"", folder, "\": ", error.message()));
  }
  path_ = absl::StrCat(folder, "/results.jsonl");
  file_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file_ >= 0) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot write \"", path_, "\": ", std::strerror(errno)));
}

absl::Status Journal::Write(std::string_view line) {
  if (!is_open()) return absl::OkStatus();
  std::string whole(line);
  whole += '\n';
  struct stat before = {};
  fstat(file_, &before);
  const ssize_t written = write(file_, whole.data(), whole.size());
  if (written == static_cast<ssize_t>(whole.size())) return absl::OkStatus();
  const int error = written < 0 ? errno : ENOSPC;
  struct stat after = {};
  if (written > 0 && fstat(file_, &after) == 0 &&
      after.st_size == before.st_size + written) {
    // Should it fail, a reader finds half a line, and passes over it.
    [[maybe_unused]] const int cut = ftruncate(file_, before.st_size);
  }
  return absl::UnavailableError(
      absl::StrCat("cannot write \"", path_, "\": ", std::strerror(error)));
}

}  // namespace clotho::sim::internal
