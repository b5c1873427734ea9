// Handoffs: tells a strategy which handoffs an execution shows.
//
// A handoff is that one task uses an object and another one uses it next,
// each at some place in the program. Of tracked state: what was written at A is
// read at B, or what was used at A is overwritten at B, or is read at B before
// anybody has written it. Of locks, queues, events, semaphores and futures:
// what was released at A is acquired at B.
//
// An access of tracked state has a place of its own; the others have that at
// which the task's step began. Places are what the compiler says: another one
// may see others, and a search that is guided by them go another way.

#ifndef CLOTHO_SIM_ENGINE_HANDOFFS_H_
#define CLOTHO_SIM_ENGINE_HANDOFFS_H_

#include <cstdint>
#include <source_location>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/sim/engine/strategy.h"

namespace clotho::sim::internal {

class Handoffs final : public clotho::internal::SyncListener {
 public:
  // `loop` must outlive it.
  explicit Handoffs(const EventLoop& loop) : loop_(loop) {}

  // An execution begins, of a strategy that wants to be told; null: of one that
  // does not.
  void BeginExecution(Strategy* strategy);
  bool active() const { return strategy_ != nullptr; }

  // A step begins, which has not run yet.
  void BeginStep(const clotho::internal::Runnable& runnable);
  // A tracked object is used.
  void Touched(std::uint64_t object, bool write,
               const std::source_location& location);

  void Released(const void* object) override;
  void Acquired(const void* object) override;
  void Made(const void* object) override;

 private:
  // By whom and where something was done.
  struct Use {
    std::uint32_t chain = 0;
    std::uint64_t place = 0;  // A hash of it.
  };
  struct TrackedUse {
    Use last_write;
    Use last;
  };

  // A hash of the file's name and the line, the same in all runs.
  std::uint64_t PlaceOf(const std::source_location& location);
  void Tell(std::uint64_t object, const Use& from, const Use& to);

  const EventLoop& loop_;
  Strategy* strategy_ = nullptr;
  Use step_;
  // Never iterated over: addresses and hashes have no order that would be the
  // same in all runs.
  absl::flat_hash_map<const void*, Use> released_;
  absl::flat_hash_map<std::uint64_t, TrackedUse> tracked_;
  // As many as there are places in the program.
  absl::flat_hash_map<std::pair<const void*, std::uint32_t>, std::uint64_t>
      places_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_ENGINE_HANDOFFS_H_
