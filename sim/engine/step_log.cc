#include "clotho/sim/engine/step_log.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "clotho/sim/engine/profile.h"

namespace clotho::sim {

void AddAccess(Footprint& footprint, Access access) {
  const auto at = std::lower_bound(
      footprint.begin(), footprint.end(), access.object,
      [](const Access& a, std::uint64_t object) { return a.object < object; });
  if (at == footprint.end() || at->object != access.object) {
    footprint.insert(at, access);
  } else {
    at->write = at->write || access.write;
  }
}

bool Conflict(const StepLog::Event& a, const StepLog::Event& b) {
  return a.conflicts_with_all || b.conflicts_with_all ||
         Conflict(a.own, b.own) || Conflict(a.own, b.late) ||
         Conflict(a.late, b.own) || Conflict(a.late, b.late);
}

StepLog::Event& StepLog::Add(Kind kind, std::uint64_t process,
                             std::size_t enabled_by) {
  if (size_ == events_.size()) events_.emplace_back();
  Event& event = events_[size_];
  event.kind = kind;
  event.conflicts_with_all = false;
  event.stops_timer = false;
  event.process = process;
  event.enabled_by = enabled_by;
  event.maker = size_;
  event.own.clear();
  event.late.clear();
  ++size_;
  return event;
}

void StepLog::Touch(std::size_t index, Access access) {
  Event& event = events_[index];
  AddAccess(event.own, access);
  if (event.kind != Kind::kBookkeeping) return;
  AddAccess(events_[event.maker].late, access);
  late_.push_back({.maker = event.maker, .access = access});
}

}  // namespace clotho::sim
