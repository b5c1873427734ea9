#include "clotho/sim/strategy.h"

#include <cstdint>

#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/task_base.h"

namespace clotho::sim {

std::uint32_t Candidate::chain() const {
  if (runnable_->chain() != 0) return runnable_->chain();
  const clotho::internal::Runnable* const led =
      const_cast<clotho::internal::Runnable*>(runnable_)->Leads();
  return led == nullptr ? 0 : led->chain();
}

const void* Candidate::role() const {
  const clotho::internal::Runnable* led = runnable_;
  if (led->kind() == clotho::internal::RunnableKind::kInternal) {
    led = const_cast<clotho::internal::Runnable*>(led)->Leads();
  }
  if (led == nullptr || led->kind() != clotho::internal::RunnableKind::kTask) {
    return nullptr;
  }
  return static_cast<const clotho::internal::TaskBase*>(led)->code();
}

std::uint64_t Strategy::ChooseValue(const ValueChoice& choice, Rng& rng) {
  if (!rng.Chance(choice.numerator, choice.denominator)) return 0;
  return 1 + rng.Uniform(choice.size - 1);
}

}  // namespace clotho::sim
