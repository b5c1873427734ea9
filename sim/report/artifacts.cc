#include "clotho/sim/report/artifacts.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/hash.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/report/findings.h"
#include "clotho/sim/report/findings_text.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/report/trace_json.h"

namespace clotho::sim::internal {
namespace {

constexpr std::string_view kSpaces = " \t\r";

absl::Status CannotWrite(const std::string& path, int error) {
  return absl::UnavailableError(
      absl::StrCat("cannot write \"", path, "\": ", std::strerror(error)));
}

// The folder below bazel-testlogs/ in which Bazel packs up what the test writes
// into `folder`. Empty: it does not.
std::string BazelLogs(const std::string& folder) {
  const char* const bazel = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR");
  const char* const target = std::getenv("TEST_TARGET");
  if (bazel == nullptr || target == nullptr || folder != bazel) return "";
  // The logs of "//shop:cart_test" are in shop/cart_test.
  std::string logs(target);
  logs.erase(0, logs.find("//") == logs.npos ? 0 : logs.find("//") + 2);
  for (char& c : logs) c = c == ':' ? '/' : c;
  if (logs.substr(0, 1) == "/") logs.erase(0, 1);
  return logs;
}

absl::Status MakeFolder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot make the folder \"",
                                             folder, "\": ", error.message()));
}

struct File {
  std::string name;
  std::string content;
};

std::vector<std::string> NamesOf(const std::vector<File>& files) {
  std::vector<std::string> names;
  names.reserve(files.size());
  for (const File& file : files) names.push_back(file.name);
  return names;
}

absl::Status WriteFiles(const std::string& folder,
                        const std::vector<File>& files) {
  for (const File& file : files) {
    const absl::Status written =
        WriteFile(absl::StrCat(folder, "/", file.name), file.content);
    if (!written.ok()) return written;
  }
  return absl::OkStatus();
}

void AddTraces(std::string_view test, const Report& report,
               std::vector<File>& files) {
  const TraceTitle title = {
      .test = std::string(test),
      .replay = FormatReplay(report.replay),
      .failure = report.passed() ? "" : report.failure()->what,
      .report = &report};
  files.push_back({"trace.json", TraceJson(report.trace, title)});
  files.push_back({"trace.chrome.json", ChromeTraceJson(report.trace, title)});
}

}  // namespace

std::string FileName(std::string_view test) {
  std::string name(test);
  for (char& c : name) {
    const bool fifo = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      (c >= '0' && c <= '9') || c == '.' || c == '_';
    if (!fifo) c = '-';
  }
  return name;
}

absl::Status WriteFile(const std::string& path, std::string_view content) {
  const std::string unfinished = absl::StrCat(path, ".", getpid(), ".tmp");
  std::FILE* const file = std::fopen(unfinished.c_str(), "wb");
  if (file == nullptr) return CannotWrite(path, errno);
  bool written =
      std::fwrite(content.data(), 1, content.size(), file) == content.size();
  int error = errno;
  // Writing the buffered data may fail because the disk is full.
  if (std::fclose(file) != 0) {
    if (written) error = errno;
    written = false;
  }
  if (written && std::rename(unfinished.c_str(), path.c_str()) != 0) {
    error = errno;
    written = false;
  }
  if (written) return absl::OkStatus();
  std::remove(unfinished.c_str());
  return CannotWrite(path, error);
}

absl::Status WriteArtifacts(const std::string& folder, std::string_view test,
                            Report& report, std::string_view part,
                            bool with_traces) {
  const std::string name = FileName(test);
  const std::string below =
      absl::StrCat(name, part.empty() ? "" : "/", std::string(part));
  const std::string own = absl::StrCat(folder, "/", below);
  Files& written_about = report.files.emplace(
      Files{.folder = folder, .below = below, .names = {}});
  if (const absl::Status made = MakeFolder(own); !made.ok()) {
    written_about.error = std::string(made.message());
    return made;
  }
  std::vector<File> files = {{.name = "report.txt", .content = ""}};
  const bool has_schedule =
      !report.trace.events.empty() &&
      std::holds_alternative<Deviations>(report.replay.schedule);
  if (has_schedule) {
    if (with_traces) AddTraces(test, report, files);
    files.push_back({absl::StrCat(name, ".saved"),
                     absl::StrCat(FormatReplay(report.replay), "  ",
                                  report.failure()->signature, "\n")});
  }
  if (!report.input.values.empty()) {
    files.push_back({"input.txt", absl::StrCat(report.input.values, "\n")});
  }
  written_about.names = NamesOf(files);
  written_about.bazel_logs = BazelLogs(folder);
  files[0].content = report.Text();
  const absl::Status written = WriteFiles(own, files);
  if (!written.ok()) written_about.error = std::string(written.message());
  return written;
}

