// Handoffs: tells a strategy which handoffs occur in an execution.
//
// In a handoff one task uses an object and another task uses it next, each at
// some place in the program. For tracked state: a value written at A is read at
// B; a value used at A is overwritten at B; or an object that has never been
// written is read at B. For locks, queues, events, semaphores and futures: what
// was released at A is acquired at B.
//
// An access to tracked state has its own place; for the others it is the place
// at which the task's step began. The compiler determines places: another
// compiler may yield other places, and a search guided by them may then take
// another path.

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

  // Starts an execution. `strategy` receives its handoffs; null if the strategy
  // does not want them.
  void BeginExecution(Strategy* strategy);
  bool active() const { return strategy_ != nullptr; }

  // A step is about to run.
  void BeginStep(const clotho::internal::Runnable& runnable);
  // A tracked object is used.
  void Touched(std::uint64_t object, bool write,
               const std::source_location& location);

  void Released(const void* object) override;
  void Acquired(const void* object) override;
  void Made(const void* object) override;

 private:
  // The task and the place of a use.
  struct Use {
    std::uint32_t chain = 0;
    std::uint64_t place = 0;  // A hash of it.
  };
  struct TrackedUse {
    Use last_write;
    Use last;
  };

  // A hash of the file name and the line, the same in all runs.
  std::uint64_t PlaceOf(const std::source_location& location);
  void Tell(std::uint64_t object, const Use& from, const Use& to);

  const EventLoop& loop_;
  Strategy* strategy_ = nullptr;
  Use step_;
  // Never iterated over: the order of addresses and hashes differs between
  // runs.
  absl::flat_hash_map<const void*, Use> released_;
  absl::flat_hash_map<std::uint64_t, TrackedUse> tracked_;
  // One entry per place in the program.
  absl::flat_hash_map<std::pair<const void*, std::uint32_t>, std::uint64_t>
      places_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_ENGINE_HANDOFFS_H_
