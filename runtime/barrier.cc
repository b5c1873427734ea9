#include "clotho/runtime/barrier.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "clotho/runtime/condition.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/sync.h"

namespace clotho {

class Barrier::State {
 public:
  State(std::size_t parties, std::string_view name)
      : condition_(name.empty() ? std::string_view("barrier") : name),
        parties_(parties) {}

  std::size_t parties() const { return parties_; }
  std::size_t waiting() const { return phase_ == Phase::kFilling ? count_ : 0; }
  bool broken() const { return phase_ == Phase::kBroken; }

  static Coro<std::size_t> Wait(std::shared_ptr<State> self) {
    State& state = *self;
    auto guard = co_await state.condition_.Acquire();
    co_await state.condition_.WaitFor([&state] {
      return state.phase_ != Phase::kDraining &&
             state.phase_ != Phase::kResetting;
    });
    if (state.broken()) throw BrokenBarrierError("Barrier aborted");
    const Place place(state);
    if (place.position() + 1 == state.parties_) {
      state.phase_ = Phase::kDraining;
      state.condition_.NotifyAll();
      co_return place.position();
    }
    co_await state.condition_.WaitFor(
        [&state] { return state.phase_ != Phase::kFilling; });
    if (state.broken() || state.phase_ == Phase::kResetting) {
      throw BrokenBarrierError("Abort or reset of barrier");
    }
    co_return place.position();
  }

  static Coro<void> Reset(std::shared_ptr<State> self) {
    auto guard = co_await self->condition_.Acquire();
    self->phase_ = self->count_ > 0 ? Phase::kResetting : Phase::kFilling;
    self->condition_.NotifyAll();
  }

  static Coro<void> Abort(std::shared_ptr<State> self) {
    auto guard = co_await self->condition_.Acquire();
    self->phase_ = Phase::kBroken;
    self->condition_.NotifyAll();
  }

 private:
  enum class Phase {
    kFilling,    // Tasks arrive, and wait for the others.
    kDraining,   // All have arrived, and leave one after another.
    kResetting,  // The waiting tasks leave with an exception.
    kBroken,     // It was aborted.
  };

  // A task in the barrier.
  class Place {
   public:
    explicit Place(State& state) : state_(state), position_(state.count_++) {}
    ~Place() {
      if (--state_.count_ > 0) return;
      if (state_.phase_ == Phase::kResetting ||
          state_.phase_ == Phase::kDraining) {
        state_.phase_ = Phase::kFilling;
      }
      // A task that is destroyed while it waits does not hold the lock.
      if (state_.condition_.Locked()) state_.condition_.NotifyAll();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    std::size_t position() const { return position_; }

   private:
    State& state_;
    const std::size_t position_;
  };

  Condition condition_;
  const std::size_t parties_;
  std::size_t count_ = 0;  // Tasks that have arrived and not yet left.
  Phase phase_ = Phase::kFilling;
};

Barrier::Barrier(std::int64_t parties, std::string_view name) {
  internal::SyncUnknown("a Barrier");
  if (parties < 1) throw ValueError("parties must be >= 1");
  state_ = std::make_shared<State>(static_cast<std::size_t>(parties), name);
}

Barrier::~Barrier() = default;

Coro<std::size_t> Barrier::Wait() { return State::Wait(state_); }
Coro<void> Barrier::Reset() { return State::Reset(state_); }
Coro<void> Barrier::Abort() { return State::Abort(state_); }

std::size_t Barrier::Parties() const { return state_->parties(); }
std::size_t Barrier::NWaiting() const { return state_->waiting(); }
bool Barrier::Broken() const { return state_->broken(); }

}  // namespace clotho
