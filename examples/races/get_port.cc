// Two tasks look for a free port, then use it.
//
// Breaks: both look before either binds. Depth 2.
// The fixed version holds a mutex from the look to the use.
// Source: get-port #23 (in the artefact of NodeRacer).

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/tracked.h"

namespace clotho::examples {
namespace {

class AddressInUseError : public Exception {
 public:
  using Exception::Exception;
};

// The machine's ports.
class Ports {
 public:
  explicit Ports(Form form) : form_(form) {}

  Lock& mutex() { return mutex_; }

  // Binds a port, and gives it back at once.
  Coro<bool> IsFree(int port) {
    co_await GiveWay(form_);
    co_return !bound_.Read().contains(port);
  }
  Coro<void> Bind(int port) {
    co_await GiveWay(form_);
    if (!bound_.Write().insert(port).second) {
      throw AddressInUseError("address already in use");
    }
  }

 private:
  const Form form_;
  Lock mutex_{"ports"};
  sim::Tracked<std::set<int>> bound_{"bound"};
};

// The first task to arrive does so a step ahead of the other.
Coro<void> Serve(Ports& ports, int delays, Form form, bool fixed) {
  for (int i = 0; i < delays; ++i) co_await GiveWay(form);
  std::optional<Lock::Guard> guard;
  if (fixed) guard = co_await ports.mutex().Acquire();
  int port = 8080;
  while (!co_await ports.IsFree(port)) ++port;
  co_await ports.Bind(port);
}

Coro<void> TwoServers(Form form, bool fixed) {
  Ports ports(form);
  Coro<void> serve = Serve(ports, 0, form, fixed);
  Task<void> first = CreateTask(std::move(serve), {.name = "server-1"});
  serve = Serve(ports, 2, form, fixed);
  Task<void> second = CreateTask(std::move(serve), {.name = "server-2"});
  co_await Gather(first, second);
}

}  // namespace

std::vector<Race> GetPortRaces() {
  return InBothForms(
      {.name = "get_port",
       .depth = 2,
       .failure = sim::FailureKind::kException,
       .says = "address already in use",
       .published = {.note = "NodeRacer: 17 of 100 runs, 0 with the mutex"}},
      &TwoServers);
}

}  // namespace clotho::examples