absl::StatusOr<std::string> WriteTrace(const std::string& folder,
                                       std::string_view test,
                                       const Report& report) {
  const std::string name = FileName(test);
  const std::string own = absl::StrCat(folder, "/", name);
  std::vector<File> files;
  AddTraces(test, report, files);
  if (const absl::Status made = MakeFolder(own); !made.ok()) return made;
  if (const absl::Status written = WriteFiles(own, files); !written.ok()) {
    return written;
  }
  return FilesText({.folder = folder,
                    .below = name,
                    .names = NamesOf(files),
                    .bazel_logs = BazelLogs(folder)});
}

absl::Status WriteCorpus(const std::string& folder, std::string_view test,
                         std::span<const std::string> schedules) {
  if (schedules.empty()) return absl::OkStatus();
  const std::string own = absl::StrCat(folder, "/corpus/", FileName(test));
  std::error_code error;
  std::filesystem::create_directories(own, error);
  if (error) {
    return absl::UnavailableError(absl::StrCat("cannot make the folder \"", own,
                                               "\": ", error.message()));
  }
  for (const std::string& schedule : schedules) {
    StreamHash hash;
    hash.Add(schedule);
    const absl::Status written = WriteFile(
        absl::StrCat(own, "/", absl::Hex(hash.Finish(), absl::kZeroPad16)),
        schedule);
    if (!written.ok()) return written;
  }
  return absl::OkStatus();
}

std::string SavedFile(std::string_view folder, std::string_view source,
                      std::string_view test) {
  std::string path(folder);
  if (path.empty()) {
    const std::size_t slash = source.rfind('/');
    path = slash == source.npos ? "" : source.substr(0, slash + 1);
    path += "testdata/clotho";
  }
  return absl::StrCat(path, "/", FileName(test), ".saved");
}

absl::StatusOr<std::vector<SavedSchedule>> ReadSaved(const std::string& path) {
  std::vector<SavedSchedule> saved;
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) return saved;
  std::ifstream in(path);
  std::string line;
  std::size_t number = 0;
  while (std::getline(in, line)) {
    ++number;
    const std::size_t begin = line.find_first_not_of(kSpaces);
    if (begin == line.npos || line[begin] == '#') continue;
    line.erase(line.find_last_not_of(kSpaces) + 1);
    const std::size_t end = line.find_first_of(kSpaces, begin);
    SavedSchedule schedule;
    schedule.replay = line.substr(begin, end == line.npos ? end : end - begin);
    if (end != line.npos) {
      schedule.note = line.substr(line.find_first_not_of(kSpaces, end));
    }
    schedule.place = absl::StrCat(path, ":", number);
    const absl::StatusOr<ReplayString> replay = ParseReplay(schedule.replay);
    if (!replay.ok() || !std::holds_alternative<Deviations>(replay->schedule)) {
      constexpr std::size_t kShown = 80;
      return absl::InvalidArgumentError(absl::StrCat(
          schedule.place, ": \"", absl::CHexEscape(line.substr(0, kShown)),
          line.size() > kShown ? "..." : "", "\": ",
          replay.ok() ? "expected deviations from FIFO order, as in c1/0/4:1"
                      : std::string(replay.status().message())));
    }
    saved.push_back(std::move(schedule));
  }
  // Reading must stop only at the end of the file.
  if (!in.eof() || in.bad()) {
    return absl::UnavailableError(
        absl::StrCat("cannot read the file \"", path, "\""));
  }
  return saved;
}

}  // namespace clotho::sim::internal
