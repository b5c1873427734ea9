// FaultPlan: the faults of a fake, call by call, as an argument of a property.
//
//   CLOTHO_PROPERTY(ClientTest, TriesAgain, (properties::FaultPlan faults),
//                   sim::Random{.schedules = 20}) {
//     FakeNetwork network(&faults);
//     ...
//
//   Coro<void> FakeNetwork::Send(Message message) {
//     switch (const properties::Fault fault = faults_->Next(); fault.kind) {
//       case properties::Fault::kNone: break;
//       case properties::Fault::kFail: throw ConnectionError();
//       case properties::Fault::kDrop: co_return;
//       case properties::Fault::kDelay: co_await Sleep(fault.delay); break;
//       case properties::Fault::kRepeat: Deliver(message); break;
//     }
//     Deliver(message);
//   }
//
// At each call, the fake asks the plan for a fault. Calls are counted from 0 in
// the order in which an execution makes them. A plan shrinks to fewer faults,
// and a fault to an earlier call and a simpler kind.
//
// Alternatively, faults from sim::Choose (sim/choice.h) belong to the schedule.
// A plan is better if the whole input should appear in the report, or if the
// other arguments determine which faults are possible.

#ifndef CLOTHO_PROPERTIES_FAULT_PLAN_H_
#define CLOTHO_PROPERTIES_FAULT_PLAN_H_

#include <cstdint>
#include <ostream>
#include <vector>

#include "clotho/runtime/delay.h"
#include "rapidcheck.h"

namespace clotho::properties {

struct Fault {
  enum Kind {
    kNone,
    kFail,    // The caller gets an error.
    kDrop,    // The caller gets no error.
    kDelay,   // It takes longer, by `delay`.
    kRepeat,  // It happens twice.
  };

  std::uint32_t call = 0;
  Kind kind = kNone;
  Delay delay = {};

  friend bool operator==(const Fault&, const Fault&) = default;
};

class FaultPlan {
 public:
  FaultPlan() = default;
  // If a call has several faults, the first one applies.
  explicit FaultPlan(const std::vector<Fault>& faults);

  // The fault of the next call.
  Fault Next();

  // In ascending order of calls.
  const std::vector<Fault>& faults() const { return faults_; }
  // The number of calls.
  std::uint32_t calls() const { return calls_; }

 private:
  std::vector<Fault> faults_;
  std::uint32_t calls_ = 0;
};

// "fail", "delay 5 ms"; and "call 3: drop".
std::ostream& operator<<(std::ostream& out, const Fault& fault);
std::ostream& operator<<(std::ostream& out, const FaultPlan& plan);

// Plans with at most this many faults, of these kinds, within this many calls.
struct FaultLimits {
  std::uint32_t faults_max = 5;
  std::uint32_t calls_max = 20;
  std::vector<Fault::Kind> kinds = {Fault::kFail, Fault::kDrop, Fault::kDelay,
                                    Fault::kRepeat};
};
rc::Gen<FaultPlan> FaultPlans(FaultLimits limits = {});

}  // namespace clotho::properties

namespace rc {

template <>
struct Arbitrary<clotho::properties::FaultPlan> {
  static Gen<clotho::properties::FaultPlan> arbitrary() {
    return clotho::properties::FaultPlans();
  }
};

}  // namespace rc

#endif  // CLOTHO_PROPERTIES_FAULT_PLAN_H_
