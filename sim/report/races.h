// RaceFinder: finds an access to a tracked object that came in between two
// others that belong together.
//
// In code that runs in one thread a race is a violation of atomicity: a task
// uses an object, is suspended, and uses the object again, assuming that
// nothing has changed; meanwhile another task has changed it. RaceFinder looks
// for three accesses. The first and the last are ordered: they belong to the
// same task, or something that the tasks waited for orders them. Nothing orders
// the one in between before the last. Order is represented by vector clocks
// over tasks, futures, locks, queues and events.

#ifndef CLOTHO_SIM_REPORT_RACES_H_
#define CLOTHO_SIM_REPORT_RACES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "clotho/runtime/internal/sync.h"
#include "clotho/sim/report/findings.h"
#include "clotho/sim/report/vector_clock.h"

namespace clotho::sim::internal {

class RaceFinder final : public clotho::internal::SyncListener {
 public:
  // A step of `chain` begins.
  void BeginStep(std::uint32_t chain, std::uint64_t step);
  // The bookkeeping item `item` begins, or whatever ran has ended.
  void BeginBookkeeping(const void* item);
  // What runs now has made `item` ready, or has created `chain`.
  void MadeReady(const void* item);
  void Created(std::uint32_t chain);

  void Released(const void* object) override;
  void Acquired(const void* object) override;
  void Made(const void* object) override;

  void Touched(std::uint64_t object, std::string_view name,
               TrackedAccess access);

  // The last one found.
  const std::optional<Race>& race() const { return race_; }

 private:
  struct Seen {
    TrackedAccess access;
    // The chain's last step before it: its own component of the clock.
    std::uint64_t tick;
  };

  std::map<std::uint32_t, VectorClock> chains_;
  std::map<const void*, VectorClock> objects_;  // Futures, locks, ready items.
  VectorClock bookkeeping_;
  VectorClock* now_ = &bookkeeping_;
  std::map<std::uint64_t, std::vector<Seen>> accesses_;
  std::optional<Race> race_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_RACES_H_
