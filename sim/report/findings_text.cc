#include "clotho/sim/report/findings_text.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/report/findings.h"

namespace clotho::sim::internal {

std::string RaceText(const Race& race) {
  std::string text = absl::StrCat("on ", race.object);
  const std::size_t width =
      std::max({race.before.task.size(), race.between.task.size(),
                race.after.task.size()});
  const auto add = [&](const TrackedAccess& access, std::string_view remark) {
    absl::StrAppend(&text, "\nstep ", access.step, "  ", access.task,
                    std::string(width - access.task.size(), ' '), "  ",
                    access.write ? "writes" : "reads ");
    if (access.location.line() != 0) {
      absl::StrAppend(&text, "  ", Place(access.location));
    }
    absl::StrAppend(&text, std::string(remark));
  };
  add(race.before, "");
  add(race.between, "   <- in the gap");
  add(race.after,
      race.after.write ? "   overwrites it" : "   leans on what was before it");
  return text;
}

std::string TurningPointText(const TurningPoint& turning_point) {
  return absl::StrCat(
      "step ", turning_point.step, ": ", turning_point.failures_after, " of ",
      turning_point.continuations, " random continuations fail after it, ",
      turning_point.failures_before, " before it");
}

std::string NearestPassText(const NearestPass& pass) {
  constexpr std::size_t kShownMax = 60;
  return absl::StrCat("nearest pass  ",
                      pass.replay.size() > kShownMax
                          ? "the same deviations before it"
                          : pass.replay,
                      ": at step ", pass.step, " ", pass.instead);
}

std::string ReachabilityText(const Reachability& reachability) {
  if (reachability.reachable) {
    return absl::StrCat("reachable under asyncio today",
                        reachability.replay.empty() ? "" : ", with ",
                        reachability.replay);
  }
  constexpr std::string_view kNo =
      "needs a reordering that asyncio does not do today";
  // The program has no choices there.
  if (reachability.exhausted && reachability.tried <= 1) {
    return std::string(kNo);
  }
  return absl::StrCat(std::string(kNo), " (in none of ",
                      reachability.exhausted ? "the " : "", reachability.tried,
                      " FIFO executions)");
}

std::string SavedText(const SavedSchedule& saved) {
  return absl::StrCat("the saved schedule ", saved.replay,
                      saved.place.empty() ? "" : " of ", saved.place,
                      saved.note.empty() ? "" : ", ", saved.note);
}

std::string OtherFailuresText(const std::vector<OtherFailure>& others) {
  constexpr std::size_t kReplayMax = 100;
  return absl::StrJoin(
      others, "\n", [](std::string* text, const OtherFailure& other) {
        absl::StrAppend(text, "#", other.number, "  ", other.hits,
                        other.hits == 1 ? " hit" : " hits", "  ",
                        other.signature, "  ",
                        other.replay.size() > kReplayMax ? "(a long schedule)"
                                                         : other.replay);
      });
}

std::string FilesText(const Files& files) {
  if (!files.error.empty()) {
    return absl::StrCat(files.names.empty() ? "none: " : "incomplete: ",
                        files.error);
  }
  const std::string names = absl::StrJoin(files.names, "  ");
  if (!files.bazel_logs.empty()) {
    return absl::StrCat(files.below, "/  ", names,
                        "\nin outputs.zip below bazel-testlogs/",
                        files.bazel_logs, "/");
  }
  // A line of a report has 92 characters.
  const std::string own = absl::StrCat(files.folder, "/", files.below, "/");
  return absl::StrCat(own, own.size() + 2 + names.size() > 92 ? "\n" : "  ",
                      names);
}

}  // namespace clotho::sim::internal
