#include "clotho/sim/after_every_step.h"

#include <functional>
#include <memory>
#include <source_location>
#include <string_view>
#include <utility>

#include "clotho/sim/engine/simulator.h"

namespace clotho::sim {

StepCheck::StepCheck(std::unique_ptr<internal::Invariant> invariant)
    : invariant_(std::move(invariant)) {
  if (invariant_ != nullptr) invariant_->simulator->AddInvariant(*invariant_);
}

StepCheck::StepCheck(StepCheck&&) noexcept = default;

StepCheck::~StepCheck() {
  if (invariant_ != nullptr) {
    invariant_->simulator->RemoveInvariant(*invariant_);
  }
}

StepCheck AfterEveryStep(std::string_view claim, std::function<bool()> holds,
                         std::source_location location) {
  internal::Simulator* const simulator = internal::Simulator::Current();
  if (simulator == nullptr) return StepCheck(nullptr);
  return StepCheck(std::make_unique<internal::Invariant>(
      internal::Invariant{.simulator = simulator,
                          .claim = claim,
                          .holds = std::move(holds),
                          .location = location}));
}

}  // namespace clotho::sim
