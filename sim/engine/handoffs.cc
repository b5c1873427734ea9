#include "clotho/sim/engine/handoffs.h"

#include <cstdint>
#include <source_location>
#include <string_view>

#include "clotho/runtime/task_base.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/hash.h"

namespace clotho::sim::internal {

using clotho::internal::RunnableKind;
using clotho::internal::TaskBase;

void Handoffs::BeginExecution(Strategy* strategy) {
  strategy_ = strategy;
  step_ = Use();
  released_.clear();
  tracked_.clear();
}

void Handoffs::BeginStep(const clotho::internal::Runnable& runnable) {
  step_ = {.chain = runnable.chain()};
  if (runnable.kind() != RunnableKind::kTask) return;
  const auto& task = static_cast<const TaskBase&>(runnable);
  step_.place =
      PlaceOf(task.started() ? task.AwaitLocation() : task.created_at());
}

std::uint64_t Handoffs::PlaceOf(const std::source_location& location) {
  if (location.line() == 0) return 0;
  const auto [place, is_new] = places_.try_emplace(
      {static_cast<const void*>(location.file_name()), location.line()}, 0);
  if (is_new) {
    StreamHash hash;
    hash.Add(std::string_view(ShortFile(location.file_name())));
    hash.Add(std::uint64_t{location.line()});
    place->second = hash.Finish();
  }
  return place->second;
}

void Handoffs::Tell(std::uint64_t object, const Use& from, const Use& to) {
  StreamHash hash;
  hash.Add(object);
  hash.Add(from.place);
  hash.Add(to.place);
  strategy_->HandedOver(hash.Finish());
}

void Handoffs::Touched(std::uint64_t object, bool write,
                       const std::source_location& location) {
  // A read and a write at the same place are different uses.
  Use use = step_;
  const std::uint64_t place = PlaceOf(location);
  if (place != 0) use.place = place;
  use.place = Mix64(use.place + (write ? 1 : 0));
  TrackedUse& known = tracked_[object];
  const Use& before = write ? known.last : known.last_write;
  if (before.chain != use.chain) Tell(object, before, use);
  known.last = use;
  if (write) known.last_write = use;
}

void Handoffs::Released(const void* object) {
  // The runtime's bookkeeping and callbacks belong to no task.
  if (CoreOf(loop_).current_task() == nullptr) {
    released_.erase(object);
  } else {
    released_[object] = step_;
  }
}

void Handoffs::Acquired(const void* object) {
  if (CoreOf(loop_).current_task() == nullptr) return;
  const auto released = released_.find(object);
  // Addresses differ between runs. The places distinguish the objects.
  if (released != released_.end() && released->second.chain != step_.chain) {
    Tell(0, released->second, step_);
  }
}

void Handoffs::Made(const void* object) { released_.erase(object); }

}  // namespace clotho::sim::internal
