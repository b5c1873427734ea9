// A driver that is stopped while a request arrives.
//
// A request that finds the driver running registers itself, then works. The
// stopper marks the driver as stopping, drops its own registration, and stops
// the driver if that was the last one. Any code that closes while something
// starts has this shape.
//
// Breaks: the request finds the driver running; the stopper runs to its end;
// the request registers itself and works on a stopped driver. Depth 2. The
// fixed request registers first and checks afterwards. Source: SCTBench
// (`bluetooth_driver`), after KISS and CHESS.

#include <vector>

#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/tracked.h"

namespace clotho::examples {
namespace {

struct Driver {
  sim::Tracked<bool> stopping{"stopping", false};
  sim::Tracked<int> registered{"registered", 1};  // The driver's own.
  sim::Tracked<bool> nobody_left{"nobody_left", false};
  sim::Tracked<bool> stopped{"stopped", false};
};

void Unregister(Driver& driver) {
  if (--driver.registered.Write() == 0) driver.nobody_left.Write() = true;
}

Coro<void> Request(Driver& driver, Form form, bool fixed) {
  if (fixed) {
    co_await GiveWay(form);
    ++driver.registered.Write();
  }
  co_await GiveWay(form);
  if (driver.stopping.Read()) {
    if (fixed) Unregister(driver);
    co_return;
  }
  if (!fixed) {
    co_await GiveWay(form);
    ++driver.registered.Write();
  }
  co_await GiveWay(form);
  Always(!driver.stopped.Read(), "no request works on a stopped driver");
  co_await GiveWay(form);
  Unregister(driver);
}

Coro<void> Stop(Driver& driver, Form form) {
  co_await GiveWay(form);
  driver.stopping.Write() = true;
  co_await GiveWay(form);
  Unregister(driver);
  co_await GiveWay(form);
  if (driver.nobody_left.Read()) driver.stopped.Write() = true;
}

Coro<void> RequestAndStop(Form form, bool fixed) {
  Driver driver;
  Coro<void> request = Request(driver, form, fixed);
  Task<void> one = CreateTask(std::move(request), {.name = "request"});
  Coro<void> stop = Stop(driver, form);
  Task<void> other = CreateTask(std::move(stop), {.name = "stopper"});
  co_await Gather(one, other);
}

}  // namespace

std::vector<Race> DriverRaces() {
  return InBothForms({.name = "driver",
                      .depth = 2,
                      .says = "no request works on a stopped driver",
                      .published = {.surw = Figure{70},
                                    .pct3 = Figure{112},
                                    .pct10 = Figure{83},
                                    .pos = Figure{36},
                                    .random = Figure{215},
                                    .rff = Figure{45}}},
                     &RequestAndStop);
}

}  // namespace clotho::examples
