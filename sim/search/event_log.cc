#include "clotho/sim/search/event_log.h"

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

EventLog::~EventLog() {
  if (file_ >= 0) close(file_);
}

absl::Status EventLog::Open(const std::string& folder) {
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

absl::Status EventLog::Write(std::string_view line) {
  const std::string whole = absl::StrCat(std::string(line), "\n");
  absl::Status status;
  if (also_ >= 0) status = WriteTo(also_, "standard output", whole);
  if (file_ >= 0) status.Update(WriteTo(file_, path_, whole));
  return status;
}

absl::Status EventLog::WriteTo(int file, const std::string& path,
                               std::string_view line) {
  struct stat before = {};
  fstat(file, &before);
  const ssize_t written = write(file, line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size())) return absl::OkStatus();
  const int error = written < 0 ? errno : ENOSPC;
  struct stat after = {};
  if (written > 0 && fstat(file, &after) == 0 &&
      after.st_size == before.st_size + written) {
    // If this fails, readers find half a line, and skip it.
    [[maybe_unused]] const int cut = ftruncate(file, before.st_size);
  }
  return absl::UnavailableError(
      absl::StrCat("cannot write \"", path, "\": ", std::strerror(error)));
}

}  // namespace clotho::sim::internal
