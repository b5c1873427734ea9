// AfterEveryStep: an invariant that is checked whenever a step has ended.
//
//   auto check = sim::AfterEveryStep("at most one leader",
//                                    [&] { return cluster.leaders() <= 1; });
//
// A false one fails the execution in the step that broke it, which no assertion
// that some task comes past later can do. It must have no effects, and touch no
// tracked object that the steps would not.

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

// It is checked for as long as this lives. Belongs to one execution.
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

  std::unique_ptr<internal::Invariant> invariant_;  // Null outside.
};

// `claim` must outlive it; a string literal. Outside of a simulation it is
// never checked: there is nobody who could say when a step ends.
StepCheck AfterEveryStep(
    std::string_view claim, std::function<bool()> holds,
    std::source_location location = std::source_location::current());

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_AFTER_EVERY_STEP_H_
