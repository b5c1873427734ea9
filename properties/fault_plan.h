// FaultPlan: what goes wrong, call by call, as an argument of a property.
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
// A fake asks at each call what is to become of it. Calls are counted from 0 in
// the order in which an execution makes them. A plan shrinks to fewer faults,
// and a fault to an earlier call and a simpler kind.
//
// Beside it there is sim::Choose (sim/choice.h), whose mishaps belong to the
// schedule. A plan is better where the input as a whole is to be seen in the
// report, and where the other arguments decide what can go wrong.

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
    kFail,    // The caller is told.
    kDrop,    // Nobody is told.
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
  // Of several faults of one call, the first counts.
  explicit FaultPlan(const std::vector<Fault>& faults);

  // What is to become of the next call.
  Fault Next();

  // By rising calls.
  const std::vector<Fault>& faults() const { return faults_; }
  // How many calls there were.
  std::uint32_t calls() const { return calls_; }

 private:
  std::vector<Fault> faults_;
  std::uint32_t calls_ = 0;
};

// "fail", "delay 5 ms"; and "call 3: drop".
std::ostream& operator<<(std::ostream& out, const Fault& fault);
std::ostream& operator<<(std::ostream& out, const FaultPlan& plan);

// Plans of at most this many faults, of these kinds, within so many calls.
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
