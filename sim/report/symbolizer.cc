#include "clotho/sim/report/symbolizer.h"

#include <link.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/debugging/symbolize.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/library_function.h"
#include "clotho/sim/engine/trace.h"

namespace clotho::sim::internal {
namespace {

// A file of the process, and where it is loaded.
struct Loaded {
  std::string path;
  std::uintptr_t base = 0;
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};

int AddLoaded(dl_phdr_info* info, std::size_t, void* all) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD || (header.p_flags & PF_X) == 0) continue;
    const std::uintptr_t begin = info->dlpi_addr + header.p_vaddr;
    static_cast<std::vector<Loaded>*>(all)->push_back(
        {.path = info->dlpi_name,
         .base = info->dlpi_addr,
         .begin = begin,
         .end = begin + header.p_memsz});
  }
  return 0;
}

bool IsOfTheSystem(std::string_view path) {
  return path.starts_with("/lib") || path.starts_with("/usr/lib") ||
         path.starts_with("linux-vdso");
}

std::string ProgramPath() {
  std::array<char, 4096> path;
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size))
                  : "";
}

// "clang::$_0::operator()() const" and "gcc::{lambda()#1}::..." name lambdas.
std::string ReadableFunction(std::string_view demangled) {
  const std::string name = absl::StrReplaceAll(
      std::string(demangled), {{"(anonymous namespace)::", ""}});
  for (const std::string_view lambda :
       {std::string_view("::$_"), std::string_view("::{lambda"),
        std::string_view("::'lambda")}) {
    if (const std::size_t at = name.find(lambda); at != name.npos) {
      return absl::StrCat(FunctionName(std::string_view(name).substr(0, at)),
                          "::lambda");
    }
  }
  return FunctionName(name);
}

// Not a function of the program under test.
bool IsOfALibrary(std::string_view function, std::string_view file) {
  if (IsLibraryFunction(function)) return true;
  // (Of an inlined function, -g1 has the bare name only.)
  return file.starts_with("/usr/") ||
         (file.starts_with("sim/threads/") && !file.ends_with("_test.cc"));
}

std::string FunctionAt(const void* address) {
  char text[512];
  if (!absl::Symbolize(static_cast<const char*>(address) - 1, text,
                       sizeof text)) {
    return "";
  }
  return text;
}

}  // namespace

// `function` is demangled; `place` is "file:line", "file:line (discriminator
// 2)" or "??:?".
Symbolizer::Frame Symbolizer::FrameOf(const std::string& function,
                                      const std::string& place) {
  Frame frame;
  if (function.empty() || function == "??") return frame;
  frame.shown.function = ReadableFunction(function);
  const std::size_t colon = place.rfind(':');
  const unsigned long line =
      colon == place.npos
          ? 0
          : std::strtoul(place.c_str() + colon + 1, nullptr, 10);
  if (line > 0) {
    frame.shown.file = ShortFile(std::string_view(place).substr(0, colon));
    frame.shown.line = static_cast<std::uint32_t>(line);
  }
  frame.of_program = !IsOfALibrary(function, frame.shown.file);
  frame.of_googletest = function.starts_with("testing::");
  return frame;
}

// What addr2line prints about each address: "0x...", and then two lines for
// each function.
std::vector<std::vector<Symbolizer::Frame>> Symbolizer::ParseAnswer(
    std::FILE* answer) {
  std::vector<std::vector<Frame>> all;
  std::string line;
  std::string function;
  bool has_function = false;
  for (int c = std::fgetc(answer); c != EOF; c = std::fgetc(answer)) {
    if (c != '\n') {
      line.push_back(static_cast<char>(c));
      continue;
    }
    if (line.starts_with("0x")) {
      all.emplace_back();
      has_function = false;
    } else if (!has_function) {
      function = line;
      has_function = true;
    } else if (!all.empty()) {
      has_function = false;
      all.back().push_back(FrameOf(function, line));
    }
    line.clear();
  }
  return all;
}

Symbolizer::Frames& Symbolizer::AllFrames() {
  static Frames* const frames = new Frames;
  return *frames;
}

void Symbolizer::Add(std::span<void* const> addresses) {
  std::vector<Loaded> loaded;
  dl_iterate_phdr(&AddLoaded, &loaded);
  // By file, so that each is read once.
  std::map<std::string, std::vector<std::pair<const void*, std::uintptr_t>>>
      questions;
  for (void* const address : addresses) {
    if (frames_.contains(address)) continue;
    std::vector<Frame>& frames = frames_[address];
    // The call is before the return address.
    const std::uintptr_t at = reinterpret_cast<std::uintptr_t>(address) - 1;
    for (const Loaded& file : loaded) {
      if (at < file.begin || at >= file.end) continue;
      if (IsOfTheSystem(file.path)) break;
      questions[file.path.empty() ? ProgramPath() : file.path].emplace_back(
          address, at - file.base);
      frames.push_back(FrameOf(FunctionAt(address), ""));
      break;
    }
  }
  for (const auto& [path, asked] : questions) {
    // What a shell takes literally.
    std::string command =
        absl::StrCat("addr2line -a -f -C -i -e '",
                     absl::StrReplaceAll(path, {{"'", "'\\''"}}), "'");
    for (const auto& [address, offset] : asked) {
      absl::StrAppend(&command, " 0x", absl::Hex(offset));
    }
    std::FILE* const answer =
        popen(absl::StrCat(command, " 2>/dev/null").c_str(), "r");
    if (answer == nullptr) continue;
    std::vector<std::vector<Frame>> found = ParseAnswer(answer);
    pclose(answer);
    if (found.size() != asked.size()) continue;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      if (found[i].empty() || found[i].front().shown.function.empty()) continue;
      frames_[asked[i].first] = std::move(found[i]);
    }
  }
}

std::vector<TraceFrame> Symbolizer::FramesOf(
    std::span<void* const> stack) const {
  std::vector<TraceFrame> shown;
  for (void* const address : stack) {
    const auto found = frames_.find(address);
    if (found == frames_.end()) continue;
    for (const Frame& frame : found->second) {
      if (frame.of_program) shown.push_back(frame.shown);
    }
  }
  return shown;
}

TraceFrame Symbolizer::PlaceOf(std::span<void* const> stack) const {
  const std::vector<TraceFrame> frames = FramesOf(stack);
  return frames.empty() ? TraceFrame() : frames.front();
}

bool Symbolizer::IsInGoogleTest(std::span<void* const> stack) const {
  for (void* const address : stack) {
    const auto found = frames_.find(address);
    if (found == frames_.end()) continue;
    for (const Frame& frame : found->second) {
      if (frame.of_googletest) return true;
      if (frame.of_program) return false;
    }
  }
  return false;
}

}  // namespace clotho::sim::internal
