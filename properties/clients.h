// Clients: concurrent operations of several tasks on one object, checked
// against a sequential model.
//
//   struct Put { int value; };                     // With operator<<, and an
//   struct Get {};                                 // rc::Arbitrary.
//   struct Register {                              // As for sim::History.
//     using State = int;
//     using Operation = std::variant<Put, Get>;
//     using Result = int;
//     static Result Apply(State& state, const Operation& operation) { ... }
//   };
//
//   CLOTHO_PROPERTY(StoreTest, IsLinearizable,
//                   (const properties::Clients<Register>& clients),
//                   sim::Random{.schedules = 50}) {
//     Store store;
//     co_await clients.Run("store",
//                          [&](Register::Operation operation) -> Coro<int> {
//                            if (auto* put = std::get_if<Put>(&operation)) {
//                              co_await store.Put(put->value);
//                              co_return put->value;
//                            }
//                            co_return co_await store.Get();
//                          });
//   }
//
// rapidcheck generates the operations. First, a single client runs some of them
// to bring the object into some state. Then each of the other clients, in a
// separate task, runs its own list. Some order of the operations must explain
// all results (sim/history.h); otherwise the execution fails, and the report
// draws the contradictory operations. A failing input shrinks to few clients
// with few operations.
//
// (The design is that of Claessen et al., "Finding race conditions in Erlang
// with QuickCheck and PULSE", ICFP 2009. If an operation is not allowed in a
// state, its result must say so.)

#ifndef CLOTHO_PROPERTIES_CLIENTS_H_
#define CLOTHO_PROPERTIES_CLIENTS_H_

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clotho/properties/arbitrary.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/task_group.h"
#include "clotho/sim/history.h"
#include "clotho/sim/report/history_text.h"
#include "rapidcheck.h"

namespace clotho::properties {

template <sim::HistoryModel Model>
struct Clients {
  using Operation = typename Model::Operation;
  using Operations = std::vector<Operation>;

  // Run first, by a single client.
  Operations first = {};
  // The operations of each client, in order.
  std::vector<Operations> clients = {};

  // Runs all clients. `run(operation)` must return an awaitable for the
  // operation's result. An exception it throws ends all clients and is then
  // thrown as a TaskGroup exception (unchanged if thrown during `first`). A
  // cancellation is passed on to the clients.
  //
  // `name` is the name of the history in reports.
  template <typename Function>
  Coro<void> Run(
      std::string_view name, Function run,
      std::source_location location = std::source_location::current()) const {
    return RunIn(*this, std::string(name), std::move(run), location);
  }

 private:
  template <typename Function>
  static Coro<void> RunIn(Clients all, std::string name, Function run,
                          std::source_location location) {
    sim::History<Model> history(name);
    Coro<void> first = RunOne(history, "first", all.first, run);
    co_await std::move(first);
    // On every path, the clients have ended when this has.
    TaskGroup group;
    Coro<void> body = group.Run([&]() -> Coro<void> {
      for (std::size_t i = 0; i < all.clients.size(); ++i) {
        const std::string client = "c" + std::to_string(i);
        group.CreateTask(RunOne(history, client, all.clients[i], run),
                         {.name = client});
      }
      co_return;
    });
    co_await std::move(body);
    history.Check(location);
  }

  template <typename Function>
  static Coro<void> RunOne(sim::History<Model>& history, std::string client,
                           const Operations& operations, Function& run) {
    for (const Operation& operation : operations) {
      auto pending = history.Begin(client, operation);
      auto awaitable = run(operation);
      pending.End(co_await std::move(awaitable));
    }
  }
};

template <typename Model>
std::ostream& operator<<(std::ostream& out, const Clients<Model>& clients) {
  using sim::internal::ToText;
  std::string text;
  const auto add = [&text](const std::string& name, const auto& operations) {
    if (!text.empty()) text += "\n";
    text += name + ": ";
    for (std::size_t i = 0; i < operations.size(); ++i) {
      if (i > 0) text += ", ";
      text += ToText(operations[i]);
    }
  };
  if (!clients.first.empty()) add("first", clients.first);
  for (std::size_t i = 0; i < clients.clients.size(); ++i) {
    add("c" + std::to_string(i), clients.clients[i]);
  }
  return out << (text.empty() ? "nothing" : text);
}

// Limits the size of a run. Checking a history takes longer the more clients
// there are.
struct ClientLimits {
  int first_max = 3;
  int clients_max = 3;
  int operations_max = 5;  // Per client.
};

// Generates clients with operations from `operation`.
template <sim::HistoryModel Model>
rc::Gen<Clients<Model>> AnyClients(rc::Gen<typename Model::Operation> operation,
                                   ClientLimits limits = {}) {
  using Operations = typename Clients<Model>::Operations;
  // The lists stay short; the values in them grow with the size.
  return rc::gen::withSize([operation, limits](int size) {
    const auto list = [&](int length_max) {
      return rc::gen::resize(
          std::min(size, length_max),
          rc::gen::container<Operations>(rc::gen::resize(size, operation)));
    };
    const auto clients =
        rc::gen::resize(std::min(size, limits.clients_max),
                        rc::gen::container<std::vector<Operations>>(
                            list(limits.operations_max)));
    return rc::gen::map(
        rc::gen::pair(list(limits.first_max), clients),
        [](std::pair<Operations, std::vector<Operations>> drawn) {
          return Clients<Model>{.first = std::move(drawn.first),
                                .clients = std::move(drawn.second)};
        });
  });
}

}  // namespace clotho::properties

namespace rc {

template <typename Model>
struct Arbitrary<clotho::properties::Clients<Model>> {
  static Gen<clotho::properties::Clients<Model>> arbitrary() {
    return clotho::properties::AnyClients<Model>(
        gen::arbitrary<typename Model::Operation>());
  }
};

}  // namespace rc

#endif  // CLOTHO_PROPERTIES_CLIENTS_H_
