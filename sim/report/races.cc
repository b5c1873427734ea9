#include "clotho/sim/report/races.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clotho/sim/report/findings.h"

namespace clotho::sim::internal {
namespace {

// For each object. What happened long before a failure is seldom its cause.
constexpr std::size_t kAccessesKept = 1'000;

bool Conflict(const TrackedAccess& a, const TrackedAccess& b) {
  return a.write || b.write;
}

}  // namespace

void RaceFinder::BeginStep(std::uint32_t chain, std::uint64_t step) {
  now_ = &chains_[chain];
  now_->Set(chain, step);
}

void RaceFinder::BeginBookkeeping(const void* item) {
  bookkeeping_.Clear();
  now_ = &bookkeeping_;
  const auto ready = objects_.find(item);
  if (ready == objects_.end()) return;
  bookkeeping_ = std::move(ready->second);
  objects_.erase(ready);
}

void RaceFinder::MadeReady(const void* item) { objects_[item] = *now_; }

void RaceFinder::Created(std::uint32_t chain) { chains_[chain].Join(*now_); }

void RaceFinder::Released(const void* object) { objects_[object].Join(*now_); }

void RaceFinder::Acquired(const void* object) {
  const auto released = objects_.find(object);
  if (released != objects_.end()) now_->Join(released->second);
}

void RaceFinder::Made(const void* object) { objects_.erase(object); }

void RaceFinder::Touched(std::uint64_t object, std::string_view name,
                         TrackedAccess access) {
  std::vector<Seen>& seen = accesses_[object];
  const auto is_ordered = [&](const Seen& other) {
    return now_->Of(other.access.chain) >= other.tick;
  };
  const auto between =
      std::find_if(seen.rbegin(), seen.rend(), [&](const Seen& other) {
        return other.access.chain != access.chain &&
               Conflict(other.access, access) && !is_ordered(other);
      });
  if (between != seen.rend()) {
    const auto before =
        std::find_if(between + 1, seen.rend(), [&](const Seen& other) {
          return other.access.step != between->access.step &&
                 other.access.chain != between->access.chain &&
                 Conflict(other.access, between->access) && is_ordered(other);
        });
    if (before != seen.rend()) {
      race_ = Race{.object = std::string(name),
                   .before = before->access,
                   .between = between->access,
                   .after = access};
    }
  }
  const std::uint64_t tick = access.step;
  seen.push_back({.access = std::move(access), .tick = tick});
  if (seen.size() > 2 * kAccessesKept) {
    seen.erase(seen.begin(), seen.begin() + kAccessesKept);
  }
}

}  // namespace clotho::sim::internal
