#include "clotho/sim/run_until_idle.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/runtime/sleep.h"
#include "clotho/sim/engine/simulator.h"

namespace clotho::sim {

Coro<void> RunUntilIdle() {
  internal::Simulator* const simulator = internal::Simulator::Current();
  if (simulator == nullptr) {
    throw RuntimeError(
        "RunUntilIdle() is for programs inside a simulation: elsewhere nobody "
        "knows "
        "that nothing is going to happen");
  }
  Future<void> idle = GetRunningLoop().CreateFuture<void>();
  simulator->WhenIdle(idle);
  co_await idle;
}

Coro<void> Advance(Delay duration) {
  co_await Sleep(duration);
  co_await RunUntilIdle();
}

Coro<Sequencer::Turn> Sequencer::operator()(std::uint64_t number) {
  clotho::internal::SyncWrite(this);
  if (number < current_ || (number == current_ && taken_) ||
      waiting_.contains(number)) {
    throw ValueError(absl::StrCat("turn ", number,
                                  " of this Sequencer was taken before: each "
                                  "number is for one place"));
  }
  if (number != current_) {
    const Future<void> mine = GetRunningLoop().CreateFuture<void>();
    waiting_.emplace(number, mine);
    try {
      co_await mine;
    } catch (...) {
      waiting_.erase(number);
      clotho::internal::SyncWrite(this);
      throw;
    }
    waiting_.erase(number);
    clotho::internal::SyncWrite(this);
  }
  taken_ = true;
  co_return Turn(this);
}

void Sequencer::End() {
  clotho::internal::SyncWrite(this);
  ++current_;
  taken_ = false;
  const auto next = waiting_.find(current_);
  if (next != waiting_.end() && !next->second.Done()) next->second.SetResult();
}

}  // namespace clotho::sim
