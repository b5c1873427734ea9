#include "clotho/examples/races/races.h"

#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/examples/races/programs.h"
#include "clotho/runtime/sleep.h"
#include "clotho/sim/choice.h"

namespace clotho::examples {
namespace {

// Few different latencies, so that some end at the same instant.
constexpr std::uint64_t kLatencyMaxMs = 4;

std::vector<Race> MakeRaces() {
  std::vector<Race> all;
  for (const auto make :
       {&LostUpdateRaces,    &ReorderRaces,      &TwoStageRaces,
        &DriverRaces,        &WrongLockRaces,    &StringBufferRaces,
        &BoundedBufferRaces, &PhilosophersRaces, &WorkStealQueueRaces,
        &UnevenRaces,        &StarvationRaces,   &SwallowedCancelRaces,
        &KeepAliveRaces,     &MkdirpRaces,       &GetPortRaces,
        &ArchiveRaces,       &StaleAnswerRaces,  &SafeStackRaces,
        &QsortRaces,         &DeepOrderingRaces}) {
    std::vector<Race> races = make();
    std::move(races.begin(), races.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace

internal::SleepAwaitable GiveWay(Form form) {
  if (form == Form::kPortable) return Sleep(absl::ZeroDuration());
  return Sleep(absl::Milliseconds(1 + sim::Choose(kLatencyMaxMs)));
}

Race InForm(Form form, Race about, const Program& program) {
  about.form = form;
  about.buggy = [program, form] { return program(form, /*fixed=*/false); };
  about.fixed = [program, form] { return program(form, /*fixed=*/true); };
  return about;
}

std::vector<Race> InBothForms(const Race& about, const Program& program) {
  return {InForm(Form::kPortable, about, program),
          InForm(Form::kStrict, about, program)};
}

std::string_view FormName(Form form) {
  return form == Form::kPortable ? "P" : "S";
}

std::span<const Race> AllRaces() {
  static const auto* const races = new std::vector<Race>(MakeRaces());
  return *races;
}

const Race* FindRace(std::string_view name, Form form) {
  for (const Race& race : AllRaces()) {
    if (race.name == name && race.form == form) return &race;
  }
  return nullptr;
}

}  // namespace clotho::examples
