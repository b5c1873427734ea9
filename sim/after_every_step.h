// AfterEveryStep: an invariant that is checked after every step.
//
//   auto check = sim::AfterEveryStep("at most one leader",
//                                    [&] { return cluster.leaders() <= 1; });
//
// If it is false, the execution fails in the step that broke it; an assertion
// that some task reaches later cannot do that. The invariant must have no side
// effects, and touch no tracked object that the steps would not touch.

#ifndef CLOTHO_SIM_AFTER_EVERY_STEP_H_
#define CLOTHO_SIM_AFTER_EVERY_STEP_H_

#include <functional>
#include <memory>
#include <source_location>
#include <string_view>

namespace clotho::sim {

namespace internal {
struct Invariant;
}  // namespace internal

// The invariant is checked while this object exists. Belongs to one execution.
class [[nodiscard]] StepCheck {
 public:
  StepCheck(StepCheck&&) noexcept;
  StepCheck& operator=(StepCheck&&) = delete;
  ~StepCheck();

 private:
  friend StepCheck AfterEveryStep(std::string_view claim,
                                  std::function<bool()> holds,
                                  std::source_location location);
  explicit StepCheck(std::unique_ptr<internal::Invariant> invariant);

  // Null outside a simulation.
  std::unique_ptr<internal::Invariant> invariant_;
};

// `claim` must outlive the check; use a string literal. Outside a simulation
// the invariant is never checked, because nothing knows when a step ends.
StepCheck AfterEveryStep(
    std::string_view claim, std::function<bool()> holds,
    std::source_location location = std::source_location::current());

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_AFTER_EVERY_STEP_H_
