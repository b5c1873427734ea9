#include "clotho/properties/checking.h"

#include "clotho/sim/explore.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report.h"
#include "rapidcheck.h"

namespace clotho::properties {

bool Holds(const std::function<Coro<void>()>& body,
           const CheckOptions& options) {
  sim::Report report = sim::Explore(body, sim::Plain{});
  if (report.passed()) {
    report = sim::Explore(body, sim::Random{.schedules = options.schedules});
  }
  if (report.passed()) return true;
  RC_LOG() << report.Text();
  return false;
}

}  // namespace clotho::properties
