#include "clotho/sim/engine/strategy.h"

#include <cstddef>
#include <cstdint>

#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/task_base.h"
#include "clotho/sim/engine/hash.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/simulated_thread.h"
#include "clotho/sim/engine/step_log.h"

namespace clotho::sim {

std::uint32_t Candidate::ChainOfEventualStep() const {
  const clotho::internal::Runnable* const led =
      const_cast<clotho::internal::Runnable*>(runnable_)->EventualStep();
  return led == nullptr ? 0 : led->chain();
}

std::uint64_t CallbackProcess(std::uint64_t path) {
  return internal::Mix64(path + 1);
}

std::uint64_t ChoicePoint::ProcessOf(std::size_t index) const {
  const Candidate candidate = (*this)[index];
  if (candidate.is_timer()) return StepLog::kTime;
  const std::uint64_t path = chains_[candidate.runnable().chain()].path;
  return candidate.runnable().kind() ==
                 clotho::internal::RunnableKind::kCallback
             ? CallbackProcess(path)
             : path;
}

const void* Candidate::role() const {
  const clotho::internal::Runnable* led = runnable_;
  if (led->kind() == clotho::internal::RunnableKind::kInternal) {
    led = const_cast<clotho::internal::Runnable*>(led)->EventualStep();
  }
  if (led == nullptr) return nullptr;
  if (led->kind() == clotho::internal::RunnableKind::kThread) {
    return static_cast<const internal::SimulatedThread*>(led)->role();
  }
  if (led->kind() != clotho::internal::RunnableKind::kTask) return nullptr;
  return static_cast<const clotho::internal::TaskBase*>(led)->code();
}

std::uint64_t Strategy::ChooseValue(const ValueChoice& choice, Rng& rng) {
  if (!rng.Chance(choice.numerator, choice.denominator)) return 0;
  return 1 + rng.Uniform(choice.size - 1);
}

}  // namespace clotho::sim
