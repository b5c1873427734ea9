#include "clotho/sim/tracked.h"

#include <source_location>
#include <string_view>

#include "clotho/sim/engine/simulator.h"

namespace clotho::sim::internal {

TrackedBase::TrackedBase(std::string_view name)
    : name_(name),
      object_(Simulator::Current() == nullptr
                  ? 0
                  : Simulator::Current()->NewObject()) {}

void TrackedBase::Touch(bool write,
                        const std::source_location& location) const {
  Simulator* const simulator = Simulator::Current();
  if (simulator == nullptr) return;
  if (object_ == 0) {
    simulator->GiveUpLog("a Tracked that was made before the test");
    return;
  }
  simulator->Touch(object_, write, name_, location);
}

}  // namespace clotho::sim::internal
