#include "clotho/runtime/timed.h"

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/event_loop.h"

namespace clotho::internal {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

// "3", "1.5": exact, without trailing zeros. Time does not go backwards.
std::string SecondsText(std::int64_t ns) {
  std::string text = absl::StrCat(ns / kSecondNs);
  if (ns % kSecondNs == 0) return text;
  std::string digits = absl::StrCat(kSecondNs + ns % kSecondNs);
  digits[0] = '.';
  digits.resize(digits.find_last_not_of('0') + 1);
  return text + digits;
}

}  // namespace

TimedReport::TimedReport(std::string name, TimedSink sink)
    : name_(std::move(name)),
      sink_(std::move(sink)),
      begun_ns_(CoreOf(GetRunningLoop()).NowNs()) {
  Say(absl::StrCat("starting ", name_));
}

void TimedReport::Finished() const {
  const std::int64_t elapsed_ns = CoreOf(GetRunningLoop()).NowNs() - begun_ns_;
  Say(absl::StrCat("finished ", name_, " in ", SecondsText(elapsed_ns),
                   " second(s)"));
}

void TimedReport::Say(const std::string& line) const {
  if (sink_ == nullptr) {
    std::printf("%s\n", line.c_str());
  } else {
    sink_(line);
  }
}

}  // namespace clotho::internal
