// A connection that is reused at the moment it is closed.
//
// A pool keeps idle connections for the next request. A connection that has
// been idle for long is closed; the decision and the close are two steps, and
// it leaves the pool only in the second.
//
// Breaks: the idle time is up; a request takes the connection; the connection
// is closed; the request writes. Depth 2. The fixed pool drops a connection
// when it decides to close it. Source: agentkeepalive #23 (AKA in the papers of
// NodeFz and NodeRacer).

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/tracked.h"

namespace clotho::examples {
namespace {

class ConnectionResetError : public Exception {
 public:
  using Exception::Exception;
};

struct Connection {
  sim::Tracked<bool> open{"open", true};
};

using Idle = std::vector<std::shared_ptr<Connection>>;

struct Pool {
  sim::Tracked<Idle> idle{"idle"};
};

void Forget(Pool& pool, const std::shared_ptr<Connection>& connection) {
  std::erase(pool.idle.Write(), connection);
}

std::shared_ptr<Connection> Acquire(Pool& pool) {
  if (pool.idle.Read().empty()) return std::make_shared<Connection>();
  std::shared_ptr<Connection> connection = pool.idle.Read().back();
  Forget(pool, connection);
  return connection;
}

Coro<void> Request(Pool& pool, Form form) {
  co_await GiveWay(form);
  std::shared_ptr<Connection> connection = Acquire(pool);
  co_await GiveWay(form);  // Puts the request together.
  if (!connection->open.Read()) {
    throw ConnectionResetError("write to a closed connection");
  }
  co_await GiveWay(form);  // The answer comes.
  pool.idle.Write().push_back(connection);
}

// Closes `connection`, which has been idle for long.
Coro<void> CloseIdle(Pool& pool, std::shared_ptr<Connection> connection,
                     Form form, bool fixed) {
  co_await GiveWay(form);
  const Idle& idle = pool.idle.Read();
  if (std::find(idle.begin(), idle.end(), connection) == idle.end()) co_return;
  if (fixed) Forget(pool, connection);
  co_await GiveWay(form);  // The close is under way.
  connection->open.Write() = false;
  if (!fixed) Forget(pool, connection);
}

Coro<void> ReuseAndClose(Form form, bool fixed) {
  Pool pool;
  auto connection = std::make_shared<Connection>();
  pool.idle.Write().push_back(connection);
  Coro<void> request = Request(pool, form);
  Task<void> one = CreateTask(std::move(request), {.name = "request"});
  Coro<void> close = CloseIdle(pool, connection, form, fixed);
  Task<void> other = CreateTask(std::move(close), {.name = "idle-timer"});
  co_await Gather(one, other);
}

}  // namespace

std::vector<Race> KeepAliveRaces() {
  return InBothForms({.name = "keep_alive",
                      .depth = 2,
                      .failure = sim::FailureKind::kException,
                      .says = "write to a closed connection",
                      .published = {.note = "runs to the first: NodeFz 13.7, "
                                            "NodeRacer 2.2"}},
                     &ReuseAndClose);
}

}  // namespace clotho::examples
